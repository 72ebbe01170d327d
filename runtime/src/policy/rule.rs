//! Rules as data: the conditions of a policy on its caller.

/// A condition on the caller. Macros emit it as a constant; [`decide`](fn@super::decide) reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Every caller who is signed in.
    Anyone,
    /// The caller has this role.
    Role(&'static str),
    /// The caller was granted this scope.
    Scope(&'static str),
    /// An own claim is this value, or is a list that contains it.
    Claim {
        /// The name of the claim on the wire.
        name: &'static str,
        /// The value, as a token contains it.
        value: Value,
    },
    /// The caller authenticated at most this many seconds ago.
    MaxAge(u64),
    /// The caller authenticated in this way: `acr` (RFC 9470, OpenID Connect Core section 2).
    Acr(&'static str),
    /// All of these hold.
    All(&'static [Rule]),
    /// At least one of these holds.
    Any(&'static [Rule]),
    /// This does not hold.
    Not(&'static Rule),
}

/// A value that a claim is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A string.
    Text(&'static str),
    /// A whole number.
    Number(i128),
    /// `true` or `false`.
    Truth(bool),
}
