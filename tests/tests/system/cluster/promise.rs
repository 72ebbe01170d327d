//! The promise of rotation.md section 7 on three processes: how long until the last node refuses,
//! and a node that is cut off from the store.
//!
//! `CLUSTER_REVOCATIONS` says how many revocations; `scripts/deep` takes a thousand.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tollgate_tests::Tokens;
use tollgate_tests::process::wait_for;
use tollgate_tests::support::line::{Line, State};
use tollgate_tests::support::{postgres, redis};

use crate::cluster::node::{Deployment, Node, Remote, number};

/// Tokens of one session after another: mostly tokens that die alone, sometimes the session with
/// them.
struct Supply {
    tokens: Tokens,
}

/// The target of a revocation, and the request that revokes it.
enum Victim {
    Token,
    Session,
}

impl Supply {
    fn new(node: Remote) -> Self {
        Self {
            tokens: node.sign_in(),
        }
    }

    fn next(&mut self, node: Remote) -> &Tokens {
        self.tokens = node.refresh(&self.tokens.refresh).unwrap().tokens();
        &self.tokens
    }
}

/// Revokes at one node; answers when that returned. That node refuses at once, and nobody refreshes
/// an ended session any more.
fn revoke(nodes: [Remote; 3], at: usize, tokens: &Tokens, victim: &Victim) -> Instant {
    let (path, body) = match victim {
        Victim::Token => ("/auth/revoke", json!({ "token": tokens.access })),
        Victim::Session => ("/auth/signout", json!({ "refresh_token": tokens.refresh })),
    };
    let answer = nodes[at].post(path, &body).unwrap();
    let revoked = Instant::now();
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(
        nodes[at].admits(&tokens.access),
        401,
        "the node does not know its own revocation"
    );
    if matches!(victim, Victim::Session) {
        for node in nodes {
            node.refresh(&tokens.refresh)
                .unwrap()
                .assert_problem(401, "invalid_grant");
        }
    }
    revoked
}

/// The delays until the last of the nodes refused, shortest first.
fn delays(nodes: &[Node; 3], count: u32) -> Vec<Duration> {
    let nodes = [0, 1, 2].map(|at: usize| nodes[at].remote());
    let delays = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let delays = &delays;
            scope.spawn(move || {
                let mut supply = Supply::new(nodes[0]);
                for turn in (worker..count).step_by(WORKERS as usize) {
                    let at = turn as usize % 3;
                    let tokens = supply.next(nodes[(at + 1) % 3]).clone();
                    for node in nodes {
                        assert_eq!(node.admits(&tokens.access), 200);
                    }
                    let victim = if turn % 10 == 9 {
                        Victim::Session
                    } else {
                        Victim::Token
                    };
                    let revoked = revoke(nodes, at, &tokens, &victim);
                    for node in nodes {
                        while node.admits(&tokens.access) != 401 {
                            assert!(
                                revoked.elapsed() < Duration::from_secs(10),
                                "a node never heard of revocation {turn}"
                            );
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                    delays.lock().unwrap().push(revoked.elapsed());
                    if matches!(victim, Victim::Session) {
                        supply = Supply::new(nodes[0]);
                    }
                }
            });
        }
    });
    let mut delays = delays.into_inner().unwrap();
    delays.sort_unstable();
    delays
}

fn print(on: &str, delays: &[Duration]) {
    let at = |share: usize| delays[(delays.len() - 1) * share / 100];
    println!(
        "three processes on {on}: {} revocations; the last node refused after {:?} (median), {:?} \
         (99 %), {:?} at most",
        delays.len(),
        at(50),
        at(99),
        at(100)
    );
}

/// R86, R87.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r87_the_last_of_three_processes_on_postgresql_refuses_in_time() {
    let Some(server) = postgres::Server::shared() else {
        return;
    };
    let database = server.database().await;
    tokio::task::block_in_place(|| {
        let deployment = Deployment::new();
        let nodes = [(); 3].map(|()| deployment.start(&database.url, 0));
        print(
            "PostgreSQL",
            &delays(&nodes, number("CLUSTER_REVOCATIONS", 100)),
        );
    });
}

/// R86, R87.
#[test]
fn r87_the_last_of_three_processes_on_redis_refuses_in_time() {
    let Some(server) = redis::Server::private(&[]) else {
        return;
    };
    let deployment = Deployment::new();
    let nodes = [(); 3].map(|()| deployment.start(&server.url(), 0));
    print("Redis", &delays(&nodes, number("CLUSTER_REVOCATIONS", 100)));
}

