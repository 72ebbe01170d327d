//! Access and refresh tokens: claims, issuing, verifying. Knows keys; knows no store and no
//! session.

mod binding;
mod cache;
mod claims;
mod compact;
mod decode;
#[cfg(feature = "jwe")]
mod encrypted;
mod external;
mod fast_path;
mod header;
mod issue;
mod json;
mod refresh;
mod stored;
mod successor;
mod verify;
#[cfg(test)]
mod wycheproof;

pub use claims::{
    ClaimSet, ClaimValue, Confidential, Issuable, JwtClaims, Open, Secrecy, Subject, ValueSet,
};
pub use external::TokenKind;
pub use verify::{TokenInfo, Verified};

pub(crate) use cache::VerifiedCache;
#[cfg(feature = "jwe")]
pub(crate) use encrypted::{decrypt, encrypt};
pub(crate) use external::{Expected, Sealed};
pub(crate) use issue::{complete, draft};

#[doc(hidden)]
pub use binding::TokenBinding;
#[doc(hidden)]
pub use issue::{Envelope, IssueError, Stamp, issue};
#[doc(hidden)]
pub use refresh::{BadRefreshToken, Parsed, RefreshToken};
#[doc(hidden)]
pub use stored::{StoreTooLong, read_stored, write_stored};
#[doc(hidden)]
pub use successor::{open_successor, seal_successor};
#[doc(hidden)]
pub use verify::{Expect, VerifyError, verify};
