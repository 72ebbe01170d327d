//! The commands for keys and tokens where the ring lies in the store.

use std::time::Duration;

use serde_json::Value;
use tollgate::clock::Clock;
use tollgate::keys::{Algorithm, SharedRing};
use tollgate::secret::Secret;
use tollgate::settings::Registry;
use tollgate_tests::App;

use super::{Tool, beside};

const SECRET: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "hex:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

async fn node(folder: &std::path::Path, clock: &Clock) -> App {
    let ring = SharedRing::new(Secret::parse(SECRET).unwrap()).unwrap();
    let ring = ring.algorithm(Algorithm::ES256);
    beside(folder)
        .await
        .clock(clock)
        .change(|gate| gate.keys(ring).registry(Registry::Tokens))
        .build()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_in_the_store_is_listed_rotated_and_retired() {
    let folder = tempfile::tempdir().unwrap();
    // The next key has been published for an hour.
    let earlier = Clock::behind_by(Duration::from_secs(3600));
    drop(node(folder.path(), &earlier).await);
    let app = node(folder.path(), &Clock::system()).await;
    let ring_of = |secret: &str, algorithm: &str| {
        Tool::beside(folder.path())
            .variable("RING_SECRET", secret)
            .option("--ring-secret", "RING_SECRET")
            .option("--algorithm", algorithm)
    };
    let tool = ring_of(SECRET, "ES256");
    let tokens = app.sign_in("ada@example.com").await;
    let valid = tool.json(&["tokens", "verify", &tokens.access]);
    assert_eq!(valid["active"], true);

    let keys = tool.json(&["keys", "list"]);
    assert_eq!(keys["algorithm"], "ES256");
    let sign = |state: &str| {
        let keys = keys["keys"].as_array().unwrap().iter();
        let mut found = keys.filter(|key| key["purpose"] == "sign" && key["state"] == state);
        found.next().unwrap()["name"].as_str().unwrap().to_owned()
    };
    let (current, next) = (sign("current"), sign("next"));
    assert_eq!(*app.gate.keys().current(), *current);
    assert_eq!(tool.json(&["keys", "rotate"])["current"], *next);
    app.gate.keys().reload().await.unwrap();
    assert_eq!(*app.gate.keys().current(), *next);
    assert!(app.gate.verify(&tokens.access).await.is_ok());
    assert_eq!(tool.run(&["keys", "retire", &current, "--yes"]).code, 0);
    app.gate.keys().reload().await.unwrap();
    assert!(app.gate.verify(&tokens.access).await.is_err());
    let published = tool.json(&["keys", "jwks"])["keys"].clone();
    assert_eq!(published.as_array().unwrap().len(), 2);
    let sealing = keys["keys"].as_array().unwrap().iter();
    let mut sealing = sealing.filter(|key| key["purpose"] == "seal" && key["state"] == "current");
    let sealing = sealing.next().unwrap()["name"].as_str().unwrap();
    assert_eq!(tool.run(&["keys", "retire", sealing, "--yes"]).code, 0);

    // What cannot open the ring is told what to check, and changes nothing.
    for command in [
        &["keys", "list"][..],
        &["keys", "rotate"],
        &["tokens", "mint", "1"],
    ] {
        ring_of(OTHER, "ES256")
            .run(command)
            .assert_refused(2, &["another secret", "check", "--ring-secret"]);
        ring_of(SECRET, "EdDSA")
            .run(command)
            .assert_refused(2, &["ES256", "EdDSA was asked for", "--algorithm"]);
    }
    app.gate.keys().reload().await.unwrap();
    assert_eq!(*app.gate.keys().current(), *next);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_may_be_encrypted_and_stay_out_of_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let _app = node(folder.path(), &Clock::system()).await;
    let tool = Tool::beside(folder.path())
        .variable("RING_SECRET", SECRET)
        .option("--ring-secret", "RING_SECRET")
        .option("--algorithm", "ES256");
    let listed = |active: &str| {
        let listed = tool.json(&["tokens", "list", active]);
        listed["tokens"].as_array().unwrap().len()
    };
    let mint = |words: &[&str]| {
        let said = tool.run(&[&["tokens", "mint", "7"], words].concat());
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.errors.contains("event: token_minted"), "{said:?}");
        said.out.trim().to_owned()
    };
    let silent = mint(&["--unregistered"]);
    assert_eq!((silent.matches('.').count(), listed("--active")), (2, 0));
    let encrypted = mint(&["--encrypted"]);
    assert_eq!((encrypted.matches('.').count(), listed("--active")), (4, 1));
    for token in [&silent, &encrypted] {
        let valid: Value = tool.json(&["tokens", "verify", token]);
        assert_eq!(
            (&valid["active"], &valid["sub"]),
            (&true.into(), &"7".into())
        );
    }
}
