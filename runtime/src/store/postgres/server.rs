//! The servers and databases that are refused, and the words for it.

use sqlx::Row as _;

use super::fault::Fault;
use super::realm::{Connection, query};
use super::schema;

/// Returns the reason why a connection was refused.
pub(super) fn what_refused(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("28000") if error.message().contains("certificate") => {
                "asks for a client certificate of this user: set \
                 `store.client_certificate` and `store.client_key`, or `sslcert=` and `sslkey=` of \
                 the URL"
            }
            Some("28P01" | "28000") => {
                "refuses this user: the user, the password or the server's `pg_hba.conf` is wrong"
            }
            Some("3D000") => "does not exist",
            Some("53300") => "has no connection left",
            Some("57P03") => "is starting or stopping",
            Some("08P01") if error.message().contains("startup parameter") => {
                "is behind a pooler that refuses a parameter with which the store opens its \
                 connections: connect to the server directly, or let the pooler ignore them \
                 (PgBouncer: `ignore_startup_parameters = extra_float_digits, options`) and give \
                 the settings to the role"
            }
            _ => "refuses the connection",
        },
        // A pooler may close the connection before its message was read.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            "closes the connection while it opens: if there is a pooler in between, let it ignore \
             the parameters of the store (PgBouncer: `ignore_startup_parameters = \
             extra_float_digits, options`), and give the settings to the role"
        }
        sqlx::Error::Io(_) => "cannot be reached",
        sqlx::Error::Tls(_) => "cannot be reached with the TLS that the URL asks for",
        _ => "cannot be connected to",
    }
}

/// Returns the reason why a server or its database cannot keep sessions, if there is one.
pub(super) async fn obstacle(db: &mut Connection<'_>) -> Result<Option<String>, Fault> {
    let sql = "SELECT current_setting('server_version_num')::int, \
               current_setting('server_version'), pg_is_in_recovery(),
        current_setting('transaction_read_only') = 'on', current_setting('server_encoding')";
    let row = query(sql).fetch_one(&mut *db).await?;
    if row.try_get::<i32, _>(0)? < OLDEST {
        return Ok(Some(format!(
            "is on a server of version {}; 13 or later is needed",
            row.try_get::<String, _>(1)?
        )));
    }
    if row.try_get(2)? {
        return Ok(Some("is a standby, which cannot be written to".to_owned()));
    }
    if row.try_get(3)? {
        return Ok(Some("is read-only".to_owned()));
    }
    let encoding: String = row.try_get(4)?;
    if encoding != "UTF8" {
        return Ok(Some(format!("has the encoding {encoding}; UTF8 is needed")));
    }
    let (version, known) = (schema::readable_from(db).await?, schema::VERSION);
    Ok((version > known).then(|| {
        format!("was written by a newer version (its schema is {version}, known is {known})")
    }))
}

/// PostgreSQL 13, the first with `xid8`.
const OLDEST: i32 = 130_000;
