//! Revocation: every target of [`Target`], and the epochs.
//!
//! Several rows are locked in this order: the table of lasting facts, the subject, the tokens of a
//! tree, sessions by `sid`, tokens by `jti`. A statement that has to see the rows of another
//! transaction, because it took a lock that the other one held, comes after the statement that took
//! the lock: each statement has its own snapshot (READ COMMITTED), and that of the one that waited
//! is older than the lock.

use sqlx::Row as _;

use super::fault::Fault;
use super::log::{self, lasting};
use super::realm::{self, Connection, query};
use super::row::{escaped, natural, time};
use super::run::Mode;
use super::token::{self, family};
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::store::record::{
    Fact, LogEntry, Revocation, RevokeReason, Revoked, SubjectState, Target,
};
use crate::store::shared::columns::{millis, subject_columns};
use crate::store::shared::fact::bounded;

/// Returns the mode in which a target is revoked.
///
/// A subject's next epoch is above every client's and the global one, a client's and the global one
/// above every subject's. So bumps of subjects share a lock, and every other bump has that lock for
/// itself.
pub(super) const fn mode(target: &Target) -> Mode {
    match target {
        Target::AccessOf(_) | Target::Subject(_) => Mode::WITHOUT_BUMPS,
        Target::RefreshOf(_) | Target::Others { .. } | Target::Tree(_) => Mode::PLAIN,
        Target::Session(_) | Target::Token(_) => Mode::Statement,
        Target::Key(_) => realm::EVERYWHERE,
        Target::Client(_) | Target::Everything => Mode::BUMPING,
    }
}

pub(super) async fn revoke(
    db: &mut Connection<'_>,
    revocation: &Revocation,
    now: Timestamp,
) -> Result<Revoked, Fault> {
    let Revocation {
        target,
        reason,
        until,
    } = revocation;
    let step = RevocationStep {
        reason: *reason,
        moves_mark: revocation.moves_mark(),
        until: *until,
        now,
    };
    let mut done = Revoked::default();
    match target {
        Target::AccessOf(subject) => done.entries.push(step.bump_subject(db, subject).await?),
        Target::RefreshOf(subject) => {
            step.touch(db, subject).await?;
            done.sessions = step.end_subject(db, subject).await?;
        }
        Target::Subject(subject) => {
            done.entries.push(step.bump_subject(db, subject).await?);
            done.sessions = step.end_subject(db, subject).await?;
        }
        Target::Others { subject, keep } => {
            step.touch(db, subject).await?;
            step.end_others(db, subject, *keep, &mut done).await?;
        }
        Target::Session(sid) => step.end_session(db, *sid, &mut done).await?,
        Target::Token(jti) => step.end_token(db, *jti, &mut done).await?,
        Target::Tree(jti) => {
            token::lock_tree(db, *jti).await?;
            step.end_tree(db, *jti, &mut done).await?;
        }
        Target::Client(client) => {
            let epoch = bump_client(db, client).await?;
            done.entries
                .push(step.entry(Fact::Client(client.clone(), epoch)));
            done.sessions = step.end_client(db, client).await?;
        }
        Target::Key(key) => {
            for tables in realm::everywhere(db).await? {
                let own = db.turn_to(tables);
                let ended = log::end_key(db, key).await;
                db.turn_to(own);
                ended?;
            }
            done.entries.push(step.entry(Fact::Key(key.clone())));
        }
        Target::Everything => {
            let epoch = bump_everything(db).await?;
            done.entries.push(step.entry(Fact::Everything(epoch)));
            done.sessions = step.end_all(db).await?;
        }
    }
    Ok(done)
}

/// Locks sessions in the order of their ids, before the statements that end them one by one. If
/// another transaction has just ended one of them, the snapshot of the later statement shows that
/// end and its log entry.
pub(super) async fn lock_sessions(
    db: &mut Connection<'_>,
    sids: impl Iterator<Item = &SessionId>,
) -> Result<(), Fault> {
    let lock = "SELECT FROM tg_session WHERE sid = ANY($1) ORDER BY sid FOR NO KEY UPDATE";
    let sids: Vec<_> = sids.map(SessionId::as_bytes).collect();
    query(lock).bind(sids).execute(db).await?;
    Ok(())
}

