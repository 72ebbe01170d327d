//! The cost of a refresh in statements, and which requests confirm.

use serde_json::json;
use tollgate::prelude::*;

use crate::world::{Rules, World, client, on_both_stores};

/// rotation.md section 3: two statements, a third after a lost race, one where the table refuses,
/// none for garbage (R77).
#[test]
fn a_refresh_takes_two_statements() {
    on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let took = async |token: &str| {
            let before = world.probe.count();
            let outcome = world.refreshed(token).await;
            (
                outcome.map(|tokens| tokens.refresh),
                world.probe.names(before),
            )
        };
        let zero = visit.tokens.refresh;
        // Row 6, 5, 7, 7b, 8.
        let (one, names) = took(&zero).await;
        let one = one.unwrap();
        assert_eq!(names, ["session", "rotate"]);
        assert_eq!(
            took(&one).await,
            (Ok(one.clone()), vec!["session", "rotate"])
        );
        assert_eq!(
            took(&zero).await,
            (Ok(one.clone()), vec!["session", "rotate"])
        );
        world.wait(15_000);
        assert_eq!(took(&zero).await, (Err(Code::Unavailable), vec!["session"]));
        world.wait(6_000);
        let (two, names) = took(&zero).await;
        assert_eq!((two.is_ok(), names), (true, vec!["session", "rotate"]));
        // Row 2, 3, 9, 1.
        assert_eq!(
            took(&world.mint(visit.sid, 9, &[0; 16], false)).await,
            (Err(Code::InvalidGrant), vec!["session"])
        );
        assert_eq!(
            took(&world.mint(visit.sid, 2, &[0; 16], false)).await,
            (Err(Code::InvalidGrant), vec!["session"])
        );
        assert_eq!(
            took(&one).await,
            (Err(Code::InvalidGrant), vec!["session", "revoke"])
        );
        assert_eq!(took(&one).await, (Err(Code::InvalidGrant), vec!["session"]));
        let other = if one.ends_with('A') { 'B' } else { 'A' };
        for garbage in [
            "",
            "tgr1_",
            "tgr1_AAAA",
            &format!("{}{}", &one[..one.len() - 1], other),
        ] {
            assert_eq!(
                took(garbage).await,
                (Err(Code::InvalidGrant), vec![]),
                "{garbage}"
            );
        }
    });
}

#[test]
fn a_lost_race_takes_a_third_statement() {
    on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let mut slow = world.refresh(0, &visit.tokens.refresh, client(""));
        for _ in 0..4 {
            assert!(slow.step().await.is_none());
        }
        world.refreshed(&visit.tokens.refresh).await.unwrap();
        assert!(slow.finish().await.is_ok());
        assert_eq!(
            world.probe.names(0),
            ["session", "session", "rotate", "rotate", "session"]
        );
    });
}

/// Refreshes, answers the new access token, and forgets what was recorded.
async fn rotated(world: &World) -> (crate::world::Visit, crate::world::Tokens) {
    let visit = world.arrive().await;
    let tokens = world.refreshed(&visit.tokens.refresh).await.unwrap();
    world.probe.reset();
    world.probe.watch(visit.sid);
    (visit, tokens)
}

async fn confirms(world: &World) -> usize {
    world.settle(0).await;
    world.settle(1).await;
    world
        .probe
        .names(0)
        .iter()
        .filter(|name| **name == "confirm")
        .count()
}

/// One write a rotation, not one a request.
#[test]
fn the_first_request_confirms_and_the_next_ones_cost_nothing() {
    on_both_stores(Rules::AWARE, async |world| {
        let (visit, tokens) = rotated(&world).await;
        assert_eq!(confirms(&world).await, 0);
        assert!(!world.row(&visit).await.confirmed);
        for _ in 0..10 {
            world.admits(0, &tokens.access).await.unwrap();
        }
        assert_eq!(confirms(&world).await, 1);
        assert!(world.row(&visit).await.confirmed);
        for _ in 0..10 {
            world.admits(0, &tokens.access).await.unwrap();
        }
        assert_eq!(confirms(&world).await, 1);
        // The first generation has no predecessor, and says nothing of the one after it.
        let (visit, _) = rotated(&world).await;
        world.admits(0, &visit.tokens.access).await.unwrap();
        assert_eq!(confirms(&world).await, 0);
        assert!(!world.row(&visit).await.confirmed);
    });
}

#[test]
fn the_successor_refresh_token_confirms_too() {
    on_both_stores(Rules::AWARE, async |world| {
        let (visit, tokens) = rotated(&world).await;
        // Row 7 shows that the predecessor's holder is there, not that the successor arrived.
        world.refreshed(&visit.tokens.refresh).await.unwrap();
        confirms(&world).await;
        assert!(!world.row(&visit).await.confirmed);
        world.refreshed(&tokens.refresh).await.unwrap();
        confirms(&world).await;
        assert!(world.row(&visit).await.confirmed);
        world.wait(20_001);
        assert_eq!(
            world.refreshed(&visit.tokens.refresh).await,
            Err(Code::InvalidGrant)
        );
    });
}

/// rotation.md section 3: not from verify, introspect or signout; and not by a token that was
/// refused.
#[test]
fn asking_about_a_token_or_signing_out_does_not_confirm() {
    on_both_stores(Rules::AWARE, async |world| {
        let (visit, tokens) = rotated(&world).await;
        for token in [&tokens.access, &tokens.refresh] {
            let (status, _) = world
                .post(0, "/auth/verify", None, json!({ "token": token }))
                .finish()
                .await;
            assert_eq!(status, 200);
        }
        assert_eq!(confirms(&world).await, 0);
        // Refused: its time is out, or its subject's epoch is.
        world
            .revoke(1, Revoke::access_of(world.accounts.id_of(&visit.email)))
            .await;
        assert_eq!(
            world.admits(0, &tokens.access).await,
            Err(Code::InvalidToken)
        );
        assert_eq!(confirms(&world).await, 0);

        let (_, tokens) = rotated(&world).await;
        world.wait(3_600_000);
        assert_eq!(
            world.admits(0, &tokens.access).await,
            Err(Code::TokenExpired)
        );
        assert_eq!(confirms(&world).await, 0);

        let (visit, tokens) = rotated(&world).await;
        let (status, _) = world
            .post(0, "/auth/signout", Some(&tokens.access), json!({}))
            .finish()
            .await;
        assert_eq!(
            (status, world.row(&visit).await.revoked.is_some()),
            (204, true)
        );
        assert_eq!(confirms(&world).await, 0);
        let (_, tokens) = rotated(&world).await;
        let (status, _) = world
            .post(
                0,
                "/auth/signout",
                None,
                json!({ "refresh_token": tokens.refresh }),
            )
            .finish()
            .await;
        assert_eq!(status, 204);
        assert_eq!(confirms(&world).await, 0);
    });
}
