//! The tables, and how a database is brought to them. All names begin with `tg_`, so a program's
//! own tables may be beside them.
//!
//! Ids and hashes are `bytea`, times are milliseconds since 1970. No index covers a column that a
//! rotation changes, and a fifth of each page of sessions stays free, so that a rotation writes no
//! index. Names compare byte for byte, whatever the database's collation is, today or after an
//! upgrade of its system.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::Row as _;

use super::fault::Fault;
use super::log;
use super::realm::{Connection, query};
use super::run::Mode;
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::StoreHealth;
use crate::store::shared::columns::{millis, natural};
use crate::store::shared::tables::RealmTables;

/// The version that this code reads and writes.
pub(super) const VERSION: i64 = 2;

/// The steps from each version to the next. A step that was released is never changed.
const STEPS: [(i64, &str); 2] = [
    (
        1,
        r#"
    CREATE TABLE tg_session(
        sid bytea NOT NULL PRIMARY KEY,
        uid text COLLATE "C" NOT NULL,
        client_id text COLLATE "C" NOT NULL,
        device_name text,
        device_id text,
        device_agent text,
        device_ip text,
        gen bigint NOT NULL,
        cur_hash bytea NOT NULL,
        prev_gen bigint,
        prev_hash bytea,
        rotated_at bigint,
        superseded_at bigint,
        sealed_successor bytea,
        confirmed boolean NOT NULL,
        ctx_hash bytea,
        auth_time bigint NOT NULL,
        acr text,
        claims bytea,
        created_at bigint NOT NULL,
        last_seen_at bigint NOT NULL,
        idle_exp bigint NOT NULL,
        abs_exp bigint NOT NULL,
        revoked_at bigint,
        revoke_reason text
    ) WITH (fillfactor = 80);
    CREATE INDEX tg_session_subject ON tg_session(uid, created_at);
    CREATE INDEX tg_session_end ON tg_session(abs_exp);

    CREATE TABLE tg_subject(
        uid text COLLATE "C" NOT NULL PRIMARY KEY,
        uep bigint NOT NULL,
        changed_at bigint NOT NULL
    );
    CREATE INDEX tg_subject_epoch ON tg_subject(uep);

    -- Numbers what the log says, in the order of writing.
    CREATE SEQUENCE tg_log;

    -- What lasts, with its present value. kind: client, global (epochs), key (1), pause (its version, doubled, plus 1 while paused).
    -- Part of the log: id and xid are those of the last writing.
    CREATE TABLE tg_epoch(
        kind text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        value bigint NOT NULL,
        id bigint NOT NULL DEFAULT nextval('tg_log'),
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        PRIMARY KEY (kind, key)
    );

    -- The rest of the log. kind: session, generation, subject, token. key is an id's bytes or a name's.
    CREATE TABLE tg_revocation(
        id bigint NOT NULL PRIMARY KEY DEFAULT nextval('tg_log'),
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        kind text NOT NULL,
        key bytea NOT NULL,
        value bigint NOT NULL,
        until bigint NOT NULL
    );
    CREATE INDEX tg_revocation_writer ON tg_revocation(xid);
    CREATE INDEX tg_revocation_end ON tg_revocation(until);

    CREATE TABLE tg_token(
        jti bytea NOT NULL PRIMARY KEY,
        kind text NOT NULL,
        sid bytea,
        gen bigint,
        parent bytea,
        subject text COLLATE "C" NOT NULL,
        device_id text COLLATE "C",
        issued_at bigint NOT NULL,
        expires_at bigint NOT NULL,
        revoked_at bigint
    );
    CREATE INDEX tg_token_subject ON tg_token(subject, issued_at);
    CREATE INDEX tg_token_session ON tg_token(sid, issued_at) WHERE sid IS NOT NULL;
    CREATE INDEX tg_token_parent ON tg_token(parent) WHERE parent IS NOT NULL;
    CREATE INDEX tg_token_end ON tg_token(expires_at);

    -- Consumed keys have the kind '' and no payload; values have ':' and their kind.
    CREATE TABLE tg_once(
        kind text COLLATE "C" NOT NULL,
        hash bytea NOT NULL,
        payload bytea,
        until bigint NOT NULL,
        PRIMARY KEY (kind, hash)
    );
    CREATE INDEX tg_once_end ON tg_once(until);

    -- A budget a limit: full again at full_at and fraction / burst milliseconds. key is the SHA-256 of its name.
    CREATE TABLE tg_spend(
        key bytea NOT NULL,
        burst bigint NOT NULL,
        period bigint NOT NULL,
        full_at bigint NOT NULL,
        fraction bigint NOT NULL,
        PRIMARY KEY (key, burst, period)
    );
    CREATE INDEX tg_spend_end ON tg_spend(full_at);
    "#,
    ),
    (2, "ALTER TABLE tg_session ADD COLUMN device_hints text"),
];

