//! The file as a realm sees it: a connection whose statements use the realm's own tables, and the
//! realms that were claimed.

use rusqlite::{CachedStatement, Params, Row, params};

use super::row;
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{Before, RealmClaim, RealmIdentity, RealmRecord};
use crate::store::shared::columns::millis;
use crate::store::shared::operation::Cause;
use crate::store::shared::realm::realm_columns;
use crate::store::shared::tables::RealmTables;

/// A connection, and the realm whose tables its statements use.
pub(super) struct Connection<'c> {
    db: &'c rusqlite::Connection,
    tables: &'c RealmTables,
}

impl<'c> Connection<'c> {
    pub(super) const fn new(db: &'c rusqlite::Connection, tables: &'c RealmTables) -> Self {
        Self { db, tables }
    }

    /// Returns the same connection for the tables of another realm.
    pub(super) const fn on<'t>(&'t self, tables: &'t RealmTables) -> Connection<'t> {
        Connection {
            db: self.db,
            tables,
        }
    }

    pub(super) const fn tables(&self) -> &'c RealmTables {
        self.tables
    }

    pub(super) fn prepare_cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
        match self.tables.statement(sql) {
            Some(sql) => self.db.prepare_cached(&sql),
            None => self.db.prepare_cached(sql),
        }
    }

    /// Runs statements without values, which are needed rarely.
    pub(super) fn execute_batch(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.execute_batch(&self.tables.renamed(sql))
    }

    pub(super) fn execute(&self, sql: &str, values: impl Params) -> rusqlite::Result<usize> {
        self.prepare_cached(sql)?.execute(values)
    }

    pub(super) fn query_row<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.prepare_cached(sql)?.query_row(values, read)
    }
}

/// Lists the realms that were claimed.
pub(super) fn all(db: &Connection<'_>) -> Result<Vec<RealmRecord>, Cause> {
    let sql = concat!("SELECT ", realm_columns!(), " FROM tg_realm ORDER BY name");
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut realms = Vec::new();
    while let Some(row) = rows.next()? {
        realms.push(row::realm(row)?);
    }
    Ok(realms)
}

/// Writes the record of a realm, if [`RealmRecord::claim`] allows it.
pub(super) fn claim(
    db: &Connection<'_>,
    expected: Option<&RealmIdentity>,
    new: RealmRecord,
    now: Timestamp,
) -> Result<RealmClaim, Cause> {
    let claim = RealmRecord::claim(&all(db)?, expected, new, now);
    if let RealmClaim::Claimed(record) = &claim {
        let replaced = record.replaced.as_ref();
        let former = replaced.map(|replaced| &replaced.identity);
        let sql = concat!(
            "INSERT INTO tg_realm(",
            realm_columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT(name) DO UPDATE SET issuer = ?2, audience = ?3, kind = ?4, first_opened = ?5,
             opened = ?6, replaced_issuer = ?7, replaced_audience = ?8, replaced_kind = ?9,
             replaced_until = ?10, before = ?11"
        );
        db.prepare_cached(sql)?.execute(params![
            record.name.as_ref().map_or("", RealmName::as_str),
            record.identity.issuer,
            record.identity.audience,
            record.identity.kind,
            millis(record.first_opened),
            millis(record.opened),
            former.map(|former| &former.issuer),
            former.map(|former| &former.audience),
            former.map(|former| &former.kind),
            replaced.map(|replaced| millis(replaced.until)),
            record.before.map(Before::as_column),
        ])?;
    }
    Ok(claim)
}

/// Runs an operation in every namespace but the connection's own.
pub(super) fn elsewhere(
    db: &Connection<'_>,
    mut act: impl FnMut(&Connection<'_>) -> Result<(), Cause>,
) -> Result<(), Cause> {
    let mut statement = db.prepare_cached("SELECT realm FROM tg_meta")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    for name in names.collect::<Result<Vec<_>, _>>()? {
        let realm = (!name.is_empty()).then(|| RealmName::parse(&name));
        let tables = RealmTables::of(realm.transpose()?.as_ref());
        if tables.realm() != db.tables().realm() {
            act(&db.on(&tables))?;
        }
    }
    Ok(())
}
