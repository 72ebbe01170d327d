//! Clauses of every operation on one realm: the handle of a realm answers as if the others were
//! empty, and changes nothing in them.

use std::future::Future;
use std::time::Duration;

use super::broken::Broken;
use super::fixture::*;
use super::realm::realm;
use crate::device::Device;
use crate::store::{
    Archived, Fact, Limit, LogCursor, LogEntry, OnLimit, OnceValue, Revoked, Rotated, SessionPage,
    Spent, Store, SubjectState, Target,
};

/// Checks an operation on an empty realm beside a full one: once with the default realm as the full
/// one, once with two named realms.
pub(super) async fn apart<Fut: Future<Output = Result<(), Broken>>>(
    store: &Store,
    check: impl Fn(Store, LogCursor) -> Fut,
) -> Result<(), Broken> {
    for (full, empty) in [(None, "staff"), (Some("partners"), "agents")] {
        let full = match full {
            None => store.clone(),
            Some(name) => realm(store, name).await?,
        };
        fill(&full).await?;
        let before = seen(&full).await?;
        let cursor = full.log_since(LogCursor::START, NOW).await?.cursor;
        check(realm(store, empty).await?, cursor).await?;
        same!(seen(&full).await?, before);
        ensure!(
            !full.consume_once(hash(1), at(9000), NOW).await?,
            "a key that another realm consumed is free"
        );
        let taken = full.take_once("kind".to_owned(), hash(1), NOW).await?;
        same!(taken, Some(vec![1]));
        let spent = full
            .spend("key".to_owned(), 1, LIMITS.to_vec(), NOW)
            .await?;
        ensure!(spent != Spent::Allowed, "a budget that was spent is full");
    }
    Ok(())
}

/// Writes a row of each kind into a realm.
async fn fill(full: &Store) -> Result<(), Broken> {
    open(full, new(1, "ada", NOW), NOW).await?;
    open(full, new(2, "ada", NOW), NOW).await?;
    revoke(full, Target::Client("web".to_owned()), NOW).await?;
    revoke(full, Target::AccessOf("ada".to_owned()), NOW).await?;
    revoke(full, Target::Session(sid(2)), NOW).await?;
    full.record_tokens(vec![token(1, "ada", NOW), token(2, "ada", NOW)], NOW)
        .await?;
    full.set_paused(true, NOW).await?;
    full.set_paused(true, NOW).await?;
    full.consume_once(hash(1), at(9000), NOW).await?;
    full.put_once(value(), NOW).await?;
    full.spend("key".to_owned(), 3, LIMITS.to_vec(), NOW)
        .await?;
    Ok(())
}

/// Returns the contents of a realm, as far as they can be read without a change.
async fn seen(store: &Store) -> Result<String, Broken> {
    let log = whole_log(store, NOW).await?;
    let sessions = (
        store.session(sid(1), NOW).await?,
        store.session(sid(2), NOW).await?,
    );
    let tokens = store.tokens(every_token(), NOW).await?;
    let subject = store.subject("ada".to_owned(), "web".to_owned()).await?;
    let health = store.health(NOW).await?;
    Ok(format!(
        "{log:?} {sessions:?} {tokens:?} {subject:?} {health:?}"
    ))
}

fn value() -> OnceValue {
    OnceValue {
        kind: "kind".to_owned(),
        hash: hash(1),
        payload: vec![1],
        until: at(9000),
        bound: None,
    }
}

/// Three at once, full again after a minute.
const LIMITS: [Limit; 1] = [Limit {
    burst: 3,
    period: MINUTE,
}];

