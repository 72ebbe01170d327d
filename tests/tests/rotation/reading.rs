//! The second reading, after a lost compare-and-swap: rows 1, 5 and 7 answer, anything else is 503,
//! and nothing is written.

use std::cell::RefCell;

use proptest::prelude::*;
use tollgate::prelude::*;
use tollgate_tests::Role;

use crate::table::{Shown, row};
use crate::wild::{ensure, waits};
use crate::world::{Rules, Tokens, Visit, World, client, ms, random};

/// An act of another request between the reading and the writing of a refresh.
#[derive(Clone, Copy, Debug)]
enum Between {
    /// Somebody else refreshes, with the newest token or one before it.
    Refresh(u8),
    /// The newest access token is used, and that is written.
    Confirm,
    Roles,
    Revoke,
    Wait(u64),
}

/// A state of the session, and which of its tokens a refresh begins with.
#[derive(Clone, Copy, Debug)]
enum Start {
    First,
    Keep,
    Rotate,
    Replay,
    Remint,
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        6 => (0..3_u8).prop_map(Between::Refresh),
        2 => Just(Between::Confirm),
        2 => Just(Between::Roles),
        1 => Just(Between::Revoke),
        5 => waits().prop_map(Between::Wait),
    ]
}

async fn start(world: &World, visit: &Visit, start: Start) -> (Vec<Tokens>, usize) {
    let mut tokens = vec![visit.tokens.clone()];
    if !matches!(start, Start::First) {
        tokens.push(world.refreshed(&visit.tokens.refresh).await.unwrap());
    }
    if matches!(start, Start::Rotate | Start::Remint) {
        world.wait(2 * world.rules.window + 1);
    }
    let presented = match start {
        Start::Replay | Start::Remint => 0,
        Start::First | Start::Keep | Start::Rotate => tokens.len() - 1,
    };
    (tokens, presented)
}