/// The key ring, which all realms share: the part of the first step that is for the default realm
/// alone.
const RING: &str = r#"
    CREATE TABLE tg_key(
        id smallint NOT NULL PRIMARY KEY CHECK (id = 1),
        version bigint NOT NULL,
        ring bytea NOT NULL
    );
    "#;

/// The tables that all realms share, beside those of the default realm: each program makes the ones
/// that are missing. A program that does not know them leaves them as they are, so they do not need
/// a new version.
const SHARED: [(&str, &str); 2] = [
    (
        "tg_meta",
        r#"
    -- A namespace: the realm's name, or '' for the default one. Programs that know the tables as of
    -- readable_from, or later, may use those of this version. Who raises the version writes both.
    CREATE TABLE tg_meta(
        realm text COLLATE "C" NOT NULL PRIMARY KEY,
        version bigint NOT NULL,
        readable_from bigint NOT NULL,
        written_at bigint NOT NULL,
        -- Whether there were sessions before this row.
        had_sessions boolean NOT NULL
    );
    "#,
    ),
    (
        "tg_realm",
        r#"
    -- A realm that was opened, with the identity of its gates, and the former one for a while.
    CREATE TABLE tg_realm(
        name text COLLATE "C" NOT NULL PRIMARY KEY,
        issuer text NOT NULL,
        audience text NOT NULL,
        kind text NOT NULL,
        first_opened bigint NOT NULL,
        opened bigint NOT NULL,
        replaced_issuer text,
        replaced_audience text,
        replaced_kind text,
        replaced_until bigint,
        before text
    );
    "#,
    ),
];

/// The additions without a new version, because programs of the previous version run at the same
/// time: for each, a query whether it is there, and the statement that makes it.
const ADDITIONS: [(&str, &str); 5] = [
    (
        "SELECT to_regclass('tg_revocation_key') IS NOT NULL",
        "CREATE INDEX tg_revocation_key ON tg_revocation(kind, key) WHERE kind IN ('session', \
         'token')",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('tg_session') \
         AND attname = 'brief')",
        // `true` if the session is not to be remembered: programs that do not know it leave it
        // empty.
        "ALTER TABLE tg_session ADD COLUMN brief boolean",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('tg_session') \
         AND attname = 'last_seen')",
        // The place of the session's last use: programs that do not know it leave it as it is.
        "ALTER TABLE tg_session ADD COLUMN last_seen text",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('tg_subject') \
         AND attname = 'unmarked')",
        // The part of uep that is not part of the mark: programs that know no marks leave it.
        "ALTER TABLE tg_subject ADD COLUMN unmarked bigint NOT NULL DEFAULT 0",
    ),
    (
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('tg_once') \
         AND attname = 'mark')",
        // The mark to which a value is bound, its subject and its client.
        "ALTER TABLE tg_once ADD COLUMN mark bigint, ADD COLUMN mark_uid text COLLATE \"C\", \
         ADD COLUMN mark_client text COLLATE \"C\"",
    ),
];

/// The mode of a migration. Of several nodes that start together one migrates; the others wait here
/// and then find nothing to do. The number is tollgate's own, the same for every schema of a
/// database.
pub(super) const MIGRATING: Mode = Mode::Sweep(
    "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; SELECT \
     pg_advisory_xact_lock(8389760304487690337)",
);

