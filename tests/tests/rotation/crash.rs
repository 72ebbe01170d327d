//! P9 and the 503s: a crash at any await, and a failure of any operation, leave what whole
//! operations leave; the client goes on.

use std::sync::atomic::Ordering;

use tollgate::clock::Timestamp;
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate::store::{Fact, LogCursor, Session};

use crate::probe::Fault;
use crate::world::{Kind, Rules, Stepper, Tokens, Visit, World, client, kinds, on_both_stores};

/// The operation that is crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    Rotate,
    Keep,
    Replay,
    Remint,
    Reuse,
    ClosedAccount,
    SignIn,
    Revoke,
    RevokeSubject,
    RevokeOthers,
}

const SCENES: [Scene; 10] = [
    Scene::Rotate,
    Scene::Keep,
    Scene::Replay,
    Scene::Remint,
    Scene::Reuse,
    Scene::ClosedAccount,
    Scene::SignIn,
    Scene::Revoke,
    Scene::RevokeSubject,
    Scene::RevokeOthers,
];

/// A scene that is set: who is there, what was handed out, and the request.
struct Stage {
    visit: Visit,
    tokens: Vec<Tokens>,
    token: String,
    cursor: LogCursor,
    request: Stepper<Result<(), Code>>,
}

impl Stage {
    async fn set(world: &World, scene: Scene) -> Self {
        let visit = world.arrive().await;
        let mut tokens = vec![visit.tokens.clone()];
        if matches!(
            scene,
            Scene::Keep | Scene::Replay | Scene::Remint | Scene::Reuse
        ) {
            tokens.push(world.refreshed(&visit.tokens.refresh).await.unwrap());
        }
        if scene == Scene::Reuse {
            world.admits(0, &tokens[1].access).await.unwrap();
            world.settle(0).await;
        }
        if matches!(scene, Scene::Remint | Scene::Reuse) {
            world.wait(20_001);
        }
        if scene == Scene::ClosedAccount {
            world.accounts.set_disabled(&visit.email, true);
        }
        let token = if scene == Scene::Keep {
            &tokens[1]
        } else {
            &tokens[0]
        }
        .refresh
        .clone();
        let (gate, user, subject) = (
            world.nodes[0].gate.clone(),
            world.accounts.user(&visit.email),
            world.accounts.id_of(&visit.email),
        );
        let (sid, text) = (visit.sid, token.clone());
        let request = Stepper::new(&world.probe, async move {
            let revoke = match scene {
                Scene::SignIn => {
                    return gate
                        .sign_in(user, &client(""))
                        .await
                        .map(drop)
                        .map_err(|refusal| refusal.code());
                }
                Scene::Revoke => Revoke::session(sid),
                Scene::RevokeSubject => Revoke::subject(subject),
                Scene::RevokeOthers => Revoke::others(subject, SessionId::from_bytes([0; 16])),
                _ => {
                    return gate
                        .refresh(&text, &client(""))
                        .await
                        .map(drop)
                        .map_err(|refusal| refusal.code());
                }
            };
            gate.revoke(revoke)
                .await
                .map(drop)
                .map_err(|_| Code::Unavailable)
        });
        Self {
            cursor: world.probe.cursor().await,
            visit,
            tokens,
            token,
            request,
        }
    }

    /// All that the store says of the subject, without what is random.
    async fn shape(&self, world: &World) -> Vec<String> {
        world.probe.flush().await;
        let row = world.row(&self.visit).await;
        let mut shape = vec![shape(&row, self.visit.opened)];
        let sessions = world
            .at_once(world.nodes[1].gate.sessions().of(&row.subject))
            .await
            .unwrap();
        shape.push(format!("{} live sessions", sessions.len()));
        shape.extend(
            world
                .probe
                .logged(&self.cursor)
                .await
                .into_iter()
                .map(|fact| match fact {
                    Fact::Session(sid) => format!("ended, this one: {}", sid == self.visit.sid),
                    Fact::Generation(_, least) => format!("generations from {least}"),
                    Fact::Subject(_, least) => format!("epochs from {least}"),
                    other => format!("{other:?}"),
                }),
        );
        shape
    }

