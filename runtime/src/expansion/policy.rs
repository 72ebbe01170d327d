//! The items that policies name: the claims of user types, and the values that these can have.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::policy::{HasRoles, HasScopes};
use crate::token::ClaimValue;

/// A claim of a user type, which `JwtClaims` implements for each own claim. The number stands for
/// the field's name, `K` for the kind of value that a policy compares the claim with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no claim of this name",
    label = "no field of `{Self}` of this name is a claim that policies may compare",
    note = "a policy names the field as it stands in the struct, and one that is not skipped; \
            roles and scopes are asked for with `role` and `scope`"
)]
pub trait HasClaim<const NAME: u64, K> {
    /// The claim's name on the wire.
    const WIRE: &'static str;
    /// The values that its type can have.
    const LIMITS: Limits = Limits::NONE;
}

/// A user type whose roles are strings, so that a policy may name one as a string.
#[diagnostic::on_unimplemented(
    message = "the roles of `{Self}` are not strings",
    label = "no role of `{Self}` is a string",
    note = "name the variant of its enum, as in `role = Role::Admin`; only a type for tokens that \
            others issue, with `#[claim(roles)] roles: Vec<String>`, has strings as roles"
)]
pub trait HasTextRoles {}

#[diagnostic::do_not_recommend]
impl<U: HasRoles<String>> HasTextRoles for U {}

/// A user type whose scopes are strings, so that a policy may name one as a string.
#[diagnostic::on_unimplemented(
    message = "the scopes of `{Self}` are not strings",
    label = "no scope of `{Self}` is a string",
    note = "name the variant of its enum, as in `scope = Scope::Write`; only a type for tokens \
            that others issue, with `#[claim(scope)] scope: Vec<String>`, has strings as scopes"
)]
pub trait HasTextScopes {}

#[diagnostic::do_not_recommend]
impl<U: HasScopes<String>> HasTextScopes for U {}

/// The values that the type of a claim can have, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    least: i128,
    most: i128,
    /// The number of characters of a text; `None` for any.
    chars: Option<usize>,
    /// `true` where a claim of the type has one value, and is no list.
    single: bool,
}

impl Limits {
    /// Limits of a type about which nothing is known.
    pub const NONE: Self = Self {
        least: i128::MIN,
        most: i128::MAX,
        chars: None,
        single: false,
    };
    /// Limits of a type with one value, which may be any.
    const ONE: Self = Self {
        single: true,
        ..Self::NONE
    };

    /// Returns the limits of a list of such values.
    const fn listed(self) -> Self {
        Self {
            single: false,
            ..self
        }
    }
}

/// A type whose limits are known.
pub trait Limited {
    /// Its limits.
    const LIMITS: Limits;
}

macro_rules! limited {
    ($($ty:ident),*) => {$(
        impl Limited for $ty {
            const LIMITS: Limits = Limits {
                least: $ty::MIN as i128,
                most: $ty::MAX as i128,
                ..Limits::ONE
            };
        }
    )*};
}
limited!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Limited for u128 {
    const LIMITS: Limits = Limits {
        least: 0,
        ..Limits::ONE
    };
}

impl Limited for char {
    const LIMITS: Limits = Limits {
        chars: Some(1),
        ..Limits::ONE
    };
}

macro_rules! limited_to_one {
    ($($ty:ty),*) => {$(
        impl Limited for $ty {
            const LIMITS: Limits = Limits::ONE;
        }
    )*};
}
limited_to_one!(i128, bool, String, Box<str>, Arc<str>, Cow<'static, str>);

impl<V: ClaimValue> Limited for V {
    const LIMITS: Limits = Limits::ONE;
}

impl<T: Limited> Limited for Option<T> {
    const LIMITS: Limits = T::LIMITS;
}

macro_rules! limited_inside {
    ($($ty:ty),*) => {$(
        impl<T: Limited> Limited for $ty {
            const LIMITS: Limits = T::LIMITS.listed();
        }
    )*};
}
limited_inside!(Vec<T>, VecDeque<T>, Box<[T]>, Arc<[T]>, BTreeSet<T>);

impl<T: Limited, const N: usize> Limited for [T; N] {
    const LIMITS: Limits = T::LIMITS.listed();
}

impl<T: Limited + Clone> Limited for Cow<'static, [T]> {
    const LIMITS: Limits = T::LIMITS.listed();
}

impl<T: Limited, S> Limited for HashSet<T, S> {
    const LIMITS: Limits = T::LIMITS.listed();
}

/// A type whose `LIMITS` are known or, with [`NoLimits`] in scope, empty.
pub struct LimitsOf<T>(PhantomData<T>);

impl<T: Limited> LimitsOf<T> {
    /// The limits of the type.
    pub const LIMITS: Limits = T::LIMITS;
}

/// Implemented for types whose limits are not known.
pub trait NoLimits {
    /// Nothing is known.
    const LIMITS: Limits = Limits::NONE;
}

impl<T> NoLimits for LimitsOf<T> {}

/// Checks that a claim with these limits can be this number.
///
/// # Panics
/// It never can be: then a policy that asks for it does not compile.
#[track_caller]
pub const fn fitting_number(number: i128, limits: Limits) {
    assert!(
        limits.least <= number && number <= limits.most,
        "no claim of this type is ever this number: write one that the type of the field can hold"
    );
}

/// Checks that a claim with these limits can be this text.
///
/// # Panics
/// It never can be: then a policy that asks for it does not compile.
#[track_caller]
pub const fn fitting_text(text: &str, limits: Limits) {
    if let Some(chars) = limits.chars {
        assert!(
            count(text) == chars,
            "no claim of this type is ever this text: a `char` is one character"
        );
    }
}

/// Checks that a claim with these limits can have two values at once.
///
/// # Panics
/// It has one: then a policy that asks for two does not compile.
#[track_caller]
pub const fn one_value(limits: Limits) {
    assert!(
        !limits.single,
        "a claim of this type has one value, and another is asked for beside it, so nobody \
         satisfies both: write `any(claim(…), claim(…))`"
    );
}

/// Returns the number of characters.
const fn count(text: &str) -> usize {
    let mut bytes = text.as_bytes();
    let mut count = 0;
    while let [first, rest @ ..] = bytes {
        // A byte that begins with the bits 10 continues a character (RFC 3629 section 3).
        if *first & 0b1100_0000 != 0b1000_0000 {
            count += 1;
        }
        bytes = rest;
    }
    count
}
