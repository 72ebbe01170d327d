//! Files that are not what they should be: the ring does not start, and says which file.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::TempDir;
use tollgate::error::{Error, ErrorKind};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::settings::{KeysGroup, Settings};
use tollgate_tests::App;
use tollgate_tests::support::skipped;

use crate::keys::folder::{files, manifest, private, restore};

/// Every file of a ring.
async fn ring() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    KeyRing::open(folder.path()).await.unwrap();
    let names = files(folder.path()).into_keys().collect();
    (folder, names)
}

async fn refusal(folder: &tempfile::TempDir) -> String {
    let before = files(folder.path());
    let error = KeyRing::open(folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Keys);
    assert_eq!(before, files(folder.path()), "a refusal changes nothing");
    error.to_string()
}

#[tokio::test]
async fn a_file_that_others_can_read_is_refused_by_name() {
    let (folder, names) = ring().await;
    for name in names {
        for mode in [0o640, 0o604, 0o644, 0o660, 0o777] {
            fs::set_permissions(folder.path().join(&name), fs::Permissions::from_mode(mode))
                .unwrap();
            let refusal = refusal(&folder).await;
            assert!(
                refusal.contains(&name) && refusal.contains("chmod 600"),
                "{refusal}"
            );
        }
        private(&folder.path().join(&name));
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(
        refusal(&folder)
            .await
            .contains("can be written by everyone")
    );
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    KeyRing::open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_truncated_file_is_refused_by_name() {
    let (folder, names) = ring().await;
    let whole = files(folder.path());
    for name in names {
        let content = &whole[&name];
        for len in (0..content.len() - 1).step_by(if name == "manifest.json" { 37 } else { 1 }) {
            fs::write(folder.path().join(&name), &content[..len]).unwrap();
            let refusal = refusal(&folder).await;
            assert!(refusal.contains(&name), "{len} bytes: {refusal}");
        }
        restore(folder.path(), &whole);
    }
}

#[tokio::test]
async fn a_missing_key_file_is_refused_by_name() {
    let (folder, names) = ring().await;
    let whole = files(folder.path());
    for name in names.iter().filter(|name| name.ends_with(".key")) {
        fs::remove_file(folder.path().join(name)).unwrap();
        let refusal = refusal(&folder).await;
        assert!(
            refusal.contains(name.as_str()) && refusal.contains("missing"),
            "{refusal}"
        );
        restore(folder.path(), &whole);
    }
}

#[tokio::test]
async fn a_swapped_key_is_refused_by_name() {
    let (folder, names) = ring().await;
    let (other, other_names) = ring().await;
    let (whole, foreign) = (files(folder.path()), files(other.path()));
    for name in names.iter().filter(|name| name.ends_with(".key")) {
        for foreign_name in other_names.iter().filter(|name| name.ends_with(".key")) {
            fs::write(folder.path().join(name), &foreign[foreign_name]).unwrap();
            assert!(refusal(&folder).await.contains(name.as_str()));
        }
        for own in names
            .iter()
            .filter(|own| own.ends_with(".key") && *own != name)
        {
            fs::write(folder.path().join(name), &whole[own]).unwrap();
            assert!(refusal(&folder).await.contains(name.as_str()));
        }
        restore(folder.path(), &whole);
    }
}

#[tokio::test]
async fn a_key_of_another_use_is_refused_by_name() {
    let (folder, names) = ring().await;
    let whole = files(folder.path());
    for name in names.iter().filter(|name| name.ends_with(".key")) {
        let text = String::from_utf8(whole[name].clone()).unwrap();
        let mut words: Vec<&str> = text.split(' ').collect();
        words[2] = if words[2] == "refresh" {
            "seal"
        } else {
            "refresh"
        };
        fs::write(folder.path().join(name), words.join(" ")).unwrap();
        let refusal = refusal(&folder).await;
        assert!(
            refusal.contains(name.as_str()) && refusal.contains("another purpose"),
            "{refusal}"
        );
        restore(folder.path(), &whole);
    }
}

#[tokio::test]
async fn another_version_is_refused_by_name() {
    let (folder, names) = ring().await;
    let whole = files(folder.path());
    for name in names.iter().filter(|name| name.ends_with(".key")) {
        let text = String::from_utf8(whole[name].clone()).unwrap();
        fs::write(
            folder.path().join(name),
            text.replace("tollgate-key 1", "tollgate-key 2"),
        )
        .unwrap();
        let refusal = refusal(&folder).await;
        assert!(
            refusal.contains(name.as_str()) && refusal.contains("unknown version"),
            "{refusal}"
        );
        restore(folder.path(), &whole);
    }
    let mut changed = manifest(folder.path());
    changed["version"] = 2.into();
    changed["things"] = "unknown to this release".into();
    fs::write(folder.path().join("manifest.json"), changed.to_string()).unwrap();
    let refusal = refusal(&folder).await;
    assert!(
        refusal.contains("manifest.json has the version 2"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_manifest_that_makes_no_sense_is_refused_by_name() {
    let (folder, _) = ring().await;
    let good = manifest(folder.path());
    let changes: [fn(&mut serde_json::Value); 9] = [
        |m| drop(m["keys"].as_array_mut().unwrap().pop()),
        |m| m["keys"][1]["state"] = "current".into(),
        |m| m["keys"][1]["state"] = "previous".into(),
        |m| m["keys"][1]["state"] = "lost".into(),
        |m| m["keys"][0]["until"] = 1.into(),
        |m| m["unknown"] = 1.into(),
        |m| m["keys"][0]["id"] = "../../etc/passwd".into(),
        |m| m["keys"][2]["id"] = "001".into(),
        |m| *m = serde_json::json!([]),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = good.clone();
        change(&mut changed);
        fs::write(folder.path().join("manifest.json"), changed.to_string()).unwrap();
        let refusal = refusal(&folder).await;
        assert!(
            refusal.contains(folder.path().to_str().unwrap()),
            "{i}: {refusal}"
        );
    }
}

#[tokio::test]
async fn another_algorithm_is_refused() {
    let (folder, _) = ring().await;
    let error = KeyRing::open_with(folder.path(), Algorithm::HS256)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("holds EdDSA keys, and HS256 was asked for"),
        "{error}"
    );
    // R19: an RSA key does not count for another scheme, although its bytes would do.
    let rsa = tempfile::tempdir().unwrap();
    KeyRing::open_with(rsa.path(), Algorithm::RS256)
        .await
        .unwrap();
    let error = KeyRing::open_with(rsa.path(), Algorithm::PS256)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("holds RS256 keys, and PS256 was asked for"),
        "{error}"
    );
}

/// A ring that runs goes on with the keys it has.
#[tokio::test]
async fn damage_while_running_is_told_and_changes_nothing() {
    let (folder, _) = ring().await;
    let ring = KeyRing::open(folder.path()).await.unwrap();
    let kid = ring.set().signing().kid().clone();
    fs::write(folder.path().join("manifest.json"), "{").unwrap();
    assert!(
        ring.reload()
            .await
            .unwrap_err()
            .to_string()
            .contains("manifest.json")
    );
    assert_eq!(*ring.set().signing().kid(), kid);
}

async fn opened(folder: &TempDir, group: KeysGroup) -> Result<KeyRing, Error> {
    KeyRing::options(folder.path()).group(group).open().await
}

/// A volume of Kubernetes belongs to the group of `fsGroup`, which may write all of it.
#[tokio::test]
async fn a_group_of_the_process_is_trusted_where_the_setting_says_so() {
    let (folder, names) = ring().await;
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let own = fs::metadata(folder.path()).unwrap().gid();
    for name in &names {
        mode(&folder.path().join(name), 0o660);
    }
    mode(folder.path(), 0o2770);
    let refused = opened(&folder, KeysGroup::Refuse).await.unwrap_err();
    assert!(
        refused.to_string().contains("keys.group = \"trust\""),
        "{refused}"
    );
    opened(&folder, KeysGroup::Trust).await.unwrap();

    // Everybody else stays out, whatever the group is.
    for name in &names {
        mode(&folder.path().join(name), 0o664);
        let refused = opened(&folder, KeysGroup::Trust).await.unwrap_err();
        assert!(refused.to_string().contains(name.as_str()), "{refused}");
        mode(&folder.path().join(name), 0o660);
    }
    mode(folder.path(), 0o2772);
    assert!(opened(&folder, KeysGroup::Trust).await.is_err());
    mode(folder.path(), 0o2770);

    if std::os::unix::fs::chown(folder.path(), None, Some(own + 54321)).is_err() {
        return skipped("only root gives files to other groups and users");
    }
    let refused = opened(&folder, KeysGroup::Trust).await.unwrap_err();
    assert!(
        refused.to_string().contains("no group of this process"),
        "{refused}"
    );
}

/// A folder that somebody else laid there holds keys that somebody else knows.
#[tokio::test]
async fn what_belongs_to_another_user_is_refused() {
    let (folder, names) = ring().await;
    let paths = names
        .iter()
        .map(|name| folder.path().join(name))
        .chain([folder.path().to_owned()]);
    for path in paths {
        if std::os::unix::fs::chown(&path, Some(54321), None).is_err() {
            return skipped("only root gives files to other users");
        }
        for group in [KeysGroup::Refuse, KeysGroup::Trust] {
            let refused = opened(&folder, group).await.unwrap_err().to_string();
            assert!(
                refused.starts_with(path.to_str().unwrap()) && refused.contains("user 54321"),
                "{refused}"
            );
        }
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
    }
    opened(&folder, KeysGroup::Refuse).await.unwrap();
}

/// A folder that its group can write is one in which somebody else can lay keys.
#[tokio::test]
async fn a_folder_that_its_group_can_write_is_refused() {
    let (folder, _) = ring().await;
    for mode in [0o770, 0o720, 0o775] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let refused = opened(&folder, KeysGroup::Refuse).await.unwrap_err();
        assert!(
            refused.to_string().contains("written by its group"),
            "{refused}"
        );
    }
    for mode in [0o755, 0o750, 0o700] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        opened(&folder, KeysGroup::Refuse).await.unwrap();
    }
}

/// A setting that nothing reads would be a promise that is not kept.
#[tokio::test]
async fn a_gate_refuses_a_trusted_group_that_its_ring_was_opened_without() {
    let (folder, _) = ring().await;
    let mut settings = Settings::default();
    settings.keys.group = KeysGroup::Trust;
    let build = async |ring: KeyRing| {
        let app = App::builder().keys(&ring).settings(settings.clone());
        app.try_build().await.err().map(|error| error.to_string())
    };
    let without = build(KeyRing::open(folder.path()).await.unwrap()).await;
    assert!(without.unwrap().contains("opened without it"));
    let elsewhere = build(KeyRing::generate(Algorithm::EdDSA).unwrap()).await;
    assert!(elsewhere.unwrap().contains("lies in no folder"));
    let with = KeyRing::options(folder.path()).settings(&settings.keys);
    assert_eq!(build(with.open().await.unwrap()).await, None);
}
