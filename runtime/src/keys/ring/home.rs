//! Reads and changes a ring at its place: a folder, a slot of a store, or this process alone.

use std::sync::Arc;

use super::file::RingFolder;
use super::folder;
use super::manifest::Manifest;
use super::sealed::{RingSource, SlotVersion};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;

/// The place of a ring.
pub(super) enum Home {
    Folder(RingFolder),
    Shared(RingSource),
    /// This process alone, or its configuration.
    Local,
}

/// The version of the ring that was last read at its place.
pub(super) enum Version {
    /// The bytes of a folder's manifest.
    Manifest(Vec<u8>),
    /// The version in a store.
    Slot(SlotVersion),
    /// A ring of this process, which no other process changes.
    None,
}

/// A change of the manifest; it returns `None` to change nothing.
pub(super) type Change = dyn Fn(&Manifest) -> Result<Option<Manifest>, Error> + Send + Sync;

impl Home {
    /// Reads the ring where its version is not `known`; `None` if it is.
    pub(super) async fn read_changed(
        &self,
        known: &Version,
        algorithm: Algorithm,
    ) -> Result<Option<(Manifest, Version)>, Error> {
        match (self, known) {
            (Self::Folder(path), Version::Manifest(known)) => {
                let (path, known) = (path.clone(), known.clone());
                let read = blocking(move || folder::read_changed(&path, algorithm, &known)).await?;
                Ok(read.map(|(manifest, bytes)| (manifest, Version::Manifest(bytes))))
            }
            (Self::Shared(source), Version::Slot(known)) => {
                let read = source.read(Some(*known)).await?;
                Ok(read.map(|(version, manifest)| (manifest, Version::Slot(version))))
            }
            _ => Ok(None),
        }
    }

    /// Changes the ring; `None` if a ring of this process stays as it is.
    pub(super) async fn change(
        &self,
        (known, version): (&Manifest, &Version),
        change: &Arc<Change>,
        clock: &Clock,
    ) -> Result<Option<(Manifest, Version)>, Error> {
        match self {
            Self::Folder(path) => {
                let (path, algorithm, change) = (path.clone(), known.algorithm, Arc::clone(change));
                let changed = move || folder::change(&path, algorithm, |known| change(known));
                let (manifest, bytes) = blocking(changed).await?;
                Ok(Some((manifest, Version::Manifest(bytes))))
            }
            Self::Shared(source) => {
                let known = match version {
                    Version::Slot(known) => Some(*known),
                    Version::Manifest(_) | Version::None => None,
                };
                let (manifest, version) = change_shared(source, known, change, clock).await?;
                Ok(Some((manifest, Version::Slot(version))))
            }
            Self::Local => {
                let (known, change) = (known.clone(), Arc::clone(change));
                let changed = blocking(move || change(&known)).await?;
                Ok(changed.map(|manifest| (manifest, Version::None)))
            }
        }
    }
}

/// Changes the ring in the store, and starts over where another node was faster. A ring that is
/// older than the known one was put back, and is refused as when it is read.
pub(super) async fn change_shared(
    source: &RingSource,
    known: Option<SlotVersion>,
    change: &Arc<Change>,
    clock: &Clock,
) -> Result<(Manifest, SlotVersion), Error> {
    for _ in 0..ATTEMPTS {
        let Some((version, manifest)) = source.read_to_change(known).await? else {
            break;
        };
        let (change, present) = (Arc::clone(change), manifest.clone());
        let Some(changed) = blocking(move || change(&present)).await? else {
            return Ok((manifest, version));
        };
        if let Some(version) = source.swap(version.number, &changed, clock).await? {
            return Ok((changed, version));
        }
    }
    Err(Error::new(
        ErrorKind::Keys,
        "the shared ring is gone from the store, or changes all the time",
    ))
}

/// Runs blocking work (files, the making of RSA keys) on a thread for such work.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Keys, "the work on the ring was interrupted").because(error)
    })?
}

/// The number of times that a change starts over because another node was faster.
const ATTEMPTS: u32 = 16;
