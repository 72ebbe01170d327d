//! previous, current, next: what verifies when, across processes and crashes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tollgate::clock::{Clock, Timestamp};
use tollgate::keys::KeyState;
use tollgate::prelude::*;
use tollgate::token::RefreshToken;
use tollgate_tests::App;

use crate::keys::folder::{files, restore};

const AHEAD: Duration = Duration::from_secs(15 * 60);

fn clock() -> Clock {
    Clock::manual(Timestamp::from(std::time::SystemTime::now()).plus(Duration::from_secs(1)))
}

async fn open(folder: &Path, clock: &Clock) -> KeyRing {
    let ring = KeyRing::open(folder)
        .await
        .unwrap()
        .with_clock(clock.clone());
    ring.set_lifetimes(
        Duration::from_secs(600),
        Duration::from_secs(86400),
        Duration::from_secs(3 * 86400),
    );
    ring
}

fn states(ring: &KeyRing) -> Vec<(Arc<str>, KeyState)> {
    ring.set()
        .verifying()
        .iter()
        .map(|key| (Arc::clone(key.kid()), key.state()))
        .collect()
}

fn state_of(ring: &KeyRing, kid: &str) -> Option<KeyState> {
    states(ring)
        .into_iter()
        .find(|(id, _)| **id == *kid)
        .map(|(_, state)| state)
}

fn published(ring: &KeyRing, kid: &str) -> bool {
    ring.jwks().find(kid).is_some()
}

fn next_kid(ring: &KeyRing) -> Arc<str> {
    states(ring)
        .into_iter()
        .find(|(_, state)| *state == KeyState::Next)
        .unwrap()
        .0
}

#[tokio::test]
async fn r39_a_key_is_published_before_it_signs_and_verifies_after() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = open(folder.path(), &clock).await;
    let (first, second) = (ring.set().signing().kid().clone(), next_kid(&ring));
    assert!(published(&ring, &first) && published(&ring, &second));

    let error = ring.rotate().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("published for less than 15 minutes"),
        "{error}"
    );
    assert_eq!(*ring.set().signing().kid(), first);

    clock.advance(AHEAD);
    let rotation = ring.rotate().await.unwrap();
    assert_eq!((&rotation.previous, &rotation.current), (&first, &second));
    assert_eq!(state_of(&ring, &first), Some(KeyState::Previous));
    assert_eq!(state_of(&ring, &second), Some(KeyState::Current));
    assert!(
        published(&ring, &first) && published(&ring, &second) && published(&ring, &next_kid(&ring))
    );

    clock.advance(Duration::from_secs(600) - Duration::from_millis(1));
    assert!(!ring.reload().await.unwrap());
    assert!(state_of(&ring, &first).is_some());
    clock.advance(Duration::from_millis(1));
    assert!(ring.reload().await.unwrap());
    assert!(state_of(&ring, &first).is_none() && !published(&ring, &first));
    assert!(!ring.reload().await.unwrap());
}

#[tokio::test]
async fn another_process_follows_and_meanwhile_verifies_what_the_first_signs() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let (one, two) = (
        open(folder.path(), &clock).await,
        open(folder.path(), &clock).await,
    );
    clock.advance(AHEAD);
    let rotation = one.rotate().await.unwrap();
    let token = RefreshToken::mint(
        &one.set(),
        None,
        SessionId::from_bytes([1; 16]),
        0,
        &[2; 16],
    );

    assert_eq!(
        state_of(&two, &rotation.current),
        Some(KeyState::Next),
        "known before it was told"
    );
    assert!(
        RefreshToken::parse(&two.set(), None, token.expose()).is_ok(),
        "so is the MAC key"
    );
    let revision = two.set().revision();
    assert!(two.reload().await.unwrap());
    assert!(two.set().revision() > revision);
    assert_eq!(states(&one), states(&two));
    assert!(!two.reload().await.unwrap());
}

/// Every change starts from what lies in the folder: the second finds a key that is published since
/// now.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_rotate_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let mut rings = Vec::new();
    for _ in 0..4 {
        rings.push(open(folder.path(), &clock).await);
    }
    for _ in 0..10 {
        clock.advance(AHEAD);
        let rotating: Vec<_> = rings
            .iter()
            .map(|ring| {
                let ring = ring.clone();
                tokio::spawn(async move { ring.rotate().await.is_ok() })
            })
            .collect();
        let mut rotated = 0;
        for ring in rotating {
            rotated += u8::from(ring.await.unwrap());
        }
        assert_eq!(rotated, 1);
        for ring in &rings {
            ring.reload().await.unwrap();
            assert_eq!(states(ring), states(&rings[0]));
        }
    }
}

