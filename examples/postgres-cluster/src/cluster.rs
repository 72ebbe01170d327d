//! Starts everything: the server if none is given, three nodes, and the round robin in front of
//! them.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, io, thread};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tollgate_servers::{postgres, redis};

use crate::proxy;

/// The store that the nodes share.
#[derive(Clone, Copy)]
pub(crate) enum On {
    Postgres,
    Redis,
}

/// A server, and where it is. One that was started here ends with this.
enum Shared {
    Theirs(String),
    Postgres {
        _server: postgres::Server,
        database: postgres::Database,
    },
    Redis(redis::Server),
}

/// Starts everything and waits for Ctrl-C.
pub(crate) async fn run(on: On) -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")
        .map_or(Ok(3000), |port| port.parse())
        .map_err(|_| "PORT must be a number up to 65535")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))?;
    let port = listener.local_addr()?.port();
    let folder = PathBuf::from(
        env::var_os("DATA_DIR")
            .filter(|name| !name.is_empty())
            .unwrap_or("./cluster-data".into()),
    );

    let shared = Shared::find(on).await?;
    let (mut nodes, mut addresses, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=3 {
        let node = start(number, shared.url(), &folder).await?;
        println!("node {number} listens on {}", node.address);
        nodes.push(node.process);
        addresses.push(node.address);
        metrics.push(node.metrics);
    }
    // Where Prometheus finds the nodes: `prometheus/prometheus.yml` names this file.
    let targets = serde_json::json!([{ "targets": metrics }]);
    std::fs::write(folder.join("targets.json"), targets.to_string())?;
    println!("{}", LINES.replace("PORT", &port.to_string()));
    tokio::select! {
        () = proxy::serve(listener, addresses) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    // A node ends when its input does.
    for mut node in nodes {
        drop(node.stdin.take());
        node.wait().await?;
    }
    Ok(())
}

impl Shared {
    /// The server that `DATABASE_URL` or `REDIS_URL` names, or a private one, whose data are gone
    /// when it ends.
    async fn find(on: On) -> Result<Self, Box<dyn Error>> {
        let variable = match on {
            On::Postgres => "DATABASE_URL",
            On::Redis => "REDIS_URL",
        };
        if let Ok(url) = env::var(variable) {
            return Ok(Self::Theirs(url));
        }
        let missing = |what: &str| {
            format!("{what} is not installed; install it, or say where one runs in `{variable}`")
        };
        match on {
            On::Postgres => {
                let server = postgres::Server::start(&[]).ok_or_else(|| missing("PostgreSQL"))?;
                let database = server.database().await;
                Ok(Self::Postgres {
                    _server: server,
                    database,
                })
            }
            On::Redis => Ok(Self::Redis(
                redis::Server::start(&[]).ok_or_else(|| missing("redis-server"))?,
            )),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Theirs(url) => url.clone(),
            Self::Postgres { database, .. } => database.url.clone(),
            Self::Redis(server) => server.url(),
        }
    }
}

/// The name of this issuer, which stays the same on another port: tokens and the store know it.
const ISSUER: &str = "http://127.0.0.1:3000";

/// A node that runs.
struct Node {
    process: Child,
    address: SocketAddr,
    /// The address of its figures.
    metrics: SocketAddr,
}

/// Starts this program as a node, and waits until it listens.
async fn start(number: u32, store: String, folder: &Path) -> Result<Node, Box<dyn Error>> {
    let mut node = Command::new(env::current_exe()?);
    node.arg("node")
        .env("STORE_URL", store)
        .env("KEY_DIR", folder.join("keys"))
        .env("NODE", number.to_string())
        .env("PORT", "0")
        .env("METRICS_PORT", "0");
    for (name, value) in [
        ("TOLLGATE_ISSUER", ISSUER),
        ("TOLLGATE_AUDIENCE", "postgres-cluster"),
    ] {
        if env::var_os(name).is_none() {
            node.env(name, value);
        }
    }
    let mut process = node
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().ok_or("the node has no output")?;
    let mut lines = BufReader::new(output).lines();
    let mut address = async |said: &str| -> Result<SocketAddr, Box<dyn Error>> {
        let line = lines.next_line().await?.unwrap_or_default();
        let address = line
            .strip_prefix(said)
            .ok_or_else(|| format!("node {number} did not start"))?;
        Ok(address.parse()?)
    };
    let metrics = address("metrics on http://").await?;
    let address = address("listening on http://").await?;
    Ok(Node {
        process,
        address,
        metrics,
    })
}

/// Waits for what ends a node: Ctrl-C, the signal with which a supervisor ends a process, or the
/// end of its standard input, which comes when the process that started it is gone, for any reason.
pub(crate) async fn stopped() {
    let (tell, gone) = oneshot::channel();
    // A thread of its own: nothing waits for it when the program ends.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = tell.send(());
    });
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminated) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
            _ = gone => {}
        }
        return;
    }
    tokio::select! {
        _ = interrupted => {}
        _ = gone => {}
    }
}

const LINES: &str = r#"listening on http://127.0.0.1:PORT

Each connection goes to the next node. Try this in another terminal, line by line:

# sign in on one node
answer=$(curl -s http://127.0.0.1:PORT/auth/signin -H 'content-type: application/json' -d '{"email": "ada@example.com", "password": "correct horse battery staple"}'); echo "$answer"

# a helper that takes one member out of the last answer
part() { printf '%s' "$answer" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

# new tokens from the second
answer=$(curl -s http://127.0.0.1:PORT/auth/refresh-access -H 'content-type: application/json' -d "{\"refresh_token\": \"$(part refresh_token)\"}"); echo "$answer"

# the third knows the tokens of the second, and signs out
curl -si -X POST http://127.0.0.1:PORT/auth/signout -H "authorization: Bearer $(part access_token)"

# a moment later the token is dead on every node
sleep 2
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part access_token)"; echo
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part access_token)"; echo
curl -si http://127.0.0.1:PORT/me -H "authorization: Bearer $(part access_token)"; echo

# and nobody refreshes the session any more
curl -s http://127.0.0.1:PORT/auth/refresh-access -H 'content-type: application/json' -d "{\"refresh_token\": \"$(part refresh_token)\"}"; echo
"#;
