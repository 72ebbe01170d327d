//! P7: a stolen refresh token is worth nothing after two rotations of its owner.

use proptest::prelude::*;
use tollgate::prelude::*;

use crate::probe::Detail;
use crate::wild::{ensure, waits};
use crate::world::{Rules, Tokens, World, client, random, tries_enough};

/// An act of the owner of a session, or of a thief. Neither comes within a window of the other's
/// rotation.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The owner refreshes with what is stored. Its answer may get lost.
    Refresh {
        is_lost: bool,
    },
    /// The owner uses the access token that is stored.
    Use,
    /// The thief, from the same device as far as anybody can tell, presents the token it got so
    /// many tokens ago.
    Steal(u8),
    /// The thief uses the access token it got last.
    Abuse,
    Settle,
    Wait(u64),
}

/// The one who rotated last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Party {
    Owner,
    Thief,
}

struct Scene<'a> {
    world: &'a World,
    last: Option<Party>,
    rotations: u32,
}

impl Scene<'_> {
    /// Presents a token, at lag > W_c of the other's rotation.
    async fn present(
        &mut self,
        party: Party,
        token: &str,
        row: &tollgate::store::Session,
    ) -> Result<Tokens, Code> {
        let window = self.world.rules.window;
        if let Some(rotated_at) = row.rotated_at
            && self.last.is_some_and(|last| last != party)
        {
            let age = u64::try_from(self.world.now().since(rotated_at).as_millis()).unwrap();
            self.world.wait((window + 1).saturating_sub(age));
        }
        let done = self.world.probe.count();
        let outcome = self.world.refreshed(token).await;
        for op in &self.world.probe.ops()[done..] {
            match op.detail {
                Detail::Advanced(..) => {
                    self.rotations += u32::from(party == Party::Owner);
                    self.last = Some(party);
                }
                Detail::Reminted(..) => self.last = Some(party),
                Detail::Held(_) | Detail::Extended(..) | Detail::Lost | Detail::None => {}
            }
        }
        outcome
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => prop::bool::weighted(0.3).prop_map(|is_lost| Act::Refresh { is_lost }),
        3 => Just(Act::Use),
        4 => (0..3_u8).prop_map(Act::Steal),
        2 => Just(Act::Abuse),
        4 => Just(Act::Settle),
        8 => waits().prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..60)
}

/// R67, R68.
#[test]
pub(crate) fn p7_a_copy_is_dead_or_the_session_is_after_two_rotations_of_the_owner() {
    // Counts the cases in which the owner rotated twice, and those in which the session ended
    // before.
    let met = std::cell::Cell::new((0, 0));
    random(
        200,
        &Rules::ALL,
        &(acts(), 0..20_usize),
        async |world, (acts, theft)| {
            let visit = world.arrive().await;
            let mut stored = visit.tokens.clone();
            let mut stolen: Vec<Tokens> = Vec::new();
            let mut scene = Scene {
                world,
                last: None,
                rotations: 0,
            };
            for (at, act) in acts.into_iter().enumerate() {
                if at == theft {
                    stolen.push(stored.clone());
                    scene.rotations = 0;
                }
                let row = world.row(&visit).await;
                match act {
                    Act::Refresh { is_lost } => {
                        let outcome = scene.present(Party::Owner, &stored.refresh, &row).await;
                        if let (Ok(tokens), false) = (outcome, is_lost) {
                            stored = tokens;
                        }
                    }
                    Act::Use => {
                        let _ = world.admits(0, &stored.access).await;
                    }
                    Act::Steal(age) => {
                        if let Some(tokens) = stolen.iter().nth_back(usize::from(age)).cloned()
                            && let Ok(tokens) =
                                scene.present(Party::Thief, &tokens.refresh, &row).await
                        {
                            stolen.push(tokens);
                        }
                    }
                    Act::Abuse => {
                        if let Some(tokens) = stolen.last() {
                            let _ = world.admits(0, &tokens.access).await;
                        }
                    }
                    Act::Settle => world.settle(0).await,
                    Act::Wait(millis) => world.wait(millis),
                }
                if scene.rotations < 2 {
                    continue;
                }
                let row = world.row(&visit).await;
                let counts = stolen.iter().any(|tokens| {
                    let said = world.parse(&tokens.refresh);
                    said.hash() == row.current
                        || row.previous.as_ref().is_some_and(|p| p.hash == said.hash())
                });
                ensure(!counts || row.revoked.is_some(), || {
                    "the thief's token outlived two rotations of the owner".into()
                })?;
            }
            // The thief tries everything it has.
            let (outlived, ended) = met.get();
            let (is_stolen, is_over) = (
                !stolen.is_empty(),
                world.row(&visit).await.revoked.is_some(),
            );
            met.set((
                outlived + u32::from(is_stolen && scene.rotations >= 2),
                ended + u32::from(is_stolen && is_over),
            ));
            if scene.rotations >= 2 {
                for tokens in stolen {
                    world.wait(2 * world.rules.window + 1);
                    let outcome = world.refreshed(&tokens.refresh).await;
                    ensure(outcome == Err(Code::InvalidGrant), || {
                        format!("the thief got {outcome:?}")
                    })?;
                }
            }
            Ok(())
        },
    );
    assert!(
        !tries_enough() || met.get().0 >= 100 && met.get().1 >= 100,
        "{met:?}"
    );
}

/// R68: the second of the two to come ends the session, access tokens included, on every node.
#[test]
pub(crate) fn p7_whoever_comes_second_ends_the_session() {
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let first = world.refreshed(&visit.tokens.refresh).await.unwrap();
        world.admits(0, &first.access).await.unwrap();
        world.settle(0).await;
        world.wait(20_001);
        assert_eq!(
            world.refreshed(&visit.tokens.refresh).await,
            Err(Code::InvalidGrant)
        );
        for node in [0, 1] {
            assert_eq!(
                world.admits(node, &first.access).await,
                Err(Code::InvalidToken)
            );
        }
        assert_eq!(
            world.refreshed(&first.refresh).await,
            Err(Code::InvalidGrant)
        );
    });
}

/// The honest limit: a thief who comes within the window of every refresh of the owner is not
/// noticed.
#[test]
fn p7_a_thief_within_the_window_is_not_caught() {
    crate::world::on_both_stores(Rules::AWARE, async |world| {
        let visit = world.arrive().await;
        let (mut owner, mut thief) = (visit.tokens.clone(), visit.tokens.clone());
        for _ in 0..5 {
            owner = world.refreshed(&owner.refresh).await.unwrap();
            world.wait(world.rules.window);
            thief = world
                .refresh(1, &thief.refresh, client(""))
                .finish()
                .await
                .unwrap();
            assert_eq!(owner.refresh, thief.refresh);
            world.wait(world.rules.window + 1);
        }
    });
}
