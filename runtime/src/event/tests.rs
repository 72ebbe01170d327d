//! Events: the text of a line in the log, and the protection of a request from the handlers of its
//! events.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Event, EventKind, Events};
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
