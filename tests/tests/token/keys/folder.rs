//! The folder of a ring, from the side of the file system.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate_tests::App;

/// All files with their content.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// Puts a folder into a state that [`files`] saw.
pub(crate) fn restore(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
        private(&folder.join(name));
    }
    for name in self::files(folder)
        .keys()
        .filter(|name| !files.contains_key(*name))
    {
        fs::remove_file(folder.join(name)).unwrap();
    }
}

pub(crate) fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

pub(crate) fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_fresh_ring_has_three_purposes_and_belongs_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/keys");
    KeyRing::open(&folder).await.unwrap();

    assert_eq!(
        fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for name in files(&folder).keys() {
        assert_eq!(
            fs::metadata(folder.join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o600,
            "{name}"
        );
    }
    let manifest = manifest(&folder);
    assert_eq!(
        (
            &manifest["version"],
            &manifest["algorithm"],
            &manifest["adopted"]
        ),
        (&1.into(), &"EdDSA".into(), &false.into())
    );
    let mut keys: Vec<String> = manifest["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(name_and_state)
        .collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "refresh current",
            "refresh next",
            "seal current",
            "seal next",
            "sign current",
            "sign next"
        ]
    );
    let names: Vec<String> = files(&folder).into_keys().collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name == "lock" || name.ends_with(".tmp")),
        "{names:?}"
    );
}

fn name_and_state(key: &Value) -> String {
    format!(
        "{} {}",
        key["purpose"].as_str().unwrap(),
        key["state"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_ring_is_the_same_after_a_restart() {
    for algorithm in [
        Algorithm::EdDSA,
        Algorithm::HS384,
        Algorithm::RS256,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let first = KeyRing::open_with(folder.path(), algorithm).await.unwrap();
        let before = files(folder.path());
        let second = KeyRing::open_with(folder.path(), algorithm).await.unwrap();
        assert_eq!(before, files(folder.path()));
        assert_eq!(first.set().signing().kid(), second.set().signing().kid());
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        let sealed = first.set().seal(b"context", b"plain").unwrap();
        assert_eq!(
            second.set().open(b"context", &sealed).as_deref(),
            Some(&b"plain"[..])
        );
        assert_eq!(second.set().open(b"another", &sealed), None);
        assert!(!second.reload().await.unwrap());
    }
}

#[tokio::test]
async fn a_folder_that_is_none_is_refused_by_name() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = KeyRing::open(&path).await.unwrap_err();
        assert!(
            error.to_string().contains(file.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_manifest_and_debug_show_no_key() {
    use base64::Engine as _;
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::open_with(folder.path(), Algorithm::HS256)
        .await
        .unwrap();
    let shown = format!("{ring:?} {:?} {}", ring.set(), manifest(folder.path()));
    let mut keys = 0;
    for (name, content) in files(folder.path())
        .iter()
        .filter(|(name, _)| name.ends_with(".key"))
    {
        let secret = std::str::from_utf8(content)
            .unwrap()
            .trim_end()
            .rsplit(' ')
            .next()
            .unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(secret)
            .unwrap();
        assert_eq!(bytes.len(), 32, "{name}");
        assert!(
            !shown.contains(secret) && !shown.contains(&format!("{bytes:?}")),
            "{name}"
        );
        keys += 1;
    }
    assert_eq!(keys, 6);
}

/// The store may have failed to log that the key was retired, in a process that is gone. What the
/// key let in ends all the same.
#[tokio::test(start_paused = true)]
async fn a_key_that_left_the_ring_elsewhere_ends_here_without_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = KeyRing::open(folder.path()).await.unwrap();
    let ring = KeyRing::open(folder.path()).await.unwrap();
    let app = App::builder().change(|gate| gate.keys(ring)).build().await;
    let kid = app.gate.keys().current();
    assert_eq!(app.gate.health().await.revocation_entries, 0);

    elsewhere.retire(&kid).await.unwrap();
    let ended = async {
        while app.gate.health().await.revocation_entries == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
    assert!(ended.is_ok(), "the key is still in force for connections");
    assert_ne!(app.gate.keys().current(), kid);
}