    /// Asserts that a client who was signed in before is told no lie: ended sessions stay ended,
    /// others go on.
    async fn goes_on(&self, world: &World, scene: Scene) {
        let row = world.row(&self.visit).await;
        if row.revoked.is_some() {
            assert_eq!(
                world.refreshed(&self.token).await,
                Err(Code::InvalidGrant),
                "{scene:?}"
            );
            // The node that crashed between the store and its view learns it from the log.
            for node in [0, 1] {
                assert!(
                    world
                        .admits(node, &self.tokens[self.tokens.len() - 1].access)
                        .await
                        .is_err(),
                    "{scene:?}"
                );
            }
            return;
        }
        match scene {
            Scene::Reuse | Scene::ClosedAccount => {
                assert_eq!(
                    world.refreshed(&self.token).await,
                    Err(Code::InvalidGrant),
                    "{scene:?}"
                );
                assert!(world.row(&self.visit).await.revoked.is_some());
            }
            _ => {
                let next = get_through(world, &self.token).await;
                assert_eq!(world.admits(1, &next.access).await, Ok(()), "{scene:?}");
            }
        }
    }
}

/// An honest client tries again, and waits between where it is told to.
async fn get_through(world: &World, token: &str) -> Tokens {
    for _ in 0..4 {
        match world.refreshed(token).await {
            Ok(tokens) => return tokens,
            Err(code) => assert_eq!(code, Code::Unavailable),
        }
        world.wait(6_000);
    }
    panic!("an honest client did not get through");
}

fn shape(row: &Session, opened: Timestamp) -> String {
    let since = |at: Timestamp| i128::from(at.as_millis()) - i128::from(opened.as_millis());
    format!(
        "gen {} prev {:?} rotated {:?} superseded {:?} sealed {} confirmed {} ctx {} seen {} idle \
         {} abs {} revoked {:?} epoch {}",
        row.generation,
        row.previous,
        row.rotated_at.map(since),
        row.superseded_at.map(since),
        row.sealed_successor.is_some(),
        row.confirmed,
        row.context.is_some(),
        since(row.last_seen_at),
        since(row.idle_exp),
        since(row.abs_exp),
        row.revoked.map(|(at, reason)| (since(at), reason)),
        row.epoch,
    )
}

/// The device limit is one, so that a sign-in evicts.
async fn limited(kind: Kind) -> World {
    World::with(kind, Rules::AWARE, |mut settings| {
        settings.session.device_limit = Some(1);
        settings.session.on_limit = OnLimit::EvictOldest;
        settings
    })
    .await
}

fn on_limited_stores(test: impl AsyncFn(World)) {
    for kind in kinds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { test(limited(*kind).await).await });
    }
}

/// The states between the operations of a scene, and how many points it has.
async fn prefixes(world: &World, scene: Scene) -> (Vec<Vec<String>>, usize) {
    let mut stage = Stage::set(world, scene).await;
    let (mut states, mut points) = (vec![stage.shape(world).await], 0);
    while stage.request.step().await.is_none() {
        points += 1;
        states.push(stage.shape(world).await);
    }
    states.push(stage.shape(world).await);
    states.dedup();
    (states, points)
}

