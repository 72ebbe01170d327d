//! Access and refresh tokens: claims, issuing, verifying. Knows keys; knows no store and no session.

mod bond;
mod claims;
mod compact;
mod decode;
mod header;
mod issue;
mod json;
mod refresh;
mod seal;
mod shape;
mod stored;
mod verify;
#[cfg(test)]
mod wycheproof;

pub use claims::{ClaimSet, ClaimValue, Confidential, JwtClaims, Open, Secrecy, Subject, ValueSet};
pub use verify::{TokenInfo, Verified};

#[doc(hidden)]
pub use bond::Bond;
#[doc(hidden)]
pub use issue::{IssueError, Stamp, issue};
#[doc(hidden)]
pub use refresh::{BadRefreshToken, Parsed, RefreshToken};
#[doc(hidden)]
pub use seal::{open_successor, seal_successor};
#[doc(hidden)]
pub use stored::{StoreTooLong, read_stored, write_stored};
#[doc(hidden)]
pub use verify::{Expect, VerifyError, verify};
