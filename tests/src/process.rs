//! Programs of this workspace, built by cargo and spoken to as strangers do: by bytes over a
//! socket.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::Answer;

/// Returns the bytes of a request with a bearer and without a body.
#[must_use]
pub fn bare(method: &str, path: &str, token: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\n{HOST}authorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// Returns the bytes of a `POST` of a JSON body.
#[must_use]
pub fn post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\n{HOST}content-type: application/json\r\ncontent-length: \
         {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// The headers that every request has.
pub const HOST: &str = "host: 127.0.0.1\r\nconnection: close\r\n";

/// Reads an answer. Returns `None` where it is cut off.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()?
        .strip_prefix("HTTP/1.")?
        .get(2..5)?
        .parse()
        .ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        headers.append(
            name.parse::<HeaderName>().ok()?,
            HeaderValue::from_str(value).ok()?,
        );
    }
    Some(Answer {
        status,
        headers,
        text: body.to_owned(),
    })
}

/// The output of a process, read as it comes.
#[derive(Debug)]
pub struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    /// Starts a thread that reads.
    pub fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                kept.lock().unwrap().extend_from_slice(&chunk[..read]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    /// Returns what was written so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// Waits until the process is gone, and returns all that it wrote.
    #[must_use]
    pub fn end(&self) -> String {
        let done = || self.reader.as_ref().is_none_or(JoinHandle::is_finished);
        let start = Instant::now();
        while !done() && start.elapsed() < TIMEOUT {
            sleep(TICK);
        }
        self.text()
    }
}

/// Waits until a condition holds, for [`TIMEOUT`] at most.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < TIMEOUT, "waited {TIMEOUT:?} for {what}");
        sleep(TICK);
    }
}

/// Sends bytes, and reads until the other side closes. Returns nothing where nobody listens.
#[must_use]
pub fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    // Nobody listens where the program was killed meanwhile: that is no answer.
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return Vec::new();
    };
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    // A server that refuses a request may close before all of it was sent.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    answer
}

/// Builds the program that `cargo run -p` would start, and returns its path.
#[must_use]
pub fn built(package: &str) -> PathBuf {
    built_with(package, &[])
}

/// Builds the program of a package with further arguments of cargo, and returns its path.
#[must_use]
pub fn built_with(package: &str, arguments: &[&str]) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut known = BUILT.lock().unwrap();
    if let Some(path) = known.get(package) {
        return path.clone();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--quiet",
        "--package",
        package,
        "--message-format",
        "json",
    ]);
    build.args(arguments);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let output = build
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{package} cannot be built");
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = messages
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    let found = found.expect("cargo built a program");
    known.insert(package.to_owned(), found.clone());
    found
}

/// Copies a program that is started next.
///
/// The copy is written by another process: while this one held it open for writing, a child that another
/// thread starts would hold it open too, and the system refuses to run a file that is written to
/// (`ETXTBSY`).
pub fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} cannot be copied", from.display());
}

/// Returns a command that runs one test of this binary alone, in a process of its own, whose output
/// is shown. `module` is the `module_path!()` of the test.
#[must_use]
pub fn alone(module: &str, test: &str) -> Command {
    let (_, module) = module.split_once("::").expect("the test is in a module");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("{module}::{test}"), "--nocapture"]);
    command
}

/// The time that a test waits for what a busy machine does slowly.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// The pause between two looks.
pub const TICK: Duration = Duration::from_millis(10);
