//! What the command line does to every realm of a store, and to nodes on other stores than SQLite.

use serde_json::json;
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate_tests::process::wait_for;
use tollgate_tests::support::{postgres::Server, redis};

use super::{Tool, beside};
use crate::cluster::node::{Deployment, Node};

#[derive(Clone, JwtClaims)]
struct Employee {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(username, user = Employee, refresh(from = stored))]
struct Desk;

impl Authenticate for Desk {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Employee, AuthError> {
        Ok(Employee { id: 7 })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_realm_is_paused_and_ended_and_each_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let app = beside(folder.path())
        .await
        .clock(&Clock::system())
        .build()
        .await;
    let desk = Desk.gate().share(&app.gate).realm("staff").audience("desk");
    let desk = desk.build().await.unwrap();
    let tokens = app.sign_in("ada@example.com").await;
    let client = Client::unknown();
    let staff = desk.sign_in(Employee { id: 7 }, &client).await.unwrap();
    let tool = Tool::beside(folder.path());
    let everywhere = |words: &[&str], event: &str| {
        let said = tool.run(&[words, &["--all-realms"]].concat());
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("default, staff"), "{said:?}");
        let events: Vec<&str> = said.errors.lines().collect();
        let [one, other] = events[..] else {
            panic!("{said:?}")
        };
        assert!(one.starts_with(&format!("event: {event} ")), "{one}");
        assert!(!one.contains("realm="), "{one}");
        assert!(other.starts_with(&format!("event: {event} ")), "{other}");
        assert!(other.contains(" realm=staff"), "{other}");
        (one.to_owned(), other.to_owned())
    };
    everywhere(&["pause"], "paused");
    tool.run(&["tokens", "mint", "1"])
        .assert_refused(2, &["key ring"]);
    everywhere(&["resume"], "resumed");
    tool.run(&["sessions", "end", "--everything", "--all-realms"])
        .assert_refused(2, &["every realm", "--yes"]);
    assert_eq!(
        app.gate
            .sessions()
            .get(tokens.session.parse().unwrap())
            .await
            .unwrap()
            .map(|_| ()),
        Some(())
    );
    let (one, other) = everywhere(&["sessions", "end", "--everything", "--yes"], "revoked");
    for line in [one, other] {
        assert!(line.contains("target=Everything sessions=1"), "{line}");
    }
    let refresh = app.gate.refresh(&tokens.refresh, &client).await;
    assert!(refresh.is_err());
    let refresh = desk.refresh(staff.refresh_token.expose(), &client).await;
    assert!(refresh.is_err());
}

/// A command on every realm changes nothing where one of them cannot be opened, and otherwise says
/// how far it came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archive_and_migrate_say_how_far_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let app = beside(folder.path()).await.build().await;
    let desk = Desk.gate().share(&app.gate).realm("staff").audience("desk");
    let desk = desk.build().await.unwrap();
    app.sign_in("ada@example.com").await;
    let client = Client::unknown();
    desk.sign_in(Employee { id: 7 }, &client).await.unwrap();
    let db = rusqlite::Connection::open(folder.path().join("tollgate.db")).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\\_session' ESCAPE '\\' ORDER BY length(name)")
        .unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap();
    let tables: Vec<String> = tables.map(Result::unwrap).collect();
    let [own, staff] = &tables[..] else {
        panic!("{tables:?}")
    };
    for table in [own, staff] {
        db.execute(
            &format!("UPDATE \"{table}\" SET abs_exp = 1, idle_exp = 1"),
            [],
        )
        .unwrap();
    }
    let count = || -> i64 {
        let sql = format!("SELECT count(*) FROM \"{own}\"");
        db.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let tool = Tool::beside(folder.path());
    let archive = ["archive", "--all-realms"];
    // The settings of one realm are those of another deployment.
    let name = "TOLLGATE_REALMS__STAFF__ISSUER";
    Tool::beside(folder.path())
        .variable(name, "https://other.example.com")
        .run(&archive)
        .assert_refused(2, &["realm `staff`", "issuer"]);
    assert_eq!(count(), 1, "nothing was deleted");
    // One realm fails half-way.
    db.execute_batch(&format!(
        "CREATE TRIGGER broken BEFORE DELETE ON \"{staff}\" BEGIN SELECT RAISE(FAIL, 'no'); END"
    ))
    .unwrap();
    tool.run(&archive).assert_refused(
        3,
        &[
            "realm `staff`",
            "before that 1 sessions and 0 tokens were deleted",
            "run it again",
        ],
    );
    assert_eq!(count(), 0);
    db.execute_batch("DROP TRIGGER broken").unwrap();
    assert_eq!(tool.json(&archive)["sessions"], 1);
    // The tables of one realm are of a later release.
    let sql = "UPDATE tg_meta SET version = 999, readable_from = 999 WHERE realm = 'staff'";
    assert_eq!(db.execute(sql, []).unwrap(), 1);
    tool.run(&["migrate"]).assert_refused(
        3,
        &[
            "realm `staff`",
            "before that the default realm reached this version",
        ],
    );
}

/// Ends a session, a client and everything from the command line, and pauses, while a node runs.
fn reaches(node: &Node, url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let tool = Tool::in_folder(folder.path()).option("--store", url);
    let node = node.remote();
    let [first, second, third] = [(); 3].map(|()| node.sign_in());
    let said = tool.run(&["sessions", "end", &first.session]);
    assert_eq!(
        (said.code, &*said.out),
        (0, "1 session ended\n"),
        "{said:?}"
    );
    wait_for("the session to end", || node.admits(&first.access) == 401);
    assert_eq!(node.admits(&second.access), 200);
    let paused = tool.json(&["pause"]);
    assert_eq!(paused, json!({ "paused": true, "realms": ["default"] }));
    wait_for("the pause", || node.admits(&second.access) == 503);
    assert_eq!(tool.run(&["resume"]).code, 0);
    wait_for("the end of the pause", || {
        node.admits(&second.access) == 200
    });
    let said = tool.run(&["sessions", "end", "--client", "nobody"]);
    assert_eq!(
        (said.code, &*said.out),
        (0, "0 sessions ended\n"),
        "{said:?}"
    );
    let said = tool.run(&["sessions", "end", "--client", "first-party"]);
    assert_eq!(
        (said.code, &*said.out),
        (0, "2 sessions ended\n"),
        "{said:?}"
    );
    for tokens in [second, third] {
        wait_for("the client's tokens", || node.admits(&tokens.access) == 401);
        let answer = node.refresh(&tokens.refresh).unwrap();
        answer.assert_problem(401, "invalid_grant");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_command_line_does_reaches_a_node_on_postgresql() {
    let Some(server) = Server::shared() else {
        return;
    };
    let database = server.database().await;
    tokio::task::block_in_place(|| {
        let deployment = Deployment::new();
        reaches(&deployment.start(&database.url, 0), &database.url);
    });
}

#[test]
fn what_the_command_line_does_reaches_a_node_on_redis() {
    let Some(server) = redis::Server::start(&[]) else {
        return;
    };
    let deployment = Deployment::new();
    let url = server.url();
    reaches(&deployment.start(&url, 0), &url);
}
