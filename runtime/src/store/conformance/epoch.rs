//! Clauses of `revoke`: all epochs are on one scale (R90, R91).

use std::collections::BTreeSet;

use super::fixture::*;
use crate::store::{Fact, Revocation, RevokeReason, Store, Target};

/// Returns the epochs that tokens of four sessions would carry: ada and grace, each for two
/// clients.
async fn given_out(store: &Store) -> Result<[u64; 4], super::broken::Broken> {
    let mut epochs = [0; 4];
    for (number, epoch) in (1..).zip(&mut epochs) {
        *epoch = row(store, number, NOW).await?.epoch;
    }
    Ok(epochs)
}

/// Bumps an epoch, and returns the one in the entry.
async fn bump(store: &Store, target: Target) -> Result<u64, super::broken::Broken> {
    match revoke(store, target, NOW).await?.entries.as_slice() {
        [entry] => match &entry.fact {
            Fact::Subject(_, epoch) | Fact::Client(_, epoch) | Fact::Everything(epoch) => {
                Ok(*epoch)
            }
            other => Err(super::broken::Broken::new(format!(
                "a bump logged {other:?}"
            ))),
        },
        other => Err(super::broken::Broken::new(format!(
            "a bump logged {other:?}"
        ))),
    }
}

clauses! {
    /// In any order of bumps, the entry's minimum is above every epoch given out before for its
    /// target, and no epoch given out afterwards is below it.
    75 revoke every_bump_is_above_what_was_given_out(store) {
        let sessions = [
            (1, "ada", "web"),
            (2, "ada", "mobile"),
            (3, "grace", "web"),
            (4, "grace", "mobile"),
        ];
        for (number, subject, client) in sessions {
            let mut opening = new(number, subject, NOW);
            opening.client_id = client.to_owned();
            open(&store, opening, NOW).await?;
        }
        let ada = || {
            (
                Target::AccessOf("ada".to_owned()),
                [true, true, false, false],
            )
        };
        let grace = || {
            (
                Target::Subject("grace".to_owned()),
                [false, false, true, true],
            )
        };
        let web = || (Target::Client("web".to_owned()), [true, false, true, false]);
        let mobile = || {
            (
                Target::Client("mobile".to_owned()),
                [false, true, false, true],
            )
        };
        let everything = || (Target::Everything, [true; 4]);
        let bumps = [
            ada(),
            ada(),
            mobile(),
            web(),
            grace(),
            web(),
            mobile(),
            ada(),
            everything(),
            ada(),
            mobile(),
            grace(),
            grace(),
            web(),
            everything(),
            everything(),
            mobile(),
            ada(),
            web(),
            grace(),
            everything(),
            web(),
        ];
        for (target, concerned) in bumps {
            let before = given_out(&store).await?;
            let minimum = bump(&store, target.clone()).await?;
            let after = given_out(&store).await?;
            for ((before, after), concerned) in before.into_iter().zip(after).zip(concerned) {
                ensure!(
                    before <= after,
                    "{target:?} moved an epoch back from {before} to {after}"
                );
                if concerned {
                    ensure!(
                        before < minimum,
                        "{target:?} has minimum {minimum}, but {before} was given out"
                    );
                    ensure!(
                        after >= minimum,
                        "{target:?} has minimum {minimum}, but {after} is given out"
                    );
                } else {
                    same!(after, before);
                }
            }
        }
    }

    /// A subject's epoch outlives its sessions, and counts for the next one.
    76 revoke an_epoch_outlives_its_sessions(store) {
        for _ in 0..3 {
            revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        }
        let later = NOW.plus(DAY);
        same!(open(&store, new(1, "ada", later), later).await?, 3);
        same!(open(&store, new(2, "grace", later), later).await?, 0);
    }

    /// Sixty-four bumps of one subject at once give sixty-four epochs, and the highest counts.
    77 revoke bumps_at_once_are_all_different(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |_| {
            let store = shared.clone();
            let (target, reason) = (Target::AccessOf("ada".to_owned()), RevokeReason::Requested);
            async move {
                store
                    .revoke(
                        Revocation {
                            target,
                            reason,
                            until: at(600_000),
                        },
                        NOW,
                    )
                    .await
            }
        })
        .await?;
        let epochs: BTreeSet<_> = answers
            .into_iter()
            .flat_map(|done| done.entries)
            .filter_map(|entry| {
                if let Fact::Subject(_, epoch) = entry.fact {
                    Some(epoch)
                } else {
                    None
                }
            })
            .collect();
        same!(
            epochs.into_iter().collect::<Vec<_>>(),
            (1..=64).collect::<Vec<u64>>()
        );
        same!(row(&store, 1, NOW).await?.epoch, 64);
    }
}
