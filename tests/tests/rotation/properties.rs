//! P1 to P5, P8 and P10: what holds for a session whatever happens to it.

use std::collections::HashSet;

use proptest::prelude::*;
use tollgate::prelude::*;
use tollgate::settings::RefreshPolicy;
use tollgate::store::{RevokeReason, Session};

use crate::probe::Detail;
use crate::wild::{ensure, run, schedules};
use crate::world::{Rules, ms, random};

const CASES: u32 = 100;
const LONGEST: usize = 60;

/// R66. No two tokens of one generation, and of all that were handed out one at most goes on.
#[test]
pub(crate) fn p1_at_most_one_live_leaf() {
    random(
        CASES,
        &Rules::EVERY,
        &(schedules(LONGEST), any::<u8>()),
        async |world, (acts, start)| {
            let trace = run(world, acts).await;
            let currents = trace.currents();
            let generations: HashSet<u32> =
                currents.iter().map(|(generation, _)| *generation).collect();
            ensure(generations.len() == currents.len(), || {
                "two tokens were current under one generation".into()
            })?;
            for token in &trace.handed_out {
                let said = world.parse(token);
                ensure(currents.contains(&(said.generation, said.hash())), || {
                    format!(
                        "a token of generation {} was handed out that never was current",
                        said.generation
                    )
                })?;
            }
            // Long after, each of them is tried once, and those that get through use what they get.
            world.probe.reset();
            let mut tokens = trace.handed_out;
            let start = usize::from(start) % tokens.len();
            tokens.rotate_left(start);
            let mut alive = 0;
            for token in tokens {
                world.wait(2 * world.rules.window + 1);
                if let Ok(next) = world.refreshed(&token).await {
                    alive += 1;
                    ensure(world.admits(0, &next.access).await.is_ok(), || {
                        "the living leaf's access token is dead".into()
                    })?;
                    world.settle(0).await;
                }
            }
            ensure(alive <= 1, || {
                format!("{alive} tokens of one session went on")
            })
        },
    );
}

#[test]
pub(crate) fn p2_the_generation_never_falls() {
    random(
        CASES,
        &Rules::EVERY,
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            ensure(trace.rows.is_sorted_by_key(|row| row.generation), || {
                "a generation fell".into()
            })?;
            ensure(
                trace
                    .rows
                    .windows(2)
                    .all(|pair| pair[1].generation - pair[0].generation <= 1),
                || "one was left out".into(),
            )
        },
    );
}

/// R67, R72.
#[test]
pub(crate) fn p3_revoked_is_absorbing() {
    random(
        CASES,
        &Rules::EVERY,
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            let Some(end) = trace.rows.iter().position(|row| row.revoked.is_some()) else {
                return Ok(());
            };
            let last = &trace.rows[end];
            for row in &trace.rows[end..] {
                let same = Session {
                    epoch: last.epoch,
                    ..row.clone()
                } == *last;
                ensure(same, || {
                    format!("a revoked session changed: {last:?}, {row:?}")
                })?;
            }
            for answer in trace.answers.iter().filter(|answer| answer.from >= end) {
                let refused = matches!(answer.outcome, Err(Code::InvalidGrant | Code::Unavailable));
                ensure(refused, || {
                    format!("a revoked session answered {:?}", answer.outcome)
                })?;
            }
            // Access tokens die with a session that ended by reuse (R68).
            if last
                .revoked
                .is_some_and(|(_, reason)| reason == RevokeReason::Reuse)
            {
                let admitted = trace
                    .uses
                    .iter()
                    .any(|used| used.from >= end && used.was_admitted);
                ensure(!admitted, || {
                    "an access token outlived the reuse of its session's refresh token".into()
                })?;
            }
            world.probe.reset();
            for token in &trace.handed_out {
                let outcome = world.refreshed(token).await;
                ensure(outcome == Err(Code::InvalidGrant), || {
                    format!("a revoked session answered {outcome:?}")
                })?;
            }
            Ok(())
        },
    );
}

/// R73.
#[test]
pub(crate) fn p4_the_absolute_expiry_is_constant() {
    random(
        CASES,
        &Rules::EVERY,
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            let abs_exp = trace.opened_at().plus(ms(90 * 86_400_000));
            ensure(
                trace
                    .rows
                    .iter()
                    .all(|row| row.abs_exp == abs_exp && row.idle_exp <= abs_exp),
                || "it moved".into(),
            )
        },
    );
}

#[test]
pub(crate) fn p5_rotations_are_no_more_than_the_window_lets_through() {
    random(
        CASES,
        &[Rules::AWARE, Rules::WINDOW],
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            let mut rotations = 0;
            for op in &trace.ops {
                let (Detail::Advanced(_, now) | Detail::Reminted(_, now)) = op.detail else {
                    continue;
                };
                rotations += 1;
                let most =
                    now.since(trace.opened_at()).as_millis() / u128::from(world.rules.window) + 1;
                ensure(rotations <= most, || {
                    format!("{rotations} rotations where {most} may be")
                })?;
            }
            Ok(())
        },
    );
}

