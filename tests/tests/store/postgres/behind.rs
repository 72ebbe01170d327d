//! A node whose clock is behind PostgreSQL's, in real time.
//!
//! `BEHIND_LEEWAY=20` lets it be 18 seconds behind, which takes a minute and a half; without it, it
//! is 1.8 seconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tollgate::clock::{Clock, Timestamp};
use tollgate::prelude::*;
use tollgate::session::Revoke;
use tollgate_tests::{Accounts, App};

/// The lifetime of an access token, in seconds.
const TTL: u64 = 2;

/// Returns a clock that shows the time of this machine, so that another one can be set beside it.
fn real_time() -> Clock {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let clock = Clock::manual(Timestamp::from_millis(
        u64::try_from(now().as_millis()).unwrap(),
    ));
    let moved = clock.clone();
    tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let whole = Duration::from_millis(u64::try_from(last.elapsed().as_millis()).unwrap());
            moved.advance(whole);
            last += whole;
        }
    });
    clock
}

/// R88. Nobody takes the token, however late: not the node that is behind, not one that is right,
/// and not one that is started later.
#[tokio::test(flavor = "multi_thread")]
async fn r88_a_revocation_holds_on_a_node_that_is_behind_postgresql() {
    let Some(server) = tollgate_tests::support::postgres::Server::shared() else {
        return;
    };
    let leeway: u64 = std::env::var("BEHIND_LEEWAY").map_or(2, |text| text.parse().unwrap());
    let behind = i64::try_from(leeway * 900).unwrap();
    let database = server.database().await;
    let (clock, ring) = (real_time(), KeyRing::generate(Algorithm::EdDSA).unwrap());
    let (accounts, mut settings) = (Accounts::seeded(), Settings::default());
    settings.leeway = Duration::from_secs(leeway);
    settings.access.ttl = Duration::from_secs(TTL);
    let node = async |millis_behind: i64| {
        App::builder()
            .accounts(&accounts)
            .keys(&ring)
            .store(super::opened(&database.url).await)
            .clock(&clock.on_machine(-millis_behind))
            .settings(settings.clone())
            .build()
            .await
    };
    let mut nodes = vec![node(0).await, node(behind).await];
    let mut tokens = Vec::new();
    for issuer in &nodes {
        let user = accounts.user("ada@example.com");
        let issued = issuer.gate.sign_in(user, &Client::unknown()).await.unwrap();
        assert!(issuer.gate.verify(&issued.access_token).await.is_ok());
        let revoke = Revoke::session(issued.session_id);
        nodes[1].gate.revoke(revoke).await.unwrap();
        tokens.push(issued.access_token);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let whole_life = Duration::from_secs(TTL + 3 * leeway + 10);
    let begin = Instant::now();
    let mut looks = 0;
    while begin.elapsed() < whole_life {
        if looks % 8 == 0 {
            nodes.push(node(if looks % 16 == 0 { behind } else { 0 }).await);
        }
        for (number, node) in nodes.iter().enumerate() {
            for token in &tokens {
                let answer = node.gate.verify(token).await;
                assert!(answer.is_err(), "node {number} after {:?}", begin.elapsed());
            }
        }
        looks += 1;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(nodes.len() > 4 && looks > 10, "{looks} looks");
}
