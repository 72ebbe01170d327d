//! The keys of a ring as people see them: names, states and times, never a secret.

use std::path::Path;

use serde::Deserialize;

use super::KeyRing;
use super::folder::MANIFEST;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;
use crate::keys::key::state::{KeyPurpose, KeyState};

/// A key of a ring, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct KeyDescription {
    /// The name by which it is retired: the `kid` of a signing key, `refresh-1`, `seal-1`.
    pub(crate) name: String,
    /// Its purpose.
    pub(crate) purpose: KeyPurpose,
    /// Its state.
    pub(crate) state: KeyState,
    /// The time at which it was published.
    pub(crate) published_at: Timestamp,
    /// The time at which the last token made with it expires, where it makes none any more.
    pub(crate) until: Option<Timestamp>,
}

impl KeyRing {
    /// Lists the keys of the ring; none where they come from a configuration.
    pub(crate) async fn described(&self) -> Vec<KeyDescription> {
        let origin = self.state.origin.lock().await;
        let keys = origin.manifest.iter().flat_map(|manifest| &manifest.keys);
        keys.map(|key| KeyDescription {
            name: match key.entry.purpose {
                KeyPurpose::Sign => key.entry.id.clone(),
                KeyPurpose::Refresh | KeyPurpose::Seal => key.entry.name(),
            },
            purpose: key.entry.purpose,
            state: key.entry.state,
            published_at: key.entry.published_at,
            until: key.entry.until,
        })
        .collect()
    }
}

/// Reads the algorithm of the ring in a folder. It never makes a ring.
///
/// # Errors
/// The folder holds no ring, or its manifest cannot be read.
pub(crate) fn algorithm_in(folder: &Path) -> Result<Algorithm, Error> {
    #[derive(Deserialize)]
    struct ManifestAlgorithm {
        algorithm: Algorithm,
    }
    let path = folder.join(MANIFEST);
    let refuse = |what: &str| Error::new(ErrorKind::Keys, format!("`{}` {what}", folder.display()));
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refuse(&format!(
                "holds no key ring: `{MANIFEST}` is not there"
            )));
        }
        Err(error) => return Err(refuse(&format!("cannot be read: `{MANIFEST}`")).because(error)),
    };
    let manifest: ManifestAlgorithm = serde_json::from_slice(&bytes)
        .map_err(|_| refuse(&format!("holds no key ring: `{MANIFEST}` is damaged")))?;
    Ok(manifest.algorithm)
}
