//! Clauses of `consume_once`, `put_once`, `take_once`, `keys` and `swap_keys`.

use super::fixture::*;
use crate::store::{OnceValue, StoredKeys};

fn value(kind: &str, number: u32, payload: &[u8]) -> OnceValue {
    OnceValue {
        kind: kind.to_owned(),
        hash: hash(number),
        payload: payload.to_vec(),
        until: at(1000),
        bound: None,
    }
}

clauses! {
    /// The first caller gets a key; other callers do not while its `until` is after `now`, and from
    /// then on it is free.
    102 consume_once a_key_is_consumed_once_until_it_ends(store) {
        same!(store.consume_once(hash(1), at(1000), NOW).await?, true);
        same!(store.consume_once(hash(1), at(9000), NOW).await?, false);
        same!(store.consume_once(hash(1), at(9000), at(999)).await?, false);
        same!(store.consume_once(hash(2), at(1000), NOW).await?, true);
        same!(store.consume_once(hash(1), at(2000), at(1000)).await?, true);
        same!(
            store.consume_once(hash(1), at(2000), at(1999)).await?,
            false
        );
    }

    /// Of sixty-four callers at once, one gets the key, even if an expired one is in its place.
    103 consume_once of_sixty_four_callers_one_consumes(store) {
        for now in [NOW, at(1000)] {
            let shared = store.clone();
            let answers = together(64, move |_| {
                let store = shared.clone();
                async move { store.consume_once(hash(1), now.plus(SECOND), now).await }
            })
            .await?;
            same!(answers.into_iter().filter(|consumed| *consumed).count(), 1);
        }
    }

    /// A value is stored if its place is free; a live one of the same kind and hash stays as it is.
    104 put_once a_live_value_is_not_replaced(store) {
        same!(
            store.put_once(value("reset", 1, b"first"), NOW).await?,
            true
        );
        same!(
            store
                .put_once(value("reset", 1, b"second"), at(999))
                .await?,
            false
        );
        same!(
            store
                .take_once("reset".to_owned(), hash(1), at(999))
                .await?,
            Some(b"first".to_vec())
        );
    }

    /// An expired or taken value can be replaced by another one.
    105 put_once an_ended_or_taken_value_is_replaced(store) {
        same!(
            store.put_once(value("reset", 1, b"first"), NOW).await?,
            true
        );
        let second = OnceValue {
            until: at(2000),
            ..value("reset", 1, b"second")
        };
        same!(store.put_once(second, at(1000)).await?, true);
        same!(
            store
                .take_once("reset".to_owned(), hash(1), at(1000))
                .await?,
            Some(b"second".to_vec())
        );
        same!(
            store.put_once(value("reset", 1, b"third"), NOW).await?,
            true
        );
        same!(
            store.take_once("reset".to_owned(), hash(1), NOW).await?,
            Some(b"third".to_vec())
        );
    }

    /// Values of two kinds do not conflict, nor do values and consumed keys.
    106 put_once kinds_and_keys_never_meet(store) {
        same!(store.consume_once(hash(1), at(1000), NOW).await?, true);
        for kind in ["", "reset", "Reset", "reset:", ":"] {
            same!(
                store.put_once(value(kind, 1, kind.as_bytes()), NOW).await?,
                true
            );
        }
        same!(store.consume_once(hash(1), at(1000), NOW).await?, false);
        for kind in ["", "reset", "Reset", "reset:", ":"] {
            same!(
                store.take_once(kind.to_owned(), hash(1), NOW).await?,
                Some(kind.as_bytes().to_vec())
            );
        }
        same!(store.consume_once(hash(1), at(1000), NOW).await?, false);
        same!(store.put_once(value("reset", 2, b""), NOW).await?, true);
        same!(store.consume_once(hash(2), at(1000), NOW).await?, true);
    }

    /// Of sixty-four callers at once, one stores its value, and that value is the one that is
    /// taken.
    107 put_once of_sixty_four_callers_one_puts(store) {
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                store
                    .put_once(value("reset", 1, &number.to_be_bytes()), NOW)
                    .await
            }
        })
        .await?;
        let winners: Vec<u32> = (0..)
            .zip(answers)
            .filter(|(_, put)| *put)
            .map(|(number, _)| number)
            .collect();
        same!(winners.len(), 1);
        let taken = store.take_once("reset".to_owned(), hash(1), NOW).await?;
        same!(
            taken,
            winners.first().map(|number| number.to_be_bytes().to_vec())
        );
    }

    /// A payload of any bytes is taken out once.
    108 take_once a_value_is_taken_once(store) {
        let payload: Vec<u8> = (0..=u8::MAX).collect();
        store.put_once(value("reset", 1, &payload), NOW).await?;
        store.put_once(value("empty", 1, b""), NOW).await?;
        same!(
            store.take_once("reset".to_owned(), hash(2), NOW).await?,
            None
        );
        same!(
            store.take_once("reset".to_owned(), hash(1), NOW).await?,
            Some(payload)
        );
        same!(
            store.take_once("reset".to_owned(), hash(1), NOW).await?,
            None
        );
        same!(
            store.take_once("empty".to_owned(), hash(1), NOW).await?,
            Some(Vec::new())
        );
    }

    /// A value cannot be taken at `until` or later.
    109 take_once an_ended_value_is_not_taken(store) {
        store.put_once(value("reset", 1, b"1"), NOW).await?;
        store.put_once(value("reset", 2, b"2"), NOW).await?;
        same!(
            store
                .take_once("reset".to_owned(), hash(1), at(999))
                .await?,
            Some(b"1".to_vec())
        );
        same!(
            store
                .take_once("reset".to_owned(), hash(2), at(1000))
                .await?,
            None
        );
    }

    /// Of sixty-four callers at once, one takes the value.
    110 take_once of_sixty_four_callers_one_takes(store) {
        for round in 0..4 {
            store.put_once(value("reset", round, b"1"), NOW).await?;
            let shared = store.clone();
            let answers = together(64, move |_| {
                let store = shared.clone();
                async move { store.take_once("reset".to_owned(), hash(round), NOW).await }
            })
            .await?;
            same!(
                answers.into_iter().flatten().collect::<Vec<_>>(),
                [b"1".to_vec()]
            );
        }
    }

    /// A ring that was never stored is version 0 without bytes.
    111 keys a_ring_that_was_never_stored_is_empty(store) {
        same!(
            store.keys().await?,
            StoredKeys {
                version: 0,
                ring: Vec::new()
            }
        );
    }

    /// A swap with the present version replaces the ring and adds one to the version.
    112 swap_keys the_ring_is_swapped_at_its_version(store) {
        for version in 0..4 {
            let ring = vec![u8::try_from(version).unwrap_or(0); 300];
            same!(store.swap_keys(version, ring.clone(), NOW).await?, true);
            same!(
                store.keys().await?,
                StoredKeys {
                    version: version + 1,
                    ring
                }
            );
        }
    }

    /// A swap with another version writes nothing, also for a ring that was never stored.
    113 swap_keys a_swap_at_another_version_is_refused(store) {
        same!(store.swap_keys(1, vec![1], NOW).await?, false);
        same!(
            store.keys().await?,
            StoredKeys {
                version: 0,
                ring: Vec::new()
            }
        );
        same!(store.swap_keys(0, vec![1], NOW).await?, true);
        for version in [0, 2, u64::MAX] {
            same!(store.swap_keys(version, vec![2], NOW).await?, false);
        }
        same!(
            store.keys().await?,
            StoredKeys {
                version: 1,
                ring: vec![1]
            }
        );
    }

    /// Of sixty-four swaps at once, one succeeds, on an empty store and on a full one.
    114 swap_keys of_sixty_four_swaps_one_is_done(store) {
        for version in 0..3 {
            let shared = store.clone();
            let answers = together(64, move |number| {
                let store = shared.clone();
                async move {
                    store
                        .swap_keys(version, number.to_be_bytes().to_vec(), NOW)
                        .await
                }
            })
            .await?;
            let winners: Vec<u32> = (0..)
                .zip(answers)
                .filter(|(_, done)| *done)
                .map(|(number, _)| number)
                .collect();
            same!(winners.len(), 1);
            let keys = store.keys().await?;
            same!(keys.version, version + 1);
            same!(
                Some(keys.ring),
                winners.first().map(|number| number.to_be_bytes().to_vec())
            );
        }
    }
}
