//! A server on one core over loopback, and one gate on two cores (rows 8 and 18).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::serve::ListenerExt as _;
use http::{Request, StatusCode};
use tollgate::prelude::*;
use tollgate_benches::server::{Accounts, gate, gate_with_cache, ring, token};
use tollgate_benches::{Measured, Table, Target, thread_time};
use tower::ServiceExt as _;

use super::request::{bare, guarded, runtime};

const ROUNDS: usize = 31;
const REQUESTS: usize = 2000;
/// The number of requests that the client sends before it reads the answers: a server that is busy
/// all the time finds several at once.
const PIPELINE: usize = 16;

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table) {
    let runtime = runtime();
    let ring = || ring(Algorithm::HS256);
    let seen = runtime.block_on(gate(ring()));
    let cold = runtime.block_on(gate_with_cache(ring(), 0));
    let one = vec![runtime.block_on(token(&seen))];
    let fresh: Vec<String> = (0..64).map(|_| runtime.block_on(token(&cold))).collect();
    over_loopback(table, (&cold, &fresh), (&seen, &one));
    on_two_cores(table, (&cold, &fresh), (&seen, &one));
}

// ---- one server core ----

/// A server thread, which says on demand how much processor time it has used.
struct Server {
    address: SocketAddr,
    ask: tokio::sync::mpsc::UnboundedSender<Sender<Duration>>,
}

impl Server {
    fn start(router: Router) -> Self {
        let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel::<Sender<Duration>>();
        let (ready, address) = channel();
        std::thread::spawn(move || {
            runtime().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                    .await
                    .expect("a port");
                ready
                    .send(listener.local_addr().expect("an address"))
                    .expect("a listener");
                tokio::spawn(async move {
                    while let Some(answer) = asked.recv().await {
                        answer.send(thread_time()).ok();
                    }
                });
                // Otherwise an answer waits until the client has acknowledged the one before.
                let listener = listener.tap_io(|connection| {
                    connection.set_nodelay(true).expect("a socket");
                });
                axum::serve(listener, router).await.expect("a server");
            });
        });
        let address = address.recv().expect("an address");
        Self { address, ask }
    }

    fn time(&self) -> Duration {
        let (answer, time) = channel();
        self.ask.send(answer).expect("a server");
        time.recv().expect("a time")
    }
}

/// A client with one connection.
struct Client {
    connection: TcpStream,
    tokens: Vec<String>,
    at: usize,
}

impl Client {
    fn new(server: &Server, tokens: &[String]) -> Self {
        let connection = TcpStream::connect(server.address).expect("a connection");
        connection.set_nodelay(true).expect("a socket");
        Self {
            connection,
            tokens: tokens.to_vec(),
            at: 0,
        }
    }

    fn send(&mut self, count: usize) {
        let mut buffer = [0; 16 * 1024];
        for _ in 0..count / PIPELINE {
            let mut text = String::new();
            for _ in 0..PIPELINE {
                self.at = (self.at + 1) % self.tokens.len();
                text.push_str("GET /me HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ");
                text.push_str(&self.tokens[self.at]);
                text.push_str("\r\n\r\n");
            }
            self.connection
                .write_all(text.as_bytes())
                .expect("a server");
            let mut answers = 0;
            let mut got = Vec::new();
            while answers < PIPELINE {
                let len = self.connection.read(&mut buffer).expect("an answer");
                assert!(len > 0, "the server closed the connection");
                got.extend_from_slice(&buffer[..len]);
                let text = String::from_utf8_lossy(&got);
                answers = text.matches("HTTP/1.1 200 OK").count();
                assert!(!text.contains("HTTP/1.1 4"), "{text}");
                if answers == PIPELINE && !text.ends_with("\r\n\r\nin") {
                    answers -= 1;
                }
            }
        }
    }
}

