//! Clauses of `reauthenticate` and `attach`.

use super::fixture::*;
use crate::device::Device;
use crate::store::{Session, Target};

clauses! {
    /// A live session gets the fresh `auth_time` and `acr`, counts as seen, and is otherwise
    /// unchanged: neither expiry moves.
    125 reauthenticate a_live_session_takes_a_fresh_authentication(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        rotate(&store, advance(1, 0, 1, 2, at(1000)), at(1000)).await?;
        let before = row(&store, 1, NOW).await?;
        let answer = store
            .reauthenticate(sid(1), at(5000), Some("mfa".to_owned()), None, at(5001))
            .await?;
        let after = Session {
            auth_time: at(5000),
            acr: Some("mfa".to_owned()),
            last_seen_at: at(5001),
            ..before
        };
        same!(answer.as_ref(), Some(&after));
        same!(row(&store, 1, NOW).await?, after);
    }

    /// An authentication without `acr` replaces one with it: the older `acr` does not describe the
    /// newer authentication.
    126 reauthenticate an_older_acr_does_not_outlive_its_authentication(store) {
        let mut opening = new(1, "ada", NOW);
        opening.acr = Some("mfa".to_owned());
        open(&store, opening, NOW).await?;
        store.reauthenticate(sid(1), at(1), None, None, at(1)).await?;
        same!(row(&store, 1, NOW).await?.acr, None);
    }

    /// The answer carries the effective epoch of that moment.
    127 reauthenticate the_answer_carries_the_present_epoch(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        let answer = store.reauthenticate(sid(1), at(1), None, None, at(1)).await?;
        same!(
            answer.map(|session| session.epoch),
            Some(row(&store, 1, NOW).await?.epoch)
        );
        ensure!(
            row(&store, 1, NOW).await?.epoch > 0,
            "the epoch was not bumped"
        );
    }

    /// For an unknown, a revoked and an expired session the answer is `None`, and the session stays
    /// as it is.
    128 reauthenticate a_dead_session_is_not_authenticated_again(store) {
        same!(
            store.reauthenticate(sid(9), at(1), None, None, at(1)).await?,
            None
        );
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        for (number, now) in [(1, at(1)), (2, NOW.plus(IDLE)), (2, NOW.plus(ABSOLUTE))] {
            let before = row(&store, number, NOW).await?;
            same!(
                store
                    .reauthenticate(sid(number), now, Some("mfa".to_owned()), None, now)
                    .await?,
                None
            );
            same!(row(&store, number, NOW).await?, before);
        }
    }

    /// A live session gets the whole device, and nothing else of it changes.
    129 attach a_live_session_takes_the_device(store) {
        let mut opening = new(1, "ada", NOW);
        opening.device = Device::new(Some("old".to_owned()), Some("old-id".to_owned()));
        open(&store, opening, NOW).await?;
        let before = row(&store, 1, NOW).await?;
        let mut device = Device::new(Some("phone".to_owned()), None);
        device.user_agent = Some("curl/8".to_owned());
        device.ip = Some("192.0.2.1".to_owned());
        device.hints.model = Some("Pixel \"9\"".to_owned());
        device.hints.mobile = Some(true);
        same!(store.attach(sid(1), device.clone(), at(1)).await?, true);
        same!(row(&store, 1, NOW).await?, Session { device, ..before });
    }

    /// For an unknown, a revoked and an expired session the answer is `false`, and the session
    /// stays as it is.
    130 attach a_dead_session_takes_no_device(store) {
        let device = Device::new(Some("phone".to_owned()), None);
        same!(store.attach(sid(9), device.clone(), NOW).await?, false);
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(1)), NOW).await?;
        for (number, now) in [(1, at(1)), (2, NOW.plus(IDLE)), (2, NOW.plus(ABSOLUTE))] {
            let before = row(&store, number, NOW).await?;
            same!(store.attach(sid(number), device.clone(), now).await?, false);
            same!(row(&store, number, NOW).await?, before);
        }
    }
}
