//! The contract, and what it cannot say: that the file keeps what was answered.

use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate::store::conformance;

use super::store::RedbStore;

#[tokio::test(flavor = "multi_thread")]
async fn the_store_keeps_the_contract() {
    let (folder, files) = (tempfile::tempdir().unwrap(), AtomicUsize::new(0));
    let report = conformance::run(|| async {
        let file = files.fetch_add(1, Ordering::Relaxed);
        RedbStore::open(&folder.path().join(format!("{file}.redb"))).unwrap()
    })
    .await;
    let clauses = report.verdict().expect("all clauses hold");
    assert_eq!(clauses, conformance::CLAUSES.len());
}

/// The example signs in, closes the file, opens it again and refreshes that session.
#[test]
fn a_session_outlives_a_restart() {
    super::main().unwrap();
}
