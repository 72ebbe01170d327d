//! A thief with a copy of one moment's tokens, who comes a fixed while after each refresh of the
//! owner.

use std::time::Duration;

use crate::chance::Chance;
use crate::deployment::{Deployment, Tokens};

/// The behaviour of a thief.
#[derive(Clone, Copy)]
pub(crate) struct Thief {
    /// The time after each refresh of the owner at which it refreshes.
    pub(crate) lag: Duration,
    /// `true` where it uses the access tokens that it gets, `false` where it only refreshes.
    pub(crate) uses: bool,
}

/// The time after the theft in which the thief had a valid token, and whether the theft was
/// noticed, which ends the session for both.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    pub(crate) span: Duration,
    pub(crate) was_noticed: bool,
}

/// The owner refreshes whenever the token is about to run out, alone and over a perfect network,
/// for a day's work after the theft.
pub(crate) async fn day(deployment: &Deployment, thief: Thief, seed: u64) -> Life {
    let mut chance = Chance::new(seed);
    let mut owner = deployment.sign_in(seed).await;
    for _ in 0..1 + (chance.unit() * 4.0) as u32 {
        owner = refresh(deployment, &mut chance, &owner)
            .await
            .expect("nobody is there yet who could end the session");
    }
    deployment.until(deployment.now().plus(thief.lag));
    let stolen = deployment.now();
    let end = stolen.plus(LONG);
    let mut held = owner.clone();
    // When an answer to the owner killed the access token that the thief holds.
    let mut killed_at = None;
    loop {
        let now = deployment.now();
        if now >= end {
            return Life {
                span: LONG,
                was_noticed: false,
            };
        }
        let good_until = killed_at.unwrap_or(now).min(held.until);
        match deployment.refresh(&held.refresh).await {
            Ok(tokens) => held = tokens,
            // It came too late, or with a token that had been replaced.
            Err(_) => {
                return Life {
                    span: good_until.since(stolen),
                    was_noticed: deployment.has_noticed(),
                };
            }
        }
        if thief.uses {
            deployment.admits(&held.access).await;
        }
        match refresh(deployment, &mut chance, &owner).await {
            Some(tokens) => owner = tokens,
            None => {
                let good_until = deployment.now().min(held.until);
                return Life {
                    span: good_until.since(stolen),
                    was_noticed: deployment.has_noticed(),
                };
            }
        }
        killed_at = deployment.has_reminted().then(|| deployment.now());
        deployment.until(deployment.now().plus(thief.lag));
    }
}

/// The owner waits until the token is about to run out, refreshes, and uses what comes. Where that
/// is a refusal, nothing.
async fn refresh(deployment: &Deployment, chance: &mut Chance, owner: &Tokens) -> Option<Tokens> {
    let early = EARLY.saturating_sub(chance.between(Duration::ZERO, Duration::from_secs(1)));
    deployment.until(owner.until.minus(early).max(deployment.now()));
    let tokens = deployment.refresh(&owner.refresh).await.ok()?;
    deployment.admits(&tokens.access).await;
    Some(tokens)
}

const LONG: Duration = Duration::from_secs(8 * 3600);
const EARLY: Duration = Duration::from_secs(30);
