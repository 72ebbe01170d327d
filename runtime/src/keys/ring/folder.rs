//! The folder of a ring: key files, the manifest that names them, and the order of writing that a
//! crash cannot spoil.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind as Io, Write};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::lock::Lock;
use super::manifest::{Entry, Held, KeyPurpose, Roster, check_value, kid};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// What `manifest.json` says. The version comes first and is read on its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    revision: u64,
    adopted: bool,
    algorithm: Algorithm,
    keys: Vec<Entry>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A roster, and the manifest's bytes that it was read from.
pub(in crate::keys) type Read = (Roster, Vec<u8>);

/// Reads the ring in a folder, or makes one where there is none.
pub(in crate::keys) fn open(
    folder: &Path,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Read, Error> {
    make_folder(folder)?;
    if let Some(manifest) = read_manifest(folder)? {
        return load_patiently(folder, algorithm, &manifest);
    }
    let lock = Lock::take(folder)?;
    if let Some(manifest) = read_manifest(folder)? {
        return load(folder, algorithm, manifest);
    }
    let strays = key_files(folder)?;
    if let Some(stray) = strays.first().filter(|_| !lock.was_interrupted()) {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "{} is missing, but {stray} lies beside it: restore it, or empty the folder",
                shown(folder, MANIFEST)
            ),
        ));
    }
    let roster = Roster::create(algorithm, now)?;
    let manifest =
        write(folder, &roster).inspect_err(|_| remove_strays(folder, &HashSet::new()))?;
    remove_strays(folder, &names(&roster));
    Ok((roster, manifest))
}

/// Reads the ring again where its manifest is not `known`.
pub(in crate::keys) fn read_changed(
    folder: &Path,
    algorithm: Algorithm,
    known: &[u8],
) -> Result<Option<Read>, Error> {
    match read_manifest(folder)? {
        None => Err(Error::new(
            ErrorKind::Keys,
            format!("{} is missing", shown(folder, MANIFEST)),
        )),
        Some(manifest) if manifest == known => Ok(None),
        Some(manifest) => load_patiently(folder, algorithm, &manifest).map(Some),
    }
}

/// Changes the ring under the folder's lock, starting from what lies there.
pub(in crate::keys) fn change<F>(
    folder: &Path,
    algorithm: Algorithm,
    change: F,
) -> Result<Read, Error>
where
    F: FnOnce(&Roster) -> Result<Option<Roster>, Error>,
{
    let _lock = Lock::take(folder)?;
    let manifest = read_manifest(folder)?.ok_or_else(|| {
        Error::new(
            ErrorKind::Keys,
            format!("{} is missing", shown(folder, MANIFEST)),
        )
    })?;
    let (roster, manifest) = load(folder, algorithm, manifest)?;
    let Some(changed) = change(&roster)? else {
        return Ok((roster, manifest));
    };
    let manifest = write(folder, &changed)?;
    remove_strays(folder, &names(&changed));
    Ok((changed, manifest))
}

/// Writes keys first, then the manifest that names them: the rename of the manifest is the one
/// moment of change.
fn write(folder: &Path, roster: &Roster) -> Result<Vec<u8>, Error> {
    for key in &roster.keys {
        let name = file_name(&key.entry);
        if !folder.join(&name).exists()
            || read_key(folder, roster.algorithm, key.entry.clone()).is_err()
        {
            replace(folder, &name, &key_text(roster.algorithm, key))?;
        }
    }
    let manifest = Manifest {
        version: VERSION,
        revision: roster.revision,
        adopted: roster.adopted,
        algorithm: roster.algorithm,
        keys: roster.keys.iter().map(|key| key.entry.clone()).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| trouble("written", &folder.join(MANIFEST)).because(error))?;
    text.push(b'\n');
    replace(folder, MANIFEST, &text)?;
    Ok(text)
}

/// Loads; where the ring was changed meanwhile, so that a file is gone that the manifest named,
/// once more.
fn load_patiently(folder: &Path, algorithm: Algorithm, manifest: &[u8]) -> Result<Read, Error> {
    load(folder, algorithm, manifest.to_vec()).or_else(|error| match read_manifest(folder)? {
        Some(changed) if changed != manifest => load(folder, algorithm, changed),
        _ => Err(error),
    })
}

