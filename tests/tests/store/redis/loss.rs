//! Redis restarted empty, or behind what its readers have seen: sessions are over, and no revoked
//! token counts again.

use std::time::Duration;

use tollgate::clock::Timestamp;
use tollgate::prelude::*;
use tollgate::store::{Fact, LogCursor, LogEntry, RedisStore, SessionStore as _, Target};
use tollgate_tests::support::redis::Server;

use crate::record::{NOW, new, revocation, sid};
use crate::redis::node::Deployment;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_loss_sessions_are_over_and_tokens_of_before_are_refused_everywhere() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let deployment = Deployment::new();
    let settings = Settings::default;
    let old = deployment
        .node(RedisStore::connect(server.url()).await.unwrap(), settings())
        .await
        .unwrap();
    let (ada, grace) = (
        old.sign_in("ada@example.com").await,
        old.sign_in("grace@example.com").await,
    );
    old.gate
        .revoke(Revoke::access_of(
            deployment.accounts.id_of("grace@example.com"),
        ))
        .await
        .unwrap();
    let renewed = old.refresh(&grace.refresh).await.tokens();
    old.sign_out(&ada.refresh).await;
    assert_eq!(
        (
            old.admits(&ada.access).await,
            old.admits(&grace.access).await
        ),
        (401, 401)
    );
    assert_eq!(old.admits(&renewed.access).await, 200);

    server.restart_empty();
    assert_eq!(
        old.admits(&ada.access).await,
        401,
        "the node forgot what it knew"
    );
    // A node that starts on the empty server has no way to know, until one that knew it before has
    // spoken.
    let young = deployment
        .node(RedisStore::connect(server.url()).await.unwrap(), settings())
        .await
        .unwrap();
    for node in [&old, &young] {
        let mut longest = Duration::ZERO;
        for token in [&ada.access, &grace.access, &renewed.access] {
            longest = longest.max(node.until(token, 401).await);
        }
        println!("refused after {longest:?}");
        for token in [&ada.refresh, &grace.refresh, &renewed.refresh] {
            node.refresh(token)
                .await
                .assert_problem(401, "invalid_grant");
        }
    }
    // One who starts later is told by the log.
    let later = deployment
        .node(RedisStore::connect(server.url()).await.unwrap(), settings())
        .await
        .unwrap();
    for token in [&ada.access, &grace.access, &renewed.access] {
        assert_eq!(later.admits(token).await, 401);
    }
    // And everyone may come in again, everywhere.
    deployment.clock.advance(Duration::from_secs(5));
    for node in [&old, &young, &later] {
        for email in ["ada@example.com", "grace@example.com"] {
            let tokens = node.sign_in(email).await;
            for node in [&old, &young, &later] {
                assert_eq!(node.admits(&tokens.access).await, 200);
            }
            assert_eq!(
                node.refresh(&tokens.refresh).await.tokens().session,
                tokens.session
            );
        }
    }
}

/// The first operation that notices founds the deployment again, whichever it is; those that follow
/// leave it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lost_deployment_is_founded_again_once() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let mut stores = Vec::new();
    for _ in 0..4 {
        let store = RedisStore::connect(server.url()).await.unwrap();
        store.migrate(NOW).await.unwrap();
        stores.push(store);
    }
    stores[0].open_session(new(1, "ada"), NOW).await.unwrap();
    stores[0]
        .revoke(revocation(Target::Subject("ada".to_owned())), NOW)
        .await
        .unwrap();
    let cursor = stores[1]
        .log_since(LogCursor::START, NOW)
        .await
        .unwrap()
        .cursor;
    server.restart_empty();

    let mut tasks = Vec::new();
    for number in 0..64 {
        let store = stores[number % 4].clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..200 {
                if let Ok(found) = store.session(sid(1), NOW).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("it never came back");
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), None);
    }
    let expected = [LogEntry {
        fact: Fact::Everything(NOW.as_millis()),
        until: Timestamp::MAX,
    }];
    for store in &stores {
        assert_eq!(
            store.log_since(cursor.clone(), NOW).await.unwrap().entries,
            expected
        );
    }
    // Counting goes on from there, so that no epoch of before comes again.
    let later = NOW.plus(Duration::from_secs(60));
    let mut opening = new(2, "ada");
    opening.authenticated = tollgate::store::Authenticated::Since(later);
    stores[2].open_session(opening, later).await.unwrap();
    assert_eq!(
        stores[3]
            .session(sid(2), later)
            .await
            .unwrap()
            .unwrap()
            .epoch,
        NOW.as_millis()
    );
    let done = stores[1]
        .revoke(revocation(Target::AccessOf("ada".to_owned())), later)
        .await
        .unwrap();
    assert_eq!(
        done.entries[0].fact,
        Fact::Subject("ada".to_owned(), NOW.as_millis() + 1)
    );
    // A second loss is above the first.
    server.restart_empty();
    let mut page = stores[0].log_since(cursor.clone(), later).await;
    for _ in 0..100 {
        if page.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        page = stores[0].log_since(cursor.clone(), later).await;
    }
    assert_eq!(
        page.unwrap().entries[0].fact,
        Fact::Everything(later.as_millis())
    );
}

