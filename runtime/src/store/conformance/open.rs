//! Clauses of `open_session`: the rows that are written, and when the subject has to be loaded
//! again.

use super::fixture::*;
use crate::device::Device;
use crate::store::{Authenticated, NewSession, OnLimit, Opened, Session, SessionPage, Target};

/// Returns a session as it is when it has just been opened.
fn opened(new: &NewSession, epoch: u64) -> Session {
    Session {
        sid: new.sid,
        subject: new.subject.clone(),
        client_id: new.client_id.clone(),
        device: new.device.clone(),
        generation: 0,
        current: new.current,
        previous: None,
        rotated_at: None,
        superseded_at: None,
        sealed_successor: None,
        confirmed: false,
        context: None,
        auth_time: new.auth_time,
        acr: new.acr.clone(),
        claims: new.claims.clone(),
        created_at: NOW,
        last_seen_at: NOW,
        last_seen: None,
        idle_exp: new.idle_exp,
        abs_exp: new.abs_exp,
        is_brief: new.is_brief,
        revoked: None,
        epoch,
    }
}

clauses! {
    /// A session reads back with every value it was opened with: at generation 0, unconfirmed,
    /// without a predecessor, created and last seen at `now`.
    5 open_session a_session_reads_back_as_it_was_opened(store) {
        let mut opening = new(1, "ada", NOW);
        opening.client_id = "mobile".to_owned();
        opening.device = Device::new(
            Some("Адас phone \u{1f4f1}".to_owned()),
            Some("d-1".to_owned()),
        );
        opening.device.user_agent = Some("curl/8".to_owned());
        opening.device.ip = Some("2001:db8::1".to_owned());
        opening.auth_time = at(0).minus(SECOND);
        opening.acr = Some("mfa".to_owned());
        opening.claims = Some((0..=u8::MAX).cycle().take(4096).collect());
        open(&store, opening.clone(), NOW).await?;
        same!(row(&store, 1, NOW).await?, opened(&opening, 0));
        same!(row(&store, 1, NOW).await?.claims, opening.claims);
    }

    /// A value that is `None` stays `None`, and one that is empty stays empty.
    6 open_session nothing_and_empty_are_kept_apart(store) {
        let nothing = new(1, "ada", NOW);
        let mut empty = new(2, "ada", NOW);
        empty.device = Device::new(Some(String::new()), Some(String::new()));
        empty.acr = Some(String::new());
        empty.claims = Some(Vec::new());
        for opening in [nothing, empty] {
            open(&store, opening.clone(), NOW).await?;
            same!(
                store.session(opening.sid, NOW).await?,
                Some(opened(&opening, 0))
            );
        }
    }

    /// A `sid` that exists already is an error, for every subject, and the existing session stays
    /// as it is.
    7 open_session a_taken_id_is_an_error_and_changes_nothing(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        let before = row(&store, 1, NOW).await?;
        let mut second = new(1, "mallory", at(1));
        second.current = hash(77);
        second.tokens = vec![token(1, "mallory", NOW)];
        ensure!(
            store.open_session(second, at(1)).await.is_err(),
            "a taken id was given a second time"
        );
        same!(row(&store, 1, NOW).await?, before);
        same!(found(&store, every_token(), NOW).await?, []);
        same!(store.sessions_of("mallory".to_owned(), SessionPage::ALL, NOW).await?, []);
    }

    /// The registry rows of a session are written with it.
    8 open_session the_tokens_of_a_session_are_registered_with_it(store) {
        let mut opening = new(1, "ada", NOW);
        let mut first = token(1, "ada", NOW);
        first.sid = Some(sid(1));
        first.generation = Some(0);
        let mut second = token(2, "ada", at(1));
        second.parent = Some(jti(1));
        opening.tokens = vec![first.clone(), second.clone()];
        open(&store, opening, NOW).await?;
        same!(store.tokens(every_token(), NOW).await?, [first, second]);
    }

    /// A subject that never changed opens for `Since` with any time, and for `After` with 1970.
    9 open_session an_unchanged_subject_opens(store) {
        let early = crate::clock::Timestamp::from_millis(1);
        open(&store, new(1, "ada", early), early).await?;
        let mut after = new(2, "ada", NOW);
        after.authenticated = Authenticated::After(crate::clock::Timestamp::default());
        open(&store, after, NOW).await?;
    }

    /// `Since(s)` with a subject that changed at `s` less one second or later gets `Reload` with
    /// that time.
    10 open_session a_subject_that_changed_since_is_loaded_again(store) {
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        for start in [NOW, NOW.minus(SECOND), NOW.plus(SECOND)] {
            let mut opening = new(1, "ada", NOW);
            opening.authenticated = Authenticated::Since(start);
            same!(
                store.open_session(opening, at(1)).await?,
                Opened::Reload { changed_at: NOW }
            );
        }
    }

    /// `Since(s)` opens where the subject changed more than a second before `s`.
    11 open_session a_subject_that_changed_before_opens(store) {
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        let mut opening = new(1, "ada", NOW);
        opening.authenticated = Authenticated::Since(at(1001));
        open(&store, opening, at(1001)).await?;
    }

    /// `After(t)` opens where `changed_at` is still `t`, and gets `Reload` with the later one where
    /// it moved again.
    12 open_session a_subject_that_changed_again_is_loaded_again(store) {
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        let mut opening = new(1, "ada", NOW);
        opening.authenticated = Authenticated::After(NOW);
        open(&store, opening, NOW).await?;

        revoke(&store, Target::RefreshOf("ada".to_owned()), at(7)).await?;
        let mut opening = new(2, "ada", NOW);
        opening.authenticated = Authenticated::After(NOW);
        same!(
            store.open_session(opening, NOW).await?,
            Opened::Reload { changed_at: at(7) }
        );
    }

    /// Another subject's change does not count for this one.
    13 open_session another_subjects_change_does_not_count(store) {
        for other in ["Ada", "ada ", "ad", "adaa"] {
            revoke(&store, Target::Subject(other.to_owned()), NOW).await?;
        }
        open(&store, new(1, "ada", NOW), NOW).await?;
    }

    /// `Reload` comes before the limit, and writes nothing: no session, no token, no eviction,
    /// nothing logged.
    14 open_session loading_again_comes_before_the_limit_and_writes_nothing(store) {
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        let mut first = new(1, "ada", NOW);
        first.authenticated = Authenticated::After(NOW);
        open(&store, first, NOW).await?;
        let log = whole_log(&store, NOW).await?;
        for on_limit in [OnLimit::Deny, OnLimit::EvictOldest] {
            let mut second = limited(2, "ada", NOW, 1, on_limit);
            second.tokens = vec![token(1, "ada", NOW)];
            same!(
                store.open_session(second, NOW).await?,
                Opened::Reload { changed_at: NOW }
            );
        }
        same!(store.session(sid(2), NOW).await?, None);
        same!(store.sessions_of("ada".to_owned(), SessionPage::ALL, NOW).await?.len(), 1);
        same!(found(&store, every_token(), NOW).await?, []);
        same!(whole_log(&store, NOW).await?, log);
    }

    /// The answer carries the effective epoch: the highest of the subject's, the client's and the
    /// global one.
    15 open_session the_answer_carries_the_effective_epoch(store) {
        same!(open(&store, new(1, "ada", NOW), NOW).await?, 0);
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        let later = NOW.plus(MINUTE);
        let subject = open(&store, new(2, "ada", later), later).await?;
        ensure!(subject > 0, "the subject's epoch does not count");
        revoke(&store, Target::Client("first-party".to_owned()), NOW).await?;
        let client = open(&store, new(3, "ada", later), later).await?;
        ensure!(client > subject, "the client's epoch does not count");
        revoke(&store, Target::Everything, NOW).await?;
        let everything = open(&store, new(4, "ada", later), later).await?;
        ensure!(everything > client, "the global epoch does not count");
        same!(row(&store, 4, later).await?.epoch, everything);
    }
}
