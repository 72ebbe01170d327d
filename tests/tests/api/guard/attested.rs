//! Keys that several sources must agree on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tollgate::guard::{Attested, Fetched, JwksGuard, KeySource};
use tollgate::keys::{Algorithm, PublicKeySet};
use tollgate::prelude::*;

use crate::guard::issuer::{Key, Partner, claims, expected, verify};
use crate::guard::keys::on;

/// A source that says what the test has it say; nothing where it is down.
#[derive(Clone, Default)]
struct Mirror {
    keys: Arc<Mutex<Option<Vec<Key>>>>,
    asked: Arc<AtomicUsize>,
    is_slow: bool,
}

impl Mirror {
    fn of(keys: &[&Key]) -> Self {
        let mirror = Self::default();
        mirror.says(keys);
        mirror
    }

    fn says(&self, keys: &[&Key]) {
        *self.keys.lock().unwrap() = Some(keys.iter().map(|key| (*key).clone()).collect());
    }
}

impl KeySource for Mirror {
    async fn fetch(&self, _: &[Algorithm]) -> Result<Fetched, AuthError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_slow {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let keys = self
            .keys
            .lock()
            .unwrap()
            .clone()
            .ok_or_else(|| AuthError::unavailable("down"))?;
        Ok(Fetched::new(
            keys.iter().map(Key::public).collect::<PublicKeySet>(),
        ))
    }
}

fn two_of(mirrors: &[&Mirror]) -> JwksGuard<Partner> {
    let sources = mirrors.iter().fold(Attested::new(2), |sources, mirror| {
        sources.source((*mirror).clone())
    });
    JwksGuard::new(expected(), sources.build().unwrap())
}

#[tokio::test]
async fn keys_count_once_enough_sources_give_them_out() {
    let (key, forged) = (Key::new("k1"), Key::new("k1"));
    let more = Key::new("k2");
    let (good, down, evil) = (
        || Mirror::of(&[&key]),
        Mirror::default,
        || Mirror::of(&[&forged]),
    );
    let slow = Mirror {
        is_slow: true,
        ..good()
    };
    for (mirrors, counts) in [
        ([good(), good(), good()], true),
        ([good(), down(), good()], true),
        ([evil(), good(), good()], true),
        // The order of the keys in the set does not matter.
        (
            [
                Mirror::of(&[&key, &more]),
                Mirror::of(&[&more, &key]),
                down(),
            ],
            true,
        ),
        ([good(), slow, good()], true),
        ([good(), evil(), down()], false),
        (
            [good(), Mirror::of(&[&key, &more]), Mirror::of(&[&more])],
            false,
        ),
        ([good(), down(), down()], false),
        ([evil(), evil(), good()], false),
    ] {
        let [a, b, c] = &mirrors;
        let (guards, _) = on(two_of(&[a, b, c]));
        let found = tokio::time::timeout(
            Duration::from_secs(3),
            verify(&guards, &key.token(&claims())),
        )
        .await
        .unwrap();
        assert_eq!(found.is_ok(), counts);
    }
}

/// One source that was taken over replaces no key; the keys that were agreed on stay.
#[tokio::test]
async fn one_source_alone_replaces_nothing() {
    let (key, forged) = (Key::new("k1"), Key::new("forged"));
    let mirrors = [
        Mirror::of(&[&key]),
        Mirror::of(&[&key]),
        Mirror::of(&[&key]),
    ];
    let [a, b, c] = &mirrors;
    let (guards, clock) = on(two_of(&[a, b, c]));
    assert!(verify(&guards, &key.token(&claims())).await.is_ok());
    a.says(&[&forged]);
    b.keys.lock().unwrap().take();
    clock.advance(Duration::from_secs(31));
    assert_eq!(
        verify(&guards, &forged.token(&claims())).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(verify(&guards, &key.token(&claims())).await.is_ok());
    assert_eq!(
        mirrors
            .iter()
            .map(|mirror| mirror.asked.load(Ordering::SeqCst))
            .collect::<Vec<_>>(),
        [2, 2, 2]
    );
    assert!(
        guards.health()[0]
            .keys
            .problem
            .as_ref()
            .unwrap()
            .contains("no 2 of the others")
    );
    b.says(&[&forged]);
    clock.advance(Duration::from_secs(31));
    assert!(verify(&guards, &forged.token(&claims())).await.is_ok());
    assert_eq!(
        verify(&guards, &key.token(&claims())).await.unwrap_err(),
        Code::InvalidToken
    );
}

#[test]
fn a_quorum_is_at_least_one_and_at_most_all() {
    for (quorum, is_ok) in [(0, false), (1, true), (2, true), (3, false)] {
        let built = Attested::new(quorum)
            .source(Mirror::default())
            .source(Mirror::default())
            .build();
        assert_eq!(built.is_ok(), is_ok, "{quorum}");
    }
}