#[tokio::test]
async fn refresh_keys_rotate_along_and_old_tokens_stay_genuine() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = open(folder.path(), &clock).await;
    let mint = |ring: &KeyRing| {
        RefreshToken::mint(
            &ring.set(),
            None,
            SessionId::from_bytes([1; 16]),
            7,
            &[2; 16],
        )
    };
    let old = mint(&ring);
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    let new = mint(&ring);
    assert_ne!(old.expose(), new.expose());
    assert!(
        !RefreshToken::parse(&ring.set(), None, old.expose())
            .unwrap()
            .retired
    );
    assert!(
        !RefreshToken::parse(&ring.set(), None, new.expose())
            .unwrap()
            .retired
    );

    clock.advance(Duration::from_secs(86400));
    ring.reload().await.unwrap();
    assert!(
        RefreshToken::parse(&ring.set(), None, old.expose())
            .unwrap()
            .retired,
        "out by its time"
    );
    ring.rotate().await.unwrap();
    assert!(
        RefreshToken::parse(&ring.set(), None, old.expose()).is_err(),
        "forgotten at the next change"
    );
}

/// A sealed value can be read as long as one is kept, by every process.
#[tokio::test]
async fn seal_keys_rotate_along_and_old_seals_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let (ring, other) = (
        open(folder.path(), &clock).await,
        open(folder.path(), &clock).await,
    );
    let old = ring.set().seal(b"context", b"plain").unwrap();
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    let new = ring.set().seal(b"context", b"plain").unwrap();
    assert_ne!(old[0], new[0], "the number of the key stands in front");
    for sealed in [&old, &new] {
        assert_eq!(
            ring.set().open(b"context", sealed).as_deref(),
            Some(&b"plain"[..])
        );
        assert_eq!(
            other.set().open(b"context", sealed).as_deref(),
            Some(&b"plain"[..]),
            "known before it was told"
        );
        assert_eq!(ring.set().open(b"another", sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ring.set().open(b"context", &changed), None, "{at}");
        }
    }
    clock.advance(Duration::from_secs(3 * 86400));
    ring.reload().await.unwrap();
    assert_eq!(ring.set().open(b"context", &old), None, "out by its time");
    assert!(ring.set().open(b"context", &new).is_some());
}

/// Texts that a retired key sealed are lost, in this process and in the others; those that other
/// keys sealed are not.
#[tokio::test]
async fn a_retired_seal_key_is_gone_at_once_and_its_number_is_not_given_away() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let (ring, other) = (
        open(folder.path(), &clock).await,
        open(folder.path(), &clock).await,
    );
    let seal = |ring: &KeyRing| ring.set().seal(b"context", b"plain").unwrap();
    let opens = |ring: &KeyRing, sealed: &[u8]| ring.set().open(b"context", sealed).is_some();
    let names = || -> Vec<String> {
        let names = files(folder.path()).into_keys();
        names.filter(|name| name.starts_with("seal-")).collect()
    };
    let first = seal(&ring);
    assert_eq!(first[0], 1);
    let (kid, mac) = (
        ring.set().signing().kid().clone(),
        ring.set().macs()[0].id(),
    );

    ring.retire("seal-1").await.unwrap();
    let second = seal(&ring);
    assert_eq!(second[0], 2, "the next takes its place, however young");
    assert!(opens(&other, &second), "known before it was told");
    other.reload().await.unwrap();
    let reopened = open(folder.path(), &clock).await;
    for ring in [&ring, &other, &reopened] {
        assert!(!opens(ring, &first) && opens(ring, &second));
        assert_eq!(seal(ring)[0], 2);
        assert_eq!(*ring.set().signing().kid(), kid, "the other keys stay");
        assert_eq!(ring.set().macs()[0].id(), mac);
    }
    assert_eq!(names(), ["seal-2.key", "seal-3.key"], "its file is removed");
    let again = ring.retire("seal-1").await.unwrap_err();
    assert!(again.to_string().contains("no key"), "{again}");

    ring.retire("seal-3").await.unwrap();
    assert_eq!(names(), ["seal-2.key", "seal-4.key"]);
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    let fourth = seal(&ring);
    assert!(fourth[0] == 4 && opens(&ring, &fourth) && opens(&ring, &second));
    ring.retire("seal-2").await.unwrap();
    assert!(
        opens(&ring, &fourth) && !opens(&ring, &second),
        "a former one"
    );
    assert_eq!(names(), ["seal-4.key", "seal-5.key"]);
}