fn load(folder: &Path, algorithm: Algorithm, bytes: Vec<u8>) -> Result<Read, Error> {
    let file = shown(folder, MANIFEST);
    let refuse = |what: String| Error::new(ErrorKind::Keys, format!("{file} {what}"));
    let unreadable =
        |error: serde_json::Error| refuse("is damaged: it is not a manifest".into()).because(error);
    let version: Version = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if version.version != VERSION {
        return Err(refuse(format!(
            "has the version {}: this release reads version {VERSION}",
            version.version
        )));
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(unreadable)?;
    if manifest.algorithm != algorithm {
        return Err(refuse(format!(
            "holds {:?} keys, and {algorithm:?} was asked for",
            manifest.algorithm
        )));
    }
    let keys = manifest
        .keys
        .into_iter()
        .map(|entry| read_key(folder, algorithm, entry))
        .collect::<Result<_, _>>()?;
    let roster = Roster {
        algorithm,
        revision: manifest.revision,
        adopted: manifest.adopted,
        keys,
    };
    roster.check().map_err(refuse)?;
    Ok((roster, bytes))
}

fn read_manifest(folder: &Path) -> Result<Option<Vec<u8>>, Error> {
    read_private(&folder.join(MANIFEST))
}

fn read_key(folder: &Path, algorithm: Algorithm, entry: Entry) -> Result<Held, Error> {
    let name = file_name(&entry);
    let path = folder.join(&name);
    let refuse = |what: &str| Error::new(ErrorKind::Keys, format!("{} {what}", path.display()));
    // A manifest that somebody wrote must not lead out of the folder.
    if !entry
        .id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(refuse("is no name of a key file"));
    }
    let bytes = Zeroizing::new(
        read_private(&path)?.ok_or_else(|| refuse("is missing, and the manifest names it"))?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| refuse("is damaged: it is not text"))?;
    let mut words = text
        .strip_suffix('\n')
        .ok_or_else(|| refuse("is truncated"))?
        .split(' ');
    match (words.next(), words.next()) {
        (Some("tollgate-key"), Some("1")) => {}
        (Some("tollgate-key"), Some(_)) => return Err(refuse("has an unknown version")),
        _ => return Err(refuse("is damaged: it is no key file")),
    }
    if words.next() != Some(&use_of(algorithm, entry.purpose)) {
        return Err(refuse("is a key for something else than the manifest says"));
    }
    let (Some(encoded), None) = (words.next(), words.next()) else {
        return Err(refuse("is truncated"));
    };
    let secret = Secret::from_bytes(
        URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| refuse("is damaged: the key is not base64url"))?,
    );
    let len = if entry.purpose == KeyPurpose::Sign {
        crate::keys::key::live::secret_len(algorithm)
    } else {
        Some(32)
    };
    if len.is_some_and(|len| secret.expose().len() != len) {
        return Err(refuse("is truncated"));
    }
    let is_named = || {
        Ok::<_, Error>(entry.purpose != KeyPurpose::Sign || kid(algorithm, &secret)? == entry.id)
    };
    // The check first: it is cheaper, and what is not the key need not be one.
    if check_value(&secret)? != entry.check || !is_named()? {
        return Err(refuse("is not the key that the manifest names"));
    }
    Ok(Held {
        entry,
        secret: Arc::new(secret),
    })
}

fn key_text(algorithm: Algorithm, key: &Held) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(String::with_capacity(160));
    text.push_str("tollgate-key 1 ");
    text.push_str(&use_of(algorithm, key.entry.purpose));
    text.push(' ');
    URL_SAFE_NO_PAD.encode_string(key.secret.expose(), &mut text);
    text.push('\n');
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

/// What a key file says that it is for.
fn use_of(algorithm: Algorithm, purpose: KeyPurpose) -> String {
    match purpose {
        KeyPurpose::Sign => format!("sign/{algorithm:?}"),
        KeyPurpose::Refresh | KeyPurpose::Seal => purpose.to_string(),
    }
}

/// Writes a file whole or not at all: beside it, to the disk, under its name, the name to the disk.
fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let path = folder.join(name);
    let beside = folder.join(format!("{name}.tmp"));
    let written = (|| {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != Io::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = owner_only(options.write(true).create_new(true)).open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        sync_folder(folder)
    })();
    written.map_err(|error| trouble("written", &path).because(error))
}

fn make_folder(folder: &Path) -> Result<(), Error> {
    if !folder.exists() {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(|error| trouble("made", parent).because(error))?;
        }
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(folder) {
            Err(error) if error.kind() != Io::AlreadyExists => {
                return Err(trouble("made", folder).because(error));
            }
            _ => {}
        }
    }
    let about = fs::metadata(folder).map_err(|error| trouble("read", folder).because(error))?;
    if !about.is_dir() {
        return Err(Error::new(
            ErrorKind::Keys,
            format!("{} is not a folder", folder.display()),
        ));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o002 != 0 {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "{} can be written by everyone: chmod 700 it",
                folder.display()
            ),
        ));
    }
    Ok(())
}

/// Reads a file that only its owner may read; `None` where there is none.
fn read_private(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == Io::NotFound => return Ok(None),
        Err(error) => return Err(trouble("read", path).because(error)),
    };
    let about = file
        .metadata()
        .map_err(|error| trouble("read", path).because(error))?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err(Error::new(
            ErrorKind::Keys,
            format!(
                "{} can be read by others than its owner: chmod 600 it",
                path.display()
            ),
        ));
    }
    if about.len() > MAX_FILE {
        return Err(Error::new(
            ErrorKind::Keys,
            format!("{} is too large to be a file of a key ring", path.display()),
        ));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default());
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_FILE), &mut bytes)
        .map_err(|error| trouble("read", path).because(error))?;
    Ok(Some(bytes))
}

/// The names of files in the folder that are keys, whole or half written.
fn key_files(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder).map_err(|error| trouble("read", folder).because(error))? {
        let file = file.map_err(|error| trouble("read", folder).because(error))?;
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

/// Removes key files that are no longer, or never were, in the manifest. What cannot be removed
/// stays for the next time.
fn remove_strays(folder: &Path, named: &HashSet<String>) {
    for name in key_files(folder).unwrap_or_default() {
        if !named.contains(&name)
            && let Err(error) = fs::remove_file(folder.join(&name))
        {
            tracing::warn!(file = %folder.join(&name).display(), %error, "an old key file could not be removed");
        }
    }
}

fn names(roster: &Roster) -> HashSet<String> {
    roster
        .keys
        .iter()
        .map(|key| file_name(&key.entry))
        .collect()
}

fn file_name(entry: &Entry) -> String {
    format!("{}.key", entry.name())
}

fn shown(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// Files that are made get the mode 0600.
pub(in crate::keys) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}

/// `done` is what could not be done: "read", "written".
pub(in crate::keys) fn trouble(done: &str, path: &Path) -> Error {
    Error::new(
        ErrorKind::Keys,
        format!("{} cannot be {done}", path.display()),
    )
}

const MANIFEST: &str = "manifest.json";
const VERSION: u32 = 1;
const MAX_FILE: u64 = 256 * 1024;
