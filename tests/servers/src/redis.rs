//! Redis: a private server on a free port, which ends with the process that started it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};

/// A server of a test's own. It ends when this is dropped, and when the process ends, however that
/// happens.
#[derive(Debug)]
pub struct Server {
    /// Its port on this machine.
    pub port: u16,
    settings: Vec<String>,
    folder: PathBuf,
    running: Option<Running>,
}

/// A server process, and the shell that watches over it: it ends the server when its own input
/// ends.
#[derive(Debug)]
struct Running {
    shell: Child,
    input: Option<ChildStdin>,
    server: u32,
}

impl Server {
    /// Starts one as [`start`](Self::start) does; `None`, and said so, where `redis-server` is missing.
    #[must_use]
    pub fn private(settings: &[&str]) -> Option<Self> {
        let started = Self::start(settings);
        if started.is_none() {
            super::skipped(MISSING);
        }
        started
    }

    /// Starts one whose every answer is on the disk (`appendonly yes`, `appendfsync always`), or as
    /// other settings say. `None` where `redis-server` is missing.
    #[must_use]
    pub fn start(settings: &[&str]) -> Option<Self> {
        program()?;
        let folder =
            std::env::temp_dir().join(format!("tollgate-redis-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        let settings = settings.iter().map(|&word| word.to_owned()).collect();
        let mut server = Self {
            port: 0,
            settings,
            folder,
            running: None,
        };
        // Somebody else may take the port between the moment it was found free and that in which
        // the server takes it.
        for _ in 0..10 {
            server.port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            if server.run() {
                return Some(server);
            }
        }
        panic!("redis-server does not start: {}", server.log());
    }

    /// Its address, without a user.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs a command and answers what it answers.
    ///
    /// # Errors
    /// What the server refuses, or that it is not there.
    pub fn command(&self, words: &[&str]) -> RedisResult<Value> {
        let (name, rest) = words.split_first().unwrap();
        let mut command = redis::cmd(name);
        for word in rest {
            command.arg(*word);
        }
        command.query(
            &mut redis::Client::open(self.url())?
                .get_connection_with_timeout(Duration::from_secs(5))?,
        )
    }

    /// Ends it with `kill -9`.
    pub fn kill(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        let killed = Command::new("kill")
            .args(["-9", &running.server.to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        running.end();
    }

    /// Starts it again, on what it left on the disk.
    pub fn restart(&mut self) {
        self.kill();
        assert!(
            self.run(),
            "redis-server does not start again: {}",
            self.log()
        );
    }

    /// Starts it again on an empty disk.
    pub fn restart_empty(&mut self) {
        self.kill();
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        assert!(
            self.run(),
            "redis-server does not start again: {}",
            self.log()
        );
    }

    fn run(&mut self) -> bool {
        let Some(program) = program() else {
            return false;
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", WATCH, "sh"])
            .arg(&self.folder)
            .arg(program);
        shell.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
        ]);
        shell
            .args(["--appendfsync", "always", "--dir"])
            .arg(&self.folder)
            .args(&self.settings);
        let mut shell = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(shell.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let server: u32 = line.trim().parse().unwrap();
        let input = shell.stdin.take();
        let mut running = Running {
            shell,
            input,
            server,
        };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if self.answers_as(server) {
                self.running = Some(running);
                return true;
            }
            if !Path::new(&format!("/proc/{server}")).exists()
                && start.elapsed() > Duration::from_millis(300)
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        running.end();
        false
    }

    /// Returns whether this server listens there, and no other one.
    fn answers_as(&self, server: u32) -> bool {
        let expected = format!("process_id:{server}\r\n");
        match self.command(&["INFO", "server"]) {
            Ok(Value::BulkString(about)) => String::from_utf8_lossy(&about).contains(&expected),
            Ok(_) => false,
            // A server with a password is there when it asks for it.
            Err(error) => error.to_string().contains("NOAUTH"),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.end();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    /// Ends the server and leaves its folder.
    fn end(&mut self) {
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(b"keep");
        }
        let _ = self.shell.wait();
    }
}

/// Starts the server, prints its process, and waits for the end of its own input, which ends with
/// the process at the other side. Without a word the folder goes too: a test process that died
/// could not remove it.
const WATCH: &str = r#"
    folder=$1; shift
    "$@" >"$folder/log" 2>&1 </dev/null &
    server=$!
    echo "$server"
    exec >/dev/null
    said=$(cat)
    kill -9 "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    [ "$said" = keep ] || rm -rf "$folder"
"#;

/// Returns the path of the server's program.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/bin", "/usr/local/bin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.is_file())
}

/// The reason why a test without a server is skipped.
pub const MISSING: &str = "redis-server is missing";
