//! The lock of a ring's folder: one process changes it at a time, and the next one notices if a
//! process died while it held the lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind as Io, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::access;
use super::file::{RingFolder, owner_only, trouble};
use crate::error::{Error, ErrorKind};
use crate::id::TokenId;
use crate::settings::KeysGroup;

/// A held lock. Its file exists while a process changes the folder; dropping the lock removes the
/// file.
pub(super) struct Lock {
    path: PathBuf,
    /// The operating system frees the lock on this file when its holder dies.
    file: File,
    interrupted: bool,
}

impl Lock {
    /// Takes the lock of a folder, waiting a few seconds for another process to be done.
    pub(super) fn take(folder: &RingFolder) -> Result<Self, Error> {
        let path = folder.join("lock");
        for _ in 0..ATTEMPTS {
            if let Some(lock) = Self::attempt(&path, folder.group)? {
                return Ok(lock);
            }
            thread::sleep(PAUSE);
        }
        Err(Error::new(
            ErrorKind::Keys,
            format!(
                "{} is held by another process for {} seconds",
                path.display(),
                (PAUSE * ATTEMPTS).as_secs()
            ),
        ))
    }

    /// Returns whether the previous holder died while it held the lock, so that a change of the
    /// folder may be incomplete.
    pub(super) fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    fn attempt(path: &Path, group: KeysGroup) -> Result<Option<Self>, Error> {
        match open(path)? {
            Some(file) => {
                check(&file, path, group)?;
                Self::claim(path, file)
            }
            None => Ok(None),
        }
    }

    /// Makes the open file this process's lock; `None` if another process has it, or the file
    /// was removed.
    fn claim(path: &Path, mut file: File) -> Result<Option<Self>, Error> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(trouble("locked", path).because(error)),
        }
        // Its holder may have removed it between opening and locking: then this is the lock of a
        // file without a name. Every holder writes a mark of its own, so equal content means the
        // same file.
        let mut mark = Vec::new();
        file.read_to_end(&mut mark)
            .map_err(|error| trouble("read", path).because(error))?;
        if fs::read(path).ok().as_ref() != Some(&mark) {
            return Ok(None);
        }
        // A holder that died before it wrote its mark had changed nothing yet.
        let interrupted = !mark.is_empty();
        let mark = TokenId::random()?.to_string();
        file.write_all(mark.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| trouble("written", path).because(error))?;
        Ok(Some(Self {
            path: path.to_owned(),
            file,
            interrupted,
        }))
    }
}

/// Makes the lock's file or opens the existing one; `None` if it was removed in between.
fn open(path: &Path) -> Result<Option<File>, Error> {
    let mut options = OpenOptions::new();
    owner_only(options.read(true).write(true));
    // A link that another user placed there must not lead to another file, which would be written
    // to.
    #[cfg(unix)]
    {
        let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, no_link);
    }
    // O_EXCL: of several processes that start at once, one makes the file.
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == Io::AlreadyExists => match options.open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == Io::NotFound => Ok(None),
            Err(_) if is_link(path) => Err(Error::new(
                ErrorKind::Keys,
                format!("{} is a symbolic link: remove it", path.display()),
            )),
            Err(error) => Err(trouble("opened", path).because(error)),
        },
        Err(error) => Err(trouble("made", path).because(error)),
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink())
}

/// Refuses a lock that is not a file of this ring alone: one that has another name elsewhere, or
/// that others can hold.
fn check(file: &File, path: &Path, group: KeysGroup) -> Result<(), Error> {
    let about = file
        .metadata()
        .map_err(|error| trouble("read", path).because(error))?;
    #[cfg(unix)]
    let has_another_name = std::os::unix::fs::MetadataExt::nlink(&about) > 1;
    #[cfg(not(unix))]
    let has_another_name = false;
    if !about.is_file() || has_another_name {
        let what = "is not the lock of a key ring: it is no plain file, or has another name too";
        return Err(Error::new(
            ErrorKind::Keys,
            format!("{} {what}", path.display()),
        ));
    }
    access::check(&about, path, group)
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The name is removed before the lock: in the other order another holder's file could be
        // removed.
        if let Err(error) = fs::remove_file(&self.path).and_then(|()| self.file.unlock()) {
            tracing::warn!(
                file = %self.path.display(),
                %error,
                "the lock of the key ring could not be removed"
            );
        }
    }
}

const ATTEMPTS: u32 = 500;
const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(path: &Path) -> RingFolder {
        RingFolder {
            path: path.to_owned(),
            group: KeysGroup::Refuse,
        }
    }

    #[test]
    fn a_stale_lock_is_taken_over_and_its_holders_fate_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let ring = ring(folder.path());
        assert!(!Lock::take(&ring).unwrap().was_interrupted());
        assert!(!folder.path().join("lock").exists());

        for (mark, interrupted) in [("of a process that died", true), ("", false)] {
            let path = folder.path().join("lock");
            let mut options = OpenOptions::new();
            let mut file = owner_only(options.write(true).create_new(true))
                .open(&path)
                .unwrap();
            file.write_all(mark.as_bytes()).unwrap();
            drop(file);
            assert_eq!(
                Lock::take(&ring).unwrap().was_interrupted(),
                interrupted,
                "{mark}"
            );
            assert!(!folder.path().join("lock").exists());
        }
    }

    #[test]
    fn the_lock_of_a_removed_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let ring = ring(folder.path());
        let path = folder.path().join("lock");
        let first = Lock::take(&ring).unwrap();
        let late = open(&path).unwrap().unwrap();
        drop(first);
        let again = open(&path).unwrap().unwrap();
        assert!(
            Lock::claim(&path, late).unwrap().is_none(),
            "while another file has the name"
        );
        let held = Lock::claim(&path, again).unwrap().unwrap();
        let late = open(&path).unwrap().unwrap();
        drop(held);
        assert!(
            Lock::claim(&path, late).unwrap().is_none(),
            "while no file has the name"
        );
    }

    #[test]
    fn a_held_lock_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let ring = ring(folder.path());
        let held = Lock::take(&ring).unwrap();
        assert!(
            Lock::attempt(&ring.join("lock"), ring.group)
                .unwrap()
                .is_none()
        );
        let other = ring.clone();
        let waiting = thread::spawn(move || Lock::take(&other).unwrap().was_interrupted());
        thread::sleep(PAUSE * 2);
        drop(held);
        assert!(!waiting.join().unwrap());
    }

    #[test]
    fn only_one_of_many_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let ring = ring(folder.path());
        let inside = std::sync::atomic::AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let _lock = Lock::take(&ring).unwrap();
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        thread::sleep(Duration::from_millis(1));
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
    }

    /// A lock that leads elsewhere would have its holder write to, and remove, another file.
    #[cfg(unix)]
    #[test]
    fn a_lock_that_is_a_link_is_refused_and_its_target_stays() {
        for link in [
            |target: &Path, at: &Path| std::os::unix::fs::symlink(target, at),
            |target: &Path, at: &Path| fs::hard_link(target, at),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let ring = ring(folder.path());
            let target = folder.path().join("target");
            fs::write(&target, "precious").unwrap();
            link(&target, &folder.path().join("lock")).unwrap();
            let refusal = Lock::take(&ring).err().unwrap().to_string();
            assert!(refusal.contains("/lock is "), "{refusal}");
            assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        }
    }
}
