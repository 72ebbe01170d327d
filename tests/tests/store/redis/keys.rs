//! The keys in Redis: names, ends, and numbers at the edge of what a script can count.

use std::time::Duration;

use redis::Value;
use tollgate::clock::Timestamp;
use tollgate::device::Device;
use tollgate::store::{
    Limit, OnceValue, RedisStore, Rotated, SessionStore as _, StoredTokenKind, Target, TokenRecord,
};
use tollgate_tests::support::redis::Server;

use crate::record::{NOW, advance, new, revocation, sid};

fn names(server: &Server) -> Vec<String> {
    let Value::Array(keys) = server.command(&["KEYS", "*"]).unwrap() else {
        panic!("no keys")
    };
    keys.into_iter()
        .map(|key| redis::from_redis_value::<String>(key).unwrap())
        .collect()
}

fn ttl(server: &Server, key: &str) -> i64 {
    redis::from_redis_value(server.command(&["PTTL", key]).unwrap()).unwrap()
}

/// A store with something of every kind in it.
async fn filled(server: &Server) -> RedisStore {
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let mut opening = new(1, "ada");
    opening.device = Device::new(Some("phone".to_owned()), None);
    opening.claims = Some(vec![0, 255, 13, 10]);
    opening.tokens = vec![TokenRecord {
        jti: tollgate::id::TokenId::random().unwrap(),
        kind: StoredTokenKind::Access,
        sid: Some(sid(1)),
        generation: Some(0),
        parent: Some(tollgate::id::TokenId::random().unwrap()),
        subject: "ada".to_owned(),
        device_id: None,
        issued_at: NOW,
        expires_at: NOW,
        revoked_at: None,
    }];
    store.open_session(opening, NOW).await.unwrap();
    store.open_session(new(2, "grace"), NOW).await.unwrap();
    store
        .revoke(revocation(Target::Subject("grace".to_owned())), NOW)
        .await
        .unwrap();
    store
        .revoke(revocation(Target::Key("k1".to_owned())), NOW)
        .await
        .unwrap();
    let until = NOW.plus(Duration::from_secs(60));
    store.consume_once([1; 32], until, NOW).await.unwrap();
    store
        .put_once(
            OnceValue {
                kind: "reset".to_owned(),
                hash: [2; 32],
                payload: vec![1],
                until,
                bound: None,
            },
            NOW,
        )
        .await
        .unwrap();
    store
        .spend(
            "ada".to_owned(),
            1,
            vec![Limit {
                burst: 2,
                period: Duration::from_secs(60),
            }],
            NOW,
        )
        .await
        .unwrap();
    store.swap_keys(0, vec![9], NOW).await.unwrap();
    store
}

#[tokio::test]
async fn every_key_lies_in_the_deployments_slot() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    filled(&server).await;
    let names = names(&server);
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(name.starts_with("{tollgate}:"), "{name}");
    }
}

/// A row vanishes some minutes after its end, never before; rows that revocation and the epochs
/// need never do.
#[tokio::test]
async fn only_what_ends_vanishes_and_not_before_its_end() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    filled(&server).await;
    let (absolute, slack) = (90 * 86_400_000, 15 * 60_000);
    for name in names(&server) {
        let left = ttl(&server, &name);
        let kind = name
            .strip_prefix("{tollgate}:")
            .unwrap()
            .split(':')
            .next()
            .unwrap();
        let least = match kind {
            "s" | "d" | "c" | "us" => absolute,
            "k" | "o" => 60_000,
            "b" => 30_000,
            "deployment" | "log" | "lasting" | "u" | "live" | "over" | "ring" | "once"
            | "budgets" | "tokens" | "ending" | "t" | "ts" | "tn" | "tc" => {
                assert_eq!(left, -1, "{name} vanishes");
                continue;
            }
            other => panic!("{other} is unknown to this test"),
        };
        assert!(
            (least..=least + slack).contains(&(left + 5000))
                || (least..=least + slack).contains(&left),
            "{name}: {left}"
        );
    }
}

/// A rotation does not move what the opening set.
#[tokio::test]
async fn a_rotation_keeps_the_sessions_end() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = filled(&server).await;
    let key = names(&server)
        .into_iter()
        .find(|name| name.starts_with("{tollgate}:s:00000001"))
        .unwrap();
    let before = ttl(&server, &key);
    let late = NOW.plus(Duration::from_secs(86_400));
    assert_eq!(
        store.rotate(advance(1, 0), late).await.unwrap(),
        Rotated::Done
    );
    store
        .attach(sid(1), Device::new(None, Some("d".to_owned())), late)
        .await
        .unwrap();
    let after = ttl(&server, &key);
    assert!(
        after <= before && before - after < 10_000,
        "{before} became {after}"
    );
}

