//! What is wrong with a malformed request: the closed list of what its client is told.

use std::fmt;

/// Why a request is malformed. Every word is ours, or a name that the program gave to a member:
/// nothing of the request, and nothing that a library says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "only routes read requests")
)]
pub(crate) enum Malformed {
    /// The body is no JSON, or ends early.
    NotJson,
    /// The body is JSON, and not an object.
    NotAnObject,
    /// The body is no form.
    NotAForm,
    /// The body did not come, or not in time.
    Incomplete,
    /// The member is not there.
    Missing(&'static str),
    /// The member is there more than once.
    Twice(&'static str),
    /// The value of the member cannot be taken.
    Unfit(&'static str),
    /// The same of a member whose name is not known.
    UnfitMember,
    /// The request brings more than one credential.
    TwoCredentials,
    /// Tokens are bound to devices, and the request names none.
    NoDevice,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is not JSON"),
            Self::NotAnObject => f.write_str("the body is not a JSON object"),
            Self::NotAForm => f.write_str("the body is not a form with the expected members"),
            Self::Incomplete => f.write_str("the body did not arrive"),
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Twice(name) => write!(f, "`{name}` is there more than once"),
            Self::Unfit(name) => write!(f, "`{name}` has another type, or is too long"),
            Self::UnfitMember => {
                f.write_str("a member of the body is missing, or has another type or length")
            }
            Self::TwoCredentials => f.write_str("more than one credential was sent"),
            Self::NoDevice => f.write_str("`device_id` is missing"),
        }
    }
}
