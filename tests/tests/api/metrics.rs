//! Figures for a recorder: what a gate tells, under bounded labels and without a secret.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tollgate::clock::Clock;
use tollgate::prelude::*;
use tollgate::settings::{Replaces, ThrottleSettings};
use tollgate::store::MemoryStore;
use tollgate_tests::App;

/// A recorder that keeps the last value of each series, by `name{label=value,…}`.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

/// Counts the times that it is given. One that no request takes spoils the count, and the test that
/// reads it fails: tests that run in the same process and move their clocks are measured too.
struct Times(Arc<AtomicU64>);

/// More than any test counts.
const ODD: u64 = 1 << 40;

impl HistogramFn for Times {
    fn record(&self, value: f64) {
        let step = if (0.0..600.0).contains(&value) {
            1
        } else {
            ODD
        };
        self.0.fetch_add(step, Ordering::SeqCst);
    }
}

impl Kept {
    fn place(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn of(&self, issuer: &str) -> BTreeMap<String, u64> {
        let kept = self.0.lock().unwrap();
        let of_issuer = kept
            .iter()
            .filter(|(name, _)| name.contains(&format!("issuer={issuer},realm=")));
        of_issuer
            .map(|(name, value)| {
                (
                    name.replace(&format!("issuer={issuer},realm="), "issuer"),
                    value.load(Ordering::SeqCst),
                )
            })
            .collect()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.place(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.place(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Times(self.place(key))))
    }
}

fn recorder() -> &'static Kept {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    KEPT.get_or_init(|| {
        let kept = Kept::default();
        metrics::set_global_recorder(kept.clone())
            .unwrap_or_else(|_| panic!("a recorder is installed already"));
        kept
    })
}

/// A node of a deployment whose issuer is being changed, so that each node's figures are told
/// apart.
async fn on(store: &MemoryStore, issuer: &str) -> App {
    let issuer = issuer.to_owned();
    let replaces = Replaces {
        issuer: Some("https://one.example.com".to_owned()),
        ..Replaces::default()
    };
    App::builder()
        .store(store.clone())
        .clock(&Clock::system())
        .change(|gate| gate.issuer(issuer).replaces(replaces).accept_new_keys())
        .build()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_tells_its_figures_to_the_recorder() {
    let (kept, store) = (recorder(), MemoryStore::new());
    let (one, _two) = (
        on(&store, "https://one.example.com").await,
        on(&store, "https://two.example.com").await,
    );
    let tokens = one.sign_in("ada@example.com").await;
    one.post(
        "/auth/refresh-access",
        serde_json::json!({ "refresh_token": "garbage" }),
    )
    .await
    .assert_problem(401, "invalid_grant");
    let sid: SessionId = tokens.session.parse().unwrap();
    one.gate.revoke(Revoke::session(sid)).await.unwrap();

    // Both nodes read the revocation in the log, and say so.
    let lag = "tollgate_revocation_apply_lag_seconds{issuer}";
    let entries = "tollgate_revocation_entries{issuer}";
    let start = Instant::now();
    let told = |issuer: &str| {
        let told = kept.of(issuer);
        told.get(lag).is_some_and(|count| *count == 1)
            && told.get(entries) == Some(&1.0_f64.to_bits())
    };
    while !told("https://one.example.com") || !told("https://two.example.com") {
        assert!(
            start.elapsed().as_secs() < 10,
            "{:?}",
            kept.of("https://two.example.com")
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let one = kept.of("https://one.example.com");
    let event = |name: &str, outcome: &str| {
        one.get(&format!(
            "tollgate_events_total{{issuer,event={name},outcome={outcome}}}"
        ))
    };
    assert_eq!(event("signed_in", "done"), Some(&1));
    assert_eq!(event("refresh_refused", "refused"), Some(&1));
    assert_eq!(event("revoked", "done"), Some(&1));
    assert_eq!(one.get("tollgate_dropped_events_total{issuer}"), Some(&0));
    assert_eq!(
        one.get("tollgate_dropped_confirmations_total{issuer}"),
        Some(&0)
    );
    assert_eq!(one.get("tollgate_clock_offset_seconds{issuer}"), Some(&0));
    assert!(f64::from_bits(one["tollgate_revocation_view_age_seconds{issuer}"]) < 10.0);

    // An event of one gate is not counted at the other, and no series names a subject.
    let counted: Vec<_> = kept
        .of("https://two.example.com")
        .into_iter()
        .filter(|(name, value)| name.starts_with("tollgate_events") && *value > 0)
        .collect();
    assert_eq!(counted, []);
    let page = include_str!("../../../docs/reference/metrics.md");
    for name in one.keys() {
        let (name, labels) = name.split_once('{').unwrap();
        assert!(
            page.contains(&format!("| `{name}` |")),
            "the page has no {name}"
        );
        assert!(
            !labels.contains(&tokens.session) && !labels.contains("ada@"),
            "{labels}"
        );
    }
}

/// A recorder that was read before the first theft sees the counter go from 0 to 1: Prometheus has
/// no increase for a series that begins with 1.
#[tokio::test]
async fn the_counter_of_an_alarm_is_there_before_the_first_alarm() {
    let kept = recorder();
    let issuer = "https://first.example.com";
    let mut settings = tollgate::settings::Settings::default();
    settings.refresh.window = Duration::ZERO;
    let app = App::builder()
        .settings(settings)
        .throttle(ThrottleSettings::default())
        .change(move |gate| gate.issuer(issuer))
        .build()
        .await;
    let series = |event: &str| {
        let name = format!("tollgate_events_total{{issuer,event={event},outcome=alarm}}");
        kept.of(issuer).get(&name).copied()
    };
    for event in [
        "refresh_reuse",
        "view_stale",
        "throttle_full",
        "task_panicked",
    ] {
        assert_eq!(series(event), Some(0), "{event}");
    }
    let full = "tollgate_throttle_full_total{issuer,budget=client,shared=no}";
    assert_eq!(kept.of(issuer).get(full), Some(&0));
    let stolen = app.sign_in("ada@example.com").await;
    let next = app.refresh(&stolen.refresh).await.tokens();
    _ = app.refresh(&next.refresh).await.tokens();
    app.refresh(&stolen.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    assert_eq!(series("refresh_reuse"), Some(1));
    assert_eq!(series("view_stale"), Some(0));
}
