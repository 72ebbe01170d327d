//! The gate and the oracle, over rows that are written by hand: the same row of the table, and what
//! that row says happens.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tollgate::device::Device;
use tollgate::event::{EventKind, RefreshRefusal, Refreshed};
use tollgate::prelude::*;
use tollgate::store::{
    Authenticated, Fact, LastSeen, NewSession, Opened, Predecessor, Revocation, RevokeReason,
    Rotated, RotationStep, RotationWrite, Session, SessionStore, Target,
};
use tollgate::token::{open_successor, seal_successor};

use crate::probe::Probe;
use crate::table::{Shown, row};
use crate::world::{Kind, Rules, Tokens, World, client, ms, random};

/// A session's past, and what is presented today.
#[derive(Clone, Debug)]
struct Case {
    of_other_client: bool,
    past: Vec<Past>,
    is_confirmed: bool,
    is_revoked: bool,
    /// The time since the last of the past, in milliseconds.
    gap: u64,
    /// The time until its idle end, in milliseconds, less one.
    idle: u64,
    absolute: u64,
    shown: Which,
    has_wrong_secret: bool,
    is_retired: bool,
    from_other_device: bool,
}

#[derive(Clone, Copy, Debug)]
struct Past {
    after: u64,
    is_remint: bool,
    from_other_device: bool,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    Current,
    Previous,
    /// So many generations back, orphans included.
    Older(u32),
    /// So many generations ahead.
    Ahead(u32),
}

fn cases() -> impl Strategy<Value = Case> {
    let span = || {
        prop_oneof![
            3 => Just(2), 2 => Just(9_999), 3 => Just(10_000), 3 => Just(10_001), 2 => Just(19_999), 3 => Just(20_000), 4 => Just(20_001),
            2 => Just(99_999), 2 => Just(100_000), 2 => Just(100_001), 6 => 2..200_000_u64,
        ]
    };
    let past = (span(), prop::bool::weighted(0.3), prop::bool::weighted(0.1));
    let past = past.prop_map(|(after, is_remint, from_other_device)| Past {
        after,
        is_remint,
        from_other_device,
    });
    let end = || prop_oneof![1 => 0..3_u64, 9 => Just(3_600_000)];
    let shown = prop_oneof![
        5 => Just(Which::Current),
        9 => Just(Which::Previous),
        3 => (1..4_u32).prop_map(Which::Older),
        1 => (1..4_u32).prop_map(Which::Ahead),
    ];
    let row = (
        prop::bool::weighted(0.1),
        prop::collection::vec(past, 0..5),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.05),
    );
    let time = (prop_oneof![1 => Just(0), 9 => span()], end(), end());
    let token = (
        shown,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
    );
    (row, time, token).prop_map(
        |(
            (of_other_client, past, is_confirmed, is_revoked),
            (gap, idle, absolute),
            (shown, wrong, is_retired, device),
        )| Case {
            of_other_client,
            past,
            is_confirmed,
            is_revoked,
            gap,
            idle,
            absolute,
            shown,
            has_wrong_secret: wrong,
            is_retired,
            from_other_device: device,
        },
    )
}

/// A row as written, and the secrets of its generations.
struct Written {
    row: Session,
    secrets: Vec<[u8; 16]>,
}

