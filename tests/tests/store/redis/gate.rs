//! Gates on Redis: races of refreshes, and nodes that hear of each other.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use tollgate::prelude::*;
use tollgate_tests::support::redis;

use crate::redis::node::Deployment;

/// R65.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r65_of_64_parallel_refreshes_on_two_nodes_one_rotates_and_all_get_its_successor() {
    let Some(url) = redis::shared() else { return };
    let options = redis::deployment(url);
    let deployment = Deployment::new();
    let one = deployment
        .node(
            options.clone().connect().await.unwrap(),
            Settings::default(),
        )
        .await
        .unwrap();
    let two = deployment
        .node(options.connect().await.unwrap(), Settings::default())
        .await
        .unwrap();
    let mut tokens = one.sign_in("ada@example.com").await;
    for round in 1..=3_u32 {
        let mut refreshes = Vec::new();
        for number in 0..64 {
            let (node, token) = (
                if number % 2 == 0 {
                    one.clone()
                } else {
                    two.clone()
                },
                tokens.refresh.clone(),
            );
            refreshes.push(tokio::spawn(async move { node.refresh(&token).await }));
        }
        let mut successors = HashSet::new();
        for refresh in refreshes {
            let answer = refresh.await.unwrap();
            tokens = answer.tokens();
            successors.insert(tokens.refresh.clone());
        }
        assert_eq!(successors.len(), 1, "round {round}");
        let sessions = one
            .gate
            .sessions()
            .of(&deployment.accounts.id_of("ada@example.com"))
            .await
            .unwrap();
        assert_eq!(sessions.len(), 1);
        deployment.clock.advance(Duration::from_secs(25));
    }
    assert_eq!(two.admits(&tokens.access).await, 200);
}

/// R86, R87.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_node_hears_of_the_others_revocations() {
    let Some(url) = redis::shared() else { return };
    let options = redis::deployment(url);
    let deployment = Deployment::new();
    let one = deployment
        .node(
            options.clone().connect().await.unwrap(),
            Settings::default(),
        )
        .await
        .unwrap();
    let two = deployment
        .node(options.connect().await.unwrap(), Settings::default())
        .await
        .unwrap();
    let mut longest = Duration::ZERO;
    for (here, there) in [(&one, &two), (&two, &one)] {
        for _ in 0..5 {
            let tokens = here.sign_in("ada@example.com").await;
            assert_eq!(there.admits(&tokens.access).await, 200);
            assert_eq!(
                here.sign_out(&tokens.refresh).await.status,
                StatusCode::NO_CONTENT
            );
            assert_eq!(here.admits(&tokens.access).await, 401);
            there
                .refresh(&tokens.refresh)
                .await
                .assert_problem(401, "invalid_grant");
            longest = longest.max(there.until(&tokens.access, 401).await);
        }
    }
    let grace = two.sign_in("grace@example.com").await;
    one.gate.revoke(Revoke::everything()).await.unwrap();
    longest = longest.max(two.until(&grace.access, 401).await);
    one.gate.pause().await.unwrap();
    longest = longest.max(two.until(&grace.access, 503).await);
    println!("the other node refused after {longest:?} at the latest");
}

/// A node that starts knows what was revoked before, lasting facts included.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_starts_later_knows_what_was_revoked() {
    let Some(url) = redis::shared() else { return };
    let options = redis::deployment(url);
    let deployment = Deployment::new();
    let one = deployment
        .node(
            options.clone().connect().await.unwrap(),
            Settings::default(),
        )
        .await
        .unwrap();
    let (ada, grace) = (
        one.sign_in("ada@example.com").await,
        one.sign_in("grace@example.com").await,
    );
    one.sign_out(&ada.refresh).await;
    let two = deployment
        .node(
            options.clone().connect().await.unwrap(),
            Settings::default(),
        )
        .await
        .unwrap();
    assert_eq!(
        (
            two.admits(&ada.access).await,
            two.admits(&grace.access).await
        ),
        (401, 200)
    );
    one.gate
        .revoke(Revoke::client("first-party"))
        .await
        .unwrap();
    let three = deployment
        .node(options.connect().await.unwrap(), Settings::default())
        .await
        .unwrap();
    assert_eq!(three.admits(&grace.access).await, 401);
}

/// R124: attempts on two nodes are counted together, and the sum of those that are allowed is
/// exact.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r124_two_nodes_allow_together_what_one_would() {
    let Some(url) = redis::shared() else { return };
    let options = redis::deployment(url);
    let deployment = Deployment::new();
    let node = async || {
        deployment
            .node(
                options.clone().connect().await.unwrap(),
                Settings::default(),
            )
            .await
            .unwrap()
            .gate
            .clone()
    };
    let nodes = [node().await, node().await];
    let (accounts, clock) = (deployment.accounts.clone(), deployment.clock.clone());
    for (round, wait, expected) in [(0, 0, 20), (1, 0, 0), (2, 90, 2), (3, 900, 20_u32)] {
        clock.advance(Duration::from_secs(wait));
        let before = accounts.authentications.load(Ordering::SeqCst);
        let mut attempts = Vec::new();
        for number in 0..64_u8 {
            let node = nodes[usize::from(number % 2)].clone();
            attempts.push(tokio::spawn(async move {
                let mut client = Client::unknown();
                client.ip = Some([192, 0, 2, number].into());
                let login = || {
                    Ok(EmailLogin {
                        email: "ada@example.com".to_owned(),
                        password: Password::new("wrong"),
                    })
                };
                node.sign_in_with(login, &client).await.unwrap_err().code()
            }));
        }
        let (mut refused, mut waits) = (0, 0);
        for attempt in attempts {
            match attempt.await.unwrap() {
                Code::InvalidCredentials => refused += 1,
                Code::TooManyRequests => waits += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((refused, waits), (expected, 64 - expected), "round {round}");
        let asked = accounts.authentications.load(Ordering::SeqCst) - before;
        assert_eq!(
            asked,
            u64::from(expected),
            "the backend was asked for nothing"
        );
    }
}