/// Reads the state of a subject, for a client.
pub(super) async fn subject(
    db: &mut Connection<'_>,
    subject: &str,
    client: &str,
) -> Result<SubjectState, Fault> {
    let query = query(concat!("SELECT ", subject_columns!("greatest", "$1", "$2")))
        .bind(escaped(subject))
        .bind(escaped(client));
    let row = query.fetch_one(db).await?;
    Ok(SubjectState {
        epoch: natural(&row, 0)?,
        mark: natural(&row, 1)?,
        changed_at: time(&row, 2)?,
    })
}

/// The values that the parts of a revocation share.
struct RevocationStep {
    reason: RevokeReason,
    moves_mark: bool,
    until: Timestamp,
    now: Timestamp,
}

/// Ends the sessions under a condition that were not revoked before, expired or not, and counts
/// those that were live.
///
/// It ends expired ones too, because another node's clock may be behind, and the session is live
/// there.
macro_rules! end {
    ($condition:literal) => {
        concat!(
            "WITH locked AS (
                SELECT sid FROM tg_session WHERE revoked_at IS NULL",
            $condition,
            " ORDER BY sid FOR NO KEY UPDATE
            ), ended AS (
                UPDATE tg_session s SET revoked_at = $1, revoke_reason = $2 FROM locked
                WHERE s.sid = locked.sid AND s.revoked_at IS NULL
                RETURNING s.idle_exp > $1 AND s.abs_exp > $1 AS was_live
            ) SELECT count(*) FILTER (WHERE was_live) FROM ended"
        )
    };
}

/// Computes until when the log has to remember the end of something that was revoked at a time: no
/// access token of it is younger than that time. So the same end has the same `until`, however
/// often it is asked for.
macro_rules! until_for {
    ($until:literal, $revoked_at:literal, $now:literal) => {
        concat!(
            "greatest(",
            $until,
            "::bigint - greatest(",
            $now,
            "::bigint - coalesce(",
            $revoked_at,
            ", ",
            $now,
            "::bigint), 0), 0)"
        )
    };
}

/// Writes the ends of sessions and tokens that `due` lists with kind, key and `until`, unless they
/// need no entry or one exists that lasts as long. An entry with an earlier time is replaced.
macro_rules! log_ends {
    ($now:literal) => {
        concat!(
            "logged AS (
                INSERT INTO tg_revocation(kind, key, value, until)
                SELECT kind, key, 0, until FROM due WHERE until > ",
            $now,
            "::bigint AND NOT EXISTS (
                    SELECT 1 FROM tg_revocation r
                    WHERE r.kind IN ('session', 'token') AND r.kind = due.kind AND r.key = due.key
                        AND r.until >= due.until)
            ), shorter AS (
                SELECT r.id FROM tg_revocation r JOIN due ON r.kind = due.kind AND r.key = due.key
                WHERE r.kind IN ('session', 'token') AND r.until < due.until ORDER BY r.id FOR \
             UPDATE OF r
            ), replaced AS (
                DELETE FROM tg_revocation r USING shorter WHERE r.id = shorter.id
            )"
        )
    };
}

impl RevocationStep {
    /// Sets `changed_at := max(now, changed_at + 1)`: it grows even if two changes share a
    /// millisecond. Moves the mark, if it has to move.
    async fn touch(&self, db: &mut Connection<'_>, subject: &str) -> Result<(), Fault> {
        let sql = "INSERT INTO tg_subject(uid, uep, changed_at, unmarked)
            VALUES ($1, 0, greatest($2, 1), -$3::bigint)
            ON CONFLICT (uid) DO UPDATE SET changed_at = greatest(excluded.changed_at, \
                   tg_subject.changed_at + 1), unmarked = tg_subject.unmarked + excluded.unmarked";
        query(sql)
            .bind(escaped(subject))
            .bind(millis(self.now))
            .bind(i64::from(self.moves_mark))
            .execute(db)
            .await?;
        Ok(())
    }