fn over_loopback(
    table: &mut Table,
    (cold, fresh): (&Gate<Accounts>, &[String]),
    (seen, one): (&Gate<Accounts>, &[String]),
) {
    let servers = [
        (Server::start(bare()), one),
        (Server::start(guarded(cold)), fresh),
        (Server::start(guarded(seen)), one),
    ];
    let mut clients: Vec<Client> = servers
        .iter()
        .map(|(server, tokens)| Client::new(server, tokens))
        .collect();
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (((server, _), client), times) in servers.iter().zip(&mut clients).zip(&mut rounds) {
            client.send(PIPELINE);
            let start = server.time();
            client.send(REQUESTS);
            times.push((server.time() - start).as_nanos() as f64 / REQUESTS as f64);
        }
    }
    let [bare, cold, seen] = rounds;
    for (what, times, target) in [
        (
            "requests a second of a server's core, HS256, cold",
            cold,
            0.87,
        ),
        ("the same, token seen before", seen, 0.95),
    ] {
        let ratios = bare
            .iter()
            .zip(&times)
            .map(|(bare, ours)| bare / ours)
            .collect();
        let rate =
            |times: &[f64]| format!("{:.0}/s", 1e9 / tollgate_benches::median(times.to_vec()));
        let target = Target::AtLeast(target);
        table.print(
            "8",
            what,
            &rate(&times),
            &format!("bare {}", rate(&bare)),
            ratios,
            target,
        );
    }
}

// ---- two cores ----

/// A thread that answers requests, as many as it is told to, and says what one took.
struct Core {
    order: Sender<(Router, Arc<Vec<String>>, Arc<Barrier>)>,
    took: Receiver<f64>,
}

impl Core {
    fn start() -> Self {
        let (order, orders) = channel::<(Router, Arc<Vec<String>>, Arc<Barrier>)>();
        let (done, took) = channel();
        std::thread::spawn(move || {
            let runtime = runtime();
            let mut at = 0;
            while let Ok((router, tokens, barrier)) = orders.recv() {
                barrier.wait();
                let start = thread_time();
                for _ in 0..REQUESTS {
                    at = (at + 1) % tokens.len();
                    let request = Request::get("/me")
                        .header("authorization", format!("Bearer {}", tokens[at]))
                        .body(Body::empty());
                    let request = request.expect("a request");
                    let answer = runtime.block_on(router.clone().oneshot(request));
                    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
                }
                let spent = (thread_time() - start).as_nanos() as f64;
                done.send(spent / REQUESTS as f64).ok();
            }
        });
        Self { order, took }
    }
}

fn on_two_cores(
    table: &mut Table,
    (cold, fresh): (&Gate<Accounts>, &[String]),
    (seen, one): (&Gate<Accounts>, &[String]),
) {
    let cores = [Core::start(), Core::start()];
    let run = |used: &[Core], router: &Router, tokens: &Arc<Vec<String>>| {
        let barrier = Arc::new(Barrier::new(used.len()));
        for core in used {
            let order = (router.clone(), Arc::clone(tokens), Arc::clone(&barrier));
            core.order.send(order).expect("a core");
        }
        let took = used.iter().map(|core| core.took.recv().expect("a time"));
        took.sum::<f64>() / used.len() as f64
    };
    let bare = bare();
    for (name, gate, tokens) in [
        ("cold", cold, fresh),
        ("seen before, one for both", seen, one),
    ] {
        let ours = guarded(gate);
        let tokens = Arc::new(tokens.to_vec());
        let mut measured = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (router, at) in [(&bare, 0), (&ours, 2)] {
                measured[at].push(run(&cores[..1], router, &tokens));
                measured[at + 1].push(run(&cores, router, &tokens));
            }
        }
        let [bare_one, bare_two, one, two] = measured.map(|rounds| Measured {
            name: "",
            rounds,
            allocations: 0,
        });
        let ratios = (0..ROUNDS).map(|round| {
            let bare = bare_one.rounds[round] / bare_two.rounds[round];
            one.rounds[round] / two.rounds[round] / bare
        });
        table.print(
            "18",
            &format!("one gate on two cores, HS256 tokens {name}, against the bare handler on two"),
            &format!(
                "{:.0} ns alone, {:.0} ns each of two",
                one.nanos(),
                two.nanos()
            ),
            &format!(
                "{:.0} ns alone, {:.0} ns",
                bare_one.nanos(),
                bare_two.nanos()
            ),
            ratios.collect(),
            Target::AtLeast(0.95),
        );
    }
}
