//! Access and refresh tokens: claims, issuing, verifying. Knows keys; knows no store and no
//! session.
//!
//! In addition to the registered claims (RFC 7519 section 4.1, RFC 9068 section 2.2) an access
//! token has these, under names that no user type may take:
//!
//! | claim | in code | what it holds |
//! |---|---|---|
//! | `sid` | `sid` | the id of the session, 22 characters of base64url; absent from tokens without a session |
//! | `gen` | `generation` | the session's generation when the token was issued; beside `sid` only |
//! | `uep` | `user_epoch` | the highest epoch of the user, the client and the whole store at that time: a revocation raises one of them, and older tokens are no longer valid |
//! | `rlm` | `realm` | the realm; absent in the default realm, whose verifier refuses a token that has it |
//! | `bnd` | `binding` | fingerprints of the device and the network that the token is bound to, 16 bytes in base64url; absent where it is not bound |

mod audience;
mod binding;
mod cache;
mod claim_fault;
mod claims;
mod common_names;
mod compact;
mod decode;
#[cfg(feature = "jwe")]
mod encrypted;
mod expect;
mod external;
mod fast_path;
mod gauge;
mod header;
mod info;
mod issue;
mod issue_error;
mod json;
mod minted;
mod moved;
mod names;
mod nested;
mod refresh;
mod secret_names;
mod stored;
mod subject;
mod successor;
mod verify;
#[cfg(test)]
mod wycheproof;

#[cfg(feature = "axum")]
pub(crate) use claims::Known;
pub use claims::{
    ClaimSet, ClaimValue, Confidential, Issuable, JwtClaims, Open, Secrecy, Subject, TextValue,
    ValueSet,
};
pub use external::{TokenFault, TokenKind};
pub use info::TokenInfo;
pub use minted::Minted;
pub use verify::Verified;

pub(crate) use cache::{Remember, VerifiedCache};
pub(crate) use claim_fault::ClaimFault;
#[cfg(feature = "jwe")]
pub(crate) use encrypted::{decrypt, encrypt};
#[cfg(feature = "axum")]
pub(crate) use external::Origin;
pub(crate) use external::{
    AudienceRule, Expected, Fault, Limits, Marks, Sealed, Spelling, TENANT, Tenants, is_guid,
    quoted,
};
pub(crate) use issue::{complete, draft};
pub(crate) use moved::MovedToken;
pub(crate) use nested::{NestedSecret, nested_secret};

#[doc(hidden)]
pub use binding::TokenBinding;
#[doc(hidden)]
pub use expect::Expect;
#[doc(hidden)]
pub use issue::{Envelope, Stamp, issue};
#[doc(hidden)]
pub use issue_error::IssueError;
#[doc(hidden)]
pub use refresh::{BadRefreshToken, Parsed, RefreshToken};
#[doc(hidden)]
pub use stored::{StoreTooLong, read_stored, write_stored};
#[doc(hidden)]
pub use successor::{open_successor, seal_successor};
#[doc(hidden)]
pub(crate) use verify::verify_at;
pub use verify::{VerifyError, verify};
