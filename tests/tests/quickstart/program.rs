//! The quickstart, built by cargo as `cargo run -p quickstart` builds it, and started as a process of its own.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_tests::{Answer, PASSWORD, Tokens};

/// Where a quickstart lives: its folder, its port, its settings. Started as often as one likes.
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
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        let binary = binary().to_owned();
        Self { root, data, binary, port: free_port(), variables: Vec::new(), user: None, file_limit: None }
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

    /// No file of the program grows beyond so many KiB: what is beyond cannot be written, as on a full disk.
    pub(crate) fn with_file_limit(mut self, kib: u32) -> Self {
        self.file_limit = Some(kib);
        self
    }

    /// Takes the limit back from the programs that start from here on.
    pub(crate) fn without_file_limit(&mut self) {
        self.file_limit = None;
    }

    /// Where root runs the tests, the program runs as nobody: root may write what is read-only.
    pub(crate) fn run_by_nobody(mut self) -> Self {
        if runs_as_root(self.root.path()) {
            let copy = self.root.path().join("quickstart");
            fs::copy(&self.binary, &copy).unwrap();
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
                // The signal that a write beyond the limit brings is ignored, so that the write fails as on a full disk.
                shell.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\"")]).arg(&self.binary);
                shell
            }
        };
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.to_string_lossy().starts_with("TOLLGATE_")) {
            command.env_remove(name);
        }
        command.env("PORT", self.port.to_string()).env("DATA_DIR", &self.data);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.root.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start(&self) -> Program {
        let mut child = self.command().spawn().unwrap();
        let out = Output::of(child.stdout.take().unwrap());
        let errors = Output::of(child.stderr.take().unwrap());
        let mut program = Program { child, out, errors, port: self.port };
        wait_for("the program to listen", || {
            if let Some(status) = program.child.try_wait().unwrap() {
                panic!("it ended ({status}): {}", program.errors.text());
            }
            program.out.text().contains("listening on ")
        });
        program
    }

    /// Starts it, and kills it after a while, whatever it is doing.
    pub(crate) fn start_and_kill_after(&self, delay: Duration) {
        let mut child = self.command().spawn().unwrap();
        sleep(delay);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it although it must not start. Answers what it says to whoever started it.
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
            if start.elapsed() > PATIENCE || out.text().contains("listening") {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it started");
            }
            sleep(TICK);
        };
        let said = errors.end();
        assert_eq!(status.code(), Some(1), "{said}");
        assert_eq!(out.end(), "");
        assert!(!said.contains("panicked") && said.ends_with('\n') && !said.trim().is_empty(), "{said}");
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
    /// What it printed on start, whole.
    pub(crate) fn banner(&self) -> String {
        let mut text = self.out.text();
        loop {
            sleep(TICK * 5);
            let longer = self.out.text();
            if longer == text {
                return text;
            }
            text = longer;
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it while others speak to it.
    pub(crate) fn kill(&self) {
        assert!(Command::new("kill").args(["-9", &self.pid().to_string()]).status().unwrap().success());
    }

    /// Ends it as a supervisor does. Answers how it ended.
    pub(crate) fn stop(mut self) -> ExitStatus {
        assert!(Command::new("kill").arg(self.pid().to_string()).status().unwrap().success());
        wait_for("the program to end", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    /// Sends bytes, and reads until the other side closes.
    pub(crate) fn exchange(&self, request: &[u8]) -> Vec<u8> {
        // Nobody listens where the program was killed meanwhile: that is no answer.
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return Vec::new() };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Who refuses a request may close before all of it was sent, and before all was read that it sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk) {
            answer.extend_from_slice(&chunk[..read]);
        }
        answer
    }

    /// Sends bytes, and reads one answer. None is ever a 500.
    #[track_caller]
    pub(crate) fn send(&self, request: &[u8]) -> Answer {
        let bytes = self.exchange(request);
        let answer = parse(&bytes).unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{}", String::from_utf8_lossy(request));
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
        self.post("/auth/signin", &json!({ "email": email, "password": PASSWORD })).tokens()
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
            assert_eq!(said, "", "a program that runs has nothing to complain about");
        }
    }
}

/// The bytes of a request with a bearer and without a body.
pub(crate) fn bare(method: &str, path: &str, token: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\n{HOST}authorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// The bytes of a `POST` of a JSON body.
pub(crate) fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\n{HOST}content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// The headers that every request has.
pub(crate) const HOST: &str = "host: 127.0.0.1\r\nconnection: close\r\n";

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    Some(Answer { status, headers, text: body.to_owned() })
}

/// What a process writes, read as it comes.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                kept.lock().unwrap().extend_from_slice(&chunk[..read]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// All of it, once the process is gone.
    fn end(&self) -> String {
        let done = || self.reader.as_ref().is_none_or(JoinHandle::is_finished);
        let start = Instant::now();
        while !done() && start.elapsed() < PATIENCE {
            sleep(TICK);
        }
        self.text()
    }
}

/// Waits until something holds, looking often.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        sleep(TICK);
    }
}

/// Whether files that are made here belong to root.
pub(crate) fn runs_as_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

/// The program that `cargo run -p quickstart` would start, up to date.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "quickstart", "--message-format", "json"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let output = build.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "the quickstart cannot be built");
        let messages = String::from_utf8(output.stdout).unwrap();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
        found.expect("cargo built a program")
    })
}

/// A port below those that systems hand out by themselves, so that nobody takes it between two starts.
fn free_port() -> u16 {
    loop {
        let chance = RandomState::new().hash_one(0) % 10_000;
        let port = 20_000 + u16::try_from(chance).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

const NOBODY: u32 = 65_534;
const PATIENCE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(10);
