//! Opening an SQLite store: what it makes, and what it refuses with a message that names the file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use tollgate::error::ErrorKind;
use tollgate::realm::RealmName;
use tollgate::store::{SessionStore as _, SqliteStore};
use tollgate_tests::process::{alone, copy_program};

use crate::record::{NOW, new, sid};

/// Opens what must be refused, and answers the message.
async fn refusal(path: &Path) -> String {
    let error = SqliteStore::open(path).await.expect_err("it was opened");
    assert_eq!(error.kind(), ErrorKind::Store);
    let message = error.to_string();
    assert!(
        message.contains(&*path.to_string_lossy()),
        "the message does not name the file: {message}"
    );
    message
}

#[tokio::test]
async fn a_file_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{:?}",
            entry.file_name()
        );
        files += 1;
    }
    assert_eq!(
        files, 3,
        "the file, its write-ahead log and the index of that"
    );
}

#[tokio::test]
async fn a_relative_path_stays_the_same_file() {
    let name = format!("relative-{}.db", std::process::id());
    let store = SqliteStore::open(&name).await.unwrap();
    store.migrate(NOW).await.unwrap();
    let absolute = std::path::absolute(&name).unwrap();
    assert!(format!("{store:?}").contains(&*absolute.to_string_lossy()));
    drop(store);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{name}{end}"));
    }
}

#[tokio::test]
async fn everything_is_there_after_the_last_handle_is_gone_and_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    let before = store.session(sid(1), NOW).await.unwrap().unwrap();
    let clone = store.clone();
    drop(store);
    assert_eq!(
        clone.session(sid(1), NOW).await.unwrap().as_ref(),
        Some(&before)
    );
    drop(clone);

    // The threads end with the last handle, and the last connection takes the write-ahead log with
    // it.
    let log = folder.path().join("sessions.db-wal");
    for _ in 0..500 {
        if !log.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(!log.exists(), "a connection is still open");

    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    assert_eq!(store.session(sid(1), NOW).await.unwrap(), Some(before));
}

#[tokio::test]
async fn a_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path()).await.contains("is a directory"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("garbage.db");
    let garbage = "not a database ".repeat(1000);
    fs::write(&path, &garbage).unwrap();
    assert!(refusal(&path).await.contains("is not a database"));
    assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
}

#[tokio::test]
async fn a_missing_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        refusal(&folder.path().join("missing/sessions.db"))
            .await
            .contains("cannot be made")
    );
}

#[tokio::test]
async fn memory_is_no_file() {
    for path in ["", ":memory:"] {
        let error = SqliteStore::open(path).await.unwrap_err();
        assert!(error.to_string().contains("MemoryStore"), "{error}");
    }
    assert!(!Path::new(":memory:").exists());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    drop(store);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("INSERT INTO tg_schema VALUES (4711, 0, 0)", [])
        .unwrap();
    let message = refusal(&path).await;
    assert!(
        message.contains("newer version") && message.contains("4711"),
        "{message}"
    );
    let version: i64 = db
        .query_row("SELECT max(version) FROM tg_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 4711);
}

/// A later version that only adds says that programs of this version may go on.
#[tokio::test]
async fn a_newer_schema_that_only_adds_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let staff = store.realm(&RealmName::parse("staff").unwrap());
    staff.migrate(NOW).await.unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let version = |table: &str| -> i64 {
        let sql = format!("SELECT max(version) FROM {table}");
        db.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    // Programs that know nothing of realms look at this number alone.
    assert_eq!(version("tg_schema"), 2);
    assert_eq!(version("tg_staff__schema"), 2);

    db.execute_batch(
        "INSERT INTO tg_schema VALUES (4711, 0, 0); INSERT INTO tg_staff__schema VALUES (4711, 0, \
         0); UPDATE tg_meta SET version = 4711; ALTER TABLE tg_session ADD COLUMN added TEXT",
    )
    .unwrap();
    let again = SqliteStore::open(&path).await.unwrap();
    again.migrate(NOW).await.unwrap();
    again.open_session(new(1, "ada"), NOW).await.unwrap();
    again.health(NOW).await.unwrap();

    let sql = "UPDATE tg_meta SET readable_from = 4711 WHERE realm = 'staff'";
    db.execute(sql, []).unwrap();
    again.migrate(NOW).await.unwrap();
    let staff = again.realm(&RealmName::parse("staff").unwrap());
    staff.migrate(NOW).await.unwrap_err();
    db.execute("UPDATE tg_meta SET readable_from = 4711", [])
        .unwrap();
    assert!(refusal(&path).await.contains("newer version"));
}

/// A schema that becomes newer while the file is open is refused at the next migration.
/// A file with sessions of a release before tells since when this one uses it; a new one does not.
#[tokio::test]
async fn a_file_of_a_release_before_is_told_from_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap().older_since, None);
    let forget = |also: &str| {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch(&format!("DROP TABLE tg_meta; {also}"))
            .unwrap();
    };
    forget("");
    for _ in 0..2 {
        store.migrate(NOW).await.unwrap();
        assert_eq!(store.health(NOW).await.unwrap().older_since, Some(NOW));
    }
    forget("DELETE FROM tg_session");
    store.migrate(NOW).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap().older_since, None);
}

