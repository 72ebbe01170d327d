//! Webhooks: sends signed events to another server, with retries, and never delays a request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64_simd::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, StatusCode, Url};
use serde_json::json;
use sha2::Sha256;

use super::{Event, EventKind, Events};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::id::TokenId;
use crate::outbound::{Allows, BadAddress, check, client};
use crate::secret::Secret;

/// A server that gets events over HTTP.
///
/// Each event is a `POST` of `{"type": …, "timestamp": …, "data": {…}}`, where `data` is
/// [`Event::to_json`] and `timestamp` the time at which it happened, with the headers of Standard Webhooks: `webhook-id`, `webhook-timestamp`
/// and `webhook-signature`, which is `v1,` and the base64 of the HMAC-SHA-256 of
/// `{id}.{timestamp}.{body}`. An answer of 2xx is a delivery. After any other answer, or without
/// one within ten seconds, the event is sent again with the same id: after 1, 5, 25 and 60 seconds.
/// After an answer of 410 the webhook sends nothing any more.
///
/// Events wait in a queue of [`capacity`](Self::capacity); if it is full they are dropped and
/// counted ([`Emitter::dropped`](super::Emitter::dropped)). A request never waits for a receiver.
///
/// The address must be https, redirects are not followed, and private addresses are refused after
/// the name was resolved, unless the program allows them.
///
/// ```
/// use tollgate::event::{Events, Webhook};
/// # use tollgate::secret::Secret;
///
/// # fn secret() -> Secret { Secret::from_bytes((0..32).collect()) }
/// let webhook = Webhook::to("https://siem.example.com/tollgate", secret())
///     .only(["refresh_reuse", "sign_in_refused", "revoked"]);
/// let deliveries = webhook.deliveries();
/// let events = Events::new().webhook(webhook)?;
/// assert_eq!(deliveries.failed(), 0);
/// # drop(events);
/// # Ok::<(), tollgate::error::Error>(())
/// ```
pub struct Webhook {
    name: String,
    url: String,
    /// All of them sign: the receiver may know one of them alone while they are changed.
    secrets: Vec<Secret>,
    only: Option<Vec<String>>,
    capacity: usize,
    pauses: Vec<Duration>,
    allows: Allows,
    counts: Arc<Counts>,
}

impl Webhook {
    /// Sends events to this address, signed with this secret, of which the receiver knows the text
    /// `whsec_` and its base64. A secret has 24 bytes at least.
    #[must_use]
    pub fn to(url: impl Into<String>, secret: Secret) -> Self {
        Self {
            name: "webhook".to_owned(),
            url: url.into(),
            secrets: vec![secret],
            only: None,
            capacity: 1024,
            pauses: [1, 5, 25, 60].map(Duration::from_secs).into(),
            allows: Allows::default(),
            counts: Arc::default(),
        }
    }

    /// Sets the name of the handler. Default `webhook`; a second one needs another.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Signs with this secret too. To change a secret, add the next one here, give it to the
    /// receiver, and then remove the former one.
    #[must_use]
    pub fn also_signed_with(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sends only events of these names. By default all. [`Events::webhook`] refuses a name that no
    /// event has.
    #[must_use]
    pub fn only<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the length of the queue, in events. By default 1024.
    #[must_use]
    pub const fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// Sets the pauses before an event is sent again. By default 1, 5, 25 and 60 seconds.
    #[must_use]
    pub fn pauses(mut self, pauses: impl IntoIterator<Item = Duration>) -> Self {
        self.pauses = pauses.into_iter().collect();
        self
    }

    /// Allows plain http too. Anyone on the path can then read the events.
    #[must_use]
    pub const fn dangerous_allow_http(mut self) -> Self {
        self.allows.plain_http = true;
        self
    }

    /// Allows loopback, link-local and private addresses too, for a receiver inside your own
    /// network.
    #[must_use]
    pub const fn dangerous_allow_private_addresses(mut self) -> Self {
        self.allows.private_addresses = true;
        self
    }

    /// Returns the counters of deliveries. They stay up to date after the webhook was added.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        Deliveries(Arc::clone(&self.counts))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may have a secret in its path.
        f.debug_struct("Webhook")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The number of events that a receiver got.
#[derive(Clone, Debug)]
pub struct Deliveries(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
    is_gone: AtomicBool,
}

impl Deliveries {
    /// Returns how many events were delivered.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.0.delivered.load(Ordering::Relaxed)
    }

    /// Returns how many events were given up, after every attempt failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Returns whether the receiver answered that it is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.is_gone.load(Ordering::Relaxed)
    }
}

