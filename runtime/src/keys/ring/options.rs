//! The options of opening a ring in a folder.

use std::path::{Path, PathBuf};

use super::KeyRing;
use super::file::RingFolder;
use crate::error::Error;
use crate::keys::algorithm::Algorithm;
use crate::settings::{KeysGroup, KeysSettings};

/// The options of opening a ring in a folder. Made by [`KeyRing::options`].
///
/// ```no_run
/// # use tollgate::prelude::*;
/// # async fn example() -> Result<(), tollgate::error::Error> {
/// let settings = Settings::load()?;
/// let ring = KeyRing::options("keys").settings(&settings.keys).open().await?;
/// # drop(ring);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options open nothing: call `.open()`"]
pub struct RingOptions {
    path: PathBuf,
    algorithm: Algorithm,
    group: KeysGroup,
}

impl RingOptions {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            algorithm: Algorithm::EdDSA,
            group: KeysGroup::default(),
        }
    }

    /// Sets the algorithm of the keys that sign. By default EdDSA.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets what the group of the folder and its files may do: `keys.group`. By default nothing.
    pub const fn group(mut self, group: KeysGroup) -> Self {
        self.group = group;
        self
    }

    /// Takes the options of a folder from the settings `keys.*`.
    pub const fn settings(self, settings: &KeysSettings) -> Self {
        self.group(settings.group)
    }

    /// Opens the ring, and makes folder and keys if they do not exist.
    ///
    /// # Errors
    /// As [`KeyRing::open_with`].
    pub async fn open(self) -> Result<KeyRing, Error> {
        let folder = RingFolder {
            path: self.path,
            group: self.group,
        };
        KeyRing::in_folder(folder, self.algorithm).await
    }
}
