//! `kill -9` of PostgreSQL and of nodes while clients sign in and refresh: every acknowledged
//! session still refreshes.
//!
//! `CLUSTER_SECONDS` says for how long; `scripts/deep` takes a minute.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tollgate_tests::Tokens;
use tollgate_tests::support::postgres::Server;

use crate::cluster::node::{Deployment, Node, Remote, free_port, number};

/// The answers that clients met.
#[derive(Default)]
struct Met {
    sign_ins: AtomicU32,
    refreshes: AtomicU32,
    unavailable: AtomicU32,
    unanswered: AtomicU32,
}

/// A client: opens a session, refreshes it a while, keeps its token, and opens the next one.
/// Answers what it was given, all of it acknowledged.
fn client(ports: [u16; 3], stop: &AtomicBool, met: &Met) -> Vec<Tokens> {
    let mut sessions = Vec::new();
    let mut turn = usize::from(ports[0]);
    let mut next = || {
        turn += 1;
        Remote(ports[turn % 3])
    };
    while !stop.load(Ordering::SeqCst) {
        let Some(answer) = next().try_sign_in() else {
            met.unanswered.fetch_add(1, Ordering::SeqCst);
            continue;
        };
        if answer.status == 503 {
            met.unavailable.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(20));
            continue;
        }
        let mut held = answer.tokens();
        met.sign_ins.fetch_add(1, Ordering::SeqCst);
        for _ in 0..30 {
            if let Some(tokens) = renewed(next(), &held, met) {
                held = tokens;
                met.refreshes.fetch_add(1, Ordering::SeqCst);
            }
            if stop.load(Ordering::SeqCst) {
                break;
            }
        }
        sessions.push(held);
    }
    sessions
}

/// One try to refresh. Without an answer the client keeps what it has; a refusal would be a lost
/// session.
fn renewed(node: Remote, held: &Tokens, met: &Met) -> Option<Tokens> {
    let Some(answer) = node.refresh(&held.refresh) else {
        met.unanswered.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        return None;
    };
    if answer.status == 503 {
        assert!(
            answer.headers.contains_key("retry-after")
                && !answer.headers.contains_key("set-cookie"),
            "{answer:?}"
        );
        met.unavailable.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(20));
        return None;
    }
    assert_eq!(
        answer.status, 200,
        "an acknowledged session was refused: {answer:?}"
    );
    Some(answer.tokens())
}

/// R81. Each refresh rotates: nothing is forgiven but the one answer that a kill swallowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_postgresql_and_of_nodes_cost_nobody_an_acknowledged_session() {
    let Some(mut server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    tokio::task::block_in_place(|| {
        let mut deployment = Deployment::new();
        deployment.set("TOLLGATE_REFRESH__WINDOW", "0s");
        let ports = [(); 3].map(|()| free_port());
        let mut nodes: Vec<Node> = ports
            .iter()
            .map(|port| deployment.start(&database.url, *port))
            .collect();
        let (stop, met) = (AtomicBool::new(false), Met::default());
        let (mut node_kills, mut server_kills) = (0, 0);
        let sessions: Vec<Tokens> = thread::scope(|scope| {
            let clients: Vec<_> = (0..6)
                .map(|number| {
                    let (mut ports, stop, met) = (ports, &stop, &met);
                    ports.rotate_left(number % 3);
                    scope.spawn(move || client(ports, stop, met))
                })
                .collect();
            let (start, long) = (
                Instant::now(),
                Duration::from_secs(number("CLUSTER_SECONDS", 6).into()),
            );
            for turn in 0.. {
                // Each kill comes at another moment, when most nodes are back.
                thread::sleep(Duration::from_millis(1_000 + 130 * (turn % 5)));
                if start.elapsed() > long {
                    break;
                }
                if turn % 2 == 0 {
                    let at = usize::try_from(turn / 2 % 3).unwrap();
                    drop(nodes.remove(at));
                    nodes.insert(at, deployment.start(&database.url, ports[at]));
                    node_kills += 1;
                } else {
                    server.kill();
                    server.restart();
                    server_kills += 1;
                }
            }
            stop.store(true, Ordering::SeqCst);
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        assert!(node_kills > 0 && server_kills > 0);

        for (at, held) in sessions.iter().enumerate() {
            let start = Instant::now();
            let next = loop {
                if let Some(tokens) = renewed(nodes[at % 3].remote(), held, &met) {
                    break tokens;
                }
                assert!(
                    start.elapsed() < Duration::from_secs(10),
                    "a session did not refresh"
                );
            };
            assert_eq!(next.session, held.session);
            assert_eq!(nodes[(at + 1) % 3].remote().admits(&next.access), 200);
        }
        let [sign_ins, refreshes, unavailable, unanswered] = [
            &met.sign_ins,
            &met.refreshes,
            &met.unavailable,
            &met.unanswered,
        ]
        .map(|count| count.load(Ordering::SeqCst));
        println!(
            "{server_kills} kills of PostgreSQL and {node_kills} of nodes: {sign_ins} sign-ins \
             and {refreshes} refreshes acknowledged, {unavailable} answered with 503, \
             {unanswered} not at all; all {} sessions still refresh",
            sessions.len()
        );
        assert!(refreshes > 100);
    });
}