/// R65.
#[test]
pub(crate) fn p8_every_answer_carries_the_current_token_or_the_successor_of_the_presented_one() {
    random(
        CASES,
        &Rules::EVERY,
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            for answer in &trace.answers {
                let Ok(tokens) = &answer.outcome else {
                    continue;
                };
                let (presented, given) =
                    (world.parse(&answer.presented), world.parse(&tokens.refresh));
                let is_fixed = world.rules.policy == RefreshPolicy::Fixed;
                ensure(!is_fixed || tokens.refresh == answer.presented, || {
                    "a token that never changes changed".into()
                })?;
                ensure(
                    tokens.is_fresh == (tokens.refresh != answer.presented || is_fixed),
                    || "`is_fresh` is wrong".into(),
                )?;
                let fits = trace.during(answer).iter().any(|row| {
                    let is_current =
                        row.generation == given.generation && row.current == given.hash();
                    let follows = row
                        .previous
                        .as_ref()
                        .is_some_and(|p| p.hash == presented.hash());
                    is_current && (follows || answer.presented == tokens.refresh)
                });
                ensure(fits, || {
                    format!(
                        "generation {} got generation {}",
                        presented.generation, given.generation
                    )
                })?;
            }
            Ok(())
        },
    );
}

/// Under the other policies nothing is minted again.
#[test]
pub(crate) fn p10_a_remint_happens_only_within_the_window_for_lost_answers() {
    random(
        CASES,
        &Rules::EVERY,
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            for (op, before) in trace.ops.iter().zip(&trace.rows) {
                let Detail::Reminted(_, now) = op.detail else {
                    continue;
                };
                let age = now.since(before.superseded_at.unwrap());
                let may = world.rules.policy == RefreshPolicy::ConfirmAware
                    && age <= ms(world.rules.lost);
                ensure(may, || {
                    format!("a re-mint {age:?} after the predecessor was replaced")
                })?;
                let after = &op.rows[0];
                ensure(
                    !before.confirmed && after.superseded_at == before.superseded_at,
                    || "a re-mint moved the window".into(),
                )?;
            }
            Ok(())
        },
    );
}

/// Under the policy that never rotates, nothing that a session's own clients do ends it: whichever
/// answers are lost, and however often requests come, it lives as long as somebody refreshes.
#[test]
pub(crate) fn a_session_whose_token_never_changes_ends_by_no_refresh() {
    random(
        CASES,
        &[Rules::FIXED],
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            for (op, before) in trace.ops.iter().zip(&trace.rows) {
                let rotates = matches!(op.detail, Detail::Advanced(..) | Detail::Reminted(..));
                ensure(!rotates, || "a token was replaced".into())?;
                if let Detail::Extended(_, now) = op.detail {
                    let after = Session {
                        idle_exp: now.plus(ms(30 * 86_400_000)).min(before.abs_exp),
                        last_seen_at: now,
                        ..before.clone()
                    };
                    let is_after = |row: &Session| {
                        let last_seen = row.last_seen.clone();
                        Session {
                            last_seen,
                            ..after.clone()
                        } == *row
                    };
                    ensure(op.rows.iter().any(is_after), || {
                        format!("{:?} after {before:?}", op.rows)
                    })?;
                }
            }
            let by_reuse = |row: &Session| {
                row.revoked
                    .is_some_and(|(_, reason)| reason == RevokeReason::Reuse)
            };
            ensure(!trace.rows.iter().any(by_reuse), || {
                "a session ended by reuse".into()
            })
        },
    );
}

/// The schedules of this file are worth something: they meet every way to answer, lost races and
/// ended sessions.
#[test]
fn the_schedules_meet_every_way_to_answer() {
    let met = std::cell::RefCell::new(std::collections::BTreeMap::<&str, u32>::new());
    random(
        CASES,
        &[Rules::AWARE],
        &schedules(LONGEST),
        async |world, acts| {
            let trace = run(world, acts).await;
            let mut met = met.borrow_mut();
            let mut meet = |what| *met.entry(what).or_default() += 1;
            for op in &trace.ops {
                match op.detail {
                    Detail::Advanced(..) => meet("rotated"),
                    Detail::Reminted(..) => meet("re-minted"),
                    Detail::Held(_) => meet("held"),
                    Detail::Extended(..) => meet("extended"),
                    Detail::Lost => meet("lost"),
                    Detail::None => {}
                }
            }
            match trace.rows[trace.rows.len() - 1].revoked {
                Some((_, RevokeReason::Reuse)) => meet("reused"),
                Some(_) => meet("revoked"),
                None => meet("alive"),
            }
            if trace.rows.iter().any(|row| row.confirmed) {
                meet("confirmed");
            }
            Ok(())
        },
    );
    let met = met.into_inner();
    for what in [
        "rotated",
        "re-minted",
        "held",
        "lost",
        "reused",
        "revoked",
        "alive",
        "confirmed",
    ] {
        assert!(
            met.get(what).is_some_and(|count| *count >= 5),
            "{what}: {met:?}"
        );
    }
}