clauses! {
    /// Making the namespace again leaves every realm as it is.
    147 migrate a_realm_is_migrated_alone(store) {
        apart(&store, |realm, _| async move {
            realm.migrate(NOW).await?;
            same!(whole_log(&realm, NOW).await?, []);
            same!(realm.tokens(every_token(), NOW).await?, []);
            Ok(())
        })
        .await?;
    }

    /// Live sessions of other realms do not count.
    148 health a_realm_knows_its_own_sessions_alone(store) {
        apart(&store, |realm, _| async move {
            same!(realm.health(NOW).await?.has_live_sessions, false);
            Ok(())
        })
        .await?;
    }

    /// The id of another realm's session is free, its subject's changes and sessions do not count,
    /// and none of its sessions is evicted.
    149 open_session a_realm_opens_beside_the_others(store) {
        apart(&store, |realm, _| async move {
            let mut opening = limited(1, "ada", NOW, 1, OnLimit::Deny);
            opening.client_id = "web".to_owned();
            same!(open(&realm, opening, NOW).await?, 0);
            let evicting = limited(2, "ada", NOW, 1, OnLimit::EvictOldest);
            realm.open_session(evicting, NOW).await?;
            ensure!(!row(&realm, 1, NOW).await?.is_live(NOW), "nothing was evicted");
            Ok(())
        })
        .await?;
    }

    /// Another realm's session is not found.
    150 session another_realms_session_is_not_read(store) {
        apart(&store, |realm, _| async move {
            same!(realm.session(sid(1), NOW).await?, None);
            Ok(())
        })
        .await?;
    }

    /// Another realm's session is not rotated, not held, and not minted again.
    151 rotate another_realms_session_is_not_rotated(store) {
        apart(&store, |realm, _| async move {
            for rotation in [advance(1, 0, 1, 9, NOW), hold(1, 0), remint(1, 0, 9, NOW)] {
                same!(realm.rotate(rotation, NOW).await?, Rotated::Lost);
            }
            Ok(())
        })
        .await?;
    }

    /// Another realm's session is not confirmed.
    152 confirm another_realms_session_is_not_confirmed(store) {
        apart(&store, |realm, _| async move {
            same!(realm.confirm(vec![(sid(1), 0)], NOW).await?, 0);
            Ok(())
        })
        .await?;
    }

    /// No target reaches into another realm, not even `Everything`: nothing is ended there, nothing
    /// is logged there, and no epoch moves.
    153 revoke no_revocation_reaches_another_realm(store) {
        apart(&store, |realm, _| async move {
            let ada = || "ada".to_owned();
            for target in [
                Target::Session(sid(1)),
                Target::Token(jti(1)),
                Target::Tree(jti(1)),
                Target::AccessOf(ada()),
                Target::RefreshOf(ada()),
                Target::Subject(ada()),
                Target::Others { subject: ada(), keep: sid(2) },
                Target::Client("first-party".to_owned()),
                Target::Everything,
            ] {
                let Revoked { sessions, tokens, .. } = revoke(&realm, target, NOW).await?;
                same!((sessions, tokens), (0, 0));
            }
            Ok(())
        })
        .await?;
    }

    /// A subject of the same name has no sessions here.
    154 sessions_of another_realms_sessions_are_not_listed(store) {
        apart(&store, |realm, _| async move {
            same!(realm.sessions_of("ada".to_owned(), SessionPage::ALL, NOW).await?, []);
            Ok(())
        })
        .await?;
    }

    /// The epochs of another realm (a subject's, a client's, the global one) do not count, and
    /// neither do its marks and changes.
    155 subject another_realms_epochs_do_not_count(store) {
        apart(&store, |realm, _| async move {
            let state = realm.subject("ada".to_owned(), "web".to_owned()).await?;
            same!(state, SubjectState::default());
            Ok(())
        })
        .await?;
    }

    /// The id of another realm's token is free.
    156 record_tokens a_token_is_registered_beside_another_realms(store) {
        apart(&store, |realm, _| async move {
            let own = token(1, "grace", at(5));
            same!(realm.record_tokens(vec![own.clone()], NOW).await?, 1);
            same!(realm.tokens(every_token(), NOW).await?, [own]);
            Ok(())
        })
        .await?;
    }

    /// Another realm's tokens are not found.
    157 tokens another_realms_tokens_are_not_found(store) {
        apart(&store, |realm, _| async move {
            same!(found(&realm, every_token(), NOW).await?, []);
            Ok(())
        })
        .await?;
    }

    /// Another realm's log is not read; a cursor of it is not an error.
    158 log_since another_realms_log_is_not_read(store) {
        apart(&store, |realm, cursor| async move {
            same!(whole_log(&realm, NOW).await?, []);
            let done = revoke(&realm, Target::Session(sid(7)), NOW).await?;
            same!(whole_log(&realm, NOW).await?, done.entries);
            let page = realm.log_since(LogCursor::START, NOW).await?;
            same!(realm.log_since(page.cursor, NOW).await?.entries, []);
            realm.log_since(cursor, NOW).await?;
            Ok(())
        })
        .await?;
    }

    /// The wait ends after `patience`, and a cursor of another realm does no harm.
    159 changed a_realm_waits_for_its_own_log(store) {
        apart(&store, |realm, cursor| async move {
            realm.changed(cursor, Duration::from_millis(20)).await?;
            Ok(())
        })
        .await?;
    }

    /// Nothing of another realm is deleted.
    160 archive another_realms_rows_are_not_deleted(store) {
        apart(&store, |realm, _| async move {
            let end = NOW.plus(ABSOLUTE * 2);
            same!(realm.archive(end, 1000, end).await?, Archived::default());
            Ok(())
        })
        .await?;
    }

    /// A key that another realm consumed is free.
    161 consume_once a_key_is_consumed_in_its_realm(store) {
        apart(&store, |realm, _| async move {
            ensure!(realm.consume_once(hash(1), at(9), NOW).await?, "it is taken");
            Ok(())
        })
        .await?;
    }

    /// A value of the same kind and hash can be in each realm.
    162 put_once a_value_is_put_into_its_realm(store) {
        apart(&store, |realm, _| async move {
            let own = OnceValue { payload: vec![2], ..value() };
            ensure!(realm.put_once(own, NOW).await?, "its place is taken");
            let taken = realm.take_once("kind".to_owned(), hash(1), NOW).await?;
            same!(taken, Some(vec![2]));
            Ok(())
        })
        .await?;
    }

    /// Another realm's value is not taken.
    163 take_once another_realms_value_is_not_taken(store) {
        apart(&store, |realm, _| async move {
            let taken = realm.take_once("kind".to_owned(), hash(1), NOW).await?;
            same!(taken, None);
            Ok(())
        })
        .await?;
    }

    /// A budget that was spent in another realm is full in this one.
    164 spend a_budget_is_the_realms(store) {
        apart(&store, |realm, _| async move {
            let spent = realm.spend("key".to_owned(), 3, LIMITS.to_vec(), NOW).await?;
            same!(spent, Spent::Allowed);
            Ok(())
        })
        .await?;
    }

    /// Another realm's session is not authenticated again.
    165 reauthenticate another_realms_session_is_not_authenticated(store) {
        apart(&store, |realm, _| async move {
            same!(realm.reauthenticate(sid(1), NOW, None, None, NOW).await?, None);
            Ok(())
        })
        .await?;
    }

    /// Another realm's session gets no device.
    166 attach another_realms_session_takes_no_device(store) {
        apart(&store, |realm, _| async move {
            let device = Device { name: Some("other".to_owned()), ..Device::default() };
            same!(realm.attach(sid(1), device, NOW).await?, false);
            Ok(())
        })
        .await?;
    }

    /// A pause concerns one realm, and so does the count of pauses.
    167 set_paused a_realm_is_paused_alone(store) {
        apart(&store, |realm, _| async move {
            realm.set_paused(false, NOW).await?;
            let fact = Fact::Paused(false, 1);
            let until = crate::clock::Timestamp::MAX;
            same!(whole_log(&realm, NOW).await?, [LogEntry { fact, until }]);
            Ok(())
        })
        .await?;
    }
}
