//! PostgreSQL: the conformance suite on it, and what is particular to it.

mod behind;
mod conformance;
mod fault;
mod gate;
mod log;
mod migrate;
mod opening;
mod pooler;
mod race;
mod tls;
mod transaction;

use std::time::Duration;

use sqlx::{PgConnection, Row as _, raw_sql};
use tollgate::store::{PostgresOptions, PostgresStore, SessionStore as _};

use crate::record::NOW;

registry_on!(registry_in_postgresql, async {
    let database = tollgate_tests::support::postgres::Server::shared()?
        .database()
        .await;
    let store = crate::postgres::patient(&database.url)
        .connect()
        .await
        .unwrap();
    Some((database, store))
});

clocks_on!(clocks_and_postgresql, async {
    let database = tollgate_tests::support::postgres::Server::shared()?
        .database()
        .await;
    let store = crate::postgres::patient(&database.url)
        .connect()
        .await
        .unwrap();
    Some((database, store))
});

/// Returns the options of a test that is not about time-outs: a machine that does other things
/// besides is no failure.
fn patient(url: &str) -> PostgresOptions {
    let long = Duration::from_secs(30);
    PostgresStore::options(url)
        .acquire_timeout(long)
        .lock_timeout(long)
        .statement_timeout(long)
}

/// A store on a database, which has the tables afterwards.
async fn opened(url: &str) -> PostgresStore {
    let store = patient(url).connect().await.unwrap();
    store.migrate(NOW).await.unwrap();
    store
}

/// Waits until so many others wait for locks in this connection's database.
async fn until_waiting(db: &mut PgConnection, count: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()";
    for _ in 0..200 {
        if number(db, sql).await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody waits for a lock");
}

async fn number(db: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(db).await.unwrap().get(0)
}

async fn execute(db: &mut PgConnection, sql: &'static str) {
    raw_sql(sql).execute(db).await.unwrap();
}
