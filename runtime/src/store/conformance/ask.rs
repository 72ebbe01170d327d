//! Clauses of `consume_once` and `put_once` as questions, which write nothing.

use super::fixture::*;
use crate::store::{Archived, OnceValue};

fn value(payload: &[u8]) -> OnceValue {
    OnceValue {
        kind: "reset".to_owned(),
        hash: hash(1),
        payload: payload.to_vec(),
        until: at(1000),
        bound: None,
    }
}

clauses! {
    /// A key that would be consumed until `now` or before is only asked about: nothing is written.
    145 consume_once a_key_that_would_not_count_is_only_asked_for(store) {
        for until in [NOW, NOW.minus(SECOND)] {
            same!(store.consume_once(hash(1), until, NOW).await?, true);
        }
        same!(store.archive(at(1), 100, at(1)).await?, Archived::default());
        same!(store.consume_once(hash(1), at(1000), NOW).await?, true);
        for until in [NOW, at(999)] {
            same!(store.consume_once(hash(1), until, at(999)).await?, false);
        }
        same!(store.consume_once(hash(1), at(1000), at(1000)).await?, true);
    }

    /// A value whose `until` is `now` or before is only asked about: nothing is written, and a
    /// value that is there stays as it is.
    146 put_once a_value_that_would_not_count_is_only_asked_for(store) {
        let until = |until| OnceValue { until, ..value(b"none") };
        for until in [until(NOW), until(NOW.minus(SECOND))] {
            same!(store.put_once(until, NOW).await?, true);
        }
        same!(store.archive(at(1), 100, at(1)).await?, Archived::default());
        same!(store.take_once("reset".to_owned(), hash(1), NOW).await?, None);
        same!(store.put_once(value(b"first"), NOW).await?, true);
        for until in [until(NOW), until(at(999))] {
            same!(store.put_once(until, at(999)).await?, false);
        }
        same!(store.put_once(until(NOW), at(1000)).await?, true);
        same!(
            store.take_once("reset".to_owned(), hash(1), NOW).await?,
            Some(b"first".to_vec())
        );
    }
}
