//! Redis Sentinel and Redis Cluster: the primary is found and followed, a cluster is refused.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::Value;
use tollgate::store::{RedisStore, Rotated, SessionStore as _};
use tollgate_tests::process::{TICK, TIMEOUT};
use tollgate_tests::support::redis::Server;

use crate::record::{NOW, advance, new, sid};

/// A sentinel, which ends with the process that started it.
struct Sentinel {
    shell: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Sentinel {
    /// Starts one that watches a primary under the name `main`.
    fn start(primary: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = folder.path().join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
            folder.path().display()
        );
        fs::write(&file, settings).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "\"$@\" & pid=$!; cat >/dev/null; kill -9 $pid", "sh"])
            .arg("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Self {
            shell: shell.spawn().unwrap(),
            port,
            _folder: folder,
        }
    }

    fn ask(&self, words: &[&str]) -> redis::RedisResult<Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        let mut command = redis::cmd("SENTINEL");
        for word in words {
            command.arg(*word);
        }
        command.query(&mut connection)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < TIMEOUT, "waited in vain for {what}");
        std::thread::sleep(TICK);
    }
}

fn keys(server: &Server) -> Option<i64> {
    match server.command(&["DBSIZE"]) {
        Ok(Value::Int(count)) => Some(count),
        _ => None,
    }
}

/// Whichever of the sentinels answers; after a failover the store goes on with the new primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primary_is_found_and_followed_through_a_failover() {
    let Some(mut primary) = Server::private(&[]) else {
        return;
    };
    let of = ["--replicaof", "127.0.0.1", &primary.port.to_string()];
    let replica = Server::private(&of).unwrap();
    let sentinel = Sentinel::start(primary.port);
    until(
        "the sentinel to know the replica",
        || matches!(sentinel.ask(&["REPLICAS", "main"]), Ok(Value::Array(known)) if known.len() == 1),
    );

    let url = format!(
        "redis+sentinel://127.0.0.1:{},127.0.0.1:{}/main",
        free_port(),
        sentinel.port
    );
    let store = RedisStore::connect(&url).await.unwrap();
    assert!(format!("{store:?}").contains("main by Sentinel at 127.0.0.1:"));
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    until("the replica to have everything", || {
        keys(&replica).is_some_and(|count| count > 0) && keys(&replica) == keys(&primary)
    });

    primary.kill();
    let start = Instant::now();
    while store.session(sid(1), NOW).await.is_err() {
        assert!(start.elapsed() < TIMEOUT, "no operation after the failover");
        tokio::time::sleep(TICK).await;
    }
    let rotated = store.rotate(advance(1, 0), NOW).await.unwrap();
    assert_eq!(rotated, Rotated::Done);
    let role = replica.command(&["ROLE"]).unwrap();
    assert!(
        matches!(&role, Value::Array(role) if role[0] == Value::BulkString(b"master".to_vec())),
        "{role:?}"
    );
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_and_a_sentinel_in_place_of_a_server_are_refused() {
    let Some(primary) = Server::private(&[]) else {
        return;
    };
    let sentinel = Sentinel::start(primary.port);
    until("the sentinel to answer", || {
        sentinel.ask(&["MASTERS"]).is_ok()
    });
    let refusal = async |url: String| RedisStore::connect(url).await.unwrap_err().to_string();

    let unknown = refusal(format!(
        "redis+sentinel://127.0.0.1:{}/other",
        sentinel.port
    ))
    .await;
    assert!(
        unknown.contains("`other by Sentinel at") && unknown.contains("name of no primary"),
        "{unknown}"
    );
    let plain = refusal(format!("redis://127.0.0.1:{}", sentinel.port)).await;
    assert!(
        plain.contains("is a sentinel: write `redis+sentinel://"),
        "{plain}"
    );
    // The URL has to name sentinels: a plain server is not one.
    let none = refusal(format!("redis+sentinel://127.0.0.1:{}/main", primary.port)).await;
    assert!(none.starts_with("Redis at `main by Sentinel at"), "{none}");
    let nameless = refusal("redis+sentinel://127.0.0.1:1".to_owned()).await;
    assert!(
        nameless.contains("lacks the name of the primary"),
        "{nameless}"
    );
}

#[tokio::test]
async fn a_cluster_is_refused_by_name() {
    let Some(server) = Server::private(&["--cluster-enabled", "yes"]) else {
        return;
    };
    let refusal = async |url: String| RedisStore::connect(url).await.unwrap_err().to_string();
    for url in [
        server.url(),
        "redis+cluster://127.0.0.1".to_owned(),
        "redis://127.0.0.1:1,127.0.0.1:2/0".to_owned(),
    ] {
        let refused = refusal(url).await;
        assert!(refused.contains("Redis Cluster"), "{refused}");
    }
}
