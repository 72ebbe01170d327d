//! Several start at once, some die while at it: one ring comes out.

use std::fs;
use std::time::Duration;

use tollgate::error::ErrorKind;
use tollgate::gate::GateBuilder;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate::store::MemoryStore;
use tollgate_tests::{Accounts, App, PASSWORD};

use crate::keys::folder::{files, private};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_start_at_once_end_with_one_ring() {
    for _ in 0..5 {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("keys");
        let starting: Vec<_> = (0..12)
            .map(|_| {
                let folder = folder.clone();
                tokio::spawn(async move { KeyRing::open(folder).await.unwrap() })
            })
            .collect();
        let mut kids = Vec::new();
        for ring in starting {
            kids.push(ring.await.unwrap().set().signing().kid().to_string());
        }
        kids.dedup();
        assert_eq!(kids.len(), 1);
        assert_eq!(files(&folder).len(), 7);
    }
}

/// The same with processes: this test starts itself.
#[tokio::test]
async fn many_processes_that_start_at_once_end_with_one_ring() {
    if let Some(folder) = std::env::var_os("RING_FOLDER") {
        println!(
            "kid={}",
            KeyRing::open(folder).await.unwrap().set().signing().kid()
        );
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let name = "many_processes_that_start_at_once_end_with_one_ring";
    let started: Vec<_> = (0..6)
        .map(|_| {
            let mut command = tollgate_tests::process::alone(module_path!(), name);
            command.env("RING_FOLDER", parent.path().join("keys"));
            command
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut kids = Vec::new();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        kids.push(
            text.split("kid=")
                .nth(1)
                .unwrap()
                .lines()
                .next()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(kids.len(), 6);
    kids.dedup();
    assert_eq!(kids.len(), 1);
}

/// A process that died while it made the ring left a lock, perhaps with some keys, and no manifest.
#[tokio::test]
async fn a_first_start_that_was_interrupted_is_made_again() {
    let model = tempfile::tempdir().unwrap();
    KeyRing::open(model.path()).await.unwrap();
    let whole = files(model.path());
    let keys: Vec<&String> = whole.keys().filter(|name| name.ends_with(".key")).collect();
    for written in 0..=keys.len() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lock"), "of a process that died").unwrap();
        private(&folder.path().join("lock"));
        for name in &keys[..written] {
            fs::write(folder.path().join(name), &whole[*name]).unwrap();
        }
        fs::write(folder.path().join("sign-half.key.tmp"), "tollgate-k").unwrap();
        fs::write(folder.path().join("manifest.json.tmp"), "{").unwrap();
        KeyRing::open(folder.path()).await.unwrap();
        let names: Vec<String> = files(folder.path()).into_keys().collect();
        assert_eq!(names.len(), 7, "{names:?}");
    }
}

/// Without a trace of an interrupted start, keys without a manifest mean a lost manifest: new keys
/// would sign everyone out.
#[tokio::test]
async fn a_lost_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::open(folder.path()).await.unwrap();
    fs::remove_file(folder.path().join("manifest.json")).unwrap();
    let before = files(folder.path());
    for empty_lock in [false, true] {
        if empty_lock {
            // Of a process that starts at the same moment and has not come to locking it.
            fs::write(folder.path().join("lock"), "").unwrap();
            private(&folder.path().join("lock"));
        }
        let error = KeyRing::open(folder.path()).await.unwrap_err();
        assert!(
            error.to_string().contains("manifest.json is missing"),
            "{error}"
        );
        assert_eq!(before, files(folder.path()));
    }
    assert!(
        ring.reload()
            .await
            .unwrap_err()
            .to_string()
            .contains("manifest.json is missing")
    );
    assert!(ring.rotate().await.is_err() && !ring.set().verifying().is_empty());
}

#[tokio::test]
async fn a_ring_is_unadopted_until_a_gate_has_started_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let ring = KeyRing::open(folder.path()).await.unwrap();
    assert!(ring.is_unadopted().await);
    assert!(
        KeyRing::open(folder.path())
            .await
            .unwrap()
            .is_unadopted()
            .await,
        "starting alone adopts nothing"
    );
    ring.adopt().await.unwrap();
    ring.adopt().await.unwrap();
    assert!(!ring.is_unadopted().await);
    assert!(
        !KeyRing::open(folder.path())
            .await
            .unwrap()
            .is_unadopted()
            .await
    );
    assert!(
        KeyRing::generate(Algorithm::EdDSA)
            .unwrap()
            .is_unadopted()
            .await
    );
}

/// One of two that start at once may have signed somebody in before the other looks.
#[tokio::test]
async fn a_ring_that_another_gate_adopted_meanwhile_is_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        KeyRing::open(folder.path()).await.unwrap(),
        KeyRing::open(folder.path()).await.unwrap(),
    );
    let store = MemoryStore::new();
    let start = async |ring: &KeyRing| {
        let app = App::builder().keys(ring).store(store.clone());
        app.try_build().await.map(|app| app.gate)
    };
    let first = start(&one).await.unwrap();
    let ada = first.backend().user("ada@example.com");
    first.sign_in(ada, &Client::unknown()).await.unwrap();
    start(&two).await.unwrap();
}

