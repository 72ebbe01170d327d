//! Clauses of `sessions_of`: pages.

use super::fixture::*;
use super::session::sids;
use crate::store::{SessionPage, Target};

clauses! {
    /// A list comes in pages, which continue after a session that has ended since: no session comes
    /// twice, and none is left out, even if sessions opened in the same millisecond.
    191 sessions_of a_list_comes_in_pages(store) {
        for number in 0..10 {
            open(&store, new(number, "ada", NOW), at(u64::from(number / 4))).await?;
        }
        open(&store, new(99, "grace", NOW), NOW).await?;
        let mut order = sids(store.sessions_of("ada".to_owned(), SessionPage::ALL, at(9)).await?);
        same!(order.len(), 10);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = SessionPage { after, limit: 3 };
            let rows = store.sessions_of("ada".to_owned(), page, at(9)).await?;
            let Some(last) = rows.last() else { break };
            ensure!(rows.len() <= 3, "a page has {} sessions", rows.len());
            after = Some((last.created_at, last.sid));
            // The sessions of a page end before the next page is asked for.
            revoke(&store, Target::Session(last.sid), at(9)).await?;
            seen.extend(sids(rows));
        }
        same!(seen, order);
        // The third of each page ends, and the tenth, which is alone on the last.
        let mut place = 0;
        order.retain(|_| {
            place += 1;
            place % 3 != 0 && place != 10
        });
        let rest = store.sessions_of("ada".to_owned(), SessionPage::ALL, at(9)).await?;
        same!(sids(rest), order);
    }

    /// A page begins after any place in the order, whether or not a session was ever there; a page
    /// of no sessions is empty.
    192 sessions_of a_page_begins_behind_a_place(store) {
        for number in 1..4 {
            open(&store, new(number, "ada", NOW), at(5)).await?;
        }
        for (after, limit, expected) in [
            (Some((at(4), sid(9))), 9, vec![sid(1), sid(2), sid(3)]),
            (Some((at(5), sid(0))), 9, vec![sid(1), sid(2), sid(3)]),
            (Some((at(5), sid(1))), 1, vec![sid(2)]),
            (Some((at(5), sid(3))), 9, vec![]),
            (Some((at(6), sid(0))), 9, vec![]),
            (None, 2, vec![sid(1), sid(2)]),
            (None, 0, vec![]),
        ] {
            let page = SessionPage { after, limit };
            let rows = store.sessions_of("ada".to_owned(), page, at(9)).await?;
            same!(sids(rows), expected);
        }
    }
}
