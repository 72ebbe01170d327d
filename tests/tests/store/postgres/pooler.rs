//! PgBouncer between a node and the server: what it drops is found, and named.

use std::error::Error as _;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, raw_sql};
use tollgate::store::{PostgresStore, Rotated, SessionStore as _};
use tollgate_tests::process::{TICK, TIMEOUT};
use tollgate_tests::support::postgres::{PASSWORD, Server};
use tollgate_tests::support::skipped;

use crate::record::{NOW, advance, new};

/// A pooler, which ends with the process that started it.
struct Pooler {
    shell: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Pooler {
    /// Starts one in session mode that passes over these parameters of a connection.
    fn start(server: u16, ignored: &str) -> Option<Self> {
        let Some(program) = program() else {
            skipped("pgbouncer is missing");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port();
        let file = folder.path().join("pgbouncer.ini");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user=tollgate password={PASSWORD}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = session\nignore_startup_parameters = {ignored}\n"
        );
        fs::write(&file, settings).unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "\"$@\" & pid=$!; cat >/dev/null; kill $pid", "sh"])
            .arg(program)
            // It refuses to run as root.
            .args(["-q", "-u", "nobody"])
            .arg(&file);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        let pooler = Self {
            shell: shell.spawn().unwrap(),
            port,
            folder,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || fs::read_to_string(pooler.folder.path().join("log"));
            assert!(start.elapsed() < TIMEOUT, "no pgbouncer: {:?}", log());
            std::thread::sleep(TICK);
        }
        Some(pooler)
    }

    fn url(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://tollgate:{PASSWORD}@127.0.0.1:{port}/{database}")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        if let Some(mut input) = self.shell.stdin.take() {
            let _ = input.write_all(b"end");
        }
        let _ = self.shell.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from))
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.exists())
}

async fn refusal(url: &str) -> String {
    let error = PostgresStore::connect(url).await.expect_err("it connected");
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    let text = format!("{error} ({source})");
    assert!(!text.contains(PASSWORD), "{text}");
    text
}

#[tokio::test]
async fn what_a_pooler_drops_is_named() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let path = database.url.split('?').next().unwrap();
    let name = path.rsplit('/').next().unwrap();

    // It refuses the parameter in which the store asks for its settings.
    let Some(pooler) = Pooler::start(server.port(), "extra_float_digits") else {
        return;
    };
    let refused = refusal(&pooler.url(name)).await;
    assert!(
        refused.contains("a pooler") && refused.contains("ignore_startup_parameters"),
        "{refused}"
    );
    drop(pooler);

    // It passes over the parameter: each setting that is missing is named in its turn, until the
    // role has all of them.
    let mut admin = server.connect().await;
    let mut named = Vec::new();
    let pooled = loop {
        let Some(pooler) = Pooler::start(server.port(), "extra_float_digits, options") else {
            return;
        };
        let url = pooler.url(name);
        if PostgresStore::connect(&url).await.is_ok() {
            break pooler;
        }
        let refused = refusal(&url).await;
        let (_, statement) = refused.split_once("ALTER ROLE … SET ").expect(&refused);
        let statement = statement.trim_end_matches([' ', ')', '(']);
        named.push(statement.split(' ').next().unwrap().to_owned());
        assert!(named.len() < 10, "{named:?}");
        let sql = format!("ALTER ROLE tollgate SET {statement}");
        raw_sql(AssertSqlSafe(sql))
            .execute(&mut admin)
            .await
            .unwrap();
    };
    assert_eq!(
        named,
        [
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout"
        ]
    );
    let store = PostgresStore::connect(&pooled.url(name)).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    let rotated = store.rotate(advance(1, 0), NOW).await.unwrap();
    assert_eq!(rotated, Rotated::Done);

    // A connection that the store opens later is read back like the first one.
    let weaken = "ALTER ROLE tollgate SET synchronous_commit = off";
    raw_sql(weaken).execute(&mut admin).await.unwrap();
    let again = PostgresStore::options(&pooled.url(name)).acquire_timeout(Duration::from_secs(5));
    drop(store);
    drop(pooled);
    let Some(pooler) = Pooler::start(server.port(), "extra_float_digits, options") else {
        return;
    };
    let refused = refusal(&pooler.url(name)).await;
    assert!(refused.contains("`synchronous_commit`"), "{refused}");
    drop(again);
}

/// A pool opens connections as it needs them, and reads each of them back: the first may have been
/// in order.
#[tokio::test]
async fn a_later_connection_with_other_settings_is_refused() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let path = database.url.split('?').next().unwrap();
    let name = path.rsplit('/').next().unwrap();
    let mut admin = server.connect().await;
    for setting in [
        "lock_timeout = 2000",
        "statement_timeout = 5000",
        "idle_in_transaction_session_timeout = 5000",
    ] {
        let sql = format!("ALTER ROLE tollgate SET {setting}");
        raw_sql(AssertSqlSafe(sql))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    let Some(pooler) = Pooler::start(server.port(), "extra_float_digits, options") else {
        return;
    };
    let store = PostgresStore::connect(&pooler.url(name)).await.unwrap();
    let weaken = "ALTER ROLE tollgate SET synchronous_commit = off";
    raw_sql(weaken).execute(&mut admin).await.unwrap();
    // The pooler gives the connection of before to the next client, so it has to be a new one.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname LIKE 'tollgate%' AND pid <> pg_backend_pid()";
    raw_sql(end).execute(&mut admin).await.unwrap();
    let mut said = String::new();
    for _ in 0..100 {
        let error = store
            .health(NOW)
            .await
            .expect_err("a weak connection was used");
        said = format!("{error:?}");
        if said.contains("`synchronous_commit`") {
            return;
        }
        tokio::time::sleep(TICK).await;
    }
    panic!("{said}");
}
