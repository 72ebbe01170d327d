//! The session settings that the store asks for on every connection, and the check that a
//! connection has them: a pooler in between may drop them.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _, raw_sql};

use super::fault::Fault;

/// The session settings that the store relies on, with their values.
#[derive(Clone)]
pub(super) struct AskedSettings(Vec<(&'static str, String)>);

impl AskedSettings {
    pub(super) const fn new(settings: Vec<(&'static str, String)>) -> Self {
        Self(settings)
    }

    /// Returns them, for the message that opens a connection.
    pub(super) fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// Reads them on a connection; returns a sentence that names the first one that differs.
    pub(super) async fn difference(
        &self,
        db: &mut PgConnection,
    ) -> Result<Option<String>, sqlx::Error> {
        // One message without a prepared statement: every pooler passes that on. No name of a
        // setting needs a quote.
        let names: Vec<String> = self.0.iter().map(|(name, _)| format!("'{name}'")).collect();
        let sql = format!(
            "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ({})",
            names.join(", ")
        );
        let rows = raw_sql(AssertSqlSafe(sql)).fetch_all(db).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?));
        }
        Ok(self.0.iter().find_map(|(name, asked)| {
            let value = found.iter().find(|(found, _)| found == name);
            let value = value.map(|(_, value)| value.as_str());
            (value != Some(asked.as_str())).then(|| {
                format!(
                    "gives connections another `{name}` than the store asks for, `{}` in place of \
                     `{asked}`: what stands in between, a pooler for instance, drops it. Connect \
                     past it, or set it for the role: ALTER ROLE … SET {name} = '{}'",
                    value.unwrap_or_default(),
                    asked.replace('\'', "''")
                )
            })
        }))
    }

    /// Refuses a connection without these settings.
    pub(super) async fn hold_on(&self, db: &mut PgConnection) -> Result<(), Fault> {
        match self.difference(db).await? {
            None => Ok(()),
            Some(difference) => Err(format!("the database {difference}").into()),
        }
    }
}
