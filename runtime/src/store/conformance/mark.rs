//! Clauses of the marks of subjects, and of values that are taken together with the opening of a
//! session.

use super::apart::apart;
use super::broken::Broken;
use super::fixture::*;
use crate::store::{
    Authenticated, BoundMark, NewSession, OnLimit, OnceKey, OnceValue, Opened, Revocation,
    RevokeReason, Session, SessionPage, Store, SubjectState, Target,
};

async fn state(store: &Store, subject: &str) -> Result<SubjectState, Broken> {
    let client = "first-party".to_owned();
    Ok(store.subject(subject.to_owned(), client).await?)
}

/// Returns value `number`, bound to the present mark of a subject.
async fn bound(store: &Store, number: u32, subject: &str) -> Result<OnceValue, Broken> {
    let mark = state(store, subject).await?.mark;
    let bound = Some(BoundMark {
        subject: subject.to_owned(),
        client_id: "first-party".to_owned(),
        mark,
    });
    Ok(OnceValue {
        bound,
        ..value(number)
    })
}

/// Returns value `number`, which is not bound to a subject.
fn value(number: u32) -> OnceValue {
    OnceValue {
        kind: "step".to_owned(),
        hash: hash(number),
        payload: number.to_be_bytes().to_vec(),
        until: at(60_000),
        bound: None,
    }
}

fn key(number: u32) -> OnceKey {
    OnceKey {
        kind: "step".to_owned(),
        hash: hash(number),
    }
}

/// Returns session `number` of a subject, which takes value `takes`.
fn taking(number: u32, subject: &str, takes: u32) -> NewSession {
    NewSession {
        takes: Some(key(takes)),
        ..new(number, subject, NOW)
    }
}

async fn read(store: &Store, number: u32) -> Result<Option<Vec<u8>>, Broken> {
    let OnceKey { kind, hash } = key(number);
    Ok(store.read_once(kind, hash, NOW).await?)
}

async fn take(store: &Store, number: u32) -> Result<Option<Vec<u8>>, Broken> {
    let OnceKey { kind, hash } = key(number);
    Ok(store.take_once(kind, hash, NOW).await?)
}

async fn revoke_for(store: &Store, target: Target, reason: RevokeReason) -> Result<bool, Broken> {
    let revocation = Revocation {
        target,
        reason,
        until: NOW.plus(10 * MINUTE),
    };
    let moves = revocation.moves_mark();
    store.revoke(revocation, NOW).await?;
    Ok(moves)
}

/// Returns every target that names a subject.
fn targets(subject: &str) -> [Target; 4] {
    let subject = || subject.to_owned();
    [
        Target::AccessOf(subject()),
        Target::RefreshOf(subject()),
        Target::Subject(subject()),
        Target::Others {
            subject: subject(),
            keep: sid(1),
        },
    ]
}

