//! The conformance suite on Redis.

use tollgate::store::conformance::{self, CLAUSES, Failure};
use tollgate_tests::support::redis;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_redis_keeps_the_contract() -> Result<(), Failure> {
    let Some(url) = redis::shared() else {
        return Ok(());
    };
    let report =
        conformance::run(|| async { redis::deployment(url).connect().await.unwrap() }).await;
    println!("RedisStore\n{report}");
    assert_eq!(report.outcomes().len(), CLAUSES.len());
    assert!(report.in_two_realms().len() > 120);
    report.verdict().map(drop)
}
