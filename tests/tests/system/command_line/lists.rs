//! What the lists of the command line show and select.

use std::time::Duration;

use tollgate::clock::Clock;
use tollgate::device::Client;
use tollgate::settings::{Registry, Settings};

use super::{Tool, beside};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_show_where_they_were_used_from_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.session.history = 3;
    let app = beside(folder.path()).await;
    let app = app.clock(&Clock::system()).settings(settings).build().await;
    let user = app.accounts.user("ada@example.com");
    let at = |address: &str, agent: &str| {
        let mut client = Client::unknown();
        client.ip = Some(address.parse().unwrap());
        client.user_agent = Some(agent.to_owned());
        client
    };
    let issued = app.gate.sign_in(user, &at("192.0.2.1", "first")).await;
    let issued = issued.unwrap();
    // The token that was used last may be repeated for a while: the next one is asked for.
    let token = issued.refresh_token.expose();
    let again = app.gate.refresh(token, &at("2001:db8::2", "second")).await;
    again.unwrap();
    let tool = Tool::beside(folder.path());
    let session = app.gate.sessions().get(issued.session_id).await;
    let session = session.unwrap().unwrap();
    assert_eq!(session.last_seen_ip.as_deref(), Some("2001:db8::2"));
    let listed = tool.json(&["sessions", "list", &session.subject]);
    let entry = &listed["sessions"][0];
    assert_eq!(entry["device"]["ip"], "192.0.2.1");
    assert_eq!(entry["last_seen_ip"], "2001:db8::2");
    assert_eq!(entry["last_seen_user_agent"], "second");
    assert_eq!(entry.get("history"), None);
    let listed = tool.json(&["sessions", "list", &session.subject, "--history"]);
    let history = &listed["sessions"][0]["history"];
    assert_eq!(history.as_array().unwrap().len(), 1);
    assert_eq!(history[0]["ip"], "192.0.2.1");
    assert_eq!(history[0]["user_agent"], "first");

    let table = |words: &[&str]| {
        let said = tool.run(&[&["sessions", "list", &*session.subject], words].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = table(&[]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("2001:db8::2") && !lines[1].contains("192.0.2.1"));
    let lines = table(&["--history"]);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].contains("192.0.2.1") && lines[2].ends_with("first"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_selected() {
    let folder = tempfile::tempdir().unwrap();
    let app = beside(folder.path()).await.clock(&Clock::system());
    let app = app
        .change(|gate| gate.registry(Registry::Tokens))
        .build()
        .await;
    let ada = app.sign_in("ada@example.com").await;
    let again = app.sign_in("ada@example.com").await;
    app.sign_in("grace@example.com").await;
    let sid = ada.session.parse().unwrap();
    let session = app.gate.sessions().get(sid).await.unwrap().unwrap();
    let ended = tollgate::session::Revoke::session(sid);
    let tool = Tool::beside(folder.path());
    let list = |words: &[&str]| {
        let listed = tool.json(&[&["tokens", "list"], words].concat());
        listed["tokens"].as_array().unwrap().clone()
    };
    // Each session has two rows.
    assert_eq!(list(&[]).len(), 6);
    assert_eq!(list(&["--limit", "5"]).len(), 5);
    assert_eq!(list(&["--limit", "0"]).len(), 0);
    let of_ada = list(&["--subject", &session.subject]);
    assert_eq!(of_ada.len(), 4);
    assert!(of_ada.iter().all(|row| row["subject"] == *session.subject));
    let of_session = list(&["--session", &again.session]);
    assert_eq!(of_session.len(), 2);
    assert!(
        of_session
            .iter()
            .all(|row| row["session_id"] == *again.session)
    );
    assert_eq!(list(&["--expired"]).len(), 0);
    app.gate.revoke(ended).await.unwrap();
    assert_eq!(list(&["--expired"]).len(), 2);
    assert_eq!(list(&["--active", "--subject", &session.subject]).len(), 2);
    assert_eq!(list(&["--subject", "nobody"]).len(), 0);
    tokio::time::timeout(Duration::from_secs(5), app.gate.shutdown())
        .await
        .unwrap()
        .unwrap();
}