    /// Does [`touch`](Self::touch), and sets an epoch above every one that a token of the subject
    /// may carry, which may be any client's.
    async fn bump_subject(
        &self,
        db: &mut Connection<'_>,
        subject: &str,
    ) -> Result<LogEntry, Fault> {
        let sql = "WITH others AS (
                SELECT coalesce(max(value), 0) AS highest FROM tg_epoch WHERE kind IN ('client', \
                   'global')
            ), bumped AS (
                INSERT INTO tg_subject(uid, uep, changed_at, unmarked)
                SELECT $1, 1 + highest, greatest($2, 1), CASE WHEN $5 THEN 0 ELSE 1 + highest END
                FROM others
                ON CONFLICT (uid) DO UPDATE SET uep = 1 + greatest(tg_subject.uep, (SELECT highest \
                   FROM others)),
                    changed_at = greatest(excluded.changed_at, tg_subject.changed_at + 1),
                    unmarked = tg_subject.unmarked + CASE WHEN $5 THEN 0
                        ELSE 1 + greatest(tg_subject.uep, (SELECT highest FROM others)) - \
                   tg_subject.uep END
                RETURNING uep
            ), logged AS (
                INSERT INTO tg_revocation(kind, key, value, until) SELECT 'subject', $3, uep, $4 \
                   FROM bumped
            ) SELECT uep FROM bumped";
        let query = query(sql)
            .bind(escaped(subject))
            .bind(millis(self.now))
            .bind(subject.as_bytes())
            .bind(millis(bounded(self.until)))
            .bind(self.moves_mark);
        let epoch = natural(&query.fetch_one(db).await?, 0)?;
        Ok(self.entry(Fact::Subject(subject.to_owned(), epoch)))
    }

    async fn end_subject(&self, db: &mut Connection<'_>, subject: &str) -> Result<u64, Fault> {
        let query = query(end!(" AND uid = $3"))
            .bind(millis(self.now))
            .bind(self.reason.as_str())
            .bind(escaped(subject));
        natural(&query.fetch_one(db).await?, 0)
    }

    async fn end_client(&self, db: &mut Connection<'_>, client: &str) -> Result<u64, Fault> {
        let query = query(end!(" AND client_id = $3"))
            .bind(millis(self.now))
            .bind(self.reason.as_str());
        natural(&query.bind(escaped(client)).fetch_one(db).await?, 0)
    }

    async fn end_all(&self, db: &mut Connection<'_>) -> Result<u64, Fault> {
        let query = query(end!(""))
            .bind(millis(self.now))
            .bind(self.reason.as_str());
        natural(&query.fetch_one(db).await?, 0)
    }

    /// Ends the other sessions of a subject that may have a valid access token, including ended
    /// ones, because their end may not have been logged. Sessions that ended longer ago than the
    /// life of an access token have none, and are left out.
    async fn end_others(
        &self,
        db: &mut Connection<'_>,
        subject: &str,
        keep: SessionId,
        done: &mut Revoked,
    ) -> Result<(), Fault> {
        let sql = concat!(
            "WITH locked AS (
                SELECT sid, revoked_at IS NULL AND idle_exp > $1 AND abs_exp > $1 AS was_live, \
             revoked_at FROM tg_session
                WHERE uid = $4 AND sid <> $5 AND (revoked_at IS NULL OR revoked_at > $6)
                ORDER BY sid FOR NO KEY UPDATE
            ), ended AS (
                UPDATE tg_session s SET revoked_at = $1, revoke_reason = $2 FROM locked
                WHERE s.sid = locked.sid AND s.revoked_at IS NULL
            ), due AS (
                SELECT 'session' AS kind, sid AS key, ",
            until_for!("$3", "revoked_at", "$1"),
            " AS until FROM locked
            ), ",
            log_ends!("$1"),
            " SELECT locked.sid, was_live, until FROM locked JOIN due ON due.key = locked.sid \
             ORDER BY locked.sid"
        );
        let query = query(sql)
            .bind(millis(self.now))
            .bind(self.reason.as_str())
            .bind(millis(bounded(self.until)))
            .bind(escaped(subject))
            .bind(keep.as_bytes())
            .bind(millis(self.now.minus(self.until.since(self.now))));
        for row in query.fetch_all(db).await? {
            done.sessions += u64::from(row.try_get::<bool, _>(1)?);
            let fact = Fact::Session(SessionId::from_bytes(row.try_get(0)?));
            done.entries.extend(self.end_entry(fact, time(&row, 2)?));
        }
        Ok(())
    }

    /// Ends a session in one statement, so that the row and its log entry are there together, and
    /// durable, when it is answered (R67).
    async fn end_session(
        &self,
        db: &mut Connection<'_>,
        sid: SessionId,
        done: &mut Revoked,
    ) -> Result<(), Fault> {
        let sql = concat!(
            "WITH ended AS (
                UPDATE tg_session SET revoked_at = $1, revoke_reason = $2 WHERE sid = $3 AND \
             revoked_at IS NULL
                RETURNING idle_exp > $1 AND abs_exp > $1 AS was_live
            ), due AS (
                SELECT 'session' AS kind, $3 AS key, ",
            until_for!(
                "$4",
                "(SELECT revoked_at FROM tg_session WHERE sid = $3)",
                "$1"
            ),
            " AS until
            ), ",
            log_ends!("$1"),
            " SELECT (SELECT count(*) FILTER (WHERE was_live) FROM ended), until FROM due"
        );
        let query = query(sql)
            .bind(millis(self.now))
            .bind(self.reason.as_str())
            .bind(sid.as_bytes());
        let query = query.bind(millis(bounded(self.until)));
        let row = query.fetch_one(db).await?;
        done.sessions = natural(&row, 0)?;
        let entry = self.end_entry(Fact::Session(sid), time(&row, 1)?);
        done.entries.extend(entry);
        Ok(())
    }

    async fn end_token(
        &self,
        db: &mut Connection<'_>,
        jti: TokenId,
        done: &mut Revoked,
    ) -> Result<(), Fault> {
        let sql = concat!(
            "WITH marked AS (
                UPDATE tg_token SET revoked_at = $1 WHERE jti = $2 AND revoked_at IS NULL \
             RETURNING jti
            ), due AS (
                SELECT 'token' AS kind, $2 AS key, ",
            until_for!(
                "$3",
                "(SELECT revoked_at FROM tg_token WHERE jti = $2)",
                "$1"
            ),
            " AS until
            ), ",
            log_ends!("$1"),
            " SELECT (SELECT count(*) FROM marked), until FROM due"
        );
        let query = query(sql)
            .bind(millis(self.now))
            .bind(jti.as_bytes())
            .bind(millis(bounded(self.until)));
        let row = query.fetch_one(db).await?;
        done.tokens = natural(&row, 0)?;
        let entry = self.end_entry(Fact::Token(jti), time(&row, 1)?);
        done.entries.extend(entry);
        Ok(())
    }

    /// Ends a token with its descendants, and the sessions to which they belong. The root need not
    /// be registered. Nothing can be added to the tree meanwhile, because the caller has locked it.
    async fn end_tree(
        &self,
        db: &mut Connection<'_>,
        root: TokenId,
        done: &mut Revoked,
    ) -> Result<(), Fault> {
        let sql = concat!(
            "WITH RECURSIVE family(jti) AS (SELECT $1",
            family!(),
            ", belonging AS (
                SELECT DISTINCT t.sid, s.revoked_at FROM tg_token t JOIN family ON t.jti = \
             family.jti
                LEFT JOIN tg_session s ON s.sid = t.sid WHERE t.sid IS NOT NULL
            ), locked AS (
                SELECT s.sid FROM tg_session s JOIN belonging ON s.sid = belonging.sid
                WHERE s.revoked_at IS NULL ORDER BY s.sid FOR NO KEY UPDATE OF s
            ), ended AS (
                UPDATE tg_session s SET revoked_at = $2, revoke_reason = $3 FROM locked
                WHERE s.sid = locked.sid AND s.revoked_at IS NULL
                RETURNING s.sid, s.idle_exp > $2 AND s.abs_exp > $2 AS was_live
            ), unmarked AS (
                SELECT t.jti FROM tg_token t JOIN family ON t.jti = family.jti
                WHERE t.revoked_at IS NULL ORDER BY t.jti FOR NO KEY UPDATE OF t
            ), marked AS (
                UPDATE tg_token t SET revoked_at = $2 FROM unmarked WHERE t.jti = unmarked.jti AND \
             t.revoked_at IS NULL
                RETURNING t.jti
            ), due AS (
                SELECT 'session' AS kind, sid AS key, ",
            until_for!("$4", "revoked_at", "$2"),
            " AS until FROM belonging
                UNION ALL SELECT 'token', family.jti, ",
            until_for!("$4", "t.revoked_at", "$2"),
            " FROM family LEFT JOIN tg_token t ON t.jti = family.jti
            ), ",
            log_ends!("$2"),
            " SELECT due.kind = 'session', due.key, coalesce(e.was_live, m.jti IS NOT NULL), \
             due.until
            FROM due
            LEFT JOIN ended e ON due.kind = 'session' AND e.sid = due.key
            LEFT JOIN marked m ON due.kind = 'token' AND m.jti = due.key"
        );
        let query = query(sql)
            .bind(root.as_bytes())
            .bind(millis(self.now))
            .bind(self.reason.as_str())
            .bind(millis(bounded(self.until)));
        for row in query.fetch_all(db).await? {
            let (id, counts) = (row.try_get(1)?, u64::from(row.try_get::<bool, _>(2)?));
            let fact = if row.try_get(0)? {
                done.sessions += counts;
                Fact::Session(SessionId::from_bytes(id))
            } else {
                done.tokens += counts;
                Fact::Token(TokenId::from_bytes(id))
            };
            done.entries.extend(self.end_entry(fact, time(&row, 3)?));
        }
        Ok(())
    }

    /// Returns the entry for an end, if it needs one.
    fn end_entry(&self, fact: Fact, until: Timestamp) -> Option<LogEntry> {
        (until > self.now).then(|| LogEntry::new(fact, until))
    }

    fn entry(&self, fact: Fact) -> LogEntry {
        LogEntry::new(fact, self.until)
    }
}

async fn bump_client(db: &mut Connection<'_>, client: &str) -> Result<u64, Fault> {
    let sql = concat!(
        "WITH others AS (
            SELECT greatest(coalesce(max(uep), 0),
                coalesce((SELECT value FROM tg_epoch WHERE kind = 'global' AND key = ''), 0)) AS \
         highest
            FROM tg_subject
        ) ",
        lasting!(
            "client",
            "$1",
            "1 + (SELECT highest FROM others)",
            "1 + greatest(tg_epoch.value, (SELECT highest FROM others))"
        )
    );
    natural(&query(sql).bind(escaped(client)).fetch_one(db).await?, 0)
}

async fn bump_everything(db: &mut Connection<'_>) -> Result<u64, Fault> {
    let sql = concat!(
        "WITH others AS (
            SELECT greatest(coalesce(max(uep), 0),
                coalesce((SELECT max(value) FROM tg_epoch WHERE kind IN ('client', 'global')), 0)) \
         AS highest
            FROM tg_subject
        ) ",
        lasting!(
            "global",
            "''",
            "1 + (SELECT highest FROM others)",
            "1 + (SELECT highest FROM others)"
        )
    );
    natural(&query(sql).fetch_one(db).await?, 0)
}
