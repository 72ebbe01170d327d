//! What is wrong with a malformed request: the closed list of what its client is told.

use std::fmt;

/// Why a request is malformed. Every word is ours, or a name that the program gave to a member:
/// nothing of the request, and nothing that a library says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "axum", feature = "password")),
    allow(
        dead_code,
        reason = "only routes read requests, and only `password` has rules"
    )
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
    /// A path, a query or a form does not have the expected members.
    UnfitInput,
    /// A web socket offers the protocol with the token, and none that could be selected.
    LoneBearerProtocol,
    /// A header of ours has a value that is none of its own.
    UnfitHeader(&'static str),
    /// A new password has fewer characters than this.
    PasswordTooShort(usize),
    /// A new password is too long.
    PasswordTooLong,
    /// A new password is easy to guess.
    PasswordGuessable,
    /// A new password is on the blocklist.
    PasswordListed,
    /// The parameter `after` of a list names no session of the caller.
    NoSuchPage,
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
            Self::UnfitInput => f.write_str("the path, the query or the form has other members"),
            Self::LoneBearerProtocol => {
                f.write_str("offer a second protocol beside the one with the token")
            }
            Self::UnfitHeader(name) => write!(f, "the header `{name}` has an unknown value"),
            Self::PasswordTooShort(chars) => {
                write!(f, "the password needs at least {chars} characters")
            }
            Self::PasswordTooLong => f.write_str("the password is too long"),
            Self::PasswordGuessable => f.write_str("the password is easy to guess"),
            Self::PasswordListed => f.write_str("the password is known to attackers"),
            Self::NoSuchPage => {
                f.write_str("`after` is not the `session_id` of a session in the caller's list")
            }
        }
    }
}
