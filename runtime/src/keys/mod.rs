//! The key ring: keys that sign access tokens, authenticate refresh tokens, and encrypt.

mod algorithm;
#[cfg(feature = "jwe")]
mod content;
mod foreign_jwks;
#[cfg(feature = "jsonwebtoken")]
mod interop;
mod jwk;
mod key;
mod own_jwks;
mod ring;
mod seal;
mod set;

pub use algorithm::{Algorithm, AlgorithmFamily, UnknownAlgorithm};
pub use foreign_jwks::{BadKeySet, PublicKeySet};
pub use jwk::{Jwk, JwkSet};
pub use key::form::KeyForm;
pub use key::mac::MacKey;
pub use key::problem::KeyProblem;
pub use key::public::PublicKey;
pub use key::signer::{Signer, SignerError};
pub use key::signing::{SigningKey, VerifyingKey};
pub use key::state::KeyState;
pub use own_jwks::Published;
pub use ring::configured::ConfiguredRing;
pub use ring::options::RingOptions;
pub use ring::shared::SharedRing;
pub use ring::{KeyRing, KeySetRef, Rotation};
pub use set::KeySet;

#[cfg(feature = "cli")]
pub(crate) use key::state::KeyPurpose;
pub(crate) use key::strength::check as check_secret;
#[cfg(feature = "cli")]
pub(crate) use ring::describe::{KeyDescription, algorithm_in};
pub(crate) use ring::sealed::{SharedSlot, SlotAnswer};
pub(crate) use seal::{open_with, seal_with};

#[cfg(test)]
pub(crate) use key::live::LiveKey;
