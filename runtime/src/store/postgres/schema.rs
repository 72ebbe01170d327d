//! The tables, and how a database is brought to them. All names begin with `tg_`, so a program's
//! own tables may lie beside them.
//!
//! Ids and hashes are `bytea`, times are milliseconds since 1970. No index covers a column that a
//! rotation changes, and a fifth of each page of sessions stays free, so that a rotation writes no
//! index. Names compare byte for byte, whatever the database's collation says today or after an
//! upgrade of its system.

use sqlx::{AssertSqlSafe, PgConnection, Row as _, raw_sql};

use super::fault::Fault;
use super::run::Mode;
use crate::clock::Timestamp;
use crate::store::record::StoreHealth;
use crate::store::shared::columns::millis;

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

    CREATE TABLE tg_key(
        id smallint NOT NULL PRIMARY KEY CHECK (id = 1),
        version bigint NOT NULL,
        ring bytea NOT NULL
    );
    "#,
    ),
    (2, "ALTER TABLE tg_session ADD COLUMN device_hints text"),
];

/// Of several nodes that start together one migrates, and the others wait here and then find
/// nothing to do. The number is tollgate's own, the same for every schema of a database.
pub(super) const MIGRATING: Mode = Mode::Sweep(
    "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; SELECT \
     pg_advisory_xact_lock(8389760304487690337)",
);

/// Returns the version of a database: 0 where it has none of our tables.
pub(super) async fn version(db: &mut PgConnection) -> Result<i64, Fault> {
    let ours = sqlx::query("SELECT to_regclass('tg_schema') IS NOT NULL")
        .fetch_one(&mut *db)
        .await?;
    if !ours.try_get(0)? {
        return Ok(0);
    }
    let version = sqlx::query("SELECT coalesce(max(version), 0) FROM tg_schema")
        .fetch_one(db)
        .await?;
    Ok(version.try_get(0)?)
}

/// Takes the steps that are missing, in the caller's transaction, which holds the lock of
/// [`MIGRATING`].
pub(super) async fn migrate(
    db: &mut PgConnection,
    schema: Option<&str>,
    now: Timestamp,
) -> Result<(), Fault> {
    if let Some(schema) = schema {
        make_schema(db, schema).await?;
    }
    let version = version(db).await?;
    if version > VERSION {
        return Err(format!("the schema of the database is {version}, known is {VERSION}").into());
    }
    if version == 0 {
        let sql = "CREATE TABLE IF NOT EXISTS tg_schema(version bigint NOT NULL PRIMARY KEY, \
                   applied_at bigint NOT NULL)";
        raw_sql(sql).execute(&mut *db).await?;
    }
    for (step, sql) in STEPS {
        if step > version {
            raw_sql(sql).execute(&mut *db).await?;
            sqlx::query("INSERT INTO tg_schema VALUES ($1, $2)")
                .bind(step)
                .bind(millis(now))
                .execute(&mut *db)
                .await?;
        }
    }
    Ok(())
}

/// Makes a schema that is not there. One that is there may belong to a role that lets us use it,
/// and not make others.
async fn make_schema(db: &mut PgConnection, schema: &str) -> Result<(), Fault> {
    let there = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(&mut *db);
    if !there.await?.try_get::<bool, _>(0)? {
        // The options let no name through that would have to be escaped.
        raw_sql(AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\"")))
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Writes a row that no other transaction meets, which the caller's transaction takes back, and
/// looks for a live session.
pub(super) async fn health(db: &mut PgConnection, now: Timestamp) -> Result<StoreHealth, Fault> {
    // The sessions that end last come first, so a live one is found at once.
    let sql = "WITH written AS (
            INSERT INTO tg_once(kind, hash, until) VALUES ('health', \
               convert_to(pg_current_xact_id()::text, 'UTF8'), 0)
        )
        SELECT EXISTS (SELECT 1 FROM tg_session
            WHERE abs_exp > $1 AND idle_exp > $1 AND revoked_at IS NULL ORDER BY abs_exp DESC)";
    let has_live_sessions = sqlx::query(sql)
        .bind(millis(now))
        .fetch_one(db)
        .await?
        .try_get(0)?;
    Ok(StoreHealth { has_live_sessions })
}

/// Reads the server's clock.
pub(super) async fn now(db: &mut PgConnection) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let millis: i64 = sqlx::query(sql).fetch_one(db).await?.try_get(0)?;
    Ok(u64::try_from(millis).ok().map(Timestamp::from_millis))
}
