//! The clock: all times come from here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates; nothing wraps and nothing panics.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest representable point, for what never ends.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// Makes a timestamp of whole milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > Self::MAX.0 {
            Self::MAX.0
        } else {
            millis
        })
    }

    /// Makes a timestamp of whole seconds since 1970, as in a JWT's `NumericDate` (RFC 7519 section
    /// 2).
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Returns the whole milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the point that is `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(span)))
    }

    /// Returns the point that is `span` earlier, 1970 at the earliest.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// Writes the time in UTC: `2027-01-31T12:00:00Z` (RFC 3339).
    pub(crate) fn rfc3339(self) -> String {
        let secs = self.as_secs();
        let (year, month, day) = crate::settings::civil(secs / 86_400);
        let rest = secs % 86_400;
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Writes the time in UTC with its milliseconds: `2027-01-31T12:00:00.042Z` (RFC 3339).
    pub(crate) fn rfc3339_millis(self) -> String {
        let (text, millis) = (self.rfc3339(), self.as_millis() % 1000);
        format!("{}.{millis:03}Z", text.trim_end_matches('Z'))
    }

    /// Returns this point moved by so many milliseconds, forwards or backwards.
    pub(crate) const fn shifted(self, by: i64) -> Self {
        Self::from_millis(self.0.saturating_add_signed(by))
    }

    /// Returns how long after `earlier` this point is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::from_millis(time.duration_since(UNIX_EPOCH).map_or(0, millis))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(time.0)
    }
}

/// The clock of a gate: the system's, or one that a test moves by hand.
#[derive(Clone, Default)]
pub struct Clock(ClockKind);

/// The kinds of clock.
#[derive(Clone, Default)]
enum ClockKind {
    #[default]
    System,
    /// The system's clock, so many milliseconds ahead.
    Shifted(i64),
    Manual(Arc<AtomicU64>),
    /// A manual clock as a machine shows it, so many milliseconds ahead.
    Machine(Arc<AtomicU64>, i64),
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(ClockKind::System)
    }

    /// Returns the system's clock as a machine shows it whose clock is ahead by so much: for tests
    /// of nodes that disagree.
    #[must_use]
    pub fn ahead_by(span: Duration) -> Self {
        Self(ClockKind::Shifted(
            i64::try_from(millis(span)).unwrap_or(i64::MAX),
        ))
    }

    /// Returns the system's clock as a machine shows it whose clock is behind by so much.
    #[must_use]
    pub fn behind_by(span: Duration) -> Self {
        Self(ClockKind::Shifted(
            i64::try_from(millis(span))
                .unwrap_or(i64::MAX)
                .saturating_neg(),
        ))
    }

    /// Returns a clock that stands at `start` until [`advance`](Self::advance) moves it. All clones
    /// move together.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(ClockKind::Manual(Arc::new(AtomicU64::new(
            start.as_millis(),
        ))))
    }

    /// Returns a [manual](Self::manual) clock as a machine shows it that is ahead by so many
    /// milliseconds, or behind where the number is negative; of any other clock a copy. For tests
    /// of nodes that disagree: such a clock is compared with the store's, as the system's is.
    #[must_use]
    pub fn on_machine(&self, millis_ahead: i64) -> Self {
        match &self.0 {
            ClockKind::Manual(at) => Self(ClockKind::Machine(Arc::clone(at), millis_ahead)),
            _ => self.clone(),
        }
    }

    /// Moves a manual clock forward; the system's clock is not changed.
    pub fn advance(&self, span: Duration) {
        if let ClockKind::Manual(at) = &self.0 {
            at.fetch_add(millis(span), Ordering::SeqCst);
        }
    }

    /// Returns whether the clock runs by itself. One that a test moves says nothing about the clock
    /// of another machine.
    pub(crate) const fn runs(&self) -> bool {
        !matches!(self.0, ClockKind::Manual(_))
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the door")]
            ClockKind::System => SystemTime::now().into(),
            #[expect(clippy::disallowed_methods, reason = "this is the door")]
            ClockKind::Shifted(by) => Timestamp::from(SystemTime::now()).shifted(*by),
            ClockKind::Manual(at) => Timestamp::from_millis(at.load(Ordering::SeqCst)),
            ClockKind::Machine(at, by) => {
                Timestamp::from_millis(at.load(Ordering::SeqCst)).shifted(*by)
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ClockKind::System => "Clock::System",
            ClockKind::Shifted(_) => "Clock::Shifted",
            ClockKind::Manual(_) => "Clock::Manual",
            ClockKind::Machine(..) => "Clock::Machine",
        })
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