impl Events {
    /// Adds a webhook, as the handler of its name.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`]: the address is not a URL, is not https, has credentials in it, or is
    /// that of a private network which the program did not allow; a secret is shorter than 24
    /// bytes; [`Webhook::only`] has no name, or one that no event has; the HTTP client cannot be
    /// made.
    pub fn webhook(self, webhook: Webhook) -> Result<Self, Error> {
        let Webhook {
            name,
            url,
            secrets,
            only,
            capacity,
            pauses,
            allows,
            counts,
        } = webhook;
        let refuse = |what: &str| {
            Error::new(
                ErrorKind::Usage,
                format!("the webhook `{name}` cannot be used: {what}"),
            )
        };
        let url =
            Url::parse(&url).map_err(|error| refuse("its address is not a URL").because(error))?;
        check(&url, allows).map_err(|why| match why {
            BadAddress::Scheme(_) => refuse("its address has to be https"),
            BadAddress::Credentials => refuse("its address has a user or a password in it"),
            BadAddress::Private => refuse(
                "its address is that of a private network: call \
                 `.dangerous_allow_private_addresses()` if that is intended",
            ),
        })?;
        if secrets
            .iter()
            .any(|secret| secret.expose().len() < SHORTEST)
        {
            return Err(refuse("a secret is shorter than 24 bytes"));
        }
        if let Some(only) = &only {
            check_names(only).map_err(|what| refuse(&what))?;
        }
        let client = client(allows, TOTAL)
            .map_err(|error| refuse("the HTTP client cannot be made").because(error))?;
        let receiver = Arc::new(Receiver {
            url,
            secrets,
            pauses,
            client,
            clock: Clock::system(),
            counts,
        });
        let accepts = move |event: &Event| {
            only.as_ref()
                .is_none_or(|names| names.iter().any(|name| name == event.kind.name()))
        };
        Ok(self.filtered(&name, capacity, accepts, move |event| {
            let receiver = Arc::clone(&receiver);
            async move { receiver.deliver(&event).await }
        }))
    }
}

/// Refuses names that no event has, and a list without a name: the webhook would be silent.
fn check_names(only: &[String]) -> Result<(), String> {
    let mut known: Vec<&str> = EventKind::NAMES.iter().map(|(name, _)| *name).collect();
    known.dedup();
    let unknown = only.iter().find(|name| !known.contains(&name.as_str()));
    let what = match unknown {
        Some(unknown) => format!("`only` names `{unknown}`, which is no event"),
        None if only.is_empty() => "`only` names no event".to_owned(),
        None => return Ok(()),
    };
    Err(format!("{what}: there are `{}`", known.join("`, `")))
}

/// A receiver, and how it is reached.
struct Receiver {
    url: Url,
    secrets: Vec<Secret>,
    pauses: Vec<Duration>,
    client: Client,
    clock: Clock,
    counts: Arc<Counts>,
}

/// The result of one attempt.
enum Attempt {
    Delivered,
    Gone,
    Failed,
}

impl Receiver {
    /// Sends an event until it is delivered, or every attempt failed.
    async fn deliver(&self, event: &Event) {
        if self.counts.is_gone.load(Ordering::Relaxed) {
            return;
        }
        let Ok(id) = TokenId::random() else { return };
        let id = format!("msg_{id}");
        let happened = event.at.unwrap_or_else(|| self.clock.now());
        let body = json!({
            "type": event.kind.name(),
            "timestamp": happened.rfc3339_millis(),
            "data": event,
        });
        let body = body.to_string();
        let mut pauses = self.pauses.iter();
        loop {
            match self.attempt(&id, &body).await {
                Attempt::Delivered => {
                    self.counts.delivered.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Attempt::Gone => {
                    if !self.counts.is_gone.swap(true, Ordering::Relaxed) {
                        tracing::warn!(
                            "a webhook's receiver answered 410: the webhook has stopped"
                        );
                    }
                    return;
                }
                Attempt::Failed => {}
            }
            let Some(pause) = pauses.next() else {
                if self.counts.failed.fetch_add(1, Ordering::Relaxed) == 0 {
                    tracing::warn!("a webhook's receiver does not answer: events are given up");
                }
                return;
            };
            tokio::time::sleep(*pause).await;
        }
    }

    /// Sends an event once. The answer's body is not read.
    async fn attempt(&self, id: &str, body: &str) -> Attempt {
        let timestamp = self.clock.now().as_secs();
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.signatures(id, timestamp, body))
            .body(body.to_owned());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Attempt::Delivered,
            Ok(answer) if answer.status() == StatusCode::GONE => Attempt::Gone,
            Ok(answer) => {
                tracing::debug!(status = answer.status().as_u16(), "a webhook was refused");
                Attempt::Failed
            }
            Err(error) => {
                // Without its address, which may have a secret in its path.
                let error = error.without_url();
                tracing::debug!(%error, "a webhook was not delivered");
                Attempt::Failed
            }
        }
    }

    /// Signs a message with each secret; spaces separate the signatures.
    fn signatures(&self, id: &str, timestamp: u64, body: &str) -> String {
        let sign = |secret: &Secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).ok()?;
            mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
            let signature = STANDARD.encode_to_string(mac.finalize().into_bytes());
            Some(format!("v1,{signature}"))
        };
        let signatures: Vec<String> = self.secrets.iter().filter_map(sign).collect();
        signatures.join(" ")
    }
}

/// The shortest secret, in bytes, as Standard Webhooks has it.
const SHORTEST: usize = 24;
/// The time that a receiver has to answer.
const TOTAL: Duration = Duration::from_secs(10);