/// Writes a row through the store's own operations, with times in the past. `None` where such a row
/// cannot be.
async fn write(
    world: &World,
    store: &Probe,
    case: &Case,
    contexts: &[[u8; 32]; 2],
) -> Option<Written> {
    let now = world.now();
    let email = world.person();
    let sid = SessionId::random().unwrap();
    let secret = |generation: u32| {
        let mut secret = *sid.as_bytes();
        secret[12..].copy_from_slice(&generation.to_be_bytes());
        secret
    };
    let ends = |left: u64| now.plus(ms(left)).minus(ms(1));
    let mut at = now.minus(ms(
        case.gap + case.past.iter().map(|past| past.after).sum::<u64>()
    ));
    let new = NewSession {
        sid,
        subject: world.accounts.id_of(&email).to_string(),
        client_id: if case.of_other_client { OTHER } else { OWN }.into(),
        device: Device::default(),
        current: sha256(&secret(0)),
        auth_time: at,
        acr: None,
        claims: None,
        idle_exp: ends(case.idle),
        abs_exp: ends(case.absolute),
        is_brief: false,
        authenticated: Authenticated::Since(at),
        limit: None,
        log_until: at,
        replaces: Vec::new(),
        tokens: Vec::new(),
        takes: None,
    };
    assert!(matches!(
        store.open_session(new, at).await.unwrap(),
        Opened::Open { .. }
    ));
    let (mut generation, mut previous) = (0, None);
    for past in &case.past {
        at = at.plus(ms(past.after));
        let successor = secret(generation + 1);
        let step = match (past.is_remint, previous) {
            (true, Some(previous)) => RotationStep::Remint {
                generation,
                successor: sha256(&successor),
                sealed: seal_successor(
                    &secret(previous),
                    sid,
                    previous,
                    generation + 1,
                    &successor,
                )
                .unwrap(),
            },
            _ => {
                previous = Some(generation);
                RotationStep::Advance {
                    generation,
                    current: sha256(&secret(generation)),
                    successor: sha256(&successor),
                    sealed: seal_successor(
                        &secret(generation),
                        sid,
                        generation,
                        generation + 1,
                        &successor,
                    )
                    .unwrap(),
                    context: contexts[usize::from(past.from_other_device)],
                    idle_exp: ends(case.idle),
                }
            }
        };
        let rotation = RotationWrite {
            sid,
            step,
            tokens: Vec::new(),
            log_until: None,
            last_seen: None,
        };
        if store.rotate(rotation, at).await.unwrap() == Rotated::Lost {
            return None;
        }
        generation += 1;
    }
    if case.is_confirmed {
        store.confirm(vec![(sid, generation)], at).await.unwrap();
    }
    if case.is_revoked {
        let revocation = Revocation {
            target: Target::Session(sid),
            reason: RevokeReason::SignOut,
            until: now,
        };
        store.revoke(revocation, at).await.unwrap();
    }
    Some(Written {
        row: store.row(sid).await.unwrap(),
        secrets: (0..generation + 5).map(secret).collect(),
    })
}

/// The contexts of both devices, as the gate computes them.
async fn contexts() -> [[u8; 32]; 2] {
    let world = World::new(Kind::Memory, Rules::AWARE).await;
    let mut contexts = [[0; 32]; 2];
    for (context, device) in contexts.iter_mut().zip(DEVICES) {
        let visit = world.arrive().await;
        world
            .refresh(0, &visit.tokens.refresh, client(device))
            .finish()
            .await
            .unwrap();
        *context = world.row(&visit).await.context.unwrap();
    }
    assert_ne!(
        contexts[0], contexts[1],
        "the device id is no part of the context"
    );
    contexts
}

/// R69, R71, R72, R78, R85 and rows 1 to 9: every policy, W_c = 0 too.
#[test]
fn the_gate_decides_as_the_table_says() {
    let contexts = tokio::runtime::Runtime::new().unwrap().block_on(contexts());
    let met = RefCell::new(BTreeMap::<&str, u32>::new());
    random(1_500, &Rules::EVERY, &cases(), async |world, case| {
        world.probe.reset();
        world.wait(1);
        let store = world.probe.bare();
        let Some(Written {
            row: before,
            secrets,
        }) = write(world, &store, &case, &contexts).await
        else {
            return Err(TestCaseError::reject("such a row cannot be"));
        };
        let newest = before.generation;
        let generation = match case.shown {
            Which::Current => newest,
            Which::Previous => before.previous.as_ref().map_or(newest, |p| p.generation),
            Which::Older(back) => newest.saturating_sub(back),
            Which::Ahead(by) => newest + by,
        };
        let mut secret = secrets[usize::try_from(generation).unwrap()];
        secret[0] ^= u8::from(case.has_wrong_secret);
        let device = usize::from(case.from_other_device);
        let shown = Shown {
            generation,
            hash: sha256(&secret),
            is_retired: case.is_retired,
            client_id: OWN,
            context: contexts[device],
        };
        let expected = row(&before, &shown, &world.rules, world.now());
        *met.borrow_mut().entry(expected).or_default() += 1;

        let token = world.mint(before.sid, generation, &secret, case.is_retired);
        let cursor = world.probe.cursor().await;
        world.heard();
        let outcome = world
            .refresh(1, &token, client(DEVICES[device]))
            .finish()
            .await;
        let found = Found {
            outcome: outcome.map_err(|refusal| (refusal.code(), refusal.retry_in())),
            before,
            after: store.row(store_sid(&token, world)).await.unwrap(),
            logged: world.probe.logged(&cursor).await,
            event: world.heard().pop(),
        };
        found
            .is_as_in(expected, world, &token, &shown)
            .map_err(|why| TestCaseError::fail(format!("row {expected}: {why}")))
    });
    let met = met.into_inner();
    for number in [
        "1", "2", "3", "4", "5", "5, fixed", "6", "7", "7b", "8", "9", "none",
    ] {
        assert!(
            met.get(number).is_some_and(|count| *count >= 10),
            "row {number} was hardly met: {met:?}"
        );
    }
}