/// Returns the version that a program must at least have to use a realm's tables: 0 if they do not
/// exist.
pub(super) async fn readable_from(db: &mut Connection<'_>) -> Result<i64, Fault> {
    let version = version(db).await?;
    if exists(db, "tg_meta").await? {
        let from = query("SELECT readable_from FROM tg_meta WHERE realm = $1 AND version >= $2")
            .bind(realm_name(db.tables()))
            .bind(version)
            .fetch_optional(db)
            .await?;
        if let Some(row) = from {
            return Ok(row.try_get(0)?);
        }
    }
    Ok(version)
}

/// Returns the version of a realm's tables: 0 if they do not exist.
async fn version(db: &mut Connection<'_>) -> Result<i64, Fault> {
    if !exists(db, "tg_schema").await? {
        return Ok(0);
    }
    let version = query("SELECT coalesce(max(version), 0) FROM tg_schema")
        .fetch_one(db)
        .await?;
    Ok(version.try_get(0)?)
}

async fn exists(db: &mut Connection<'_>, table: &str) -> Result<bool, Fault> {
    let found = query("SELECT to_regclass($1) IS NOT NULL")
        .bind(db.tables().renamed(table).into_owned())
        .fetch_one(db);
    Ok(found.await?.try_get(0)?)
}

/// Brings the tables of a realm to this version, and those of the default realm before, in the
/// caller's transaction, which holds the lock of [`MIGRATING`].
pub(super) async fn migrate(
    db: &mut Connection<'_>,
    schema: Option<&str>,
    now: Timestamp,
) -> Result<(), Fault> {
    if let Some(schema) = schema {
        make_schema(db, schema).await?;
    }
    let own = db.turn_to(Arc::new(RealmTables::of(None)));
    take_steps(db, now).await?;
    for (table, sql) in SHARED {
        if !exists(db, table).await? {
            db.run(Cow::Borrowed(sql)).await?;
        }
    }
    note(db, now).await?;
    if own.realm().is_none() {
        return Ok(());
    }
    let default = db.turn_to(own);
    take_steps(db, now).await?;
    if note(db, now).await? {
        let own = db.turn_to(default);
        let keys = log::ended_keys(db).await?;
        db.turn_to(own);
        for key in keys {
            log::end_key(db, &key).await?;
        }
    }
    Ok(())
}

/// Records that a realm has tables, and returns whether that was unknown.
async fn note(db: &mut Connection<'_>, now: Timestamp) -> Result<bool, Fault> {
    let realm = realm_name(db.tables());
    let known = query("SELECT EXISTS (SELECT 1 FROM tg_meta WHERE realm = $1)")
        .bind(realm.clone())
        .fetch_one(db)
        .await?;
    if known.try_get(0)? {
        return Ok(false);
    }
    let sql = "INSERT INTO tg_meta(realm, version, readable_from, written_at, had_sessions)
        VALUES ($1, $2, $2, $3, EXISTS (SELECT 1 FROM tg_session))";
    query(sql)
        .bind(realm)
        .bind(VERSION)
        .bind(millis(now))
        .execute(db)
        .await?;
    Ok(true)
}

/// Returns the name under which a realm is stored.
fn realm_name(tables: &RealmTables) -> String {
    tables.realm().map_or("", RealmName::as_str).to_owned()
}

/// Runs the steps that are missing.
async fn take_steps(db: &mut Connection<'_>, now: Timestamp) -> Result<(), Fault> {
    let needed = readable_from(db).await?;
    if needed > VERSION {
        return Err(format!("the schema of the database is {needed}, known is {VERSION}").into());
    }
    let version = version(db).await?;
    if version == 0 {
        let sql = "CREATE TABLE IF NOT EXISTS tg_schema(version bigint NOT NULL PRIMARY KEY, \
                   applied_at bigint NOT NULL)";
        db.run(Cow::Borrowed(sql)).await?;
    }
    if version == 0 && db.tables().realm().is_none() {
        db.run(Cow::Borrowed(RING)).await?;
    }
    for (step, sql) in STEPS {
        if step > version {
            db.run(Cow::Borrowed(sql)).await?;
            query("INSERT INTO tg_schema VALUES ($1, $2)")
                .bind(step)
                .bind(millis(now))
                .execute(db)
                .await?;
        }
    }
    for (is_there, sql) in ADDITIONS {
        let there = query(is_there).fetch_one(&mut *db).await?;
        if !there.try_get::<bool, _>(0)? {
            db.run(Cow::Borrowed(sql)).await?;
        }
    }
    Ok(())
}

