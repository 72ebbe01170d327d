//! The binding of an access token: the claim `bnd`, two short fingerprints that reveal nothing
//! without the original values.

use std::fmt;

use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};

use crate::id::{SessionId, TokenId};
use crate::secret::same;

/// Fingerprints of a device's id and of a network, eight bytes each; zeros where it is not bound to
/// one. They are valid for one session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenBinding([u8; 16]);

impl TokenBinding {
    /// Computes the binding of a session to a device and a network.
    #[must_use]
    pub fn of(sid: SessionId, device_id: Option<&str>, network: Option<impl fmt::Display>) -> Self {
        let device = device_id.map_or([0; 8], |id| fingerprint("device", sid, id));
        let network = network.map_or([0; 8], |network| {
            fingerprint("network", sid, &network.to_string())
        });
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(device.into_iter().chain(network))
            .for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// Returns whether the token is bound to no device, or to the one of `presented`.
    #[must_use]
    pub fn allows_device(&self, presented: &Self) -> bool {
        allows(self.halves().0, presented.halves().0)
    }

    /// Returns whether the token is bound to no network, or to the one of `presented`.
    #[must_use]
    pub fn allows_network(&self, presented: &Self) -> bool {
        allows(self.halves().1, presented.halves().1)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn halves(&self) -> (&[u8], &[u8]) {
        self.0.split_at(8)
    }
}

fn allows(bound: &[u8], presented: &[u8]) -> bool {
    bound == [0; 8] || same(bound, presented)
}

fn fingerprint(what: &str, sid: SessionId, value: &str) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update("tollgate/binding/1");
    hash.update(what);
    hash.update(sid.as_bytes());
    hash.update(value);
    let mut short = [0; 8];
    short
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    short
}

impl fmt::Debug for TokenBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenBinding")
    }
}

impl<'de> Deserialize<'de> for TokenBinding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // It has the same text form as an id.
        TokenId::deserialize(deserializer).map(|id| Self(*id.as_bytes()))
    }
}
