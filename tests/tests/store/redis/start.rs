//! Connecting: what is refused, with a message that names the server and never the password.

use std::error::Error as _;
use std::time::Duration;

use tollgate::error::ErrorKind;
use tollgate::prelude::*;
use tollgate::store::{RedisStore, SessionStore as _};
use tollgate_tests::support::redis::{self, Server};

use crate::record::NOW;
use crate::redis::node::Deployment;

const PASSWORD: &str = "correct-horse";

/// Connects where that must be refused, and answers the message.
async fn refusal(url: &str) -> String {
    let options = RedisStore::options(url).connect_timeout(Duration::from_millis(500));
    assert!(!format!("{options:?}").contains(PASSWORD), "{options:?}");
    let error = options.connect().await.expect_err("it connected");
    assert_eq!(error.kind(), ErrorKind::Store);
    let mut text = format!("{error} / {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text} / {error} / {error:?}");
        source = error.source();
    }
    assert!(!text.contains(PASSWORD), "{text}");
    error.to_string()
}

#[tokio::test]
async fn what_cannot_be_reached_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let message = refusal(&format!("redis://user:{PASSWORD}@{free}")).await;
    assert_eq!(message, format!("Redis at `{free}` cannot be reached"));
    let message = refusal("redis+unix:///nowhere/redis.sock").await;
    assert_eq!(message, "Redis at `/nowhere/redis.sock` cannot be reached");

    // Something listens there, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let message = refusal(&format!("redis://{address}")).await;
    assert_eq!(
        message,
        format!("Redis at `{address}` does not answer in time")
    );
}

#[tokio::test]
async fn an_url_that_is_none_is_refused_without_repeating_it() {
    for url in [
        "",
        "127.0.0.1:6379",
        "http://localhost",
        &format!("redis://:{PASSWORD}@"),
        &format!("redis://{PASSWORD}@h/x"),
    ] {
        let message = refusal(url).await;
        assert!(
            message.contains("redis[s]://[user:password@]host"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_deployment_has_a_name_without_braces() {
    for name in ["", "a{b", "}"] {
        let error = RedisStore::options("redis://127.0.0.1")
            .deployment(name)
            .connect()
            .await
            .unwrap_err();
        assert!(error.to_string().contains("braces"), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_one_are_told_apart() {
    let Some(server) = Server::private(&["--requirepass", PASSWORD]) else {
        return;
    };
    let port = server.port;
    let message = refusal(&format!("redis://127.0.0.1:{port}")).await;
    assert_eq!(
        message,
        format!("Redis at `127.0.0.1:{port}` asks for a password, and the URL has none")
    );
    for user in ["", "nobody"] {
        let message = refusal(&format!("redis://{user}:{PASSWORD}x@127.0.0.1:{port}")).await;
        assert_eq!(
            message,
            format!("Redis at `127.0.0.1:{port}` refuses the user or the password")
        );
    }
    let store = RedisStore::connect(format!("redis://:{PASSWORD}@127.0.0.1:{port}/3"))
        .await
        .unwrap();
    assert_eq!(
        format!("{store:?}"),
        format!("RedisStore(127.0.0.1:{port}, {{tollgate}})")
    );
    store.migrate(NOW).await.unwrap();
    store.health(NOW).await.unwrap();
}

/// R101: where Redis may evict, a revocation may vanish. With and without a limit of its memory, at
/// the connection and at the start of a gate.
#[tokio::test]
async fn a_server_that_may_evict_is_refused() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    for policy in [
        "allkeys-lru",
        "volatile-ttl",
        "volatile-lfu",
        "allkeys-random",
    ] {
        for memory in ["0", "100mb"] {
            server
                .command(&["CONFIG", "SET", "maxmemory-policy", policy])
                .unwrap();
            server
                .command(&["CONFIG", "SET", "maxmemory", memory])
                .unwrap();
            let message = refusal(&server.url()).await;
            assert!(
                message.contains(&format!("its `maxmemory-policy` is `{policy}`")),
                "{message}"
            );
            assert!(message.contains("`noeviction`"), "{message}");
        }
    }
    assert!(
        Deployment::new()
            .node(store.clone(), Settings::default())
            .await
            .is_err()
    );
    server
        .command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .unwrap();
    Deployment::new()
        .node(store, Settings::default())
        .await
        .unwrap();
}

/// Providers forbid `CONFIG`; `INFO` says the same. A user who may ask neither is refused: nobody
/// knows.
#[tokio::test]
async fn the_policy_is_found_by_whichever_command_is_allowed() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    for (user, forbidden) in [("a", "-config"), ("b", "-info")] {
        server
            .command(&[
                "ACL",
                "SETUSER",
                user,
                "on",
                &format!(">{PASSWORD}"),
                "~*",
                "&*",
                "+@all",
                forbidden,
            ])
            .unwrap();
        let url = format!("redis://{user}:{PASSWORD}@127.0.0.1:{}", server.port);
        let store = RedisStore::connect(url).await.unwrap();
        store.migrate(NOW).await.unwrap();
        store.health(NOW).await.unwrap();
    }
    server
        .command(&[
            "ACL",
            "SETUSER",
            "c",
            "on",
            &format!(">{PASSWORD}"),
            "~*",
            "&*",
            "+@all",
            "-info",
            "-config",
        ])
        .unwrap();
    let message = refusal(&format!("redis://c:{PASSWORD}@127.0.0.1:{}", server.port)).await;
    assert!(
        message.contains("does not say whether it evicts"),
        "{message}"
    );
    server
        .command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])
        .unwrap();
    for user in ["a", "b"] {
        let message = refusal(&format!(
            "redis://{user}:{PASSWORD}@127.0.0.1:{}",
            server.port
        ))
        .await;
        assert!(message.contains("may evict"), "{message}");
    }
}

#[tokio::test]
async fn a_replica_is_refused() {
    let Some(primary) = Server::private(&[]) else {
        return;
    };
    let Some(replica) = Server::private(&["--replicaof", "127.0.0.1", &primary.port.to_string()])
    else {
        return;
    };
    assert!(refusal(&replica.url()).await.contains("is a replica"));
}

/// A later version that only adds says that programs of this version may go on.
#[tokio::test]
async fn a_newer_layout_that_only_adds_is_used() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    for (field, value) in [("schema", "4711"), ("readable:4711", "1")] {
        server
            .command(&["HSET", "{tollgate}:deployment", field, value])
            .unwrap();
    }
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    server
        .command(&["HSET", "{tollgate}:deployment", "readable:4711", "2"])
        .unwrap();
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap_err();
}

/// A deployment of a release before tells since when this one uses it; a new one does not.
#[tokio::test]
async fn a_deployment_of_a_release_before_is_told_from_a_new_one() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap().older_since, None);
    server
        .command(&["HDEL", "{tollgate}:deployment", "older_since"])
        .unwrap();
    for _ in 0..2 {
        let store = RedisStore::connect(server.url()).await.unwrap();
        store.migrate(NOW).await.unwrap();
        assert_eq!(store.health(NOW).await.unwrap().older_since, Some(NOW));
    }
}

