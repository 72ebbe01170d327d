//! The traits of user types and their claims: implemented by `#[derive(JwtClaims)]`, used by issuer
//! and verifier.

use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::MapAccess;
use serde::ser::SerializeMap;

/// A user type whose claims a token carries. Derive it: `#[derive(JwtClaims)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which claims its tokens carry",
    label = "this type has no claims",
    note = "put `#[derive(JwtClaims)]` on `{Self}` and `#[claim(sub)]` on the field that \
            identifies the user",
    note = "in `Auth<…>` the user comes first, and the policy second: `Auth<User, Admins>`; the \
            user is the struct that derives `JwtClaims`, not the claims made of it; and a caller \
            who may be missing is `Option<Auth<User>>`"
)]
pub trait JwtClaims: Sized + Send + Sync + 'static {
    /// The read-only type of the claims: `{Struct}Claims`.
    type Claims: ClaimSet<Subject = Self::Subject>;
    /// The type of the field marked `#[claim(sub)]`.
    type Subject: Subject;
    /// [`Open`], or [`Confidential`] where a claim is marked so.
    type Secrecy: Secrecy;

    /// Returns the subject.
    fn subject(&self) -> &Self::Subject;

    /// Returns the claims of this user for a token: every field but the skipped ones.
    fn to_claims(&self) -> Self::Claims;
}

/// The user type `U`, where a bound is to be asked of it only once it is known to have claims: rustc
/// cannot name this type for another one, and so reports that alone.
#[cfg(feature = "axum")]
pub(crate) type Known<U> = <<U as JwtClaims>::Claims as OfUser<U>>::User;

/// The claims of a user type, which lead back to it.
#[cfg(feature = "axum")]
#[doc(hidden)]
pub trait OfUser<U> {
    /// The user type.
    type User;
}

#[cfg(feature = "axum")]
impl<C: ClaimSet, U> OfUser<U> for C {
    type User = U;
}

/// A user type whose tokens a gate may issue: every one but those with `#[claims(external)]`. The
/// derive implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is for tokens that others issue",
    label = "this gate would issue tokens of `{Self}`",
    note = "remove `external` from `#[claims(…)]`, or name the type of your own users in \
            `#[auth_backend(…, user = User)]`"
)]
pub trait Issuable {}

/// A type that identifies a user: written with `Display` into `sub`, and read by
/// [`ClaimSet::parse_subject`] with `FromStr`, or with `From<String>` where it has no `FromStr`,
/// like `Arc<str>`, `Box<str>` and `Cow<'static, str>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a subject",
    label = "the subject is cloned, written with `Display`, and goes between threads",
    note = "use a `Uuid`, an integer, a `String` or an `Arc<str>`, or implement `Clone` and \
            `Display` for `{Self}`"
)]
pub trait Subject: Clone + Display + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Display + Send + Sync + 'static> Subject for T {}

/// The claims of a user type, apart from those that the gate itself sets.
///
/// The generated type implements it. `Serialize` writes `sub` first, then the own claims under
/// their wire names.
pub trait ClaimSet: Clone + Debug + Serialize + Send + Sync + 'static {
    /// The type of the subject.
    type Subject: Subject;
    /// The own claims while a token is read: an empty place for each.
    type Draft: Default;

    /// Returns the subject.
    fn subject(&self) -> &Self::Subject;

    /// Reads a subject; `None` if the text has another form.
    fn parse_subject(text: &str) -> Option<Self::Subject>;

    /// Writes the own claims, without `sub`, in their order.
    ///
    /// # Errors
    /// The error of the serializer.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    /// Returns the place of an own claim by its wire name; `None` for every other name.
    fn place(name: &str) -> Option<usize>;

    /// Reads the value of the claim at `place` into the draft.
    ///
    /// # Errors
    /// The value has another form, or the claim came before.
    fn read<'de, A: MapAccess<'de>>(
        draft: &mut Self::Draft,
        place: usize,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// Completes the claims, once the whole token was read.
    ///
    /// # Errors
    /// The wire name of a claim that is missing.
    fn finish(draft: Self::Draft, subject: Self::Subject) -> Result<Self, &'static str>;

    /// Returns whether the field marked `#[claim(roles)]` holds this role; `false` without such a
    /// field.
    fn has_role(&self, role: &str) -> bool;

    /// Returns whether the field marked `#[claim(scope)]` holds this scope; `false` without such a
    /// field.
    fn has_scope(&self, scope: &str) -> bool;

    /// The places of the claims marked `#[claim(expose)]` or `#[claim(confidential)]`, in whose
    /// values no gate looks for fields that seem secret.
    const EXPOSED: &'static [usize] = &[];

    /// `true` if a field is marked `#[claim(action)]`, so that a token is valid for one action
    /// and once.
    const ACTION_BOUND: bool = false;

    /// Returns the digest in the field marked `#[claim(action)]`; `None` without such a field.
    fn action(&self) -> Option<&str> {
        None
    }
}