/// rotation.md section 1: what a retired MAC key made is told apart, in this process and in the
/// others.
#[tokio::test]
async fn a_retired_refresh_key_stays_known_as_retired() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let (ring, other) = (
        open(folder.path(), &clock).await,
        open(folder.path(), &clock).await,
    );
    let token = RefreshToken::mint(
        &ring.set(),
        None,
        SessionId::from_bytes([1; 16]),
        7,
        &[2; 16],
    );
    let name = format!("refresh-{}", ring.set().macs()[0].id());
    ring.retire(&name).await.unwrap();
    other.reload().await.unwrap();
    for ring in [&ring, &other, &open(folder.path(), &clock).await] {
        let parsed = RefreshToken::parse(&ring.set(), None, token.expose()).unwrap();
        assert!(parsed.retired && parsed.generation == 7);
        assert_eq!(ring.set().macs()[0].state(), KeyState::Current);
        let fresh = RefreshToken::mint(
            &ring.set(),
            None,
            SessionId::from_bytes([1; 16]),
            8,
            &[2; 16],
        );
        assert!(
            !RefreshToken::parse(&ring.set(), None, fresh.expose())
                .unwrap()
                .retired
        );
    }
    assert!(ring.retire(&name).await.is_err(), "once is enough");
}

#[tokio::test]
async fn r40_a_retired_signing_key_is_gone_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = open(folder.path(), &clock).await;
    let (first, second) = (ring.set().signing().kid().clone(), next_kid(&ring));
    ring.retire(&first).await.unwrap();
    assert_eq!(
        *ring.set().signing().kid(),
        second,
        "the next takes its place, however young"
    );
    assert!(state_of(&ring, &first).is_none() && !published(&ring, &first));
    assert!(
        !files(folder.path())
            .keys()
            .any(|name| name.contains(&*first)),
        "its file is removed"
    );

    let third = next_kid(&ring);
    ring.retire(&format!("sign-{third}")).await.unwrap();
    assert!(state_of(&ring, &third).is_none());
    assert_eq!(*ring.set().signing().kid(), second);

    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    ring.retire(&second).await.unwrap();
    assert_eq!(states(&ring).len(), 2);
    for name in ["nobody", "seal-99", "", &*second, "refresh-99"] {
        assert!(
            ring.retire(name)
                .await
                .unwrap_err()
                .to_string()
                .contains("no key"),
            "{name}"
        );
    }
}

/// A crash between any two writes: the ring is the old one or the new one, and another rotation
/// works.
#[tokio::test]
async fn a_rotation_that_was_interrupted_is_resumable() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = open(folder.path(), &clock).await;
    clock.advance(AHEAD);
    let before = files(folder.path());
    ring.rotate().await.unwrap();
    clock.advance(Duration::from_secs(700));
    ring.rotate().await.unwrap_err();
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    let after = files(folder.path());
    let fresh: Vec<&String> = after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .collect();
    let gone: Vec<&String> = before
        .keys()
        .filter(|name| !after.contains_key(*name))
        .collect();
    assert!(fresh.len() >= 6 && !gone.is_empty(), "{fresh:?} {gone:?}");

    // Keys are written one after the other, each beside its name first; then the manifest; then
    // strays are removed.
    let mut crashes = Vec::new();
    for written in 0..=fresh.len() {
        let mut state = before.clone();
        state.extend(
            fresh[..written]
                .iter()
                .map(|name| ((*name).clone(), after[*name].clone())),
        );
        crashes.push((state.clone(), "old"));
        state.insert(
            "manifest.json.tmp".into(),
            after["manifest.json"][..20].to_vec(),
        );
        if let Some(name) = fresh.get(written) {
            state.insert(format!("{name}.tmp"), after[*name][..10].to_vec());
        }
        crashes.push((state, "old"));
    }
    for removed in 0..=gone.len() {
        let mut state = before.clone();
        state.extend(after.clone());
        for name in &gone[..removed] {
            state.remove(*name);
        }
        crashes.push((state, "new"));
    }
    for (mut state, which) in crashes {
        state.insert("lock".into(), b"of a process that died".to_vec());
        restore(folder.path(), &state);
        let ring = open(folder.path(), &clock).await;
        let manifest = if which == "old" {
            &before["manifest.json"]
        } else {
            &after["manifest.json"]
        };
        assert_eq!(
            &fs::read(folder.path().join("manifest.json")).unwrap(),
            manifest
        );
        let young = Clock::manual(clock.now().plus(AHEAD));
        let ring = ring.with_clock(young);
        ring.rotate().await.unwrap();
        let names = files(folder.path());
        assert!(
            !names.contains_key("lock") && !names.keys().any(|name| name.ends_with(".key.tmp")),
            "{which}: {:?}",
            names.keys()
        );
        let named = crate::keys::folder::manifest(folder.path())["keys"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(
            names.keys().filter(|name| name.ends_with(".key")).count(),
            named
        );
        open(folder.path(), &clock).await;
    }
}