/// Their refresh tokens count no longer, so they must not count against a device limit either.
#[tokio::test]
async fn accepting_a_new_ring_ends_the_sessions_of_the_lost_one() {
    let parent = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let start = async |name: &str, accounts: Accounts| {
        let ring = KeyRing::open(parent.path().join(name)).await.unwrap();
        let app = App::builder()
            .accounts(&accounts)
            .keys(&ring)
            .store(store.clone())
            .change(|gate| gate.device_limit(1, OnLimit::Deny).accept_new_keys());
        app.build().await.gate
    };
    let accounts = Accounts::seeded();
    let ada = accounts.user("ada@example.com");
    let before = start("lost", accounts.clone()).await;
    before
        .sign_in(ada.clone(), &Client::unknown())
        .await
        .unwrap();
    let after = start("new", accounts.clone()).await;
    let left = after
        .sessions()
        .of(accounts.id_of("ada@example.com"))
        .await
        .unwrap();
    assert_eq!(left, []);
    let login = || {
        Ok(serde_json::from_value(
            serde_json::json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
        .unwrap())
    };
    after.sign_in_with(login, &Client::unknown()).await.unwrap();
}

/// Keys that live as long as the process end every session of before, so they are refused beside
/// live ones as a fresh folder is.
#[tokio::test]
async fn generated_keys_are_refused_beside_live_sessions() {
    let store = MemoryStore::new();
    let ring = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let app = || App::builder().store(store.clone());
    let first = app().keys(&ring).build().await;
    first.sign_in("ada@example.com").await;
    // The same ring again, as where one program has two gates one after another.
    app().keys(&ring).build().await;

    let fresh = || KeyRing::generate(Algorithm::EdDSA).unwrap();
    let refused = app().keys(&fresh()).try_build().await.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Keys);
    assert!(refused.to_string().contains("keys.accept_new"), "{refused}");
    let accepted = app().keys(&fresh()).change(GateBuilder::accept_new_keys);
    accepted.build().await;
}

/// The keys of a gate whose clock a test moves are published by that clock.
#[tokio::test]
async fn the_testing_kit_has_one_clock() {
    for days_ahead in [0, 4000] {
        let (builder, clock) = tollgate::testing::ready(Accounts::seeded().gate()).unwrap();
        clock.advance(Duration::from_secs(days_ahead * 86_400));
        let gate = builder.build().await.unwrap();
        let early = gate.keys().rotate().await.unwrap_err();
        assert!(
            early.to_string().contains("rotate again in 901 seconds"),
            "{early}"
        );
        clock.advance(Duration::from_secs(20 * 60));
        let rotation = gate.keys().rotate().await.unwrap();
        assert_eq!(*rotation.current, *gate.keys().current());
        assert!(gate.keys().rotate().await.is_err());
        clock.advance(Duration::from_secs(20 * 60));
        gate.keys().rotate().await.unwrap();
    }
}
