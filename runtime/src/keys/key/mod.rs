//! One key: its material, its checks, and how it signs and verifies.

pub(super) mod ed25519;
pub(super) mod form;
pub(super) mod keyed;
pub(super) mod live;
pub(super) mod mac;
pub(super) mod point;
pub(super) mod private;
pub(super) mod problem;
pub(super) mod public;
pub(super) mod rsa;
pub(super) mod signer;
pub(super) mod signing;
pub(super) mod state;
pub(super) mod strength;
pub(super) mod thumbprint;
