//! Making the tables: by several nodes at once, beside a program's own, in a schema, by a role that
//! may not, and not backwards.

use sqlx::{AssertSqlSafe, raw_sql};
use tollgate::realm::RealmName;
use tollgate::store::{LogCursor, PostgresStore, SessionStore as _, Target};
use tollgate_tests::support::postgres::Server;

use crate::postgres::{execute, number, opened};
use crate::record::{NOW, advance, new, sid};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_nodes_that_start_together_on_an_empty_database_all_start() {
    let Some(server) = Server::shared() else {
        return;
    };
    for schema in [None, Some("sessions"), Some("Sessions_2")] {
        let database = server.database().await;
        let starts: Vec<_> = (0..10)
            .map(|_| {
                let options = crate::postgres::patient(&database.url).max_connections(2);
                let options = schema
                    .into_iter()
                    .fold(options, tollgate::store::PostgresOptions::schema);
                tokio::spawn(async move {
                    let store = options.connect().await.unwrap();
                    store.migrate(NOW).await.unwrap();
                    store.health(NOW).await.unwrap();
                })
            })
            .collect();
        for start in starts {
            start.await.unwrap();
        }
        let mut db = database.connect().await;
        if let Some(schema) = schema {
            raw_sql(AssertSqlSafe(format!("SET search_path = \"{schema}\"")))
                .execute(&mut db)
                .await
                .unwrap();
        }
        assert_eq!(
            number(&mut db, "SELECT count(*) FROM tg_schema").await,
            2,
            "a row a version"
        );
    }
}

#[tokio::test]
async fn deployments_in_two_schemas_of_one_database_do_not_meet() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let (mut stores, names) = (Vec::new(), ["one", "two"]);
    for name in names {
        let store = PostgresStore::options(&database.url)
            .schema(name)
            .connect()
            .await
            .unwrap();
        store.migrate(NOW).await.unwrap();
        stores.push(store);
    }
    stores[0].open_session(new(1, "ada"), NOW).await.unwrap();
    assert!(stores[0].session(sid(1), NOW).await.unwrap().is_some());
    assert!(stores[1].session(sid(1), NOW).await.unwrap().is_none());
    let public = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(number(&mut database.connect().await, public).await, 0);
}

#[tokio::test]
async fn a_programs_own_tables_may_lie_beside_ours() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let mut db = database.connect().await;
    execute(
        &mut db,
        "CREATE TABLE users(id int); INSERT INTO users VALUES (7); CREATE TABLE \
         schema_migrations(v int)",
    )
    .await;
    opened(&database.url)
        .await
        .open_session(new(1, "ada"), NOW)
        .await
        .unwrap();
    assert_eq!(number(&mut db, "SELECT id::bigint FROM users").await, 7);
    let foreign = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relname NOT LIKE 'tg\\_%' AND relname NOT IN ('users', 'schema_migrations')";
    assert_eq!(number(&mut db, foreign).await, 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    let mut db = database.connect().await;
    execute(&mut db, "INSERT INTO tg_schema VALUES (4711, 0)").await;

    // A node that runs goes on, one that starts is refused.
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    let refused = store.migrate(NOW).await.unwrap_err();
    assert!(
        std::error::Error::source(&refused)
            .unwrap()
            .to_string()
            .contains("4711"),
        "{refused:?}"
    );
    let message = PostgresStore::connect(&database.url)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("newer version") && message.contains("4711"),
        "{message}"
    );
    assert_eq!(
        number(&mut db, "SELECT max(version) FROM tg_schema").await,
        4711
    );
}

/// A later version that only adds says that programs of this version may go on.
#[tokio::test]
async fn a_newer_schema_that_only_adds_is_used() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    let mut db = database.connect().await;
    // Programs that know nothing of realms look at this number alone.
    let sql = "SELECT max(version) FROM tg_schema";
    assert_eq!(number(&mut db, sql).await, 2);
    execute(
        &mut db,
        "INSERT INTO tg_schema VALUES (4711, 0); UPDATE tg_meta SET version = 4711; ALTER TABLE \
         tg_session ADD COLUMN added text",
    )
    .await;
    store.migrate(NOW).await.unwrap();
    let again = opened(&database.url).await;
    again.open_session(new(1, "ada"), NOW).await.unwrap();

    execute(&mut db, "UPDATE tg_meta SET readable_from = 4711").await;
    store.migrate(NOW).await.unwrap_err();
    let refused = PostgresStore::connect(&database.url).await.unwrap_err();
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