/// rotation.md section 3, order of a refresh.
#[test]
fn the_second_reading_never_revokes_remints_or_takes_a_later_epoch() {
    let lost = RefCell::new([0_u32; 3]);
    let starts = prop::sample::select(vec![
        Start::First,
        Start::Keep,
        Start::Rotate,
        Start::Replay,
        Start::Remint,
    ]);
    // In the backend, where the time of the swap is not taken yet, or before the swap, where it is.
    let inputs = (
        starts,
        IN_BACKEND..=BEFORE_SWAP,
        prop::collection::vec(between(), 0..6),
    );
    random(
        400,
        &[Rules::AWARE, Rules::NO_WINDOW, Rules::WINDOW],
        &inputs,
        async |world, (begin, point, between)| {
            let visit = world.arrive().await;
            let (mut tokens, presented) = start(world, &visit, begin).await;
            let token = tokens[presented].refresh.clone();
            let first = world.row(&visit).await;
            let read_at = world.now();
            let said = world.parse(&token);
            let mut shown = Shown {
                generation: said.generation,
                hash: said.hash(),
                is_retired: false,
                client_id: "first-party",
                context: first.context.unwrap_or_default(),
            };
            let row_then = row(&first, &shown, &world.rules, read_at);
            if !matches!(row_then, "5" | "6" | "7" | "8") {
                return Ok(());
            }
            let mut refresh = world.refresh(0, &token, client(""));
            for _ in 0..point {
                ensure(refresh.step().await.is_none(), || {
                    format!("row {row_then} did not go on to the swap")
                })?;
            }

            for act in between {
                match act {
                    Between::Refresh(age) => {
                        let other = tokens[tokens.len().saturating_sub(1 + usize::from(age))]
                            .refresh
                            .clone();
                        let outcome = world
                            .at_once(world.nodes[1].gate.refresh(&other, &client("")))
                            .await;
                        tokens.extend(outcome.ok().map(|issued| Tokens::of(&issued)));
                    }
                    Between::Confirm => {
                        let _ = world.admits(1, &tokens[tokens.len() - 1].access).await;
                        world.settle(1).await;
                    }
                    Between::Roles => {
                        let subject = world.accounts.id_of(&visit.email);
                        world.accounts.set_roles(&visit.email, vec![Role::Editor]);
                        world.revoke(1, Revoke::access_of(subject)).await;
                    }
                    Between::Revoke => world.revoke(1, Revoke::session(visit.sid)).await,
                    Between::Wait(millis) => world.wait(millis),
                }
            }

            let (second, now) = (world.row(&visit).await, world.now());
            let done = world.probe.count();
            let outcome = refresh.finish().await.map_err(|refusal| refusal.code());
            let (after, names) = (world.row(&visit).await, world.probe.names(done));

            let swapped_at = if point == BEFORE_SWAP { read_at } else { now };
            let is_live = second.revoked.is_none()
                && second.idle_exp > swapped_at
                && second.abs_exp > swapped_at;
            let is_unmoved = is_live && second.generation == first.generation;
            let won = match row_then {
                "5" | "7" => is_unmoved,
                "6" => is_unmoved && second.current == first.current,
                "8" if swapped_at.since(first.superseded_at.unwrap()) > ms(world.rules.lost) => {
                    ensure(
                        names.is_empty() && outcome == Err(Code::Unavailable),
                        || format!("{names:?}, {outcome:?}"),
                    )?;
                    return ensure(after == second, || {
                        "a re-mint that came too late wrote something".into()
                    });
                }
                _ => is_unmoved && !second.confirmed,
            };
            if let Ok(tokens) = &outcome {
                ensure(tokens.epoch() == first.epoch, || {
                    "the token carries another epoch than the first reading's".into()
                })?;
                if second.epoch > first.epoch {
                    let admitted = world.admits(0, &tokens.access).await;
                    ensure(admitted == Err(Code::InvalidToken), || {
                        "a token with claims of before the change counts".into()
                    })?;
                }
            }
            if won {
                ensure(names == ["rotate"] && outcome.is_ok(), || {
                    format!("{names:?}, {outcome:?}")
                })?;
                return ensure(matches!(row_then, "6" | "8") || after == second, || {
                    "a row that only reads wrote".into()
                });
            }
            ensure(names == ["rotate", "session"], || {
                format!("a lost race took {names:?}")
            })?;
            ensure(after == second, || {
                format!("a lost race left {after:?} of {second:?}")
            })?;
            // All of them come from the same device, also where the first of them was another one.
            shown.context = second.context.unwrap_or_default();
            let then = row(&second, &shown, &world.rules, now);
            lost.borrow_mut()[usize::from(then == "5") + 2 * usize::from(then == "7")] += 1;
            match then {
                "1" => ensure(outcome == Err(Code::InvalidGrant), || {
                    format!("row 1 answered {outcome:?}")
                }),
                "5" => ensure(
                    outcome.as_ref().is_ok_and(|given| given.refresh == token),
                    || format!("row 5 answered {outcome:?}"),
                ),
                "7" => {
                    let given = outcome
                        .as_ref()
                        .map(|given| world.parse(&given.refresh).hash());
                    ensure(given == Ok(second.current), || {
                        format!("row 7 answered {outcome:?}")
                    })
                }
                other => ensure(outcome == Err(Code::Unavailable), || {
                    format!("row {other} answered {outcome:?}")
                }),
            }
        },
    );
    let lost = lost.into_inner();
    assert!(
        lost[0] >= 10 && lost[2] >= 10,
        "few races were lost: {lost:?}"
    );
}

/// The stale-role race of rotation.md section 3 where the swap is lost too: the second reading sees
/// the later epoch, and must not use it.
#[test]
fn a_role_taken_away_in_a_lost_race_is_in_no_living_token() {
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let mut slow = world.refresh(0, &visit.tokens.refresh, client(""));
        for _ in 0..BEFORE_SWAP {
            assert!(slow.step().await.is_none());
        }
        world.accounts.set_roles(&visit.email, vec![Role::Editor]);
        world
            .revoke(1, Revoke::access_of(world.accounts.id_of(&visit.email)))
            .await;
        let fast = world.refreshed(&visit.tokens.refresh).await.unwrap();
        let slow = slow.finish().await.unwrap();
        assert_eq!(slow.refresh, fast.refresh);
        assert_eq!((slow.epoch(), fast.epoch()), (0, 1));
        for node in [0, 1] {
            assert_eq!(world.roles(node, &slow.access).await, None);
            assert_eq!(
                world.roles(node, &fast.access).await,
                Some(serde_json::json!(["editor"]))
            );
        }
    });
}

/// Before the reading, after it, in the backend, before the swap.
const IN_BACKEND: usize = 3;
const BEFORE_SWAP: usize = 4;
