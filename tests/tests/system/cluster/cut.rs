//! The network between a node and its store cut in mid-request: nobody could decide, and what was
//! begun is done once or not at all.

use std::thread;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::json;
use tollgate_tests::Answer;
use tollgate_tests::support::line::{Line, State};
use tollgate_tests::support::{postgres, redis};

use crate::cluster::node::{Deployment, Node, Remote};

/// The ways to cut: nothing arrives; nothing comes back, so that what was asked for is done;
/// connections break.
const CUTS: [State; 3] = [State::Silent, State::Deaf, State::Broken];

/// R81. Nothing changed as far as the client knows: it may come again, and keeps its cookies.
#[track_caller]
fn assert_undecided(answer: &Answer) {
    answer.assert_problem(503, "unavailable");
    assert!(
        answer.headers.contains_key("retry-after") && !answer.headers.contains_key("set-cookie"),
        "{answer:?}"
    );
}

/// Asks again as long as nobody can decide.
fn decided(ask: impl Fn() -> Option<Answer>) -> Answer {
    let start = Instant::now();
    loop {
        let answer = ask().expect("an answer");
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "the node does not find back"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

/// One node on a line, which is cut while requests are under way; `other` reaches the store all the
/// time.
fn cut(node: Remote, line: &Line, how: State, other: Remote) -> (Duration, Duration) {
    let (ada, leaving) = (&node.sign_in(), &node.sign_in());
    line.set(how);
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || assert_undecided(&node.refresh(&ada.refresh).unwrap()));
        scope.spawn(move || assert_undecided(&node.try_sign_in().unwrap()));
        let body = json!({ "refresh_token": leaving.refresh });
        scope.spawn(move || assert_undecided(&node.post("/auth/signout", &body).unwrap()));
        scope.spawn(move || {
            assert_eq!(
                node.admits(&ada.access),
                200,
                "checking a token takes no store"
            );
        });
    });
    let refused = start.elapsed();
    line.set(State::Open);
    let start = Instant::now();
    let next = decided(|| node.refresh(&ada.refresh)).tokens();
    let back = start.elapsed();
    assert_eq!(
        (next.session == ada.session, other.admits(&next.access)),
        (true, 200)
    );
    assert_eq!(
        decided(|| node.post(
            "/auth/signout",
            &json!({ "refresh_token": leaving.refresh })
        ))
        .status,
        204
    );
    other
        .refresh(&leaving.refresh)
        .unwrap()
        .assert_problem(401, "invalid_grant");
    (refused, back)
}

async fn cut_in_every_way(on: &str, url: &str, port: u16) {
    let lines = [
        Line::to(port).await,
        Line::to(port).await,
        Line::to(port).await,
    ];
    tokio::task::block_in_place(|| {
        let deployment = Deployment::new();
        let other = deployment.start(url, 0);
        let nodes: Vec<Node> = lines
            .iter()
            .map(|line| deployment.start(&line.through(url, port), 0))
            .collect();
        thread::scope(|scope| {
            for ((node, line), how) in nodes.iter().zip(&lines).zip(CUTS) {
                let other = other.remote();
                scope.spawn(move || {
                    let (refused, back) = cut(node.remote(), line, how, other);
                    println!(
                        "{on}, {how:?}: 503 within {refused:?}; a refresh came through {back:?} \
                         after it was mended"
                    );
                });
            }
        });
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_a_node_and_postgresql_loses_and_ends_no_session() {
    let Some(server) = postgres::Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    cut_in_every_way("PostgreSQL", &database.url, server.port()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_a_node_and_redis_loses_and_ends_no_session() {
    let Some(server) = redis::Server::private(&[]) else {
        return;
    };
    cut_in_every_way("Redis", &server.url(), server.port).await;
}
