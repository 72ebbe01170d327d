//! The ring of keys: what signs access tokens, what guards refresh tokens, what seals.

#[cfg(feature = "jwe")]
mod content;
mod foreign_jwks;
mod key;
mod own_jwks;
mod ring;
mod seal;
mod set;

pub use foreign_jwks::{BadKeySet, PublicKeySet};
pub use jsonwebtoken::Algorithm;
pub use jsonwebtoken::jwk::JwkSet;
pub use key::public::{KeyProblem, PublicKey};
pub use key::signer::{Signer, SignerError};
pub use own_jwks::Published;
pub use ring::configured::ConfiguredRing;
pub use ring::shared::SharedRing;
pub(crate) use ring::shared::{Answer, SharedSlot};
pub use ring::{KeyRing, Rotation};
pub(crate) use seal::{open_with, seal_with};
pub use set::{KeySet, KeyState, MacKey, SigningKey, VerifyingKey};

#[cfg(test)]
pub(crate) use key::live::LiveKey;
