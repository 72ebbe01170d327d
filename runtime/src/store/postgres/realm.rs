//! The database as a realm sees it: statements on the realm's own tables, and the realms that were
//! claimed.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::encode::Encode;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection as _, Execute as _, Row as _, Type, raw_sql};

use super::fault::Fault;
use super::row;
use super::run::Mode;
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{Before, RealmClaim, RealmIdentity, RealmRecord};
use crate::store::shared::columns::millis;
use crate::store::shared::realm::realm_columns;
use crate::store::shared::tables::RealmTables;

/// A connection, and the realm whose tables its statements use.
pub(super) struct Connection<'c> {
    db: Db<'c>,
    tables: Arc<RealmTables>,
}

/// A connection of the store, or one in a transaction of the program.
enum Db<'c> {
    Own(PgConnection),
    Lent(&'c mut PgConnection),
}

impl Db<'_> {
    const fn get(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(db) => db,
            Self::Lent(db) => db,
        }
    }
}

impl<'c> Connection<'c> {
    pub(super) const fn new(db: PgConnection, tables: Arc<RealmTables>) -> Self {
        Self {
            db: Db::Own(db),
            tables,
        }
    }

    pub(super) const fn lent(db: &'c mut PgConnection, tables: Arc<RealmTables>) -> Self {
        Self {
            db: Db::Lent(db),
            tables,
        }
    }

    pub(super) fn tables(&self) -> &RealmTables {
        &self.tables
    }

    /// Changes the realm, and returns the former one.
    pub(super) const fn turn_to(&mut self, tables: Arc<RealmTables>) -> Arc<RealmTables> {
        std::mem::replace(&mut self.tables, tables)
    }

    /// Runs statements without values, which are sent together.
    pub(super) async fn run(&mut self, sql: Cow<'static, str>) -> Result<(), Fault> {
        let sql = match self.tables.statement(&sql) {
            Some(sql) => raw_sql(AssertSqlSafe(sql)).execute(self.db.get()).await,
            None => raw_sql(AssertSqlSafe(sql)).execute(self.db.get()).await,
        };
        sql?;
        Ok(())
    }

    /// Returns the connection where it is the store's own.
    pub(super) fn into_inner(self) -> Option<PgConnection> {
        match self.db {
            Db::Own(db) => Some(db),
            Db::Lent(_) => None,
        }
    }

    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self.db {
            Db::Own(db) => db.close().await,
            Db::Lent(_) => Ok(()),
        }
    }
}

/// Makes a statement. Its tables are those of the default realm, and on a [`Connection`] those of
/// its realm.
pub(super) fn query<'q>(sql: &'static str) -> RealmQuery<'q> {
    RealmQuery(sqlx::query(sql))
}

/// A statement with its values.
pub(super) struct RealmQuery<'q>(Query<'q, Postgres, PgArguments>);

impl<'q> From<Query<'q, Postgres, PgArguments>> for RealmQuery<'q> {
    fn from(query: Query<'q, Postgres, PgArguments>) -> Self {
        Self(query)
    }
}

impl<'q> RealmQuery<'q> {
    pub(super) fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(self, value: T) -> Self {
        Self(self.0.bind(value))
    }

    pub(super) async fn execute(
        self,
        db: &mut Connection<'_>,
    ) -> Result<PgQueryResult, sqlx::Error> {
        self.of(&db.tables)?.execute(db.db.get()).await
    }

    pub(super) async fn fetch_one(self, db: &mut Connection<'_>) -> Result<PgRow, sqlx::Error> {
        self.of(&db.tables)?.fetch_one(db.db.get()).await
    }

    pub(super) async fn fetch_optional(
        self,
        db: &mut Connection<'_>,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        self.of(&db.tables)?.fetch_optional(db.db.get()).await
    }

    pub(super) async fn fetch_all(
        self,
        db: &mut Connection<'_>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        self.of(&db.tables)?.fetch_all(db.db.get()).await
    }

    fn of(mut self, tables: &RealmTables) -> Result<Query<'q, Postgres, PgArguments>, sqlx::Error> {
        if tables.realm().is_none() {
            return Ok(self.0);
        }
        let values = self.0.take_arguments().map_err(sqlx::Error::Encode)?;
        let values = values.unwrap_or_default();
        let sql = self.0.sql();
        Ok(match tables.statement(sql.as_str()) {
            Some(sql) => sqlx::query_with(AssertSqlSafe(sql), values),
            None => sqlx::query_with(sql, values),
        })
    }
}

/// Lists the realms that were claimed.
pub(super) async fn all(db: &mut Connection<'_>) -> Result<Vec<RealmRecord>, Fault> {
    let sql = concat!("SELECT ", realm_columns!(), " FROM tg_realm ORDER BY name");
    let rows = query(sql).fetch_all(db).await?;
    rows.iter().map(row::realm).collect()
}

/// The mode in which a realm is claimed: one after the other, since a claim looks at every realm.
pub(super) const CLAIMING: Mode = Mode::Transaction(Cow::Borrowed(
    "BEGIN; LOCK TABLE tg_realm IN SHARE ROW EXCLUSIVE MODE",
));

/// Writes the record of a realm, if [`RealmRecord::claim`] allows it.
pub(super) async fn claim(
    db: &mut Connection<'_>,
    expected: Option<&RealmIdentity>,
    new: RealmRecord,
    now: Timestamp,
) -> Result<RealmClaim, Fault> {
    let claim = RealmRecord::claim(&all(db).await?, expected, new, now);
    if let RealmClaim::Claimed(record) = &claim {
        let replaced = record.replaced.as_ref();
        let former = replaced.map(|replaced| &replaced.identity);
        let sql = concat!(
            "INSERT INTO tg_realm(",
            realm_columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (name) DO UPDATE SET issuer = $2, audience = $3, kind = $4,
             first_opened = $5, opened = $6, replaced_issuer = $7, replaced_audience = $8,
             replaced_kind = $9, replaced_until = $10, before = $11"
        );
        query(sql)
            .bind(record.name.as_ref().map_or("", RealmName::as_str))
            .bind(row::escaped(&record.identity.issuer))
            .bind(row::escaped(&record.identity.audience))
            .bind(row::escaped(&record.identity.kind))
            .bind(millis(record.first_opened))
            .bind(millis(record.opened))
            .bind(former.map(|former| row::escaped(&former.issuer)))
            .bind(former.map(|former| row::escaped(&former.audience)))
            .bind(former.map(|former| row::escaped(&former.kind)))
            .bind(replaced.map(|replaced| millis(replaced.until)))
            .bind(record.before.map(Before::as_column))
            .execute(db)
            .await?;
    }
    Ok(claim)
}

/// The mode of an operation in every namespace: no namespace is made meanwhile.
pub(super) const EVERYWHERE: Mode =
    Mode::Transaction(Cow::Borrowed("BEGIN; LOCK TABLE tg_meta IN SHARE MODE"));

/// Returns the tables of every namespace.
pub(super) async fn everywhere(db: &mut Connection<'_>) -> Result<Vec<Arc<RealmTables>>, Fault> {
    let rows = query("SELECT realm FROM tg_meta ORDER BY realm")
        .fetch_all(db)
        .await?;
    let mut everywhere = Vec::new();
    for row in rows {
        let name: &str = row.try_get(0)?;
        let realm = (!name.is_empty()).then(|| RealmName::parse(name));
        let realm = realm
            .transpose()
            .map_err(|error| Fault::Other(error.into()))?;
        everywhere.push(Arc::new(RealmTables::of(realm.as_ref())));
    }
    Ok(everywhere)
}
