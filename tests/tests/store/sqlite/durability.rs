//! The writes that an SQLite store has acknowledged outlive the process, however it ends.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use tollgate::store::{Opened, Rotated, SessionStore as _, SqliteStore};

use crate::record::{NOW, advance, hash, new, sid};

const CHILD: &str = "STORES_DURABILITY";
const SESSIONS: u32 = 8;

/// The child rotates eight sessions as fast as it can and says each acknowledged generation; it is
/// killed in the middle of it.
#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    if let Ok(path) = std::env::var(CHILD) {
        return rotate_until_killed(Path::new(&path));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for round in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.db");
        let name = "what_was_acknowledged_is_there_after_a_kill";
        let mut child = tollgate_tests::process::alone(module_path!(), name)
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged: BTreeMap<u32, u32> = BTreeMap::new();
        let mut lines = 0;
        let mut killed = false;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // The last line may have been cut off by the kill; only whole ones end with a full
            // stop.
            let Some((number, generation)) = line
                .strip_prefix("done ")
                .and_then(|rest| rest.strip_suffix('.'))
                .and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            acknowledged.insert(number.parse().unwrap(), generation.parse().unwrap());
            lines += 1;
            if !killed && lines >= 500 + 137 * round {
                child.kill().unwrap();
                killed = true;
            }
        }
        assert!(killed, "the child ended by itself");
        assert!(!child.wait().unwrap().success());

        runtime.block_on(async {
            let store = SqliteStore::open(&path).await.unwrap();
            store.migrate(NOW).await.unwrap();
            assert_eq!(acknowledged.len(), SESSIONS as usize);
            for (number, generation) in &acknowledged {
                let row = store
                    .session(sid(*number), NOW)
                    .await
                    .unwrap()
                    .expect("an acknowledged session is gone");
                assert!(
                    row.generation >= *generation,
                    "session {number}: {} of {generation}",
                    row.generation
                );
                assert!(
                    row.generation <= generation + 1,
                    "session {number} went further than was asked for"
                );
                assert_eq!(row.current, hash(row.generation));
                assert_eq!(
                    store
                        .rotate(advance(*number, row.generation), NOW)
                        .await
                        .unwrap(),
                    Rotated::Done
                );
            }
        });
        println!("round {round}: {lines} acknowledged, none lost");
    }
}

fn rotate_until_killed(path: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(path).await.unwrap();
        store.migrate(NOW).await.unwrap();
        let tasks: Vec<_> = (0..SESSIONS)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    let opened = store.open_session(new(number, "ada"), NOW).await.unwrap();
                    assert!(matches!(opened, Opened::Open { .. }));
                    for generation in 0.. {
                        assert_eq!(
                            store
                                .rotate(advance(number, generation), NOW)
                                .await
                                .unwrap(),
                            Rotated::Done
                        );
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "done {number} {}.", generation + 1).unwrap();
                        out.flush().unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
