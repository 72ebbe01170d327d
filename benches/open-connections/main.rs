//! Measures open connections: the memory of each, and what happens to the log while `everything` is
//! revoked and all of them are woken.
//!
//! ```sh
//! cargo run --release -p tollgate-benches --bin open-connections [-- 10000]
//! ```
//!
//! The clients are in a process of their own, which this program starts. Each connection has a
//! session of its own, and waits with `auth.ended()` for the end of it.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use futures_util::stream;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tollgate::prelude::*;
use tollgate_benches::claims::User;
use tollgate_benches::server::{AUDIENCE, Accounts, ISSUER};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    allow_files()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, address] if word == "clients" => clients(address.parse()?).await,
        [] => serve(10_000).await,
        [count] => serve(count.parse()?).await,
        _ => Err("usage: open-connections [COUNT]".into()),
    }
}

/// Serves so many connections, and prints what they cost.
async fn serve(count: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("sessions.db")).await?;
    let gate = Accounts
        .gate()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(store)
        .build()
        .await?;
    let mut tokens = Vec::with_capacity(count);
    for _ in 0..count {
        tokens.push(
            gate.sign_in(User::ada(), &Client::unknown())
                .await?
                .access_token,
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route(
            "/plain",
            get(async |_: Auth<User>| held(std::future::pending())),
        )
        .route(
            "/ended",
            get(async |user: Auth<User>| {
                held(async move {
                    let _ = user.ended().await;
                })
            }),
        )
        .with_state(gate.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    // The same connections without `ended`, to tell what hyper and the system take.
    let mut memory = Vec::new();
    for path in ["/plain", "/ended"] {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["clients", &address.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = process.stdin.take().ok_or("no input")?;
        let output = process.stdout.take().ok_or("no output")?;
        let before = resident()?;
        writeln!(input, "{path}")?;
        for token in &tokens {
            writeln!(input, "{token}")?;
        }
        input.flush()?;
        drop(input);
        let (told, mut lines) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::BufReader::new(output)
                .lines()
                .map_while(Result::ok)
            {
                let _ = told.send(line);
            }
        });
        lines
            .recv()
            .await
            .ok_or("the clients ended before all were open")?;
        memory.push(resident()?.saturating_sub(before) / count as u64);
        if path == "/plain" {
            process.kill()?;
            process.wait()?;
            continue;
        }
        let (began, mut oldest) = (Instant::now(), Duration::ZERO);
        let revoked = gate.revoke(Revoke::everything()).await?;
        let returned = began.elapsed();
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            tokio::select! {
                line = lines.recv() => {
                    line.ok_or("the clients ended before all were closed")?;
                    break;
                }
                _ = ticks.tick() => {
                    oldest = oldest.max(gate.health().await.revocation_view_age);
                }
            }
        }
        let closed = began.elapsed();
        process.wait()?;
        println!(
            "open connections: {count}, sessions ended: {}",
            revoked.sessions
        );
        println!(
            "memory of a connection: {} bytes, of which `ended`: {}",
            memory[1],
            memory[1].saturating_sub(memory[0])
        );
        println!(
            "`everything` returned after {returned:?}, the last connection closed after {closed:?}"
        );
        println!("age of the view of the revocations meanwhile: {oldest:?} at most");
    }
    Ok(gate.shutdown().await?)
}

/// Answers with a body that ends when this does.
fn held(until: impl Future<Output = ()> + Send + 'static) -> Response {
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"open\n"))]);
    let rest = stream::once(async move {
        until.await;
        Ok(Bytes::from_static(b"ended\n"))
    });
    Response::new(Body::from_stream(first.chain(rest)))
}

/// Opens a connection for each token of its input, says when all are open, and when all are closed.
async fn clients(address: SocketAddr) -> Result<(), Failure> {
    let mut lines = std::io::stdin().lock().lines();
    let path = lines.next().ok_or("no path")??;
    let mut open = JoinSet::new();
    for token in lines {
        let token = token?;
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut seen = Vec::new();
        while !seen.ends_with(b"open\n\r\n") {
            if stream.read_buf(&mut seen).await? == 0 {
                return Err("a connection was closed before it was open".into());
            }
        }
        open.spawn(async move {
            let mut rest = Vec::new();
            while !rest.ends_with(b"0\r\n\r\n") {
                if stream.read_buf(&mut rest).await.unwrap_or_default() == 0 {
                    break;
                }
            }
        });
    }
    println!("open");
    while open.join_next().await.is_some() {}
    println!("closed");
    Ok(())
}

/// Returns the memory of this process, in bytes.
fn resident() -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split(' ').nth(1).ok_or("no figure")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Allows this process as many open files as the system lets it have.
fn allow_files() -> Result<(), Failure> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, all)?)
}
