//! The reasons why a request is malformed: the closed list of texts that a client can be told.

use std::fmt;

/// The reason why a request is malformed. Every word is ours, or a name that the program gave to a
/// member: nothing is copied from the request or from a library's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "axum", feature = "password")),
    allow(
        dead_code,
        reason = "only routes read requests, and only `password` has rules"
    )
)]
pub(crate) enum Malformed {
    /// The body is not JSON, or ends early.
    NotJson,
    /// The body is JSON, but not an object.
    NotAnObject,
    /// The body is not a form.
    NotAForm,
    /// The body did not arrive, or not in time.
    Incomplete,
    /// The member is missing.
    Missing(&'static str),
    /// The member occurs more than once.
    Twice(&'static str),
    /// The member has a value that is not accepted.
    Unfit(&'static str),
    /// A member whose name is not known has a value that is not accepted.
    UnfitMember,
    /// The request carries more than one credential.
    TwoCredentials,
    /// Tokens are bound to devices, and the request names no device.
    NoDevice,
    /// A path, a query or a form does not have the expected members.
    UnfitInput,
    /// A web socket offers the protocol that carries the token, and no other protocol to select.
    LoneBearerProtocol,
    /// A header of the gate has a value that the gate does not define.
    UnfitHeader(&'static str),
    /// A new password has fewer characters than this.
    PasswordTooShort(usize),
    /// A new password is too long.
    PasswordTooLong,
    /// A new password is easy to guess.
    PasswordGuessable,
    /// A new password is on the blocklist.
    PasswordListed,
    /// The request does not open a web socket.
    NotAnUpgrade,
    /// The parameter `after` of a list names no entry of that list.
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
            Self::NotAnUpgrade => f.write_str("the request does not open a web socket"),
            Self::NoSuchPage => f.write_str("`after` is not the id of an entry in this list"),
        }
    }
}