/// A closed set of strings. Derive it on an enum without fields: `#[derive(ClaimValue)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a closed set of strings",
    label = "roles and scopes come from an enum without fields",
    note = "put `#[derive(ClaimValue)]` on the enum `{Self}`"
)]
pub trait ClaimValue: Copy + Send + Sync + 'static {
    /// All values, in the order of the enum.
    const ALL: &'static [Self];

    /// Returns the string on the wire.
    fn wire(&self) -> &'static str;

    /// Returns the value of a string on the wire.
    #[must_use]
    fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.wire() == text)
    }

    /// Returns the string on the wire, of a set with `#[claim_value(text)]`.
    fn as_str(&self) -> &'static str
    where
        Self: TextValue,
    {
        self.wire()
    }
}

/// A closed set whose values are used as text in other places too: `#[claim_value(text)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say that it is used as text",
    label = "`as_str`, `Display`, `FromStr` and `TryFrom` are not written for `{Self}`",
    note = "write `#[claim_value(text)]` above `enum {Self}`"
)]
pub trait TextValue {}

/// A field type that may be marked `#[claim(roles)]` or `#[claim(scope)]`: one value, an optional
/// one, or many.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no roles or scopes",
    label = "expected a `ClaimValue`, or an `Option`, `Vec` or set of them",
    note = "put `#[derive(ClaimValue)]` on the enum, and make the field a `Vec` of it"
)]
pub trait ValueSet {
    /// The type of a value.
    type Value;

    /// Returns whether the set holds this value.
    fn holds(&self, value: &str) -> bool;
}

impl<V: ClaimValue> ValueSet for V {
    type Value = V;
    fn holds(&self, value: &str) -> bool {
        self.wire() == value
    }
}

impl<T: ValueSet> ValueSet for Option<T> {
    type Value = T::Value;
    fn holds(&self, value: &str) -> bool {
        self.iter().any(|held| held.holds(value))
    }
}

impl<T: ValueSet> ValueSet for std::sync::Arc<T> {
    type Value = T::Value;
    fn holds(&self, value: &str) -> bool {
        self.as_ref().holds(value)
    }
}

macro_rules! value_set {
    ($($many:ty),*) => {$(
        impl<V: ClaimValue> ValueSet for $many {
            type Value = V;
            fn holds(&self, value: &str) -> bool {
                self.iter().any(|v| v.wire() == value)
            }
        }
    )*};
}
value_set!(
    Vec<V>,
    Box<[V]>,
    std::sync::Arc<[V]>,
    std::borrow::Cow<'static, [V]>,
    std::collections::BTreeSet<V>,
    std::collections::VecDeque<V>
);

impl<V: ClaimValue, const N: usize> ValueSet for [V; N] {
    type Value = V;
    fn holds(&self, value: &str) -> bool {
        self.iter().any(|v| v.wire() == value)
    }
}

impl<V: ClaimValue, S: 'static> ValueSet for std::collections::HashSet<V, S> {
    type Value = V;
    fn holds(&self, value: &str) -> bool {
        self.iter().any(|v| v.wire() == value)
    }
}

/// The secrecy of claims from the holder of their token.
pub trait Secrecy: Send + Sync + 'static {}

/// The holder may read the claims.
#[derive(Clone, Copy, Debug)]
pub struct Open;

/// At least one claim is not for the holder: only encrypted tokens carry these claims.
#[derive(Clone, Copy, Debug)]
pub struct Confidential;

impl Secrecy for Open {}
impl Secrecy for Confidential {}
