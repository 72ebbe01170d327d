//! Webhooks: signed, tried again, bounded, and never in the way of a request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tollgate::clock::Timestamp;
use tollgate::event::{Deliveries, Event, EventKind, Events, Webhook};
use tollgate::secret::Secret;

/// A receiver that answers what a test tells it to, one status after the other, then 204.
#[derive(Clone, Default)]
struct Receiver {
    heard: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

impl Receiver {
    /// Starts one, and returns its address.
    async fn start(&self) -> String {
        async fn hear(
            State(receiver): State<Receiver>,
            headers: HeaderMap,
            body: Bytes,
        ) -> StatusCode {
            receiver.heard.lock().unwrap().push((headers, body));
            receiver
                .answers
                .lock()
                .unwrap()
                .pop()
                .unwrap_or(StatusCode::NO_CONTENT)
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(hear).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }

    fn answering(statuses: &[u16]) -> Self {
        let status = |status: &u16| StatusCode::from_u16(*status).unwrap();
        let receiver = Self::default();
        *receiver.answers.lock().unwrap() = statuses.iter().rev().map(status).collect();
        receiver
    }

    fn heard(&self) -> Vec<(HeaderMap, Bytes)> {
        self.heard.lock().unwrap().clone()
    }
}

fn secret(first: u8) -> Secret {
    Secret::from_bytes((first..first + 32).collect())
}

fn webhook(url: &str) -> Webhook {
    Webhook::to(url, secret(0))
        .dangerous_allow_http()
        .dangerous_allow_private_addresses()
        .pauses([Duration::from_millis(1); 3])
}

async fn until(deliveries: &Deliveries, holds: impl Fn(&Deliveries) -> bool) {
    let wait = async {
        while !holds(deliveries) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "waited for {deliveries:?}");
}

/// Computes the signature as the receiver does.
fn signature(secret: &Secret, headers: &HeaderMap, body: &[u8]) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.expose());
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let head = format!("{}.{}.", text("webhook-id"), text("webhook-timestamp"));
    let tag = aws_lc_rs::hmac::sign(&key, &[head.as_bytes(), body].concat());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
}

#[tokio::test]
async fn an_event_arrives_signed_and_with_its_names() {
    let receiver = Receiver::default();
    let webhook = webhook(&receiver.start().await);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    emitter.emit(&Event::new(EventKind::SignedIn).subject("ada"));
    until(&deliveries, |deliveries| deliveries.delivered() == 1).await;
    let [(headers, body)] = &receiver.heard()[..] else {
        panic!("one message")
    };
    let json: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(json["type"], "signed_in");
    assert_eq!(json["data"]["subject"], "ada");
    assert_eq!(json["data"]["outcome"], "done");
    assert_eq!(json["timestamp"], json["data"]["at"]);
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["webhook-id"].to_str().unwrap().starts_with("msg_"));
    assert_eq!(
        headers["webhook-signature"],
        *signature(&secret(0), headers, body)
    );
}

#[tokio::test]
async fn while_secrets_change_both_sign() {
    let receiver = Receiver::default();
    let webhook = webhook(&receiver.start().await).also_signed_with(secret(100));
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    emitter.emit(&Event::new(EventKind::Resumed));
    until(&deliveries, |deliveries| deliveries.delivered() == 1).await;
    let (headers, body) = &receiver.heard()[0];
    let both = [secret(0), secret(100)].map(|secret| signature(&secret, headers, body));
    assert_eq!(headers["webhook-signature"], both.join(" "));
}

