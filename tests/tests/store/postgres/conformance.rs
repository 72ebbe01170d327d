//! The conformance suite on PostgreSQL, each clause in a schema of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use tollgate::store::conformance::{self, CLAUSES, Failure};
use tollgate_tests::support::postgres::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_postgresql_keeps_the_contract() -> Result<(), Failure> {
    let Some(server) = Server::shared() else {
        return Ok(());
    };
    let database = server.database().await;
    let schemas = AtomicU32::new(0);
    let report = conformance::run(|| async {
        let schema = format!("clause_{}", schemas.fetch_add(1, Ordering::Relaxed));
        crate::postgres::patient(&database.url)
            .schema(&schema)
            .connect()
            .await
            .unwrap()
    })
    .await;
    println!("PostgresStore\n{report}");
    assert_eq!(report.outcomes().len(), CLAUSES.len());
    assert!(report.in_two_realms().len() > 120);
    report.verdict().map(drop)
}