/// Indices forget what vanished, as new things come.
#[tokio::test]
async fn what_vanished_leaves_its_indices() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = filled(&server).await;
    for kind in ["s", "b", "k", "o"] {
        for name in names(&server)
            .iter()
            .filter(|name| name.starts_with(&format!("{{tollgate}}:{kind}:")))
        {
            server.command(&["DEL", name]).unwrap();
        }
    }
    let late = NOW.plus(Duration::from_secs(91 * 86_400));
    assert_eq!(
        store
            .sessions_of("ada".to_owned(), tollgate::store::SessionPage::ALL, late)
            .await
            .unwrap(),
        []
    );
    let mut opening = new(3, "ada");
    (opening.idle_exp, opening.abs_exp) = (
        late.plus(Duration::from_secs(60)),
        late.plus(Duration::from_secs(60)),
    );
    store.open_session(opening, late).await.unwrap();
    store
        .consume_once([3; 32], late.plus(Duration::from_secs(60)), late)
        .await
        .unwrap();
    store
        .spend(
            "x".to_owned(),
            1,
            vec![Limit {
                burst: 2,
                period: Duration::from_secs(60),
            }],
            late,
        )
        .await
        .unwrap();
    for (index, left) in [
        ("live", 1),
        ("over", 0),
        ("us:ada", 1),
        ("once", 1),
        ("budgets", 1),
    ] {
        let count = server
            .command(&["ZCARD", &format!("{{tollgate}}:{index}")])
            .unwrap();
        assert_eq!(count, Value::Int(left), "{index}");
    }
}

/// Dead entries leave the log as others come; one that still matters, and what stands behind it,
/// never does.
#[tokio::test]
async fn the_log_is_trimmed_behind_what_still_matters() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let len = || {
        redis::from_redis_value::<u64>(server.command(&["XLEN", "{tollgate}:log"]).unwrap())
            .unwrap()
    };
    for number in 0..100 {
        store
            .revoke(revocation(Target::Session(sid(number))), NOW)
            .await
            .unwrap();
    }
    let mut long = revocation(Target::Session(sid(1000)));
    long.until = NOW.plus(Duration::from_secs(86_400));
    store.revoke(long, NOW).await.unwrap();
    assert_eq!(len(), 101);
    let later = NOW.plus(Duration::from_secs(3600));
    for number in 0..10 {
        let mut short = revocation(Target::Session(sid(2000 + number)));
        short.until = later.plus(Duration::from_secs(600));
        store.revoke(short, later).await.unwrap();
    }
    assert_eq!(len(), 11);
    let much_later = later.plus(Duration::from_secs(3600));
    store
        .revoke(revocation(Target::Key("k".to_owned())), much_later)
        .await
        .unwrap();
    assert_eq!(len(), 12);
    let page = store
        .log_since(tollgate::store::LogCursor::START, much_later)
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 2, "{page:?}");
}

/// Times and epochs are exact below 2^53, and what is not is refused instead of rounded.
#[tokio::test]
async fn numbers_that_a_script_cannot_count_are_refused() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let last = Timestamp::from_millis((1 << 53) - 1);
    let beyond = Timestamp::from_millis(1 << 53);
    let mut opening = new(1, "ada");
    (opening.idle_exp, opening.abs_exp) = (Timestamp::MAX, Timestamp::MAX);
    store.open_session(opening, NOW).await.unwrap();
    let row = store.session(sid(1), NOW).await.unwrap().unwrap();
    assert_eq!(
        (row.idle_exp, row.abs_exp),
        (Timestamp::MAX, Timestamp::MAX)
    );
    assert_eq!(
        store.rotate(advance(1, 0), last).await.unwrap(),
        Rotated::Done
    );
    assert_eq!(
        store
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .rotated_at,
        Some(last)
    );
    store.rotate(advance(1, 1), beyond).await.unwrap_err();
    store
        .revoke(revocation(Target::Everything), beyond)
        .await
        .unwrap_err();

    // One epoch below the last, the last, and none beyond.
    server
        .command(&["HSET", "{tollgate}:u:ada", "epoch", "9007199254740990"])
        .unwrap();
    let done = store
        .revoke(revocation(Target::AccessOf("ada".to_owned())), NOW)
        .await
        .unwrap();
    assert_eq!(
        done.entries[0].fact,
        tollgate::store::Fact::Subject("ada".to_owned(), (1 << 53) - 1)
    );
    assert_eq!(
        store.session(sid(1), NOW).await.unwrap().unwrap().epoch,
        (1 << 53) - 1
    );
    store
        .revoke(revocation(Target::Subject("ada".to_owned())), NOW)
        .await
        .unwrap_err();
    store
        .revoke(revocation(Target::Everything), NOW)
        .await
        .unwrap_err();
    assert!(
        store
            .session(sid(1), NOW)
            .await
            .unwrap()
            .unwrap()
            .revoked
            .is_none(),
        "half of it was done"
    );
}
