//! The quickstart, built by cargo as `cargo run -p quickstart` builds it, and started as a process
//! of its own.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
pub(crate) use tollgate_tests::process::{HOST, bare, post, wait_for};
use tollgate_tests::process::{Output, TICK, TIMEOUT, built, copy_program, exchange, parse};
use tollgate_tests::{Answer, PASSWORD, Tokens};

/// The folder, port and settings of a quickstart, which may be started several times.
pub(crate) struct Place {
    root: TempDir,
    data: PathBuf,
    binary: PathBuf,
    port: u16,
    variables: Vec<(&'static str, String)>,
    user: Option<u32>,
    file_limit: Option<u32>,
}

impl Place {
    /// A fresh folder and a free port.
    pub(crate) fn new() -> Self {
        Self::of("quickstart")
    }

    /// The same for another example that takes `PORT` and `DATA_DIR`.
    pub(crate) fn of(package: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let binary = built(package);
        Self {
            root,
            data,
            binary,
            port: free_port(),
            variables: Vec::new(),
            user: None,
            file_limit: None,
        }
    }

    /// Sets an environment variable of the program.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Keeps its data in another folder.
    pub(crate) fn keeping_data_in(mut self, data: PathBuf) -> Self {
        self.data = data;
        self
    }

    /// No file of the program grows beyond so many KiB: what is beyond cannot be written, as on a
    /// full disk.
    pub(crate) fn with_file_limit(mut self, kib: u32) -> Self {
        self.file_limit = Some(kib);
        self
    }

    /// Takes the limit back from the programs that start from here on.
    pub(crate) fn without_file_limit(&mut self) {
        self.file_limit = None;
    }

    /// Runs the program as nobody where root runs the tests: root may write what is read-only.
    pub(crate) fn run_by_nobody(mut self) -> Self {
        if runs_as_root(self.root.path()) {
            let copy = self.root.path().join("quickstart");
            copy_program(&self.binary, &copy);
            self.binary = copy;
            self.user = Some(NOBODY);
            self.give_away();
        }
        self
    }

    /// Gives everything in the folder to the user who runs the program.
    pub(crate) fn give_away(&self) {
        fn all(path: &Path, user: u32) {
            chown(path, Some(user), Some(user)).unwrap();
            if path.is_dir() {
                for entry in fs::read_dir(path).unwrap() {
                    all(&entry.unwrap().path(), user);
                }
            }
        }
        if let Some(user) = self.user {
            all(self.root.path(), user);
        }
    }

    /// The folder that it keeps its data in.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The sessions' database.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.data.join("tollgate.db")
    }

    /// The port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    fn command(&self) -> Command {
        let mut command = match self.file_limit {
            None => Command::new(&self.binary),
            Some(kib) => {
                let mut shell = Command::new("bash");
                // The signal that a write beyond the limit brings is ignored, so that the write
                // fails as on a full disk.
                shell
                    .args([
                        "-c",
                        &format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\""),
                    ])
                    .arg(&self.binary);
                shell
            }
        };
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("TOLLGATE_")) {
            command.env_remove(name);
        }
        command
            .env("PORT", self.port.to_string())
            .env("DATA_DIR", &self.data);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts it, and waits until it listens. If a program of another test took its port in between,
    /// it starts again once that one has ended.
    pub(crate) fn start(&self) -> Program {
        let start = Instant::now();
        loop {
            match self.try_start() {
                Ok(program) => return program,
                Err(said) if said.contains("Address already in use") => {
                    assert!(start.elapsed() < TIMEOUT, "{said}");
                    sleep(TICK);
                }
                Err(said) => panic!("{said}"),
            }
        }
    }

    /// Starts it, and waits until it listens; returns what it says if it ends before.
    fn try_start(&self) -> Result<Program, String> {
        let mut child = self.command().spawn().unwrap();
        let out = Output::of(child.stdout.take().unwrap());
        let errors = Output::of(child.stderr.take().unwrap());
        let mut program = Program {
            child,
            out,
            errors,
            port: self.port,
        };
        let mut ended = None;
        wait_for("the program to listen", || {
            ended = program.child.try_wait().unwrap();
            ended.is_some() || program.out.text().contains("listening on ")
        });
        match ended {
            Some(status) => {
                let said = format!("it ended ({status}): {}", program.errors.end());
                // It has ended, and its end must not complain about what it said.
                std::mem::forget(program);
                Err(said)
            }
            None => Ok(program),
        }
    }

    /// Starts it, and kills it after a while, whatever it is doing.
    pub(crate) fn start_and_kill_after(&self, delay: Duration) {
        let mut child = self.command().spawn().unwrap();
        sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it although it must not start, and returns what it says on its standard error.
    #[track_caller]
    pub(crate) fn refusal(&self) -> String {
        let mut child = self.command().spawn().unwrap();
        let out = Output::of(child.stdout.take().unwrap());
        let errors = Output::of(child.stderr.take().unwrap());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > TIMEOUT || out.text().contains("listening") {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it started");
            }
            sleep(TICK);
        };
        let said = errors.end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert_eq!(out.end(), "");
        assert!(
            !said.contains("panicked") && said.ends_with('\n') && !said.trim().is_empty(),
            "{said}"
        );
        said
    }
}

