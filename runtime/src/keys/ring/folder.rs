//! The folder of a ring: key files, the manifest that names them, and an order of writing that
//! survives a crash.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::file::{RingFolder, make_folder, read_private, replace, trouble};
use super::lock::Lock;
use super::manifest::{HeldKey, KeyEntry, Manifest, check_value, kid};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::keys::algorithm::Algorithm;
use crate::keys::key::live::secret_len;
use crate::keys::key::state::KeyPurpose;
use crate::secret::Secret;

/// The content of `manifest.json`. The version comes first and is read on its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestFile {
    version: u32,
    revision: u64,
    adopted: bool,
    algorithm: Algorithm,
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
struct ManifestVersion {
    version: u32,
}

/// A manifest, and the bytes of the file that it was read from.
pub(super) type ReadManifest = (Manifest, Vec<u8>);

/// Reads the ring in a folder, or makes one if the folder has no ring.
pub(super) fn open(
    folder: &RingFolder,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<ReadManifest, Error> {
    make_folder(folder)?;
    if let Some(bytes) = read_manifest(folder)? {
        return load_again(folder, algorithm, &bytes);
    }
    let lock = Lock::take(folder)?;
    if let Some(bytes) = read_manifest(folder)? {
        return load(folder, algorithm, bytes);
    }
    let files = key_files(folder)?;
    if let Some(file) = files.first().filter(|_| !lock.was_interrupted()) {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "{} is missing, but {file} lies beside it: restore it, or empty the folder",
                shown(folder, MANIFEST)
            ),
        ));
    }
    let manifest = Manifest::create(algorithm, now)?;
    let bytes =
        write(folder, &manifest).inspect_err(|_| remove_unnamed(folder, &HashSet::new()))?;
    remove_unnamed(folder, &names(&manifest));
    Ok((manifest, bytes))
}

/// Reads the ring again where its manifest is not `known`.
pub(super) fn read_changed(
    folder: &RingFolder,
    algorithm: Algorithm,
    known: &[u8],
) -> Result<Option<ReadManifest>, Error> {
    match read_manifest(folder)? {
        None => Err(Error::new(
            ErrorKind::Keys,
            format!("{} is missing", shown(folder, MANIFEST)),
        )),
        Some(bytes) if bytes == known => Ok(None),
        Some(bytes) => load_again(folder, algorithm, &bytes).map(Some),
    }
}

/// Changes the ring under the folder's lock, starting from its present content.
pub(super) fn change<F>(
    folder: &RingFolder,
    algorithm: Algorithm,
    change: F,
) -> Result<ReadManifest, Error>
where
    F: FnOnce(&Manifest) -> Result<Option<Manifest>, Error>,
{
    let _lock = Lock::take(folder)?;
    let bytes = read_manifest(folder)?.ok_or_else(|| {
        Error::new(
            ErrorKind::Keys,
            format!("{} is missing", shown(folder, MANIFEST)),
        )
    })?;
    let (manifest, bytes) = load(folder, algorithm, bytes)?;
    let Some(changed) = change(&manifest)? else {
        return Ok((manifest, bytes));
    };
    let bytes = write(folder, &changed)?;
    remove_unnamed(folder, &names(&changed));
    Ok((changed, bytes))
}

/// Writes the keys first, then the manifest that names them: the rename of the manifest is the
/// moment at which the ring changes.
fn write(folder: &RingFolder, manifest: &Manifest) -> Result<Vec<u8>, Error> {
    for key in &manifest.keys {
        let name = file_name(&key.entry);
        if !folder.join(&name).exists()
            || read_key(folder, manifest.algorithm, key.entry.clone()).is_err()
        {
            replace(folder, &name, &key_text(manifest.algorithm, key))?;
        }
    }
    let file = ManifestFile {
        version: VERSION,
        revision: manifest.revision,
        adopted: manifest.adopted,
        algorithm: manifest.algorithm,
        keys: manifest.keys.iter().map(|key| key.entry.clone()).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&file)
        .map_err(|error| trouble("written", &folder.join(MANIFEST)).because(error))?;
    text.push(b'\n');
    replace(folder, MANIFEST, &text)?;
    Ok(text)
}

/// Loads the ring. If it was changed meanwhile, so that a file which the manifest named is missing,
/// loads it once more.
fn load_again(
    folder: &RingFolder,
    algorithm: Algorithm,
    bytes: &[u8],
) -> Result<ReadManifest, Error> {
    load(folder, algorithm, bytes.to_vec()).or_else(|error| match read_manifest(folder)? {
        Some(changed) if changed != bytes => load(folder, algorithm, changed),
        _ => Err(error),
    })
}

