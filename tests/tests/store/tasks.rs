//! The tasks of a gate go on, whatever a store does to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::settings::OnStale;
use tollgate::store::{LogCursor, Revocation, RevokeReason, SessionStore, Target};
use tollgate_tests::{Act, App, OtherStore};

async fn start(store: &OtherStore, on_stale: OnStale) -> App {
    let mut settings = Settings::default();
    settings.revocation.on_stale = on_stale;
    settings.archive.interval = Duration::from_secs(5);
    App::on(store.clone(), settings).await
}

/// Revokes as another node does: in the store alone.
async fn revoke_elsewhere(app: &App, store: &OtherStore, session: &str) {
    let revocation = Revocation {
        target: Target::Session(session.parse().unwrap()),
        reason: RevokeReason::Requested,
        until: app.clock.now().plus(Duration::from_secs(900)),
    };
    store.revoke(revocation, app.clock.now()).await.unwrap();
}

/// Lets so many seconds of the tasks pass.
async fn pass(seconds: u64) {
    for _ in 0..seconds * 20 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn panics(app: &App) -> Vec<&'static str> {
    let mut tasks = Vec::new();
    for kind in app.heard_kinds() {
        if let EventKind::TaskPanicked { task } = kind {
            tasks.push(task);
        }
    }
    tasks
}

/// A store whose waiting panics each time: this node hears of a revocation all the same.
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_does_not_end_the_following_of_the_log() {
    for on_stale in [OnStale::Serve, OnStale::Check] {
        let store = OtherStore::new();
        let app = start(&store, on_stale).await;
        let tokens = app.sign_in("ada@example.com").await;
        store.on_each(|name| match name {
            "changed" => Act::Panic,
            _ => Act::Run,
        });
        pass(20).await;
        assert_eq!(
            panics(&app),
            ["follow_log"],
            "one event, and no more of the same"
        );
        let health = app.gate.health().await;
        assert!(!health.is_well);
        assert_eq!(health.failing_tasks, ["follow_log"]);

        assert_eq!(app.get("/me", &tokens.access).await.status, 200);
        revoke_elsewhere(&app, &store, &tokens.session).await;
        pass(3).await;
        assert_eq!(app.get("/me", &tokens.access).await.status, 401);

        store.behave();
        pass(20).await;
        let health = app.gate.health().await;
        assert!(health.is_well, "{health:?}");
        assert_eq!(health.failing_tasks, [""; 0]);
    }
}

/// Every task that calls the store is started again after a panic.
#[tokio::test(start_paused = true)]
async fn every_task_is_started_again() {
    let store = OtherStore::new();
    let app = start(&store, OnStale::Serve).await;
    for (operation, task) in [
        ("log_since", "follow_log"),
        ("archive", "archive"),
        ("confirm", "confirm"),
    ] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        store.on_each(move |name| {
            let is_first = name == operation && counted.fetch_add(1, Ordering::SeqCst) == 0;
            if is_first { Act::Panic } else { Act::Run }
        });
        // The tokens of a rotation are confirmed when they are used.
        let tokens = app.sign_in("ada@example.com").await;
        let tokens = app.refresh(&tokens.refresh).await.tokens();
        assert_eq!(app.get("/me", &tokens.access).await.status, 200);
        pass(30).await;
        assert_eq!(panics(&app), [task]);
        assert_eq!(app.get("/me", &tokens.access).await.status, 200);
        assert!(
            calls.load(Ordering::SeqCst) > 1,
            "`{operation}` was not called again"
        );
        assert!(app.gate.health().await.failing_tasks.is_empty());
    }
}

/// A store that does not answer holds up nobody for longer than two seconds: the others wait for
/// the lock of the cursor, and what they get is 503.
#[tokio::test(start_paused = true)]
async fn a_log_that_hangs_holds_nobody_up() {
    let store = OtherStore::new();
    let app = start(&store, OnStale::Serve).await;
    let tokens = app.sign_in("ada@example.com").await;
    store.on_each(|name| match name {
        "log_since" => Act::Hang,
        _ => Act::Run,
    });
    let start = tokio::time::Instant::now();
    let asked = (0..20).map(|_| {
        let (app, access) = (app.clone(), tokens.access.clone());
        tokio::spawn(async move { app.get("/strict", &access).await.status })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), 503);
    }
    // Of a clock that stands until everybody waits: two tries in a row, at most.
    assert!(
        start.elapsed() <= Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    store.behave();
    pass(3).await;
    assert_eq!(app.get("/strict", &tokens.access).await.status, 200);
    let page = store.log_since(LogCursor::START, app.clock.now()).await;
    assert!(page.unwrap().entries.is_empty());
}

/// While the log cannot be read, the node knows less and less. With `check` it decides nothing from
/// a stale view; with `serve` it goes on.
#[tokio::test(start_paused = true)]
async fn a_stale_view_decides_nothing_where_it_is_to_be_checked() {
    for (on_stale, status) in [(OnStale::Check, 503), (OnStale::Serve, 200)] {
        let store = OtherStore::new();
        let app = start(&store, on_stale).await;
        let tokens = app.sign_in("ada@example.com").await;
        store.on_each(|name| match name {
            "log_since" => Act::Fail,
            _ => Act::Run,
        });
        app.wait(29);
        assert_eq!(app.get("/me", &tokens.access).await.status, 200);
        app.wait(2);
        let answer = app.get("/me", &tokens.access).await;
        assert_eq!(answer.status, status, "{on_stale:?}: {}", answer.text);
        store.behave();
        assert_eq!(app.get("/me", &tokens.access).await.status, 200);
    }
}

/// A task that completed its work after a panic is well, however long it waits for the next time.
#[tokio::test(start_paused = true)]
async fn a_task_is_well_once_it_has_done_its_work_again() {
    let store = OtherStore::new();
    let mut settings = Settings::default();
    settings.archive.interval = Duration::from_secs(24 * 3600);
    let app = App::on(store.clone(), settings).await;
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    store.on_each(move |name| {
        let is_first = name == "archive" && counted.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { Act::Panic } else { Act::Run }
    });
    pass(65).await;
    assert_eq!(app.gate.health().await.failing_tasks, ["archive"]);
    pass(65).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    let health = app.gate.health().await;
    assert!(health.is_ready, "{health:?}");
}
