//! Nodes of the cluster example, each a process of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_tests::process::{Output, bare, built, exchange, parse, post, wait_for};
use tollgate_tests::{Answer, PASSWORD, Tokens};

/// The settings and keys that the nodes of a deployment share beside their store.
pub(crate) struct Deployment {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    /// Sets a variable of the environment of every node that starts from here on.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_owned()));
    }

    /// Starts a node on a port, any one where it is 0, and waits until it listens.
    pub(crate) fn start(&self, store: &str, port: u16) -> Node {
        let mut node = Command::new(built("postgres-cluster"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOLLGATE_"))
        {
            node.env_remove(name);
        }
        node.arg("node")
            .env("STORE_URL", store)
            .env("KEY_DIR", self.folder.path().join("keys"));
        node.env("NODE", "test").env("PORT", port.to_string());
        node.env("TOLLGATE_ISSUER", "https://accounts.example.com")
            .env("TOLLGATE_AUDIENCE", "https://api.example.com");
        node.envs(self.settings.iter().map(|(name, value)| (name, value)));
        node.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = node.spawn().unwrap();
        let (out, errors) = (
            Output::of(child.stdout.take().unwrap()),
            Output::of(child.stderr.take().unwrap()),
        );
        wait_for("a node to listen", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("a node ended ({status}): {}", errors.text());
            }
            let said = out.text();
            said.contains("listening on ") && said.ends_with('\n')
        });
        let said = out.text();
        let [metrics, port] = ["metrics on ", "listening on "].map(|begin| {
            let line = said.lines().find(|line| line.starts_with(begin)).unwrap();
            line.rsplit(':').next().unwrap().parse().unwrap()
        });
        Node {
            child,
            port,
            metrics,
        }
    }
}

/// A node that runs. Dropped, it is killed as by `kill -9`.
pub(crate) struct Node {
    child: Child,
    pub(crate) port: u16,
    /// The port of its figures.
    pub(crate) metrics: u16,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node as its clients know it: a port. `None` is no answer, or one that was cut off.
#[derive(Clone, Copy)]
pub(crate) struct Remote(pub(crate) u16);

impl Node {
    pub(crate) fn remote(&self) -> Remote {
        Remote(self.port)
    }
}

impl Remote {
    pub(crate) fn send(self, request: &[u8]) -> Option<Answer> {
        let bytes = exchange(self.0, request);
        let answer = parse(&bytes)?;
        let length = answer
            .headers
            .get("content-length")
            .map_or(0, |length| length.to_str().unwrap().parse().unwrap());
        (answer.text.len() == length).then_some(answer)
    }

    pub(crate) fn post(self, path: &str, body: &Value) -> Option<Answer> {
        self.send(&post(path, body))
    }

    pub(crate) fn sign_in(self) -> Tokens {
        self.try_sign_in().unwrap().tokens()
    }

    pub(crate) fn try_sign_in(self) -> Option<Answer> {
        self.post(
            "/auth/signin",
            &json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
    }

    pub(crate) fn refresh(self, token: &str) -> Option<Answer> {
        self.post("/auth/refresh-access", &json!({ "refresh_token": token }))
    }

    /// The status of a request with an access token; 0 where no answer came.
    pub(crate) fn admits(self, access: &str) -> u16 {
        self.send(&bare("GET", "/me", access))
            .map_or(0, |answer| answer.status.as_u16())
    }

    pub(crate) fn health(self) -> u16 {
        self.send(&bare("GET", "/health", "none"))
            .map_or(0, |answer| answer.status.as_u16())
    }
}

/// A port below those that systems hand out by themselves, so that nobody takes it between two
/// starts.
pub(crate) fn free_port() -> u16 {
    use std::hash::{BuildHasher as _, RandomState};
    loop {
        let chance = RandomState::new().hash_one(0) % 10_000;
        let port = 20_000 + u16::try_from(chance).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A number that the environment may raise: what is short in every run is long by a command of its
/// own.
pub(crate) fn number(name: &str, default: u32) -> u32 {
    std::env::var(name)
        .ok()
        .map_or(default, |text| text.parse().unwrap())
}
