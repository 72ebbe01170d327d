//! Figures in the text format of Prometheus: a small recorder, so that the example needs no further
//! crate. A program takes `metrics-exporter-prometheus`, which knows more kinds of figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SetRecorderError, SharedString, Unit,
};

/// The figures of this process. Clones are the same figures.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<BTreeMap<String, Family>>>);

/// The series of one name, by their labels.
struct Family {
    kind: &'static str,
    series: BTreeMap<String, Arc<Series>>,
}

/// A series: a number, and the buckets of a histogram.
#[derive(Default)]
struct Series {
    /// The value of a counter or a gauge, or the sum of a histogram.
    value: Mutex<f64>,
    /// How many values were at most as large as each of [`BUCKETS`], and how many there were.
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
}

/// The buckets of every histogram, in seconds.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

impl Figures {
    /// Installs the recorder of this process.
    pub(crate) fn install() -> Result<Self, SetRecorderError<Self>> {
        let figures = Self::default();
        metrics::set_global_recorder(figures.clone())?;
        Ok(figures)
    }

    /// Writes all figures as Prometheus reads them.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            _ = writeln!(text, "# TYPE {name} {}", family.kind);
            for (labels, series) in &family.series {
                let value = *series.value.lock().unwrap_or_else(PoisonError::into_inner);
                if family.kind != "histogram" {
                    _ = writeln!(text, "{name}{{{labels}}} {value}");
                    continue;
                }
                let count = series.count.load(Ordering::Relaxed);
                for (most, bucket) in BUCKETS.iter().zip(&series.buckets) {
                    let at_most = bucket.load(Ordering::Relaxed);
                    _ = writeln!(text, "{name}_bucket{{{labels},le=\"{most}\"}} {at_most}");
                }
                _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
                _ = writeln!(text, "{name}_sum{{{labels}}} {value}");
                _ = writeln!(text, "{name}_count{{{labels}}} {count}");
            }
        }
        text
    }

    fn series(&self, key: &Key, kind: &'static str) -> Arc<Series> {
        let escaped = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n")
        };
        let labels = key
            .labels()
            .map(|label| format!("{}=\"{}\"", label.key(), escaped(label.value())));
        let labels = labels.collect::<Vec<_>>().join(",");
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families
            .entry(key.name().to_owned())
            .or_insert_with(|| Family {
                kind,
                series: BTreeMap::new(),
            });
        Arc::clone(family.series.entry(labels).or_default())
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key, "counter"))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key, "gauge"))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key, "histogram"))
    }
}

impl Series {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *value = change(*value);
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "this example never counts to 2^53"
)]
impl CounterFn for Series {
    fn increment(&self, more: u64) {
        self.change(|value| value + more as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|before| before.max(value as f64));
    }
}

impl GaugeFn for Series {
    fn increment(&self, more: f64) {
        self.change(|value| value + more);
    }

    fn decrement(&self, less: f64) {
        self.change(|value| value - less);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        for (most, bucket) in BUCKETS.iter().zip(&self.buckets) {
            if value <= *most {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.change(|sum| sum + value);
    }
}