/// R67. Just before and just after each operation, in the backend, and in the middle of what
/// another thread does.
#[test]
pub(crate) fn p9_a_crash_leaves_what_a_prefix_of_whole_operations_leaves() {
    on_limited_stores(async |world| {
        for scene in SCENES {
            let (states, points) = prefixes(&world, scene).await;
            // No scene writes twice: a crash leaves all of it or nothing.
            let writes = usize::from(!matches!(scene, Scene::Keep | Scene::Replay));
            assert_eq!(states.len(), 1 + writes, "{scene:?}: {states:#?}");
            assert!(points >= 2, "{scene:?}");
            for point in 1..=points {
                for in_the_middle in [false, true] {
                    let mut stage = Stage::set(&world, scene).await;
                    for _ in 0..point {
                        assert!(stage.request.step().await.is_none());
                    }
                    if in_the_middle && stage.request.poke().await.is_some() {
                        // It was answered in one go: nothing was left to crash.
                        continue;
                    }
                    // The request is dropped.
                    stage.request = Stepper::new(&world.probe, std::future::pending());
                    let found = stage.shape(&world).await;
                    assert!(
                        states.contains(&found),
                        "{scene:?} at {point}, in the middle: {in_the_middle}: {found:#?}"
                    );
                    stage.goes_on(&world, scene).await;
                }
            }
        }
    });
}

/// P9: the old token still refreshes, however long after the crash, until the window for lost
/// answers ends.
#[test]
pub(crate) fn p9_after_a_crash_the_old_token_still_refreshes() {
    on_both_stores(Rules::AWARE, async |world| {
        for scene in [Scene::Rotate, Scene::Remint] {
            let (_, points) = prefixes(&world, scene).await;
            for delay in [
                0, 1, 5_000, 10_000, 10_001, 15_000, 20_000, 20_001, 60_000, 79_000,
            ] {
                for point in 1..=points {
                    let mut stage = Stage::set(&world, scene).await;
                    for _ in 0..point {
                        assert!(stage.request.step().await.is_none());
                    }
                    stage.request = Stepper::new(&world.probe, std::future::pending());
                    world.wait(delay);
                    let next = get_through(&world, &stage.token).await;
                    world.admits(0, &next.access).await.unwrap();
                }
            }
        }
    });
}

/// R81: 503 means that nothing changed, and the retry works. Where the commit was done and only its
/// answer got lost, too.
#[test]
pub(crate) fn a_503_changes_nothing_and_loses_no_token() {
    on_limited_stores(async |world| {
        for scene in SCENES {
            let (states, _) = prefixes(&world, scene).await;
            for fault in [Fault::Before, Fault::After] {
                for skip in 0.. {
                    let mut stage = Stage::set(&world, scene).await;
                    let before = stage.shape(&world).await;
                    world.probe.fail(skip, fault);
                    let request = std::mem::replace(
                        &mut stage.request,
                        Stepper::new(&world.probe, std::future::pending()),
                    );
                    let outcome = request.finish().await;
                    if world.probe.is_fault_pending() {
                        assert!(skip > 0, "{scene:?}: there is no first operation");
                        break;
                    }
                    assert_eq!(
                        outcome,
                        Err(Code::Unavailable),
                        "{scene:?}, operation {skip}, {fault:?}"
                    );
                    let after = stage.shape(&world).await;
                    match fault {
                        Fault::Before => assert_eq!(after, before, "{scene:?}, operation {skip}"),
                        Fault::After => assert!(
                            states.contains(&after),
                            "{scene:?}, operation {skip}: {after:#?}"
                        ),
                    }
                    stage.goes_on(&world, scene).await;
                }
            }
        }
    });
}

/// R76, R81: a user's backend that is down is a 503 like a store that is down.
#[test]
pub(crate) fn a_backend_that_is_down_changes_nothing_and_loses_no_token() {
    on_both_stores(Rules::AWARE, async |world| {
        for scene in [Scene::Rotate, Scene::Keep, Scene::Replay, Scene::Remint] {
            let mut stage = Stage::set(&world, scene).await;
            let before = stage.shape(&world).await;
            let request = std::mem::replace(
                &mut stage.request,
                Stepper::new(&world.probe, std::future::pending()),
            );
            world.accounts.is_down.store(true, Ordering::SeqCst);
            let outcome = request.finish().await;
            world.accounts.is_down.store(false, Ordering::SeqCst);
            assert_eq!(outcome, Err(Code::Unavailable), "{scene:?}");
            assert_eq!(stage.shape(&world).await, before, "{scene:?}");
            stage.goes_on(&world, scene).await;
        }
    });
}
