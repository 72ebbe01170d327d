//! Events: the text of a line in the log, and the protection of a request from the handlers of its
//! events.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Event, EventKind, Events, Next};
use crate::clock::{Clock, Timestamp};
use crate::error::Code;
use crate::id::SessionId;

fn reuse() -> Event {
    let kind = EventKind::RefreshReuse {
        age: Duration::from_millis(1500),
        generation_gap: 2,
        context_differs: true,
    };
    Event::new(kind)
        .subject("ada\r\nroot")
        .sid(SessionId::from_bytes([0; 16]))
        .ip(Some(IpAddr::from([192, 0, 2, 1])))
}

/// R129.
#[test]
fn a_line_says_who_what_outcome_session_and_address_and_stays_one_line() {
    let line = "refresh_reuse outcome=Alarm subject=\"ada\\r\\nroot\" sid=AAAAAAAAAAAAAAAAAAAAAA \
                ip=192.0.2.1 age_ms=1500 generation_gap=2 context_differs=true";
    assert_eq!(reuse().to_string(), line);
    assert!(!format!("{:?}", reuse()).contains(['\r', '\n']));
    let refused = Event::new(EventKind::SignInRefused(Code::InvalidCredentials));
    assert_eq!(
        refused.to_string(),
        "sign_in_refused outcome=Refused code=invalid_credentials"
    );
    assert_eq!(
        Event::new(EventKind::Resumed).to_string(),
        "resumed outcome=Done"
    );
}

#[tokio::test]
async fn every_handler_hears_every_event_in_order() {
    let heard: Arc<Mutex<Vec<(char, &str)>>> = Arc::default();
    let (inline, queued) = (Arc::clone(&heard), Arc::clone(&heard));
    let emitter = Events::new()
        .inline(move |event| inline.lock().unwrap().push(('i', event.kind.name())))
        .queued(8, move |event| {
            let queued = Arc::clone(&queued);
            async move { queued.lock().unwrap().push(('q', event.kind.name())) }
        })
        .start();
    emitter.emit(&Event::new(EventKind::Paused));
    emitter.emit(&Event::new(EventKind::Resumed));
    emitter.flush().await;
    assert_eq!(
        *heard.lock().unwrap(),
        [
            ('i', "paused"),
            ('i', "resumed"),
            ('q', "paused"),
            ('q', "resumed")
        ]
    );
    assert_eq!(emitter.dropped(), 0);
}

