//! Two who read the same row and then write: whatever the second one's conditions say must hold
//! when it writes.

use tollgate::prelude::*;

use crate::world::{Rules, Stepper, Tokens, Visit, World, client, on_both_stores};

/// A refresh that has read its row and has not written yet.
async fn about_to_write(
    world: &World,
    node: usize,
    token: &str,
) -> Stepper<Result<Tokens, Refusal>> {
    let from = world.probe.count();
    let mut refresh = world.refresh(node, token, client(""));
    while !world.probe.names(from).contains(&"session") {
        assert!(
            refresh.step().await.is_none(),
            "it was answered without a look"
        );
    }
    refresh
}

async fn outcome(refresh: Stepper<Result<Tokens, Refusal>>) -> Result<String, Code> {
    refresh
        .finish()
        .await
        .map(|tokens| tokens.refresh)
        .map_err(|refusal| refusal.code())
}

async fn generation(world: &World, visit: &Visit) -> u32 {
    world.row(visit).await.generation
}

/// R65: the rotation carries its conditions.
#[test]
pub(crate) fn of_two_that_read_the_same_row_one_rotates() {
    for (rules, second) in [
        (Rules::AWARE, None),
        (Rules::WINDOW, None),
        (Rules::NO_WINDOW, Some(Code::Unavailable)),
    ] {
        on_both_stores(rules, async |world| {
            let visit = world.arrive().await;
            let late = about_to_write(&world, 0, &visit.tokens.refresh).await;
            let first = world
                .refresh(1, &visit.tokens.refresh, client(""))
                .finish()
                .await
                .unwrap();
            let expected = second.map_or_else(|| Ok(first.refresh.clone()), Err);
            assert_eq!(
                (outcome(late).await, generation(&world, &visit).await),
                (expected, 1),
                "{rules:?}"
            );
        });
    }
}

/// R66: so does the re-mint, by the generation.
#[test]
pub(crate) fn of_two_that_ask_for_a_lost_answer_one_makes_it_again() {
    on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        world.refreshed(&visit.tokens.refresh).await.unwrap();
        world.wait(20_001);
        let late = about_to_write(&world, 0, &visit.tokens.refresh).await;
        let first = world
            .refresh(1, &visit.tokens.refresh, client(""))
            .finish()
            .await
            .unwrap();
        assert_eq!(
            (outcome(late).await, generation(&world, &visit).await),
            (Ok(first.refresh), 2)
        );
    });
}

/// R72: and by the confirmation, which may come between its reading and its writing.
#[test]
pub(crate) fn a_successor_that_is_seen_meanwhile_is_not_made_again() {
    on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let next = world.refreshed(&visit.tokens.refresh).await.unwrap();
        world.wait(20_001);
        let late = about_to_write(&world, 0, &visit.tokens.refresh).await;
        world.admits(1, &next.access).await.unwrap();
        world.settle(1).await;
        let late = outcome(late).await;
        assert_eq!(
            (late, generation(&world, &visit).await),
            (Err(Code::Unavailable), 1)
        );
        world.refreshed(&next.refresh).await.unwrap();
    });
}

/// P3: what was revoked meanwhile is not rotated, not made again and not handed out.
#[test]
pub(crate) fn a_session_that_ends_meanwhile_gets_no_answer() {
    for (waits, before) in [(None, 0), (Some(20_001), 1), (Some(0), 1)] {
        on_both_stores(Rules::AWARE, async |world| {
            let visit = world.arrive().await;
            if let Some(millis) = waits {
                world.refreshed(&visit.tokens.refresh).await.unwrap();
                world.wait(millis);
            }
            let late = about_to_write(&world, 0, &visit.tokens.refresh).await;
            world.revoke(1, Revoke::session(visit.sid)).await;
            let late = outcome(late).await;
            assert_eq!(
                (late, generation(&world, &visit).await),
                (Err(Code::InvalidGrant), before)
            );
        });
    }
}
