//! The ring of keys: what signs access tokens, what guards refresh tokens, what seals.

mod configured;
#[cfg(feature = "jwe")]
mod content;
mod ed25519;
mod folder;
mod jwks;
mod lock;
mod private;
mod public;
mod published;
mod ring;
mod roster;
mod rsa;
mod seal;
mod set;
mod shared;
mod signer;
mod signing;
mod strength;
mod thumbprint;

pub use configured::ConfiguredRing;
pub use jsonwebtoken::Algorithm;
pub use jsonwebtoken::jwk::JwkSet;
pub use jwks::Published;
pub use public::{KeyProblem, PublicKey};
pub use published::{BadKeySet, PublicKeySet};
pub use ring::{KeyRing, Rotation};
pub(crate) use seal::{open_with, seal_with};
pub use set::{KeySet, KeyState, MacKey, SigningKey, VerifyingKey};
pub use shared::SharedRing;
pub(crate) use shared::{Answer, SharedSlot};
pub use signer::{Signer, SignerError};

#[cfg(test)]
pub(crate) use signing::LiveKey;
