//! Files of a ring's folder: only their owner reads them, and each is written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind as Io, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::access;
use crate::error::{Error, ErrorKind};
use crate::settings::KeysGroup;

/// The folder of a ring, and whether its group is trusted.
#[derive(Clone)]
pub(super) struct RingFolder {
    pub(super) path: PathBuf,
    pub(super) group: KeysGroup,
}

impl Deref for RingFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

/// Writes a file whole or not at all: writes another file beside it, syncs that to the disk,
/// renames it, and syncs the folder.
pub(super) fn replace(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
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

/// Makes the folder if it does not exist; refuses one that others can write.
pub(super) fn make_folder(folder: &RingFolder) -> Result<(), Error> {
    let path = &folder.path;
    if !path.exists() {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| trouble("made", parent).because(error))?;
        }
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            Err(error) if error.kind() != Io::AlreadyExists => {
                return Err(trouble("made", path).because(error));
            }
            _ => {}
        }
    }
    let about = fs::metadata(path).map_err(|error| trouble("read", path).because(error))?;
    if !about.is_dir() {
        return Err(Error::new(
            ErrorKind::Keys,
            format!("{} is not a folder", path.display()),
        ));
    }
    access::check(&about, path, folder.group)
}

/// Reads a file that only its owner may read; `None` if it does not exist.
pub(super) fn read_private(path: &Path, group: KeysGroup) -> Result<Option<Vec<u8>>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == Io::NotFound => return Ok(None),
        Err(error) => return Err(trouble("read", path).because(error)),
    };
    let about = file
        .metadata()
        .map_err(|error| trouble("read", path).because(error))?;
    access::check(&about, path, group)?;
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

/// Sets the mode 0600 for files that are made.
pub(super) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
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

/// Returns the error of an operation on a file; `done` names the operation: "read", "written".
pub(super) fn trouble(done: &str, path: &Path) -> Error {
    Error::new(
        ErrorKind::Keys,
        format!("{} cannot be {done}", path.display()),
    )
}

const MAX_FILE: u64 = 256 * 1024;