/// A quickstart that runs. Dropped, it is killed without a word, as by `kill -9`.
pub(crate) struct Program {
    child: Child,
    out: Output,
    errors: Output,
    port: u16,
}

impl Program {
    /// Returns what it printed on start, whole: a blank line ends it.
    pub(crate) fn banner(&self) -> String {
        wait_for("the printed lines", || {
            self.out.text().ends_with("; echo\n\n")
        });
        self.out.text()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the address that it listens on.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it while others speak to it.
    pub(crate) fn kill(&self) {
        assert!(
            Command::new("kill")
                .args(["-9", &self.pid().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends it as a supervisor does. Answers how it ended.
    pub(crate) fn stop(mut self) -> ExitStatus {
        assert!(
            Command::new("kill")
                .arg(self.pid().to_string())
                .status()
                .unwrap()
                .success()
        );
        wait_for("the program to end", || {
            self.child.try_wait().unwrap().is_some()
        });
        self.child.wait().unwrap()
    }

    /// Sends bytes, and reads until the other side closes.
    pub(crate) fn exchange(&self, request: &[u8]) -> Vec<u8> {
        exchange(self.port, request)
    }

    /// Sends bytes, and reads one answer. None is ever a 500.
    #[track_caller]
    pub(crate) fn send(&self, request: &[u8]) -> Answer {
        let bytes = self.exchange(request);
        let answer = parse(&bytes)
            .unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        assert_ne!(
            answer.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{}",
            String::from_utf8_lossy(request)
        );
        answer
    }

    /// `GET`, with a bearer.
    #[track_caller]
    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.send(&bare("GET", path, token))
    }

    /// `POST`, with a bearer and without a body.
    #[track_caller]
    pub(crate) fn post_as(&self, path: &str, token: &str) -> Answer {
        self.send(&bare("POST", path, token))
    }

    /// `POST` of a JSON body.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&post(path, body))
    }

    /// Signs in.
    #[track_caller]
    pub(crate) fn sign_in(&self, email: &str) -> Tokens {
        self.post(
            "/auth/signin",
            &json!({ "email": email, "password": PASSWORD }),
        )
        .tokens()
    }

    /// Refreshes.
    #[track_caller]
    pub(crate) fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh-access", &json!({ "refresh_token": token }))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let said = self.errors.end();
        if !thread::panicking() {
            assert_eq!(
                said, "",
                "a program that runs has nothing to complain about"
            );
        }
    }
}

/// Returns whether files that are made here belong to root.
pub(crate) fn runs_as_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

/// A port below those that systems hand out by themselves, so that nobody takes it between two
/// starts.
fn free_port() -> u16 {
    // The programs of one test start at the same moment, so that none has its port yet.
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let chance = RandomState::new().hash_one(0) % 10_000;
        let port = 20_000 + u16::try_from(chance).unwrap();
        let is_new = GIVEN.lock().unwrap().insert(port);
        if is_new && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

const NOBODY: u32 = 65_534;