clauses! {
    /// A subject that never changed is at epoch zero and 1970. A change has the time of the last
    /// revocation that named the subject, plus a millisecond where two would have the same.
    174 subject it_tells_when_the_subject_changed(store) {
        same!(state(&store, "ada").await?, SubjectState::default());
        open(&store, new(1, "ada", NOW), NOW).await?;
        same!(state(&store, "ada").await?, SubjectState::default());
        for (number, target) in (0..).zip(targets("ada")) {
            revoke(&store, target, NOW).await?;
            same!(state(&store, "ada").await?.changed_at, at(number));
        }
        revoke(&store, Target::Session(sid(1)), at(9)).await?;
        same!(state(&store, "ada").await?.changed_at, at(3));
        same!(state(&store, "Ada").await?, SubjectState::default());
    }

    /// The mark of a subject moves where `moves_mark` says so, whether or not its epoch does, and
    /// otherwise stays; no other subject's mark moves.
    175 revoke the_mark_moves_with_credentials_and_stays_with_roles(store) {
        revoke(&store, Target::Client("web".to_owned()), NOW).await?;
        let mut moved = 0;
        for _ in 0..2 {
            for reason in RevokeReason::ALL {
                for target in targets("ada") {
                    let before = state(&store, "ada").await?;
                    let what = format!("{target:?} for {reason:?}");
                    let moves = revoke_for(&store, target, reason).await?;
                    let after = state(&store, "ada").await?;
                    ensure!(
                        (after.mark > before.mark) == moves && after.mark >= before.mark,
                        "{what} took the mark from {} to {}", before.mark, after.mark
                    );
                    moved += u32::from(moves);
                }
            }
        }
        same!(moved, 2 * (7 + 1));
        same!(state(&store, "grace").await?.mark, 0);
    }

    /// Ending a client or everything moves the mark of every subject, for that client; ending a
    /// session, a token or a key moves no mark.
    176 revoke the_mark_moves_with_what_ends_every_token(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        let mark = async || Ok::<_, Broken>(
            (state(&store, "ada").await?.mark, state(&store, "nobody").await?.mark)
        );
        let mut before = mark().await?;
        for target in [
            Target::Session(sid(1)),
            Target::Token(jti(1)),
            Target::Tree(jti(1)),
            Target::Key("k".to_owned()),
            Target::Client("web".to_owned()),
        ] {
            revoke(&store, target, NOW).await?;
            same!(mark().await?, before);
        }
        for target in [
            Target::Client("first-party".to_owned()),
            Target::Everything,
            Target::Client("first-party".to_owned()),
        ] {
            revoke(&store, target.clone(), NOW).await?;
            let after = mark().await?;
            ensure!(
                after.0 > before.0 && after.1 > before.1,
                "{target:?} took the marks from {before:?} to {after:?}"
            );
            before = after;
        }
    }

    /// A value that is bound to a mark is taken while the mark is the same, however often the
    /// subject's roles change; one that is not bound is taken whatever changes.
    177 take_once a_bound_value_outlives_a_change_of_roles(store) {
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        store.put_once(value(2), NOW).await?;
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        revoke(&store, Target::RefreshOf("ada".to_owned()), NOW).await?;
        let subject = Target::Subject("ada".to_owned());
        revoke_for(&store, subject, RevokeReason::RolesChanged).await?;
        revoke(&store, Target::Subject("grace".to_owned()), NOW).await?;
        same!(take(&store, 1).await?, Some(value(1).payload));
        same!(take(&store, 1).await?, None);
        revoke(&store, Target::Everything, NOW).await?;
        same!(take(&store, 2).await?, Some(value(2).payload));
    }

    /// A value can no longer be taken once the mark to which it is bound has moved.
    178 take_once a_bound_value_ends_with_its_mark(store) {
        let ada = || "ada".to_owned();
        let changes = [
            (Target::Subject(ada()), RevokeReason::PasswordChanged),
            (Target::Others { subject: ada(), keep: sid(1) }, RevokeReason::PasswordChanged),
            (Target::Subject(ada()), RevokeReason::SignOutAll),
            (Target::Client("first-party".to_owned()), RevokeReason::Requested),
            (Target::Everything, RevokeReason::Requested),
        ];
        for (number, (target, reason)) in (1..).zip(changes) {
            store.put_once(bound(&store, number, "ada").await?, NOW).await?;
            revoke_for(&store, target.clone(), reason).await?;
            ensure!(take(&store, number).await?.is_none(), "{target:?} let a value live");
            let others = Target::AccessOf(ada());
            revoke(&store, others, NOW).await?;
            same!(take(&store, number).await?, None);
        }
    }

    /// A value that is read stays there, with any bytes, until it is taken.
    179 read_once a_value_is_read_and_stays(store) {
        let payload: Vec<u8> = (0..=u8::MAX).collect();
        let put = OnceValue { payload: payload.clone(), ..bound(&store, 1, "ada").await? };
        store.put_once(put, NOW).await?;
        store.put_once(OnceValue { payload: Vec::new(), ..value(2) }, NOW).await?;
        for _ in 0..2 {
            same!(read(&store, 1).await?, Some(payload.clone()));
            same!(read(&store, 2).await?, Some(Vec::new()));
        }
        same!(take(&store, 1).await?, Some(payload));
        same!(read(&store, 1).await?, None);
    }

    /// A value that could not be taken is not read: an unknown one, one of another kind, an ended
    /// one, and one whose mark moved.
    180 read_once what_would_not_be_taken_is_not_read(store) {
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        store.consume_once(hash(2), at(60_000), NOW).await?;
        same!(read(&store, 2).await?, None);
        let other = store.read_once("other".to_owned(), hash(1), NOW).await?;
        same!(other, None);
        let step = || "step".to_owned();
        let last = store.read_once(step(), hash(1), at(59_999)).await?;
        same!(last, Some(value(1).payload));
        same!(store.read_once(step(), hash(1), at(60_000)).await?, None);
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        same!(read(&store, 1).await?, None);
    }

    /// A session takes its value. A second session with the same value gets `Gone` and writes
    /// nothing: no session, no token, no eviction, nothing logged.
    181 open_session a_value_opens_one_session(store) {
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        open(&store, taking(1, "ada", 1), NOW).await?;
        same!(read(&store, 1).await?, None);
        let log = whole_log(&store, NOW).await?;
        let mut second = taking(2, "ada", 1);
        second.tokens = vec![token(1, "ada", NOW)];
        second.limit = limited(2, "ada", NOW, 1, OnLimit::EvictOldest).limit;
        same!(store.open_session(second, NOW).await?, Opened::Gone);
        same!(store.session(sid(2), NOW).await?, None);
        ensure!(row(&store, 1, NOW).await?.is_live(NOW), "a session was evicted");
        same!(found(&store, every_token(), NOW).await?, []);
        same!(whole_log(&store, NOW).await?, log);
        let mut other = taking(3, "ada", 2);
        other.takes = Some(OnceKey { kind: "other".to_owned(), hash: hash(1) });
        same!(store.open_session(other, NOW).await?, Opened::Gone);
    }

    /// If no session opens, the value stays: after `Reload`, after `LimitReached`, and after an
    /// error.
    182 open_session a_value_stays_where_no_session_opens(store) {
        open(&store, new(1, "ada", NOW), NOW).await?;
        revoke(&store, Target::AccessOf("ada".to_owned()), NOW).await?;
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        let reloaded = store.open_session(taking(2, "ada", 1), NOW).await?;
        same!(reloaded, Opened::Reload { changed_at: NOW });
        let mut denied = taking(2, "ada", 1);
        denied.authenticated = Authenticated::After(NOW);
        denied.limit = limited(2, "ada", NOW, 1, OnLimit::Deny).limit;
        same!(store.open_session(denied.clone(), NOW).await?, Opened::LimitReached);
        let taken = NewSession { sid: sid(1), limit: None, ..denied.clone() };
        ensure!(store.open_session(taken, NOW).await.is_err(), "a taken id was given again");
        same!(read(&store, 1).await?, Some(value(1).payload));
        open(&store, NewSession { limit: None, ..denied }, NOW).await?;
    }

    /// A value whose mark moved opens no session, even if the change of the subject is expected.
    183 open_session a_value_of_another_mark_opens_nothing(store) {
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        revoke(&store, Target::Subject("ada".to_owned()), NOW).await?;
        let mut opening = taking(1, "ada", 1);
        opening.authenticated = Authenticated::After(NOW);
        same!(store.open_session(opening, NOW).await?, Opened::Gone);
        same!(store.session(sid(1), NOW).await?, None);
    }

    /// Of sixty-four sessions at once that take one value, one opens.
    184 open_session of_sixty_four_sessions_one_takes(store) {
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            // Several subjects, so that no lock of a subject orders them.
            let subject = format!("ada{}", number % 8);
            async move { store.open_session(taking(number, &subject, 1), NOW).await }
        })
        .await?;
        let gone = answers.iter().filter(|answer| **answer == Opened::Gone).count();
        same!(gone, 63);
        let mut live = 0;
        for number in 0..8 {
            live += store.sessions_of(format!("ada{number}"), SessionPage::ALL, NOW).await?.len();
        }
        same!(live, 1);
    }

    /// A renewed authentication takes its value. Without the value nothing is written; if the
    /// session is dead, the value stays.
    185 reauthenticate a_value_renews_one_session_once(store) {
        let acr = || Some("mfa".to_owned());
        open(&store, new(1, "ada", NOW), NOW).await?;
        open(&store, new(2, "ada", NOW), NOW).await?;
        revoke(&store, Target::Session(sid(2)), NOW).await?;
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        let dead = store.reauthenticate(sid(2), at(5), acr(), Some(key(1)), at(5)).await?;
        same!(dead, None);
        let before = row(&store, 1, NOW).await?;
        let without = store.reauthenticate(sid(1), at(5), acr(), Some(key(2)), at(5)).await?;
        same!(without, None);
        same!(row(&store, 1, NOW).await?, before);
        let renewed = store.reauthenticate(sid(1), at(5), acr(), Some(key(1)), at(5)).await?;
        let after = Session { auth_time: at(5), acr: acr(), last_seen_at: at(5), ..before };
        same!(renewed, Some(after.clone()));
        same!(read(&store, 1).await?, None);
        let again = store.reauthenticate(sid(1), at(9), acr(), Some(key(1)), at(9)).await?;
        same!(again, None);
        same!(row(&store, 1, NOW).await?, after);
    }

    /// Of sixty-four renewed authentications at once that take one value, one succeeds.
    186 reauthenticate of_sixty_four_authentications_one_takes(store) {
        for number in 0..8 {
            open(&store, new(number, "ada", NOW), NOW).await?;
        }
        store.put_once(bound(&store, 1, "ada").await?, NOW).await?;
        let shared = store.clone();
        let answers = together(64, move |number| {
            let store = shared.clone();
            async move {
                store.reauthenticate(sid(number % 8), at(5), None, Some(key(1)), at(5)).await
            }
        })
        .await?;
        same!(answers.into_iter().flatten().count(), 1);
        let mut renewed = 0;
        for number in 0..8 {
            renewed += u32::from(row(&store, number, NOW).await?.auth_time == at(5));
        }
        same!(renewed, 1);
    }

    /// Another realm's value is not read.
    187 read_once another_realms_value_is_not_read(store) {
        apart(&store, |realm, _| async move {
            let read = realm.read_once("kind".to_owned(), hash(1), NOW).await?;
            same!(read, None);
            Ok(())
        })
        .await?;
    }
}