#[tokio::test]
async fn a_rotation_on_a_full_disk_changes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = open(folder.path(), &clock).await;
    // The second rotation has a key to drop, whose file must outlive the manifest that names it.
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    let kid = ring.set().signing().kid().clone();
    clock.advance(AHEAD);
    // A folder lies where a file should be written: as good as a full disk, also for the superuser.
    fs::create_dir(folder.path().join("manifest.json.tmp")).unwrap();
    let error = ring.rotate().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("manifest.json cannot be written"),
        "{error}"
    );
    assert_eq!(*ring.set().signing().kid(), kid);
    assert_eq!(
        *open(folder.path(), &clock).await.set().signing().kid(),
        kid
    );
    fs::remove_dir(folder.path().join("manifest.json.tmp")).unwrap();
    ring.rotate().await.unwrap();
    assert_eq!(
        fs::metadata(folder.path().join("manifest.json"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
}

#[tokio::test]
async fn rings_without_a_folder_rotate_in_memory_or_in_their_configuration() {
    let clock = clock();
    let ring = KeyRing::generate(Algorithm::HS256)
        .unwrap()
        .with_clock(clock.clone());
    let clone = ring.clone();
    clock.advance(AHEAD);
    let rotation = ring.rotate().await.unwrap();
    assert_eq!(*clone.set().signing().kid(), rotation.current);
    clone.retire(&rotation.current).await.unwrap();
    assert_ne!(*ring.set().signing().kid(), rotation.current);

    let secret = |from: u8| tollgate::secret::Secret::from_bytes((from..from + 32).collect());
    let ring = KeyRing::from_secret(Algorithm::HS256, secret(0), secret(100)).unwrap();
    let kid = ring.set().signing().kid().clone();
    for error in [
        ring.rotate().await.unwrap_err(),
        ring.retire(&kid).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("configuration"), "{error}");
    }
    assert!(!ring.reload().await.unwrap());
}

/// Readers never wait and never see half a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_whole_sets_while_the_ring_changes() {
    let clock = clock();
    let ring = KeyRing::generate(Algorithm::HS256)
        .unwrap()
        .with_clock(clock.clone());
    let reader = {
        let ring = ring.clone();
        tokio::task::spawn_blocking(move || {
            for _ in 0..20_000 {
                let set = ring.set();
                assert_eq!(set.verifying()[0].kid(), set.signing().kid());
                assert_eq!(set.verifying()[0].state(), KeyState::Current);
            }
        })
    };
    for _ in 0..50 {
        clock.advance(AHEAD);
        ring.rotate().await.unwrap();
    }
    reader.await.unwrap();
}

/// R39: another process may sign with the old key until it has read the ring again.
#[tokio::test]
async fn r39_a_token_that_another_process_signed_before_it_knew_of_the_rotation_counts_to_its_end()
{
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let gate = async || {
        let ring = KeyRing::open(folder.path()).await.unwrap();
        let app = App::builder()
            .keys(&ring)
            .clock(&clock)
            .change(|gate| gate.leeway(Duration::ZERO));
        (app.build().await.gate, ring.with_clock(clock.clone()))
    };
    let ((here, ring), (there, _)) = (gate().await, gate().await);
    clock.advance(AHEAD);
    ring.rotate().await.unwrap();
    clock.advance(Duration::from_secs(10));
    let late = there
        .issue(
            &there.backend().user("ada@example.com"),
            Duration::from_secs(600),
        )
        .await
        .unwrap();
    clock.advance(Duration::from_secs(598));
    ring.reload().await.unwrap();
    here.verify(&late).await.unwrap();
}

/// R39: two gates may share a ring, and the longer lives count.
#[tokio::test]
async fn r39_a_gate_with_short_tokens_does_not_cut_the_keys_of_another_one_short() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let ring = KeyRing::open(folder.path()).await.unwrap();
    let gate = async |ttl: u64| {
        let app = App::builder()
            .keys(&ring)
            .clock(&clock)
            .change(move |gate| gate.access_ttl(Duration::from_secs(ttl)));
        app.build().await.gate
    };
    let (long, _short) = (gate(3600).await, gate(60).await);
    clock.advance(AHEAD);
    let token = long
        .issue(
            &long.backend().user("ada@example.com"),
            Duration::from_secs(3600),
        )
        .await
        .unwrap();
    let ring = ring.with_clock(clock.clone());
    ring.rotate().await.unwrap();
    clock.advance(Duration::from_secs(3000));
    ring.reload().await.unwrap();
    long.verify(&token).await.unwrap();
}
