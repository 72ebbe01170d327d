//! The keys of a manifest at one moment, parsed and ready to use.

use std::sync::Arc;

use super::manifest::{HeldKey, Manifest};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::keys::key::live::LiveKey;
use crate::keys::key::mac::MacKey;
use crate::keys::key::signing::{SigningKey, VerifyingKey};
use crate::keys::key::state::{KeyPurpose, KeyState};
use crate::keys::seal::SealKey;
use crate::keys::set::{KeySet, KeySetParts};

/// Makes the keys of a manifest ready to use. Keys that have expired by `now` no longer verify.
pub(super) fn key_set(manifest: &Manifest, now: Timestamp) -> Result<KeySet, Error> {
    let of = |purpose: KeyPurpose| {
        manifest
            .keys
            .iter()
            .filter(move |key| key.entry.purpose == purpose)
    };
    let current = |purpose: KeyPurpose| {
        of(purpose)
            .find(|key| key.entry.state == KeyState::Current)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Keys,
                    format!("the ring has no current key for `{purpose}`"),
                )
            })
    };
    let is_out = |key: &HeldKey| key.entry.until.is_some_and(|until| until <= now);

    let held = current(KeyPurpose::Sign)?;
    let kid: Arc<str> = held.entry.id.as_str().into();
    let signing = SigningKey::new(
        manifest.algorithm,
        kid,
        LiveKey::new(manifest.algorithm, &held.secret)?,
        None,
    )?;

    let mut verifying = Vec::new();
    for held in
        of(KeyPurpose::Sign).filter(|key| !is_out(key) && key.entry.state != KeyState::Retired)
    {
        let kid: Arc<str> = held.entry.id.as_str().into();
        let key = LiveKey::new(manifest.algorithm, &held.secret)?.verifying();
        verifying.push(VerifyingKey::new(
            manifest.algorithm,
            kid,
            held.entry.state,
            key,
        )?);
    }

    let (mut macs, mut seals) = (Vec::new(), Vec::new());
    for held in of(KeyPurpose::Refresh) {
        let state = if is_out(held) {
            KeyState::Retired
        } else {
            held.entry.state
        };
        macs.push(MacKey::new(
            held.entry.number().ok_or_else(|| unusable(held))?,
            state,
            held.secret.expose(),
        )?);
    }
    for held in of(KeyPurpose::Seal).filter(|key| !is_out(key)) {
        let number = held.entry.number().ok_or_else(|| unusable(held))?;
        seals.push(SealKey::new(
            number,
            held.entry.state,
            Arc::clone(&held.secret),
        ));
    }
    let (algorithm, revision) = (manifest.algorithm, manifest.revision);
    Ok(KeySet::assemble(KeySetParts {
        algorithm,
        revision,
        signing,
        verifying,
        macs,
        seals,
    }))
}

fn unusable(held: &HeldKey) -> Error {
    Error::new(
        ErrorKind::Keys,
        format!("the key {} cannot be used", held.entry.name()),
    )
}