/// The outcome of a refresh.
struct Found {
    outcome: Result<Tokens, (Code, Option<u64>)>,
    before: Session,
    after: Session,
    logged: Vec<Fact>,
    event: Option<EventKind>,
}

impl Found {
    /// Compares with the columns "effect" and "answer".
    fn is_as_in(
        &self,
        number: &str,
        world: &World,
        token: &str,
        shown: &Shown,
    ) -> Result<(), String> {
        let Self {
            outcome,
            before,
            after,
            ..
        } = self;
        let now = world.now();
        let kept = before.clone();
        let (answer, row, logged, event) = match number {
            "1" => (
                Err(Code::InvalidGrant),
                kept,
                vec![],
                EventKind::RefreshRefused(RefreshRefusal::Ended),
            ),
            "2" => (
                Err(Code::InvalidGrant),
                kept,
                vec![],
                EventKind::StoreRollbackSuspected,
            ),
            "3" => (
                Err(Code::InvalidGrant),
                kept,
                vec![],
                EventKind::RefreshRefused(RefreshRefusal::Forged),
            ),
            "4" => (
                Err(Code::InvalidGrant),
                kept,
                vec![],
                EventKind::RefreshRefused(RefreshRefusal::OtherClient),
            ),
            "none" => (
                Err(Code::InvalidGrant),
                kept,
                vec![],
                EventKind::RefreshRefused(RefreshRefusal::NotOurs),
            ),
            "7b" => (
                Err(Code::Unavailable),
                kept,
                vec![],
                EventKind::RefreshRefused(RefreshRefusal::TooLate),
            ),
            "9" => {
                let row = Session {
                    revoked: Some((now, RevokeReason::Reuse)),
                    ..kept
                };
                let event = EventKind::RefreshReuse {
                    age: now.since(before.superseded_at.unwrap_or(before.created_at)),
                    generation_gap: before.generation - shown.generation,
                    context_differs: before
                        .context
                        .is_some_and(|context| context != shown.context),
                };
                (
                    Err(Code::InvalidGrant),
                    row,
                    vec![Fact::Session(before.sid)],
                    event,
                )
            }
            "5" => (
                Ok(token.to_owned()),
                kept,
                vec![],
                EventKind::Refreshed(Refreshed::Held),
            ),
            "5, fixed" => {
                let row = Session {
                    idle_exp: now.plus(ms(30 * 86_400_000)).min(before.abs_exp),
                    last_seen_at: now,
                    last_seen: seen(after)?,
                    ..kept
                };
                let event = EventKind::Refreshed(Refreshed::Extended);
                (Ok(token.to_owned()), row, vec![], event)
            }
            "7" => {
                let predecessor = world.parse(token).secret;
                let sealed = before.sealed_successor.as_deref().unwrap();
                let opened = open_successor(
                    &predecessor,
                    before.sid,
                    shown.generation,
                    before.generation,
                    sealed,
                )
                .unwrap();
                let successor = world.mint(before.sid, before.generation, &opened, false);
                (
                    Ok(successor),
                    kept,
                    vec![],
                    EventKind::Refreshed(Refreshed::Repeated),
                )
            }
            _ => {
                let Ok(tokens) = outcome else {
                    return Err(format!("{outcome:?}"));
                };
                let given = world.parse(&tokens.refresh);
                let predecessor = world.parse(token).secret;
                let sealed = after.sealed_successor.as_deref().unwrap();
                let next = before.generation + 1;
                let opened =
                    open_successor(&predecessor, before.sid, shown.generation, next, sealed);
                if (given.generation, opened.as_deref()) != (next, Some(&*given.secret)) {
                    return Err("what is sealed is not what was given".into());
                }
                let rotated = Session {
                    generation: next,
                    current: given.hash(),
                    sealed_successor: after.sealed_successor.clone(),
                    rotated_at: Some(now),
                    last_seen_at: now,
                    last_seen: seen(after)?,
                    ..kept
                };
                if number == "6" {
                    let row = Session {
                        previous: Some(Predecessor {
                            generation: shown.generation,
                            hash: shown.hash,
                        }),
                        superseded_at: Some(now),
                        confirmed: false,
                        context: Some(shown.context),
                        idle_exp: now.plus(ms(30 * 86_400_000)).min(before.abs_exp),
                        ..rotated
                    };
                    (
                        Ok(tokens.refresh.clone()),
                        row,
                        vec![],
                        EventKind::Refreshed(Refreshed::Rotated),
                    )
                } else {
                    let logged = vec![Fact::Generation(before.sid, next)];
                    (
                        Ok(tokens.refresh.clone()),
                        rotated,
                        logged,
                        EventKind::Refreshed(Refreshed::Reminted),
                    )
                }
            }
        };
        let answered = outcome
            .as_ref()
            .map(|tokens| tokens.refresh.clone())
            .map_err(|(code, _)| *code);
        let waits = outcome.as_ref().err().and_then(|(_, seconds)| *seconds);
        let left = (2 * world.rules.window)
            .saturating_sub(before.rotated_at.map_or(0, |at| millis(now.since(at))));
        let same = |holds: bool, why: String| if holds { Ok(()) } else { Err(why) };
        same(
            answered == answer,
            format!("answered {answered:?}, expected {answer:?}"),
        )?;
        same(
            *after == row,
            format!("the row is {after:?}, expected {row:?}, was {before:?}"),
        )?;
        same(
            self.logged == logged,
            format!("logged {:?}, expected {logged:?}", self.logged),
        )?;
        same(
            number != "7b" || waits == Some(left.div_ceil(1000).max(1)),
            format!("Retry-After is {waits:?}"),
        )?;
        let may_be_silent = shown.is_retired && matches!(number, "2" | "3");
        same(
            may_be_silent || self.event.as_ref() == Some(&event),
            format!("told {:?}, expected {event:?}", self.event),
        )
    }
}