/// Makes a schema that does not exist. An existing one may belong to another role, which allows
/// this one to use it but not to make schemas.
async fn make_schema(db: &mut Connection<'_>, schema: &str) -> Result<(), Fault> {
    let there = query("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(db);
    if !there.await?.try_get::<bool, _>(0)? {
        // The options accept no name that would have to be escaped.
        db.run(Cow::Owned(format!("CREATE SCHEMA \"{schema}\"")))
            .await?;
    }
    Ok(())
}

/// Writes a row that no other transaction uses, and that the caller's transaction rolls back; looks
/// for a live session.
pub(super) async fn health(db: &mut Connection<'_>, now: Timestamp) -> Result<StoreHealth, Fault> {
    // The sessions that end last come first, so a live one is found at once.
    let sql = "WITH written AS (
            INSERT INTO tg_once(kind, hash, until) VALUES ('health', \
               convert_to(pg_current_xact_id()::text, 'UTF8'), 0)
        )
        SELECT EXISTS (SELECT 1 FROM tg_session
            WHERE abs_exp > $1 AND idle_exp > $1 AND revoked_at IS NULL ORDER BY abs_exp DESC),
            (SELECT written_at FROM tg_meta WHERE realm = $2 AND had_sessions)";
    let realm = realm_name(db.tables());
    let row = query(sql)
        .bind(millis(now))
        .bind(realm)
        .fetch_one(db)
        .await?;
    let older_since: Option<i64> = row.try_get(1)?;
    Ok(StoreHealth {
        has_live_sessions: row.try_get(0)?,
        older_since: older_since.map(|at| Timestamp::from_millis(natural(at))),
    })
}

/// Reads the server's clock.
pub(super) async fn now(db: &mut Connection<'_>) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let millis: i64 = query(sql).fetch_one(db).await?.try_get(0)?;
    Ok(u64::try_from(millis).ok().map(Timestamp::from_millis))
}

/// Returns what [`migrate`] does in an empty database, as a script. Run again where the tables are
/// there, it fails and changes nothing.
#[cfg(feature = "cli")]
pub(in crate::store) fn script(realm: Option<&RealmName>) -> String {
    let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let realm_part = |tables: &RealmTables| {
        let mut sql = "CREATE TABLE IF NOT EXISTS tg_schema(version bigint NOT NULL PRIMARY KEY, applied_at bigint NOT NULL);\n".to_owned();
        if tables.realm().is_none() {
            sql += RING;
        }
        for (step, text) in STEPS {
            sql += &format!(
                "{};\nINSERT INTO tg_schema VALUES ({step}, {now});\n",
                text.trim_end().trim_end_matches(';')
            );
        }
        for (_, addition) in ADDITIONS {
            sql += &format!("{addition};\n");
        }
        let sql = tables.renamed(&sql).into_owned();
        let (name, session) = (
            tables.realm().map_or("", RealmName::as_str),
            tables.renamed("tg_session"),
        );
        let meta = format!(
            "INSERT INTO tg_meta(realm, version, readable_from, written_at, had_sessions) VALUES \
             ('{name}', {VERSION}, {VERSION}, {now}, EXISTS (SELECT 1 FROM {session}));\n"
        );
        (sql, meta)
    };
    let (sql, meta) = realm_part(&RealmTables::of(None));
    let shared: String = SHARED.iter().map(|(_, sql)| *sql).collect();
    let mut script = format!("BEGIN;\n{sql}{shared}{meta}");
    if let Some(realm) = realm {
        let (sql, meta) = realm_part(&RealmTables::of(Some(realm)));
        script += &format!("{sql}{meta}");
    }
    script + "COMMIT;\n"
}
