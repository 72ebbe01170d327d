//! The ring of keys: what signs access tokens, what guards refresh tokens, what seals.

mod ed25519;
mod folder;
mod lock;
mod public;
mod published;
mod ring;
mod roster;
mod rsa;
mod seal;
mod set;
mod signing;
mod strength;
mod thumbprint;

pub use jsonwebtoken::Algorithm;
pub use jsonwebtoken::jwk::JwkSet;
pub use public::{KeyProblem, PublicKey};
pub use published::{BadKeySet, PublicKeySet};
pub use ring::{KeyRing, Rotation};
pub use set::{KeySet, KeyState, MacKey, SigningKey, VerifyingKey};

pub(crate) use seal::{open_with, seal_with};

#[cfg(test)]
pub(crate) use signing::LiveKey;