fn load(folder: &RingFolder, algorithm: Algorithm, bytes: Vec<u8>) -> Result<ReadManifest, Error> {
    let path = shown(folder, MANIFEST);
    let refuse = |what: String| Error::new(ErrorKind::Keys, format!("{path} {what}"));
    let unreadable =
        |error: serde_json::Error| refuse("is damaged: it is not a manifest".into()).because(error);
    let version: ManifestVersion = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if version.version != VERSION {
        return Err(refuse(format!(
            "has the version {}: this release reads version {VERSION}",
            version.version
        )));
    }
    let file: ManifestFile = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if file.algorithm != algorithm {
        return Err(refuse(format!(
            "holds {} keys, and {algorithm} was asked for",
            file.algorithm
        )));
    }
    let keys = file
        .keys
        .into_iter()
        .map(|entry| read_key(folder, algorithm, entry))
        .collect::<Result<_, _>>()?;
    let manifest = Manifest {
        algorithm,
        revision: file.revision,
        adopted: file.adopted,
        keys,
    };
    manifest.check().map_err(refuse)?;
    Ok((manifest, bytes))
}

fn read_manifest(folder: &RingFolder) -> Result<Option<Vec<u8>>, Error> {
    read_private(&folder.join(MANIFEST), folder.group)
}

fn read_key(folder: &RingFolder, algorithm: Algorithm, entry: KeyEntry) -> Result<HeldKey, Error> {
    let name = file_name(&entry);
    let path = folder.join(&name);
    let refuse = |what: &str| Error::new(ErrorKind::Keys, format!("{} {what}", path.display()));
    // A manifest that was tampered with must not lead out of the folder.
    if !entry
        .id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(refuse("is not the name of a key file"));
    }
    let bytes = Zeroizing::new(
        read_private(&path, folder.group)?
            .ok_or_else(|| refuse("is missing, and the manifest names it"))?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| refuse("is damaged: it is not text"))?;
    let mut words = text
        .strip_suffix('\n')
        .ok_or_else(|| refuse("is truncated"))?
        .split(' ');
    match (words.next(), words.next()) {
        (Some("tollgate-key"), Some("1")) => {}
        (Some("tollgate-key"), Some(_)) => return Err(refuse("has an unknown version")),
        _ => return Err(refuse("is damaged: it is not a key file")),
    }
    if words.next() != Some(&use_of(algorithm, entry.purpose)) {
        return Err(refuse(
            "is a key for another purpose than the manifest says",
        ));
    }
    let (Some(encoded), None) = (words.next(), words.next()) else {
        return Err(refuse("is truncated"));
    };
    let secret = Secret::from_bytes(
        URL_SAFE_NO_PAD
            .decode_to_vec(encoded)
            .map_err(|_| refuse("is damaged: the key is not base64url"))?,
    );
    let len = if entry.purpose == KeyPurpose::Sign {
        secret_len(algorithm)
    } else {
        Some(32)
    };
    if len.is_some_and(|len| secret.expose().len() != len) {
        return Err(refuse("is truncated"));
    }
    let is_named = || {
        Ok::<_, Error>(entry.purpose != KeyPurpose::Sign || kid(algorithm, &secret)? == entry.id)
    };
    // The check value comes first: it is cheaper, and a file that fails it may not even hold a key.
    if check_value(&secret)? != entry.check || !is_named()? {
        return Err(refuse("is not the key that the manifest names"));
    }
    Ok(HeldKey {
        entry,
        secret: Arc::new(secret),
    })
}

fn key_text(algorithm: Algorithm, key: &HeldKey) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(String::with_capacity(160));
    text.push_str("tollgate-key 1 ");
    text.push_str(&use_of(algorithm, key.entry.purpose));
    text.push(' ');
    URL_SAFE_NO_PAD.encode_append(key.secret.expose(), &mut *text);
    text.push('\n');
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

/// Returns the purpose as a key file names it.
fn use_of(algorithm: Algorithm, purpose: KeyPurpose) -> String {
    match purpose {
        KeyPurpose::Sign => format!("sign/{algorithm}"),
        KeyPurpose::Refresh | KeyPurpose::Seal => purpose.to_string(),
    }
}

/// Returns the names of the key files in the folder, including those that were only partly written.
fn key_files(folder: &RingFolder) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for file in
        fs::read_dir(&folder.path).map_err(|error| trouble("read", &folder.path).because(error))?
    {
        let file = file.map_err(|error| trouble("read", &folder.path).because(error))?;
        if let Some(name) = file.file_name().to_str() {
            let whole = name.strip_suffix(".tmp").unwrap_or(name);
            let key = whole.ends_with(".key")
                && ["sign-", "refresh-", "seal-"]
                    .iter()
                    .any(|purpose| whole.starts_with(purpose));
            if key {
                names.push(name.to_owned());
            }
        }
    }
    Ok(names)
}

/// Removes key files that are not in the manifest. A file that cannot be removed stays for the next
/// time.
fn remove_unnamed(folder: &RingFolder, named: &HashSet<String>) {
    for name in key_files(folder).unwrap_or_default() {
        if !named.contains(&name)
            && let Err(error) = fs::remove_file(folder.join(&name))
        {
            tracing::warn!(
                file = %folder.join(&name).display(),
                %error,
                "an old key file could not be removed"
            );
        }
    }
}

fn names(manifest: &Manifest) -> HashSet<String> {
    manifest
        .keys
        .iter()
        .map(|key| file_name(&key.entry))
        .collect()
}

fn file_name(entry: &KeyEntry) -> String {
    format!("{}.key", entry.name())
}

fn shown(folder: &RingFolder, name: &str) -> String {
    folder.join(name).display().to_string()
}

pub(super) const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;
