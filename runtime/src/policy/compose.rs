//! Policies made of other policies: tuples, of which all have to hold, and [`AnyOf`] them.

use std::fmt;
use std::marker::PhantomData;

use super::{Policy, PolicyFor, Rule};
use crate::settings::Consistency;
use crate::token::JwtClaims;

/// A policy that holds where one of several does: `AnyOf<(Admins, Editors)>`, of two to six.
///
/// A tuple of policies, `(Admins, Fresh)`, holds where all of them do. Both can be used wherever a
/// policy can, also inside each other.
///
/// ```
/// use tollgate::prelude::*;
/// # #[derive(Clone, Copy, ClaimValue)] enum Role { Admin, Editor }
/// # #[derive(Clone, JwtClaims)] struct User { #[claim(sub)] id: u64, #[claim(roles)] roles: Vec<Role> }
///
/// #[derive(Policy)]
/// #[policy(role = Role::Admin)]
/// struct Admins;
///
/// #[derive(Policy)]
/// #[policy(role = Role::Editor)]
/// struct Editors;
///
/// #[derive(Policy)]
/// #[policy(max_age = "5m")]
/// struct Fresh;
///
/// async fn delete(_: Auth<User, (Fresh, AnyOf<(Admins, Editors)>)>) {}
/// ```
pub struct AnyOf<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for AnyOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyOf")
    }
}

macro_rules! composed {
    ($(($($part:ident),+))*) => {$(
        impl<$($part: Policy),+> Policy for ($($part,)+) {}

        impl<U: JwtClaims, $($part: PolicyFor<U>),+> PolicyFor<U> for ($($part,)+) {
            const RULE: Rule = Rule::All(&[$($part::RULE),+]);
            const CONSISTENCY: Option<Consistency> = said_by_all(&[$($part::CONSISTENCY),+]);
            const AT_LEAST: Consistency =
                strictest(&[$(stricter($part::CONSISTENCY, $part::AT_LEAST)),+]);
        }

        impl<$($part: Policy),+> Policy for AnyOf<($($part,)+)> {}

        impl<U: JwtClaims, $($part: PolicyFor<U>),+> PolicyFor<U> for AnyOf<($($part,)+)> {
            const RULE: Rule = Rule::Any(&[$($part::RULE),+]);
            const CONSISTENCY: Option<Consistency> = said_by_all(&[$($part::CONSISTENCY),+]);
            const AT_LEAST: Consistency =
                strictest(&[$(stricter($part::CONSISTENCY, $part::AT_LEAST)),+]);
        }
    )*};
}

composed! {
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
}

/// Returns what a verifier asks the store before it accepts a caller's token, where its gate's
/// setting is `gate`.
#[cfg(feature = "axum")]
pub(crate) const fn consistency<U: JwtClaims, P: PolicyFor<U>>(gate: Consistency) -> Consistency {
    let said = match P::CONSISTENCY {
        Some(said) => said,
        None => gate,
    };
    stricter(Some(said), P::AT_LEAST)
}

/// Returns the strictest consistency among the parts of a policy, if each of them sets one; a part
/// that sets none leaves it to the gate.
#[must_use]
pub const fn said_by_all(parts: &[Option<Consistency>]) -> Option<Consistency> {
    let mut strictest = Consistency::Eventual;
    let mut rest = parts;
    while let [part, after @ ..] = rest {
        if part.is_none() {
            return None;
        }
        strictest = stricter(*part, strictest);
        rest = after;
    }
    Some(strictest)
}

/// Returns the strictest of them.
#[must_use]
pub const fn strictest(parts: &[Consistency]) -> Consistency {
    let mut strictest = Consistency::Eventual;
    let mut rest = parts;
    while let [part, after @ ..] = rest {
        strictest = stricter(Some(*part), strictest);
        rest = after;
    }
    strictest
}

/// Returns whether a verifier that asks as strictly as `by` has also asked as strictly as `asked`.
#[cfg(feature = "axum")]
#[must_use]
pub(crate) const fn is_covered(asked: Consistency, by: Consistency) -> bool {
    match (asked, by) {
        (Consistency::Eventual, _) | (_, Consistency::Strict) => true,
        (Consistency::Bounded(one), Consistency::Bounded(other)) => {
            other.as_nanos() <= one.as_nanos()
        }
        (Consistency::Strict, _) | (Consistency::Bounded(_), Consistency::Eventual) => false,
    }
}

/// Returns the stricter of both; `None` is the least strict.
#[must_use]
pub const fn stricter(said: Option<Consistency>, other: Consistency) -> Consistency {
    match (said, other) {
        (None | Some(Consistency::Eventual), other) => other,
        (Some(Consistency::Strict), _) | (_, Consistency::Strict) => Consistency::Strict,
        (Some(said), Consistency::Eventual) => said,
        (Some(Consistency::Bounded(one)), Consistency::Bounded(other)) => {
            Consistency::Bounded(if one.as_nanos() < other.as_nanos() {
                one
            } else {
                other
            })
        }
    }
}
