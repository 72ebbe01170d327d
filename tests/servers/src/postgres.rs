//! PostgreSQL: a private server on a free port in a temporary folder, or the one that
//! `DATABASE_URL` names.
//!
//! The server ends with the process that started it, however that ends. A shell keeps it: it reads
//! from a pipe whose other end this process holds, and where that is gone it stops the server and
//! removes the folder.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, raw_sql};

/// A server to which tests may connect as its superuser.
#[derive(Debug)]
pub struct Server {
    /// With the database `postgres`.
    url: String,
    private: Option<Private>,
}

/// A server that this process started.
#[derive(Debug)]
struct Private {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    keeper: Option<Keeper>,
}

/// The shell that keeps a server running.
#[derive(Debug)]
struct Keeper {
    shell: Child,
    pipe: ChildStdin,
}

impl Server {
    /// Returns the server that the tests of this process share. Without one it says so and returns
    /// `None`.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match std::env::var("DATABASE_URL") {
            Ok(url) => Some(Self { url, private: None }),
            Err(_) => Self::start(&[]),
        });
        if shared.is_none() {
            super::skipped(MISSING);
        }
        shared.as_ref()
    }

    /// A server for one test alone, which may stop it, with settings of its own (`name=value`);
    /// `None`, and said so, where PostgreSQL is not installed.
    pub fn private(settings: &[&str]) -> Option<Self> {
        let started = Self::start(settings);
        if started.is_none() {
            super::skipped(MISSING);
        }
        started
    }

    /// A server with settings of its own (`name=value`); `None` where PostgreSQL is not installed.
    #[must_use]
    pub fn start(settings: &[&str]) -> Option<Self> {
        let programs = programs()?;
        let folder = new_folder();
        let password = folder.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args([
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--wal-segsize=1",
            "--auth=scram-sha-256",
        ]);
        initdb
            .arg(format!("--username={USER}"))
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(folder.join("data"));
        give_up_root(&mut initdb, &[&folder, &password]);
        let made = initdb.current_dir("/").output().unwrap();
        assert!(
            made.status.success(),
            "initdb: {}{}",
            text(&made.stdout),
            text(&made.stderr)
        );

        let settings = settings
            .iter()
            .map(|setting| (*setting).to_owned())
            .collect();
        let mut private = Private {
            programs,
            folder,
            port: 0,
            settings,
            keeper: None,
        };
        private.run();
        Some(Self {
            url: format!(
                "postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres",
                private.port
            ),
            private: Some(private),
        })
    }

    /// A fresh, empty database.
    pub async fn database(&self) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "tollgate_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = connect(&self.url).await;
        raw_sql(AssertSqlSafe(format!(
            "CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        )))
        .execute(&mut admin)
        .await
        .unwrap();
        let url = PgConnectOptions::from_str(&self.url)
            .unwrap()
            .database(&name)
            .to_url_lossy()
            .to_string();
        let drop_with = self.private.is_none().then(|| self.url.clone());
        Database {
            url,
            name,
            drop_with,
        }
    }

    /// A connection to the database `postgres`.
    pub async fn connect(&self) -> PgConnection {
        connect(&self.url).await
    }

    /// `kill -9` of the server's processes, as when its machine fails: one that serves a connection
    /// would go on for a moment, had only the first one ended.
    pub fn kill(&mut self) {
        self.signal("KILL");
    }

    /// Sends a signal to the server's processes, all of them: `STOP` freezes it, `CONT` lets it go
    /// on.
    pub fn signal(&self, signal: &str) {
        let first = self.private.as_ref().unwrap().process().unwrap();
        // While the first process sleeps it starts no other, and does not notice when one ends.
        assert!(
            Command::new("kill")
                .args(["-STOP", &first])
                .status()
                .unwrap()
                .success()
        );
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &first])
            .output()
            .unwrap();
        let mut kill = Command::new("kill");
        kill.arg(format!("-{signal}"))
            .args(text(&children.stdout).split_whitespace())
            .arg(first);
        // A process may have ended by itself since it was listed.
        kill.stderr(Stdio::null()).status().unwrap();
    }

    /// Starts the server again, on the same port with the same data, after [`kill`](Self::kill).
    pub fn restart(&mut self) {
        let private = self.private.as_mut().unwrap();
        private.keeper.take().unwrap().end(true);
        private.run();
    }

    /// Returns the folder in which this process may put files that the server reads.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.private.as_ref().unwrap().folder
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.private.as_ref().unwrap().port
    }

    /// Makes files below [`folder`](Self::folder) the server's.
    pub fn adopt(&self, files: &[&Path]) {
        give_up_root(&mut Command::new("true"), files);
    }
}