/// Two nodes on the store, and two on a line that is cut: one checks and one serves.
fn cut_off(on: &str, url: &str, line: &Line, port: u16) {
    let mut deployment = Deployment::new();
    deployment.set("TOLLGATE_REVOCATION__STALE_LIMIT", "2s");
    let [one, two] = [(); 2].map(|()| deployment.start(url, 0));
    let behind = line.through(url, port);
    let checks = deployment.start(&behind, 0);
    deployment.set("TOLLGATE_REVOCATION__ON_STALE", "serve");
    let serves = deployment.start(&behind, 0);
    let [one, two, checks, serves] = [&one, &two, &checks, &serves].map(Node::remote);

    let count = number("CLUSTER_REVOCATIONS", 100) / 5;
    let mut supply = Supply::new(one);
    let revoked: Vec<Tokens> = (0..count).map(|_| supply.next(two).clone()).collect();
    let ended = one.sign_in();
    let kept = &one.sign_in();
    for node in [one, two, checks, serves] {
        assert_eq!(
            (node.admits(&revoked[0].access), node.admits(&kept.access)),
            (200, 200)
        );
    }

    line.set(State::Silent);
    let cut = Instant::now();
    let largest = Mutex::new(Duration::ZERO);
    thread::scope(|scope| {
        for share in revoked.chunks(revoked.len().div_ceil(WORKERS as usize)) {
            let largest = &largest;
            scope.spawn(move || {
                for tokens in share {
                    let at = revoke([one, two, two], 0, tokens, &Victim::Token);
                    while two.admits(&tokens.access) != 401 {
                        assert!(
                            at.elapsed() < Duration::from_secs(10),
                            "a node that reaches the store never heard of it"
                        );
                        thread::sleep(Duration::from_millis(5));
                    }
                    let mut largest = largest.lock().unwrap();
                    *largest = at.elapsed().max(*largest);
                }
            });
        }
    });
    let largest = largest.into_inner().unwrap();
    revoke([one, two, two], 1, &ended, &Victim::Session);

    // Both nodes answer by the view until it is stale; then the one refuses to answer, and the
    // other goes on.
    wait_for("the view to be stale", || {
        cut.elapsed() > Duration::from_millis(2_600)
    });
    let start = Instant::now();
    thread::scope(|scope| {
        for tokens in [kept, &ended].into_iter().chain(revoked.iter().take(6)) {
            scope.spawn(move || {
                let answer = checks
                    .send(&tollgate_tests::process::bare("GET", "/me", &tokens.access))
                    .unwrap();
                answer.assert_problem(503, "unavailable");
                assert!(answer.headers.contains_key("retry-after"));
                assert_eq!(serves.admits(&tokens.access), 200);
            });
        }
    });
    let decided = start.elapsed();
    assert!(
        decided < Duration::from_secs(10),
        "requests waited for each other: {decided:?}"
    );
    thread::scope(|scope| {
        for node in [checks, serves] {
            scope.spawn(move || {
                let refused = node.refresh(&kept.refresh).unwrap();
                refused.assert_problem(503, "unavailable");
                assert!(
                    refused.headers.contains_key("retry-after")
                        && !refused.headers.contains_key("set-cookie")
                );
            });
            scope.spawn(move || assert_eq!(node.try_sign_in().unwrap().status, 503));
            scope
                .spawn(move || wait_for("the node to call itself unwell", || node.health() == 503));
        }
    });
    let refused = start.elapsed();

    line.set(State::Open);
    let back = Instant::now();
    for node in [checks, serves] {
        wait_for("the node to catch up", || {
            node.admits(&revoked[0].access) == 401
        });
        for tokens in revoked.iter().chain([&ended]) {
            assert_eq!(node.admits(&tokens.access), 401, "a revocation was lost");
        }
        wait_for("the node to be well", || node.health() == 204);
        assert_eq!(node.admits(&kept.access), 200);
    }
    println!(
        "{on}: {} revocations while two nodes were cut off, heard of elsewhere after {largest:?} \
         at most; a stale node answered eight requests with 503 within {decided:?}, and refused \
         to refresh within {refused:?}; caught up and well {:?} after the cut was mended, nothing \
         lost",
        revoked.len() + 1,
        back.elapsed()
    );
    assert_eq!(checks.refresh(&kept.refresh).unwrap().status, 200);
}

/// R88.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r88_a_node_that_is_cut_off_from_postgresql_follows_on_stale_and_catches_up() {
    let Some(server) = postgres::Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let line = Line::to(server.port()).await;
    tokio::task::block_in_place(|| cut_off("PostgreSQL", &database.url, &line, server.port()));
}

/// R88.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r88_a_node_that_is_cut_off_from_redis_follows_on_stale_and_catches_up() {
    let Some(server) = redis::Server::private(&[]) else {
        return;
    };
    let line = Line::to(server.port).await;
    tokio::task::block_in_place(|| cut_off("Redis", &server.url(), &line, server.port));
}

/// The number of clients that revoke at once.
const WORKERS: u32 = 8;