/// `FLUSHALL` by somebody's hand is such a loss.
#[tokio::test]
async fn a_flushed_server_is_a_loss_too() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    server.command(&["FLUSHALL"]).unwrap();
    // An operation that does not say when it was asked founds no deployment.
    store.keys().await.unwrap_err();
    assert_eq!(store.session(sid(1), NOW).await.unwrap(), None);
    store.keys().await.unwrap();
    let log = store
        .log_since(LogCursor::START, NOW)
        .await
        .unwrap()
        .entries;
    assert_eq!(
        log,
        [LogEntry {
            fact: Fact::Everything(NOW.as_millis()),
            until: Timestamp::MAX
        }]
    );
}

/// A failover to a replica that lacks the last entries: what is written there gets ids that may lie
/// before the cursors of those who read the lost ones. They start over instead of skipping it
/// (R89).
#[tokio::test]
async fn nothing_is_skipped_where_the_log_fell_back() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store
        .revoke(revocation(Target::Session(sid(1))), NOW)
        .await
        .unwrap();
    let old = store.log_since(LogCursor::START, NOW).await.unwrap().cursor;
    server
        .command(&["COPY", "{tollgate}:log", "{tollgate}:behind"])
        .unwrap();

    // The lost entry comes from a primary whose clock is an hour ahead, so that what follows stands
    // before it.
    let redis::Value::Array(time) = server.command(&["TIME"]).unwrap() else {
        panic!("no time")
    };
    let ahead: u64 = redis::from_redis_value::<u64>(time[0].clone()).unwrap() * 1000 + 3_600_000;
    let (id, key) = (format!("{ahead}-0"), "0".repeat(32));
    let until = NOW.plus(Duration::from_secs(600)).as_millis().to_string();
    let lost = [
        "kind", "session", "key", &key, "value", "0", "until", &until, "nonce", "n",
    ];
    server
        .command(&[&["XADD", "{tollgate}:log", &id], &lost[..]].concat())
        .unwrap();
    let read = store.log_since(old.clone(), NOW).await.unwrap();
    assert_eq!(read.entries.len(), 1);
    server
        .command(&["RENAME", "{tollgate}:behind", "{tollgate}:log"])
        .unwrap();

    store
        .revoke(revocation(Target::Session(sid(2))), NOW)
        .await
        .unwrap();
    let facts = |page: tollgate::store::LogPage| {
        page.entries
            .into_iter()
            .map(|entry| entry.fact)
            .collect::<Vec<_>>()
    };
    let expected = [Fact::Session(sid(1)), Fact::Session(sid(2))];
    assert_eq!(
        facts(store.log_since(read.cursor.clone(), NOW).await.unwrap()),
        expected
    );
    assert_eq!(
        facts(store.log_since(old.clone(), NOW).await.unwrap()),
        expected[1..]
    );

    // The same id with another entry in it is another one.
    server
        .command(
            &[
                &["XADD", "{tollgate}:log", &id],
                &lost[..8],
                &["nonce", "m"],
            ]
            .concat(),
        )
        .unwrap();
    assert_eq!(
        store
            .log_since(read.cursor, NOW)
            .await
            .unwrap()
            .entries
            .len(),
        3
    );
}

/// A log longer than one piece is read whole, and in order.
#[tokio::test]
async fn a_long_log_is_read_in_pieces() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let until = NOW.plus(Duration::from_secs(600)).as_millis();
    let fill = format!(
        "for i = 1, 12000 do redis.call('XADD', '{{tollgate}}:log', '*', 'kind', 'session', \
         'key', string.format('%08x', i) .. string.rep('0', 24), 'value', '0', 'until', \
         '{until}', 'nonce', 'n' .. i) end"
    );
    store
        .revoke(revocation(Target::Key("k1".to_owned())), NOW)
        .await
        .unwrap();
    server.command(&["EVAL", &fill, "0"]).unwrap();
    store
        .revoke(revocation(Target::Client("web".to_owned())), NOW)
        .await
        .unwrap();
    let page = store.log_since(LogCursor::START, NOW).await.unwrap();
    let mut expected = vec![Fact::Key("k1".to_owned())];
    expected.extend((1..=12_000).map(|number| Fact::Session(sid(number))));
    expected.push(Fact::Client("web".to_owned(), 1));
    assert_eq!(
        page.entries
            .into_iter()
            .map(|entry| entry.fact)
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(store.log_since(page.cursor, NOW).await.unwrap().entries, []);
}

/// A cursor that this server cannot have given reads everything again, however long the log is: a
/// key that was ended is among it.
#[tokio::test]
async fn an_impossible_cursor_reads_a_long_log_from_its_start() {
    let Some(store) = tollgate_tests::support::redis::store().await else {
        return;
    };
    store.migrate(NOW).await.unwrap();
    let key = Target::Key("k1".to_owned());
    store.revoke(revocation(key), NOW).await.unwrap();
    for number in 0..5_001 {
        let session = Target::Session(sid(number));
        store.revoke(revocation(session), NOW).await.unwrap();
    }
    let impossible = LogCursor("9999999999999-0/ffff".to_owned());
    let page = store.log_since(impossible, NOW).await.unwrap();
    let is_key = |entry: &LogEntry| matches!(&entry.fact, Fact::Key(kid) if kid == "k1");
    assert!(page.entries.iter().any(is_key), "{}", page.entries.len());
}
