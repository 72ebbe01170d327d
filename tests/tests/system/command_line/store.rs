//! What the command line does with a store as a whole: tables, and what ended long ago.

use std::collections::BTreeSet;

use rusqlite::Connection;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use tollgate_tests::support::postgres::Server;

use super::Tool;
use crate::quickstart::program::Place;

/// Lists the columns and indexes of a file.
fn shape(db: &Connection) -> BTreeSet<String> {
    let sql = "SELECT s.name || '.' || coalesce(c.name || ' ' || c.type || c.\"notnull\" || c.pk, \
               'index') FROM sqlite_schema s LEFT JOIN pragma_table_info(s.name) c";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn the_printed_sql_makes_the_tables_that_migrate_makes() {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    for realm in [&[][..], &["--realm", "back-office"]] {
        let (printed, made) = (
            folder.path().join("printed.db"),
            folder.path().join("made.db"),
        );
        let print = [&["--store", "sqlite:made.db", "migrate", "--print"], realm].concat();
        let said = tool.run(&print);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(!made.exists(), "nothing is touched");
        let db = Connection::open(&printed).unwrap();
        db.execute_batch(&said.out).unwrap();
        let migrate = |store| tool.json(&[&["--store", store, "migrate"], realm].concat());
        migrate("sqlite:made.db");
        assert_eq!(shape(&db), shape(&Connection::open(&made).unwrap()));
        let before = shape(&db);
        migrate("sqlite:printed.db");
        assert_eq!(shape(&db), before, "a start finds nothing to do");
        drop(db);
        for path in [printed, made] {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn the_printed_sql_makes_the_tables_in_postgresql_too() {
    let Some(server) = Server::shared() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path());
    let (printed, made) = (server.database().await, server.database().await);
    let said = tool.run(&[
        "--store", &made.url, "migrate", "--print", "--realm", "staff",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let mut db = PgConnection::connect(&printed.url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(said.out))
        .execute(&mut db)
        .await
        .unwrap();
    for url in [&made.url, &printed.url] {
        tool.json(&["--store", url, "migrate", "--realm", "staff"]);
    }
    let mut shapes = Vec::new();
    for url in [&made.url, &printed.url] {
        let mut db = PgConnection::connect(url).await.unwrap();
        let sql = "SELECT table_name || '.' || column_name || ' ' || data_type || is_nullable FROM \
                   information_schema.columns WHERE table_schema = 'public' UNION ALL SELECT \
                   indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
        let rows = sqlx::query(sql).fetch_all(&mut db).await.unwrap();
        shapes.push(
            rows.iter()
                .map(|row| row.get::<String, _>(0))
                .collect::<Vec<_>>(),
        );
    }
    assert!(shapes[0].len() > 100, "{shapes:?}");
    assert_eq!(shapes[0], shapes[1]);
}

#[test]
fn what_ended_long_ago_is_deleted() {
    let place = Place::new();
    let program = place.start();
    program.sign_in("ada@example.com");
    program.sign_in("ada@example.com");
    assert!(program.stop().success());
    let tool = Tool::of(&place);
    let nothing = json!({ "sessions": 0, "tokens": 0, "others": 0 });
    assert_eq!(tool.json(&["archive"])["sessions"], nothing["sessions"]);
    let db = Connection::open(place.sessions()).unwrap();
    let sql = "UPDATE tg_session SET abs_exp = 1, idle_exp = 1 WHERE rowid = 1";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    drop(db);
    assert_eq!(tool.json(&["archive", "--all-realms"])["sessions"], 1);
    assert_eq!(tool.json(&["archive", "--age", "0s"])["sessions"], 0);
}
