//! The conformance suite on every store, and that the trait's docs name its clauses.

use std::collections::BTreeMap;
use std::future::Future;

use tollgate::store::conformance::{self, CLAUSES, Failure};
use tollgate::store::{MemoryStore, SqliteStore, Store};

async fn keeps_the_contract<F, Fut>(name: &str, make: F) -> Result<(), Failure>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Store>,
{
    let report = conformance::run(make).await;
    println!("{name}\n{report}");
    assert_eq!(report.outcomes().len(), CLAUSES.len());
    assert!(report.in_two_realms().len() > 120);
    report.verdict().map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_memory_keeps_the_contract() -> Result<(), Failure> {
    keeps_the_contract("MemoryStore", || async { MemoryStore::new().into() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_a_file_keeps_the_contract() -> Result<(), Failure> {
    let folder = tempfile::tempdir().unwrap();
    let files = std::sync::atomic::AtomicU32::new(0);
    keeps_the_contract("SqliteStore", || async {
        let number = files.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        SqliteStore::open(folder.path().join(format!("{number}.db")))
            .await
            .unwrap()
            .into()
    })
    .await
}

#[test]
fn clauses_are_numbered_without_a_gap_and_named_by_sentences() {
    for (number, clause) in (1..).zip(CLAUSES) {
        assert_eq!(clause.number, number, "{clause:?}");
        assert!(
            clause.name.contains('_') && !clause.what.trim().is_empty(),
            "{clause:?}"
        );
    }
    let mut names: Vec<_> = CLAUSES.iter().map(|clause| clause.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CLAUSES.len(), "two clauses share a name");
}

/// `/// Clause 4.` or `/// Clauses 5–23.` in the docs of an operation names exactly its clauses.
#[test]
fn the_docs_of_the_trait_name_the_clauses_of_each_operation() {
    let source = include_str!("../../../runtime/src/store/contract.rs");
    let (_, source) = source.split_once("pub trait SessionStore").unwrap();
    let mut named: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    let mut waiting: Vec<u16> = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some((_, range)) = line
            .split_once("Clause")
            .filter(|_| line.starts_with("///"))
        {
            let range = range.trim_start_matches('s').trim().trim_end_matches('.');
            let (first, last) = range.split_once('–').unwrap_or((range, range));
            waiting.extend(first.parse::<u16>().unwrap()..=last.parse().unwrap());
        } else if let Some((name, _)) = line
            .strip_prefix("fn ")
            .and_then(|rest| rest.split_once('('))
        {
            assert!(!waiting.is_empty(), "the docs of `{name}` name no clause");
            named.insert(name.to_owned(), std::mem::take(&mut waiting));
        }
    }
    let mut expected: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for clause in CLAUSES {
        expected
            .entry(clause.operation.to_owned())
            .or_default()
            .push(clause.number);
    }
    assert_eq!(named, expected);
}