#[tokio::test]
async fn a_handler_that_panics_stops_neither_the_request_nor_its_neighbours_nor_itself() {
    let heard = Arc::new(AtomicU64::new(0));
    let (first, second) = (Arc::clone(&heard), Arc::clone(&heard));
    let emitter = Events::new()
        .inline(|_| panic!("inline"))
        .inline(move |_| _ = first.fetch_add(1, Ordering::SeqCst))
        .queued(8, |_| -> std::future::Ready<()> {
            panic!("before the future")
        })
        .queued(8, move |_| {
            let second = Arc::clone(&second);
            async move {
                second.fetch_add(1, Ordering::SeqCst);
                panic!("in the future");
            }
        })
        .start();
    emitter.emit(&reuse());
    emitter.emit(&reuse());
    emitter.flush().await;
    assert_eq!(heard.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn what_a_full_queue_drops_is_counted_and_nobody_waits() {
    let (release, released) = tokio::sync::watch::channel(false);
    let heard = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&heard);
    let emitter = Events::new()
        .queued(2, move |_| {
            let (count, mut released) = (Arc::clone(&count), released.clone());
            async move {
                released.wait_for(|released| *released).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
        .start();
    for _ in 0..5 {
        emitter.emit(&reuse());
    }
    assert_eq!(emitter.dropped(), 3);
    release.send(true).unwrap();
    emitter.flush().await;
    assert_eq!(heard.load(Ordering::SeqCst), 2);
}

/// At the end a queue is emptied; one whose handler does not get on is stopped, and only its events
/// are lost, and counted.
#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_empty_in_time_is_stopped_and_its_events_are_counted() {
    let (heard, kept) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (slow, stuck) = (Arc::clone(&heard), Arc::clone(&kept));
    let emitter = Events::new()
        .queued(8, move |_| {
            let stuck = Arc::clone(&stuck);
            async move {
                std::future::pending::<()>().await;
                drop(stuck);
            }
        })
        .queued(8, move |_| {
            let slow = Arc::clone(&slow);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                slow.fetch_add(1, Ordering::SeqCst);
            }
        })
        .start();
    for _ in 0..3 {
        emitter.emit(&reuse());
    }
    assert_eq!(emitter.dropped(), 0);
    emitter.drain(Duration::from_secs(10)).await;
    assert_eq!(heard.load(Ordering::SeqCst), 3, "the slow handler finished");
    assert_eq!(emitter.dropped(), 3, "those of the handler that is stuck");
    // The one that the handler had begun with is not at work any more.
    assert_eq!(Arc::strong_count(&kept), 1);
    // The gate still answers requests: their events reach the other handler.
    emitter.emit(&reuse());
    emitter.drain(Duration::from_secs(10)).await;
    assert_eq!((heard.load(Ordering::SeqCst), emitter.dropped()), (4, 4));
}

#[tokio::test]
async fn the_task_of_a_queue_ends_with_the_last_emitter_and_loses_nothing() {
    let (ended, mut end) = mpsc::unbounded_channel();
    let emitter = Events::new().queued(8, move |event| {
        let ended = ended.clone();
        async move { _ = ended.send(event.kind.name()) }
    });
    let emitter = emitter.start();
    let clone = emitter.clone();
    emitter.emit(&Event::new(EventKind::Paused));
    drop(emitter);
    clone.emit(&Event::new(EventKind::Resumed));
    drop(clone);
    assert_eq!(end.recv().await, Some("paused"));
    assert_eq!(end.recv().await, Some("resumed"));
    assert_eq!(
        end.recv().await,
        None,
        "the task, and with it the handler, is gone"
    );
}

/// The pipeline: handlers have names, an order, and can stop what comes after them.
#[tokio::test]
async fn handlers_are_ordered_replaced_removed_and_stop_an_event() {
    type Heard = Arc<Mutex<Vec<&'static str>>>;
    let heard: Heard = Arc::default();
    let note = |heard: &Heard, name: &'static str| {
        let heard = Arc::clone(heard);
        move |_: &Event| {
            heard.lock().unwrap().push(name);
            Next::Continue
        }
    };
    let queued = Arc::clone(&heard);
    let filter = |event: &Event| match event.kind {
        EventKind::Resumed => Next::Stop,
        _ => Next::Continue,
    };
    let events = Events::new()
        .step("audit", note(&heard, "audit"))
        .step("count", note(&heard, "count"))
        .step("old", note(&heard, "old"))
        .queued_step("table", 8, move |_| {
            let queued = Arc::clone(&queued);
            async move { queued.lock().unwrap().push("table") }
        })
        .step("filter", filter)
        .before("filter", "count")
        .unwrap()
        .without("old")
        .unwrap()
        .then(Events::new().step("audit", note(&heard, "replaced")));
    let names: Vec<&str> = events.names().collect();
    assert_eq!(names, ["audit", "filter", "count", "table"]);
    let emitter = events.start();
    emitter.emit(&Event::new(EventKind::Paused));
    emitter.flush().await;
    assert_eq!(*heard.lock().unwrap(), ["replaced", "count", "table"]);
    heard.lock().unwrap().clear();
    emitter.emit(&Event::new(EventKind::Resumed));
    emitter.flush().await;
    assert_eq!(*heard.lock().unwrap(), ["replaced"], "the filter stops it");

    for refused in [
        Events::new().step("a", |_| Next::Stop).without("b"),
        Events::new().step("a", |_| Next::Stop).before("a", "b"),
        Events::new().step("a", |_| Next::Stop).before("b", "a"),
    ] {
        assert!(refused.unwrap_err().to_string().contains("`b`"));
    }
    let itself = Events::new().step("a", |_| Next::Stop).before("a", "a");
    let itself = itself.unwrap_err().to_string();
    assert!(
        itself.contains("`a`") && itself.contains("before itself"),
        "{itself}"
    );
}

#[tokio::test]
async fn a_sign_in_alone_touches_the_last_login_and_waits_for_nothing() {
    let touched: Arc<Mutex<Vec<(String, Timestamp)>>> = Arc::default();
    let clock = Clock::manual(Timestamp::from_secs(1_767_225_600));
    let signed_in_at = clock.now();
    let kept = Arc::clone(&touched);
    let emitter = Events::new()
        .touch_last_login(1, move |subject, at| {
            let kept = Arc::clone(&kept);
            async move { kept.lock().unwrap().push((subject, at)) }
        })
        .clock(&clock)
        .start();
    for _ in 0..10 {
        emitter.emit(&Event::new(EventKind::Resumed).subject("grace"));
        emitter.emit(&Event::new(EventKind::SignedOut).subject("grace"));
    }
    emitter.emit(&Event::new(EventKind::SignedIn).subject("ada"));
    clock.advance(Duration::from_secs(60));
    emitter.flush().await;
    assert_eq!(*touched.lock().unwrap(), [("ada".to_owned(), signed_in_at)]);
    assert_eq!(emitter.dropped(), 0, "other events do not fill the queue");
}

#[test]
fn every_event_is_on_its_page() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/events.md");
    let page = std::fs::read_to_string(path).unwrap();
    let rows = page.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        Some((name, rest.split(" |").next()?))
    });
    let table: BTreeMap<_, _> = rows.collect();
    let mut outcomes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, outcome) in EventKind::NAMES {
        outcomes.entry(name).or_default().push(outcome.as_str());
    }
    assert!(outcomes.len() > 25, "{outcomes:?}");
    for (name, outcomes) in &outcomes {
        let told = table.get(name).copied().unwrap_or_default();
        for outcome in outcomes {
            assert!(
                told.contains(outcome),
                "`{name}` {outcome}: the page has {told:?}"
            );
        }
    }
}