#[tokio::test]
async fn a_newer_layout_is_refused_and_left_alone() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let store = RedisStore::connect(server.url()).await.unwrap();
    store.migrate(NOW).await.unwrap();
    server
        .command(&["HSET", "{tollgate}:deployment", "schema", "4711"])
        .unwrap();
    let error = RedisStore::connect(server.url())
        .await
        .unwrap()
        .migrate(NOW)
        .await
        .unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("newer version"),
        "{error:?}"
    );
    let left = server
        .command(&["HGET", "{tollgate}:deployment", "schema"])
        .unwrap();
    assert_eq!(left, ::redis::Value::BulkString(b"4711".to_vec()));
}

#[tokio::test]
async fn a_deployment_that_was_never_migrated_is_an_error() {
    let Some(store) = redis::store().await else {
        return;
    };
    let error = store.health(NOW).await.unwrap_err();
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("never migrated"),
        "{error:?}"
    );
    store.migrate(NOW).await.unwrap();
    store.health(NOW).await.unwrap();
}

/// Ten nodes that start at once on an empty server work on one deployment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_nodes_that_start_at_once_share_a_deployment() {
    let Some(url) = redis::shared() else { return };
    let options = redis::deployment(url);
    let mut starts = Vec::new();
    for _ in 0..10 {
        let options = options.clone();
        starts.push(tokio::spawn(async move {
            let store = options.connect().await.unwrap();
            store.migrate(NOW).await.unwrap();
            store
        }));
    }
    let mut stores = Vec::new();
    for start in starts {
        stores.push(start.await.unwrap());
    }
    stores[0]
        .open_session(crate::record::new(1, "ada"), NOW)
        .await
        .unwrap();
    for store in stores {
        assert!(
            store
                .session(crate::record::sid(1), NOW)
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_store_is_opened_from_settings() {
    let Some(url) = tollgate_tests::support::redis::shared() else {
        return;
    };
    let name = format!("by-settings-{}", std::process::id());
    let file = "[store]\nconnections = 2\nconnect_timeout = '20s'\nstatement_timeout = '20s'";
    let mut settings =
        tollgate::settings::Settings::from_sources(Some(("tollgate.toml", file)), [])
            .unwrap()
            .store;
    settings.url = Some(tollgate::settings::StoreUrl::new(url));
    settings.deployment = Some(name.clone());
    let store = tollgate::store::Store::open(&settings).await.unwrap();
    assert!(format!("{store:?}").contains("RedisStore"));
    tollgate_tests::App::on(store, tollgate::settings::Settings::default())
        .await
        .sign_in("ada@example.com")
        .await;
    let mut admin = ::redis::Client::open(url)
        .unwrap()
        .get_connection()
        .unwrap();
    let live: u64 = ::redis::cmd("ZCARD")
        .arg(format!("{{{name}}}:live"))
        .query(&mut admin)
        .unwrap();
    assert_eq!(live, 1);
}