/// A database with sessions of a release before tells since when this one uses it; a new one does
/// not.
#[tokio::test]
async fn a_database_of_a_release_before_is_told_from_a_new_one() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = opened(&database.url).await;
    store.open_session(new(1, "ada"), NOW).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap().older_since, None);
    let mut db = database.connect().await;
    execute(&mut db, "DROP TABLE tg_meta").await;
    for _ in 0..2 {
        store.migrate(NOW).await.unwrap();
        assert_eq!(store.health(NOW).await.unwrap().older_since, Some(NOW));
    }
    execute(&mut db, "DROP TABLE tg_meta; DELETE FROM tg_session").await;
    store.migrate(NOW).await.unwrap();
    assert_eq!(store.health(NOW).await.unwrap().older_since, None);
}

/// Several nodes make the namespace of a realm at the same moment, and no name is cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_nodes_make_the_tables_of_a_realm() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let longest = RealmName::parse("a23456789-123456789-123456789-12").unwrap();
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (url, realm) = (database.url.clone(), longest.clone());
        nodes.spawn(async move {
            let store = crate::postgres::patient(&url).connect().await.unwrap();
            store.realm(&realm).migrate(NOW).await
        });
    }
    while let Some(made) = nodes.join_next().await {
        made.unwrap().unwrap();
    }
    let mut db = database.connect().await;
    let all = number(
        &mut db,
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'i', 'S') AND relname LIKE 'tg\\_%'
         AND relname NOT SIMILAR TO 'tg\\_(key|realm|meta)(\\_pkey)?'",
    )
    .await;
    let own = number(
        &mut db,
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'i', 'S')
         AND starts_with(relname::text, 'tg_a23456789_123456789_123456789_12__')",
    )
    .await;
    assert_eq!(own * 2, all, "a name was cut off, or is missing");
}

/// Nothing of a migration that fails stays.
#[tokio::test]
async fn a_migration_is_whole_or_not_at_all() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let mut db = database.connect().await;
    execute(&mut db, "CREATE TABLE tg_key(somebody_elses int)").await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.migrate(NOW).await.unwrap_err();
    assert_eq!(
        number(
            &mut db,
            "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'tg\\_%'"
        )
        .await,
        1
    );
    execute(&mut db, "DROP TABLE tg_key").await;
    store.migrate(NOW).await.unwrap();
    store.health(NOW).await.unwrap();
}

#[tokio::test]
async fn a_role_that_may_not_make_tables_may_use_those_that_are_there() {
    let Some(server) = Server::private(&[]) else {
        return;
    };
    let database = server.database().await;
    let mut db = database.connect().await;
    execute(
        &mut db,
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE node LOGIN PASSWORD 'secret'",
    )
    .await;
    let url = database.url.replace(
        &format!("tollgate:{}", tollgate_tests::support::postgres::PASSWORD),
        "node:secret",
    );

    let node = PostgresStore::connect(&url).await.unwrap();
    let refused = node.migrate(NOW).await.unwrap_err();
    assert!(
        std::error::Error::source(&refused)
            .unwrap()
            .to_string()
            .contains("permission denied"),
        "{refused:?}"
    );

    opened(&database.url).await;
    let grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO node;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO node";
    execute(&mut db, grant).await;
    node.migrate(NOW).await.unwrap();
    node.open_session(new(1, "ada"), NOW).await.unwrap();
    node.rotate(advance(1, 0), NOW).await.unwrap();
    let done = node
        .revoke(crate::record::revocation(Target::Everything), NOW)
        .await
        .unwrap();
    let page = node.log_since(LogCursor::START, NOW).await.unwrap();
    assert_eq!(page.entries, done.entries);
    assert_eq!(
        node.log_since(page.cursor, NOW).await.unwrap().entries,
        [],
        "the cursor was not understood"
    );
    node.archive(NOW, 100, NOW).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_never_migrated_is_an_error() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.health(NOW).await.unwrap_err();
    store.session(sid(1), NOW).await.unwrap_err();
    store.open_session(new(1, "ada"), NOW).await.unwrap_err();
    store.migrate(NOW).await.unwrap();
    store.open_session(new(1, "ada"), NOW).await.unwrap();
}

/// rotation.md section 4: a rotation writes no index, and finds room on its page.
#[tokio::test]
async fn no_index_covers_a_column_that_a_rotation_changes() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    opened(&database.url).await;
    let mut db = database.connect().await;
    let indexed = "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid \
                   AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = 'tg_session'::regclass AND a.attname IN ('gen', 'cur_hash', 'prev_gen', \
                   'prev_hash', 'rotated_at',
            'superseded_at', 'sealed_successor', 'confirmed', 'ctx_hash', 'last_seen_at', \
                   'idle_exp')";
    assert_eq!(number(&mut db, indexed).await, 0);
    let free = "SELECT count(*) FROM pg_class WHERE oid = 'tg_session'::regclass AND \
                'fillfactor=80' = ANY(reloptions)";
    assert_eq!(number(&mut db, free).await, 1);
}