#[tokio::test]
async fn an_event_is_sent_again_under_its_id_and_given_up_in_the_end() {
    let receiver = Receiver::answering(&[500, 302, 204, 503, 503, 503, 503, 204]);
    let webhook = webhook(&receiver.start().await);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    for _ in 0..3 {
        emitter.emit(&Event::new(EventKind::Paused));
    }
    until(&deliveries, |deliveries| deliveries.delivered() == 2).await;
    assert_eq!(deliveries.failed(), 1);
    let heard = receiver.heard();
    let ids: Vec<_> = heard
        .iter()
        .map(|(headers, _)| &headers["webhook-id"])
        .collect();
    assert_eq!(ids.len(), 8);
    assert!(ids[..3].iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(ids[3..7].iter().all(|id| *id == ids[3]), "{ids:?}");
    assert_ne!(ids[0], ids[3]);
    assert_ne!(ids[3], ids[7]);
    assert_eq!(emitter.dropped(), 0);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone() {
    let receiver = Receiver::answering(&[410]);
    let webhook = webhook(&receiver.start().await);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    for _ in 0..3 {
        emitter.emit(&Event::new(EventKind::Paused));
    }
    emitter.flush().await;
    assert!(deliveries.is_gone());
    assert_eq!(receiver.heard().len(), 1);
}

/// A receiver that is down costs a request nothing: what waits is bounded, and what is too much is
/// counted.
#[tokio::test]
async fn a_receiver_that_is_down_blocks_nothing_and_what_waits_is_bounded() {
    // Nobody answers here, and nobody refuses: the connection is never accepted.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let webhook = webhook(&url).capacity(4);
    let deliveries = webhook.deliveries();
    let heard = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&heard);
    let emitter = Events::new()
        .webhook(webhook)
        .unwrap()
        .inline(move |_| *counted.lock().unwrap() += 1)
        .start();
    for _ in 0..100 {
        emitter.emit(&Event::new(EventKind::Resumed));
        tokio::task::yield_now().await;
    }
    assert_eq!(
        *heard.lock().unwrap(),
        100,
        "later handlers hear every event at once"
    );
    // One is on its way, and four wait.
    assert!(
        (95..=96).contains(&emitter.dropped()),
        "{}",
        emitter.dropped()
    );
    assert_eq!(deliveries.delivered(), 0);
}

#[tokio::test]
async fn only_the_events_that_were_named_are_sent() {
    let receiver = Receiver::default();
    let webhook = webhook(&receiver.start().await)
        .only(["paused"])
        .capacity(1);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    for _ in 0..10 {
        emitter.emit(&Event::new(EventKind::Resumed));
    }
    emitter.emit(&Event::new(EventKind::Paused));
    until(&deliveries, |deliveries| deliveries.delivered() == 1).await;
    assert_eq!((emitter.dropped(), receiver.heard().len()), (0, 1));
}

#[tokio::test]
async fn addresses_that_are_not_public_and_weak_secrets_are_refused() {
    for (url, told) in [
        ("http://hooks.example.com/", "https"),
        ("ftp://hooks.example.com/", "https"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://169.254.169.254/latest", "private network"),
        ("https://2130706433/", "private network"),
        ("https://user:pw@hooks.example.com/", "password"),
        ("hooks.example.com", "address"),
    ] {
        let refused = Events::new()
            .webhook(Webhook::to(url, secret(0)))
            .unwrap_err();
        assert!(refused.to_string().contains(told), "{url}: {refused}");
        assert!(!format!("{refused:?}").contains("pw@"), "{refused:?}");
    }
    let short = Secret::from_bytes(vec![7; 23]);
    let refused = Events::new().webhook(Webhook::to("https://hooks.example.com/", short));
    assert!(refused.unwrap_err().to_string().contains("24 bytes"));
    // A name that leads into a private network is refused once it was resolved.
    let receiver = Receiver::default();
    let url = receiver.start().await.replace("127.0.0.1", "localhost");
    let webhook = Webhook::to(url, secret(0))
        .dangerous_allow_http()
        .pauses([Duration::from_millis(1)]);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    emitter.emit(&Event::new(EventKind::Paused));
    until(&deliveries, |deliveries| deliveries.failed() == 1).await;
    assert!(receiver.heard().is_empty());
}

/// The body says when an event happened, the header when it was sent.
#[tokio::test]
async fn an_event_that_waited_has_the_time_at_which_it_happened() {
    let receiver = Receiver::answering(&[503, 204, 204]);
    let webhook = webhook(&receiver.start().await);
    let deliveries = webhook.deliveries();
    let emitter = Events::new().webhook(webhook).unwrap().start();
    // Another gate's handler passes it on, an hour later.
    let happened = Timestamp::from_millis(1_767_225_600_042);
    emitter.emit(&Event::new(EventKind::SignedIn).at(happened));
    emitter.emit(&Event::new(EventKind::SignedOut));
    until(&deliveries, |deliveries| deliveries.delivered() == 2).await;
    let heard = receiver.heard();
    let json = |at: usize| serde_json::from_slice::<Value>(&heard[at].1).unwrap();
    for attempt in [0, 1] {
        assert_eq!(json(attempt)["timestamp"], "2026-01-01T00:00:00.042Z");
        assert_eq!(json(attempt)["data"]["at"], "2026-01-01T00:00:00.042Z");
        let sent = heard[attempt].0["webhook-timestamp"].to_str().unwrap();
        assert!(sent.parse::<u64>().unwrap() > happened.as_secs() + 1000);
    }
    assert_ne!(json(2)["timestamp"], json(0)["timestamp"]);
}

/// A webhook for a name that no event has would be silent for ever.
#[tokio::test]
async fn a_webhook_for_a_name_that_no_event_has_is_refused() {
    for (only, told) in [
        (&["refresh_resue"][..], "`refresh_resue`"),
        (&["revoked", "Revoked"], "`Revoked`"),
        (&["revoked", ""], "``"),
        (&[], "no event"),
    ] {
        let webhook =
            Webhook::to("https://hooks.example.com/", secret(0)).only(only.iter().copied());
        let refused = Events::new().webhook(webhook).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
        assert!(refused.contains("`refresh_reuse`"), "{refused}");
        assert_eq!(
            refused.matches("`binding_mismatch`").count(),
            1,
            "{refused}"
        );
    }
}
