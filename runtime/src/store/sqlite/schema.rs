//! The tables, and how a file is brought to them. All names begin with `tg_`, so a program's own
//! tables may be beside them.
//!
//! Ids and hashes are blobs, times are milliseconds since 1970. No index covers a column that a
//! rotation changes.

use rusqlite::OptionalExtension as _;

use super::log;
use super::realm::Connection;
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{Fact, StoreHealth};
use crate::store::shared::columns::{millis, natural};
use crate::store::shared::operation::Cause;
use crate::store::shared::tables::RealmTables;

/// The version that this code reads and writes.
pub(super) const VERSION: i64 = 2;

/// The steps from each version to the next. A step that was released is never changed.
const STEPS: [(i64, &str); 2] = [
    (
        1,
        "
    CREATE TABLE tg_session(
        sid BLOB NOT NULL PRIMARY KEY,
        uid TEXT NOT NULL,
        client_id TEXT NOT NULL,
        device_name TEXT,
        device_id TEXT,
        device_agent TEXT,
        device_ip TEXT,
        gen INTEGER NOT NULL,
        cur_hash BLOB NOT NULL,
        prev_gen INTEGER,
        prev_hash BLOB,
        rotated_at INTEGER,
        superseded_at INTEGER,
        sealed_successor BLOB,
        confirmed INTEGER NOT NULL,
        ctx_hash BLOB,
        auth_time INTEGER NOT NULL,
        acr TEXT,
        claims BLOB,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        idle_exp INTEGER NOT NULL,
        abs_exp INTEGER NOT NULL,
        revoked_at INTEGER,
        revoke_reason TEXT
    ) STRICT;
    CREATE INDEX tg_session_subject ON tg_session(uid, created_at);
    CREATE INDEX tg_session_end ON tg_session(abs_exp);

    CREATE TABLE tg_subject(
        uid TEXT NOT NULL PRIMARY KEY,
        uep INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tg_subject_epoch ON tg_subject(uep);

    -- The present value of what lasts. kind: client, global (epochs), key (1), pause (its \
         version, doubled, plus 1 while paused).
    CREATE TABLE tg_epoch(
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT, WITHOUT ROWID;

    -- The log. kind: session, generation, subject, token and those of tg_epoch. key is an id's \
         bytes or a name's.
    CREATE TABLE tg_revocation(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        key BLOB NOT NULL,
        value INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX tg_revocation_end ON tg_revocation(until);

    CREATE TABLE tg_token(
        jti BLOB NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        sid BLOB,
        gen INTEGER,
        parent BLOB,
        subject TEXT NOT NULL,
        device_id TEXT,
        issued_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX tg_token_subject ON tg_token(subject, issued_at);
    CREATE INDEX tg_token_session ON tg_token(sid, issued_at) WHERE sid IS NOT NULL;
    CREATE INDEX tg_token_parent ON tg_token(parent) WHERE parent IS NOT NULL;
    CREATE INDEX tg_token_end ON tg_token(expires_at);
    CREATE INDEX tg_token_loose ON tg_token(expires_at) WHERE sid IS NULL;

    -- Consumed keys have the kind '' and no payload; values have ':' and their kind.
    CREATE TABLE tg_once(
        kind TEXT NOT NULL,
        hash BLOB NOT NULL,
        payload BLOB,
        until INTEGER NOT NULL,
        PRIMARY KEY (kind, hash)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tg_once_end ON tg_once(until);

    -- A budget a limit: full again at full_at and fraction / burst milliseconds.
    CREATE TABLE tg_spend(
        key TEXT NOT NULL,
        burst INTEGER NOT NULL,
        period INTEGER NOT NULL,
        full_at INTEGER NOT NULL,
        fraction INTEGER NOT NULL,
        PRIMARY KEY (key, burst, period)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tg_spend_end ON tg_spend(full_at);
    ",
    ),
    (2, "ALTER TABLE tg_session ADD COLUMN device_hints TEXT"),
];

/// The additions to the tables of a realm without a new version, because programs of the previous
/// version run at the same time.
const ADDITIONS: &str = "CREATE INDEX IF NOT EXISTS tg_revocation_key ON tg_revocation(kind, key)";

/// The columns that were added in the same way: table, name, type.
const COLUMNS: [(&str, &str, &str); 6] = [
    // `1` where the session is not to be remembered: programs that do not know it leave it empty.
    ("tg_session", "brief", "INTEGER"),
    // The place of the session's last use: programs that do not know it leave it as it is.
    ("tg_session", "last_seen", "TEXT"),
    // The part of `uep` that is not part of the mark: programs that know no marks leave it.
    ("tg_subject", "unmarked", "INTEGER NOT NULL DEFAULT 0"),
    // The mark to which a value is bound, its subject and its client.
    ("tg_once", "mark", "INTEGER"),
    ("tg_once", "mark_uid", "TEXT"),
    ("tg_once", "mark_client", "TEXT"),
];

/// The key ring, which all realms share: the part of the first step that is for the default realm
/// alone.
const RING: &str = "
    CREATE TABLE tg_key(
        id INTEGER PRIMARY KEY CHECK (id = 1),
        version INTEGER NOT NULL,
        ring BLOB NOT NULL
    ) STRICT;
    ";

/// The tables that all realms share, beside those of the default realm: each program makes the ones
/// that are missing. A program that does not know them leaves them as they are, so they do not need
/// a new version.
const SHARED: &str = "
    -- A namespace: the realm's name, or '' for the default one. Programs that know the tables as of
    -- readable_from, or later, may use those of this version. Who raises the version writes both.
    CREATE TABLE IF NOT EXISTS tg_meta(
        realm TEXT NOT NULL PRIMARY KEY,
        version INTEGER NOT NULL,
        readable_from INTEGER NOT NULL,
        written_at INTEGER NOT NULL,
        -- 1 where there were sessions before this row.
        had_sessions INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A realm that was opened, with the identity of its gates, and the former one for a while.
    CREATE TABLE IF NOT EXISTS tg_realm(
        name TEXT NOT NULL PRIMARY KEY,
        issuer TEXT NOT NULL,
        audience TEXT NOT NULL,
        kind TEXT NOT NULL,
        first_opened INTEGER NOT NULL,
        opened INTEGER NOT NULL,
        replaced_issuer TEXT,
        replaced_audience TEXT,
        replaced_kind TEXT,
        replaced_until INTEGER,
        before TEXT
    ) STRICT, WITHOUT ROWID;
    ";

/// Returns the version that a program must at least have to use a realm's tables: 0 if they do not
/// exist.
pub(super) fn readable_from(db: &Connection<'_>) -> rusqlite::Result<i64> {
    let version = version(db)?;
    if !exists(db, "tg_meta")? {
        return Ok(version);
    }
    let sql = "SELECT readable_from FROM tg_meta WHERE realm = ? AND version >= ?";
    let from = db.query_row(sql, (realm_name(db.tables()), version), |row| row.get(0));
    Ok(from.optional()?.unwrap_or(version))
}

/// Returns the version of a realm's tables: 0 if they do not exist.
fn version(db: &Connection<'_>) -> rusqlite::Result<i64> {
    if !exists(db, "tg_schema")? {
        return Ok(0);
    }
    let version = db
        .query_row("SELECT max(version) FROM tg_schema", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .optional()?;
    Ok(version.flatten().unwrap_or(0))
}

fn exists(db: &Connection<'_>, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)";
    db.query_row(sql, [db.tables().renamed(table)], |row| row.get(0))
}

/// Brings the tables of a realm to this version, and those of the default realm before. The
/// caller's transaction holds the write lock, so of several processes that start together one runs
/// the steps and the others find nothing to do.
pub(super) fn migrate(db: &Connection<'_>, now: Timestamp) -> Result<(), Cause> {
    let default = RealmTables::of(None);
    let default = db.on(&default);
    take_steps(&default, now)?;
    default.execute_batch(SHARED)?;
    note(&default, now)?;
    if db.tables().realm().is_none() {
        return Ok(());
    }
    take_steps(db, now)?;
    if note(db, now)? {
        for key in log::ended_keys(&default)? {
            log::write(db, Fact::Key(key), Timestamp::MAX)?;
        }
    }
    Ok(())
}

/// Records that a realm has tables, and returns whether that was unknown.
fn note(db: &Connection<'_>, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO tg_meta(realm, version, readable_from, written_at, had_sessions) \
               VALUES (?1, ?2, ?2, ?3, EXISTS (SELECT 1 FROM tg_session)) \
               ON CONFLICT(realm) DO NOTHING";
    let values = (realm_name(db.tables()), VERSION, millis(now));
    Ok(db.execute(sql, values)? == 1)
}

/// Returns the name under which a realm is stored.
pub(super) fn realm_name(tables: &RealmTables) -> &str {
    tables.realm().map_or("", RealmName::as_str)
}

/// Runs the steps that are missing.
fn take_steps(db: &Connection<'_>, now: Timestamp) -> Result<(), Cause> {
    let needed = readable_from(db)?;
    if needed > VERSION {
        return Err(format!("the file's schema is {needed}, known is {VERSION}").into());
    }
    let version = version(db)?;
    if version == 0 {
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS tg_schema(
                version INTEGER PRIMARY KEY,
                applied_at INTEGER NOT NULL,
                checked_at INTEGER NOT NULL
            ) STRICT",
        )?;
    }
    if version == 0 && db.tables().realm().is_none() {
        db.execute_batch(RING)?;
    }
    for (step, sql) in STEPS {
        if step > version {
            db.execute_batch(sql)?;
            db.execute(
                "INSERT INTO tg_schema VALUES (?1, ?2, ?2)",
                (step, millis(now)),
            )?;
        }
    }
    db.execute_batch(ADDITIONS)?;
    for (table, column, what) in COLUMNS {
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)";
        let named = db.tables().renamed(table);
        let is_there: bool = db.query_row(sql, (named, column), |row| row.get(0))?;
        if !is_there {
            db.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {what}"))?;
        }
    }
    Ok(())
}

/// Writes the time of the check, and looks for a live session.
pub(super) fn health(db: &Connection<'_>, now: Timestamp) -> Result<StoreHealth, Cause> {
    let sql = "UPDATE tg_schema SET checked_at = ? WHERE version = ?";
    if db.prepare_cached(sql)?.execute((millis(now), VERSION))? == 0 {
        return Err("the tables are missing".into());
    }
    // The sessions that end last come first, so a live one is found at once.
    let sql = "SELECT EXISTS (SELECT 1 FROM tg_session
               WHERE abs_exp > ?1 AND idle_exp > ?1 AND revoked_at IS NULL ORDER BY abs_exp DESC)";
    let has_live_sessions = db
        .prepare_cached(sql)?
        .query_row([millis(now)], |row| row.get(0))?;
    let sql = "SELECT max(written_at) FROM tg_meta WHERE realm = ? AND had_sessions";
    let older_since: Option<i64> = db
        .prepare_cached(sql)?
        .query_row([realm_name(db.tables())], |row| row.get(0))?;
    Ok(StoreHealth {
        has_live_sessions,
        older_since: older_since.map(|at| Timestamp::from_millis(natural(at))),
    })
}

/// Returns what [`migrate`] does in an empty database, as a script. Run again where the tables are
/// there, it fails and changes nothing.
#[cfg(feature = "cli")]
pub(in crate::store) fn script(realm: Option<&RealmName>) -> String {
    let now = "unixepoch() * 1000";
    let realm_part = |tables: &RealmTables| {
        let mut sql = "CREATE TABLE IF NOT EXISTS tg_schema(version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, checked_at INTEGER NOT NULL) STRICT;\n".to_owned();
        if tables.realm().is_none() {
            sql += RING;
        }
        for (step, text) in STEPS {
            sql += &format!(
                "{};\nINSERT INTO tg_schema VALUES ({step}, {now}, {now});\n",
                text.trim_end().trim_end_matches(';')
            );
        }
        sql += &format!("{ADDITIONS};\n");
        for (table, column, what) in COLUMNS {
            sql += &format!("ALTER TABLE {table} ADD COLUMN {column} {what};\n");
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
    let mut script = format!("BEGIN;\n{sql}{SHARED}{meta}");
    if let Some(realm) = realm {
        let (sql, meta) = realm_part(&RealmTables::of(Some(realm)));
        script += &format!("{sql}{meta}");
    }
    script + "COMMIT;\n"
}
