//! Events of requests: the frequent ones are sampled.

use std::time::Duration;

use tollgate::device::Device;
use tollgate::event::{Event, EventKind, Events, Next};
use tollgate::id::SessionId;
use tollgate::settings::{Registry, Settings};
use tollgate_tests::App;

fn count(events: &[Event], is_it: impl Fn(&EventKind) -> bool) -> usize {
    events.iter().filter(|event| is_it(&event.kind)).count()
}

fn is_accepted(kind: &EventKind) -> bool {
    matches!(kind, EventKind::AccessAccepted { .. })
}

fn is_expired(kind: &EventKind) -> bool {
    matches!(kind, EventKind::AccessRefused(code) if code.as_str() == "token_expired")
}

#[tokio::test]
async fn by_default_no_accepted_request_is_reported_and_each_expired_token_is() {
    let app = App::new().await;
    let token = app.sign_in("ada@example.com").await.access;
    for _ in 0..5 {
        assert_eq!(app.get("/me", &token).await.status, 200);
    }
    app.wait(20 * 60);
    for _ in 0..5 {
        app.get("/me", &token)
            .await
            .assert_problem(401, "token_expired");
    }
    let heard = app.heard();
    assert_eq!(
        (count(&heard, is_accepted), count(&heard, is_expired)),
        (0, 5)
    );
}

#[tokio::test]
async fn one_in_so_many_is_reported_where_that_is_asked_for() {
    let mut settings = Settings::default();
    (settings.events.accepted, settings.events.expired) = (3, 4);
    let app = App::with(settings).await;
    let tokens = app.sign_in("ada@example.com").await;
    for _ in 0..9 {
        app.get("/me", &tokens.access).await;
        app.get("/me", "none").await;
    }
    app.wait(20 * 60);
    for _ in 0..9 {
        app.get("/me", &tokens.access).await;
    }
    let heard = app.heard();
    assert_eq!(
        (count(&heard, is_accepted), count(&heard, is_expired)),
        (3, 2)
    );
    let accepted = heard.iter().find(|event| is_accepted(&event.kind)).unwrap();
    assert_eq!(accepted.kind, EventKind::AccessAccepted { one_in: 3 });
    assert!(accepted.subject.is_some() && accepted.sid.is_some());

    let mut settings = Settings::default();
    settings.events.expired = 0;
    let app = App::with(settings).await;
    let tokens = app.sign_in("ada@example.com").await;
    app.wait(20 * 60);
    for _ in 0..9 {
        app.get("/me", &tokens.access).await;
    }
    assert_eq!(count(&app.heard(), is_expired), 0);
}

/// `GateBuilder::events` adds to what was there, and may stop it.
#[tokio::test]
async fn a_handler_that_is_added_hears_what_the_gate_reports() {
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&heard);
    let events = Events::new()
        .step("no_sign_outs", |event| match event.kind {
            EventKind::SignedOut => Next::Stop,
            _ => Next::Continue,
        })
        .inline(move |event| kept.lock().unwrap().push(event.kind.name()));
    let app = App::builder()
        .change(move |gate| gate.events(events))
        .build()
        .await;
    let tokens = app.sign_in("ada@example.com").await;
    app.post_as("/auth/signout", &tokens.access, None).await;
    assert_eq!(*heard.lock().unwrap(), ["signed_in", "revoked"]);
    assert!(app.heard_kinds().contains(&EventKind::SignedOut));
}

/// What is changed by hand is reported, as the signals of other systems do.
#[tokio::test]
async fn registering_a_token_and_attaching_a_device_are_reported() {
    let app = App::builder()
        .change(|gate| gate.registry(Registry::Tokens))
        .build()
        .await;
    let tokens = app.sign_in("ada@example.com").await;
    let session = SessionId::parse(&tokens.session).unwrap();
    let parent = app.gate.tokens().tree_of(session).page(1, None).await;
    let parent = parent.unwrap().remove(0);
    let user = app.accounts.user("ada@example.com");
    let token = app.gate.issue(&user, Duration::from_secs(60)).await;
    let token = token.unwrap();
    _ = app.heard();
    let row = app.gate.register(&token, Some(parent.jti)).await.unwrap();
    let heard = app.heard();
    let [event] = &heard[..] else {
        panic!("{heard:?}")
    };
    let kind = EventKind::TokenRegistered {
        jti: row.jti,
        parent: Some(parent.jti),
    };
    assert_eq!(event.kind, kind);
    assert_eq!(event.subject.as_deref(), Some(&*row.subject));
    assert_eq!(event.to_json()["parent"], parent.jti.to_string());
    assert!(app.gate.register(&token, None).await.is_err());
    assert_eq!(
        app.heard(),
        [],
        "what is registered already changes nothing"
    );

    let sessions = app.gate.sessions();
    let device = Device::new(Some("desk".into()), None);
    assert!(sessions.attach(session, device.clone()).await.unwrap());
    let heard = app.heard();
    let [event] = &heard[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(event.kind, EventKind::DeviceAttached);
    assert_eq!(event.subject.as_deref(), Some(&*row.subject));
    assert_eq!(event.sid, Some(session));
    let other = SessionId::from_bytes([1; 16]);
    assert!(!sessions.attach(other, device).await.unwrap());
    assert_eq!(app.heard(), []);
}

/// A deployment that restarts loses no event that a handler has still to write.
#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_the_queued_handlers_finish() {
    let written = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&written);
    let events = Events::new().queued_step("table", 8, move |event| {
        let kept = std::sync::Arc::clone(&kept);
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            kept.lock().unwrap().push(event.kind.name());
        }
    });
    let app = App::builder()
        .change(move |gate| gate.events(events))
        .build()
        .await;
    app.sign_in("ada@example.com").await;
    app.sign_in("ada@example.com").await;
    app.gate.shutdown().await.unwrap();
    assert_eq!(*written.lock().unwrap(), ["signed_in", "signed_in"]);
    assert_eq!(app.gate.health().await.dropped_events, 0);
}

/// A receiver that does not answer holds the end of the program up for a moment only, and what is
/// lost is counted.
#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_only_so_long_and_counts_what_is_lost() {
    let events = Events::new().queued_step("stuck", 8, |_| std::future::pending());
    let app = App::builder()
        .change(move |gate| gate.events(events))
        .build()
        .await;
    app.sign_in("ada@example.com").await;
    app.sign_in("ada@example.com").await;
    assert_eq!(app.gate.health().await.dropped_events, 0);
    let began = tokio::time::Instant::now();
    app.gate.shutdown().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(15), "{began:?}");
    assert_eq!(app.gate.health().await.dropped_events, 2);
}