#[tokio::test]
async fn a_schema_that_became_newer_is_not_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("INSERT INTO tg_schema VALUES (4711, 0, 0)", [])
        .unwrap();
    store.migrate(NOW).await.unwrap_err();
}

#[tokio::test]
async fn a_programs_own_tables_may_lie_beside_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE users(id INTEGER PRIMARY KEY); INSERT INTO users VALUES (7)")
        .unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    assert_eq!(
        db.query_row("SELECT id FROM users", [], |row| row.get::<_, i64>(0))
            .unwrap(),
        7
    );
    let mut foreign = db
        .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'index')")
        .unwrap();
    let names: Vec<String> = foreign
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for name in names {
        assert!(
            name == "users" || name.starts_with("tg_") || name.starts_with("sqlite_"),
            "{name}"
        );
    }
}

/// Nobody's rights stop root, so this test runs itself again as another user.
#[test]
fn what_must_not_be_written_to_is_refused() {
    if let Ok(folder) = std::env::var(CHILD) {
        return as_somebody_else(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    for name in ["read-only.db", "in-read-only-folder.db"] {
        let inside = if name.starts_with("in") {
            &locked
        } else {
            folder.path()
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            SqliteStore::open(inside.join(name))
                .await
                .unwrap()
                .migrate(NOW)
                .await
                .unwrap();
        });
        fs::set_permissions(inside.join(name), fs::Permissions::from_mode(0o444)).unwrap();
    }
    wait_until_closed(folder.path());
    wait_until_closed(&locked);
    fs::set_permissions(
        locked.join("in-read-only-folder.db"),
        fs::Permissions::from_mode(0o666),
    )
    .unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();

    // A file without the right to write in a folder with it.
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::copy(
        folder.path().join("read-only.db"),
        shared.join("read-only.db"),
    )
    .unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();

    // A copy, because the folder that holds the original may be closed to others.
    let program = folder.path().join("program");
    copy_program(&std::env::current_exe().unwrap(), &program);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let name = "what_must_not_be_written_to_is_refused";
    let mut child = Command::new(program);
    child.args(alone(module_path!(), name).get_args());
    child.env(CHILD, folder.path()).current_dir("/");
    if fs::metadata("/proc/self")
        .map(|own| std::os::unix::fs::MetadataExt::uid(&own))
        .unwrap_or(0)
        == 0
    {
        child.uid(65_534).gid(65_534);
    }
    let output = child.output().unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("all were refused"), "{text}");
}

const CHILD: &str = "STORES_UNWRITABLE";

fn as_somebody_else(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let message = refusal(&folder.join("read-only.db")).await;
        assert!(message.contains("cannot be written to"), "{message}");
        let message = refusal(&folder.join("shared/read-only.db")).await;
        assert!(message.contains("cannot be written to"), "{message}");
        let message = refusal(&folder.join("locked/absent.db")).await;
        assert!(message.contains("cannot be made"), "{message}");
        let message = refusal(&folder.join("locked/in-read-only-folder.db")).await;
        assert!(message.contains("cannot be written to"), "{message}");
    });
    println!("all were refused");
}

fn wait_until_closed(folder: &Path) {
    for _ in 0..500 {
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        if names
            .into_iter()
            .all(|name| !name.to_string_lossy().ends_with("-wal"))
        {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("a connection is still open");
}