impl Private {
    /// Starts the server and waits until it takes connections.
    fn run(&mut self) {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let port = if self.port == 0 {
                free_port()
            } else {
                self.port
            };
            let _ = fs::remove_file(self.folder.join("process"));
            let keeper = self.keep(port);
            if self.is_ready(deadline) {
                self.port = port;
                self.keeper = Some(keeper);
                return;
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            keeper.end(true);
            // Somebody else took the port, or the processes of the server that was killed are not
            // gone yet.
            let may_pass = log.contains("could not bind")
                || log.contains("still in use")
                || log.contains("lock file");
            assert!(
                may_pass && Instant::now() < deadline,
                "PostgreSQL does not start: {log}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn keep(&self, port: u16) -> Keeper {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", KEEP, "sh"])
            .arg(&self.folder)
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.join("data"));
        for setting in [
            &format!("port={port}"),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
        ]
        .into_iter()
        .chain([
            "max_connections=200",
            "shared_buffers=32MB",
            "max_wal_size=64MB",
        ])
        .chain(self.settings.iter().map(String::as_str))
        {
            shell.arg("-c").arg(setting);
        }
        give_up_root(&mut shell, &[]);
        // In a group of its own, so that what ends the tests' group does not end the keeper before
        // it has cleaned up.
        shell
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut shell = shell.spawn().unwrap();
        let pipe = shell.stdin.take().unwrap();
        Keeper { shell, pipe }
    }

    /// Returns whether the server became ready, which it says in a file. The file of a server that
    /// was killed is still there.
    fn is_ready(&self, deadline: Instant) -> bool {
        while Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
            let Some(process) = self.process() else {
                continue;
            };
            let state =
                fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().next() == Some(&process)
                && state
                    .lines()
                    .nth(7)
                    .is_some_and(|line| line.trim() == "ready")
            {
                return true;
            }
            let listed = Command::new("ps")
                .args(["-o", "stat=", "-p", &process])
                .output()
                .unwrap();
            if listed.stdout.is_empty() || listed.stdout.starts_with(b"Z") {
                return false;
            }
        }
        false
    }

    /// The server's first process, once the keeper has started it.
    fn process(&self) -> Option<String> {
        let text = fs::read_to_string(self.folder.join("process")).ok()?;
        text.ends_with('\n').then(|| text.trim().to_owned())
    }
}

impl Keeper {
    /// Stops the server, and keeps or removes its folder.
    fn end(self, keep: bool) {
        let Self {
            mut shell,
            mut pipe,
        } = self;
        if keep {
            pipe.write_all(b"keep\n").unwrap();
        }
        drop(pipe);
        shell.wait().unwrap();
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.end(false);
        }
    }
}

/// A database of a test.
#[derive(Debug)]
pub struct Database {
    /// The URL of the database.
    pub url: String,
    name: String,
    /// The URL with which the database is dropped at the end, on a server that others use too.
    drop_with: Option<String>,
}

impl Database {
    /// A connection to it, beside those of the store.
    pub async fn connect(&self) -> PgConnection {
        connect(&self.url).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(admin) = self.drop_with.take() else {
            return;
        };
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A thread, because the test's runtime is in the middle of something.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                raw_sql(AssertSqlSafe(sql))
                    .execute(&mut connect(&admin).await)
                    .await
                    .unwrap()
            });
        });
        let _ = dropping.join();
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnectOptions::from_str(url)
        .unwrap()
        .disable_statement_logging()
        .connect()
        .await
        .unwrap()
}

/// Returns the folder of `initdb` and `postgres`: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    debian.sort_unstable_by(|one, other| other.cmp(one));
    let folders = std::env::split_paths(&path).chain(debian.into_iter().map(|(_, folder)| folder));
    folders.into_iter().find(|folder| {
        ["initdb", "postgres"]
            .iter()
            .all(|name| folder.join(name).is_file())
    })
}

/// PostgreSQL does not run as root. Where this process does, a program runs as `postgres` or
/// `nobody`, to whom these files go.
fn give_up_root(program: &mut Command, files: &[&Path]) {
    if fs::metadata("/proc/self").map_or(1, |own| own.uid()) != 0 {
        return;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line
            .split(':')
            .skip(2)
            .map(|field| field.parse::<u32>().unwrap());
        Some((fields.next()?, fields.next()?))
    };
    let (user, group) = ids("postgres")
        .or_else(|| ids("nobody"))
        .expect("neither `postgres` nor `nobody` is a user");
    for file in files {
        chown(file, Some(user), Some(group)).unwrap();
    }
    program.uid(user).gid(group);
}

fn new_folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let name = format!(
            "tollgate-postgres-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return folder,
            Err(error) => assert_eq!(
                error.kind(),
                std::io::ErrorKind::AlreadyExists,
                "{}",
                folder.display()
            ),
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs the program after the folder, and stops it when the pipe says a word or is closed.
const KEEP: &str = r#"
    folder=$1; shift
    "$@" >"$folder/log" 2>&1 </dev/null &
    server=$!
    echo "$server" >"$folder/process"
    word=
    read -r word
    kill -QUIT "$server" 2>/dev/null
    wait "$server"
    [ "$word" = keep ] || rm -rf "$folder"
"#;
const USER: &str = "tollgate";
/// The password of every server that the tests start.
pub const PASSWORD: &str = "unspoken";
const TIMEOUT: Duration = Duration::from_secs(60);
const MISSING: &str = "PostgreSQL is not installed: neither on the path nor below \
                       /usr/lib/postgresql are `initdb` and `postgres`";
