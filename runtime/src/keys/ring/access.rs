//! The permissions of a ring's files: this process's user and root may own and use them, others
//! never, a group only if it is trusted.

use std::fs::Metadata;
use std::path::Path;

use crate::error::Error;
use crate::settings::KeysGroup;

/// Refuses a folder or a file of a ring that belongs to another user, that others can use, or that
/// its group can use without being trusted. Everyone may read the folder itself: the names of its
/// files are not secret.
#[cfg(unix)]
pub(super) fn check(about: &Metadata, path: &Path, group: KeysGroup) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;

    use crate::error::ErrorKind;

    let refuse = |what: String| {
        Err(Error::new(
            ErrorKind::Keys,
            format!("{} {what}", path.display()),
        ))
    };
    let is_folder = about.is_dir();
    let (right, bits) = if is_folder {
        ("chmod 700 it", 0o022)
    } else {
        ("chmod 600 it", 0o077)
    };
    let user = rustix::process::geteuid().as_raw();
    if about.uid() != user && about.uid() != 0 {
        return refuse(format!(
            "belongs to the user {}: it has to belong to the user of this process, {user}, or to \
             root",
            about.uid()
        ));
    }
    let open = about.mode() & bits;
    if open & 0o007 != 0 {
        return refuse(if is_folder {
            format!("can be written by everyone: {right}")
        } else {
            format!("can be read or written by others than its owner: {right}")
        });
    }
    if open & 0o070 == 0 {
        return Ok(());
    }
    let used = if is_folder {
        "written"
    } else {
        "read or written"
    };
    let gid = about.gid();
    match group {
        KeysGroup::Refuse => refuse(format!(
            "can be {used} by its group {gid}, so by others than its owner: {right}, or set \
             `keys.group = \"trust\"` where the group is this program's own (`fsGroup` of \
             Kubernetes), and open the ring with `KeyRing::options(…).settings(&settings.keys)`"
        )),
        KeysGroup::Trust if is_own_group(gid) => Ok(()),
        KeysGroup::Trust => refuse(format!(
            "can be {used} by its group {gid}, which is no group of this process: {right}, or give \
             it a group that is"
        )),
    }
}

/// Refuses nothing: this system has no file modes.
#[cfg(not(unix))]
pub(super) fn check(_about: &Metadata, _path: &Path, _group: KeysGroup) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn is_own_group(gid: u32) -> bool {
    rustix::process::getegid().as_raw() == gid
        || rustix::process::getgroups()
            .unwrap_or_default()
            .iter()
            .any(|own| own.as_raw() == gid)
}