/// R79: no value of a store at rest is a refresh token, even with the hash in place of the secret.
#[test]
pub(crate) fn nothing_of_a_row_can_be_presented() {
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        world.refreshed(&visit.tokens.refresh).await.unwrap();
        let row = world.row(&visit).await;
        let sealed = row.sealed_successor.clone().unwrap();
        let bytes = [
            row.current.to_vec(),
            row.previous.clone().unwrap().hash.to_vec(),
            sealed,
        ]
        .concat();
        for window in bytes.windows(16) {
            for generation in 0..2 {
                let token = world.mint(visit.sid, generation, window.try_into().unwrap(), true);
                assert_eq!(world.refreshed(&token).await, Err(Code::InvalidGrant));
            }
        }
        assert_eq!(world.row(&visit).await, row);
    });
}

fn store_sid(token: &str, world: &World) -> SessionId {
    world.parse(token).sid
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .try_into()
        .unwrap()
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}

const OWN: &str = "first-party";
const OTHER: &str = "somebody-else";
const DEVICES: [&str; 2] = ["", "another"];

/// Returns where a session was used from after a step that writes it: each request comes from another
/// address.
fn seen(after: &Session) -> Result<Option<LastSeen>, String> {
    match &after.last_seen {
        Some(seen) if seen.ip.is_some() && seen.history.is_empty() => Ok(after.last_seen.clone()),
        other => Err(format!("used from {other:?}")),
    }
}