/// The names in JSON are stable, and nothing of a token or a password is in it.
#[test]
fn an_event_is_json_with_stable_names() {
    let at = Timestamp::from_millis(1_767_225_600_007);
    let json = serde_json::to_value(reuse().at(at)).unwrap();
    let expected = serde_json::json!({
        "event": "refresh_reuse",
        "outcome": "alarm",
        "at": "2026-01-01T00:00:00.007Z",
        "subject": "ada\r\nroot",
        "session_id": "AAAAAAAAAAAAAAAAAAAAAA",
        "ip": "192.0.2.1",
        "age_ms": 1500,
        "generation_gap": 2,
        "context_differs": true,
    });
    assert_eq!(json, expected);
    for (kind, details) in [
        (EventKind::SignedIn, serde_json::json!({})),
        (
            EventKind::RefreshRefused(super::RefreshRefusal::TooLate),
            serde_json::json!({ "why": "too_late" }),
        ),
        (
            EventKind::Revoked {
                target: super::RevokedTarget::AccessOf,
                sessions: 3,
                reason: "requested",
            },
            serde_json::json!({ "target": "access_of", "sessions": 3, "reason": "requested" }),
        ),
        (
            EventKind::AccessAccepted { one_in: 100 },
            serde_json::json!({ "one_in": 100 }),
        ),
    ] {
        let event = Event::new(kind);
        let mut json = event.to_json();
        assert_eq!(json.remove("event").unwrap(), event.kind.name());
        json.remove("outcome").unwrap();
        assert_eq!(serde_json::Value::Object(json), details);
    }
}
