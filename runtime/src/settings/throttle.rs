//! The numbers of attempts that are allowed: settings `throttle.*`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::value::{Scalar, SettingValue, parse_duration, show_duration};

/// Settings of the throttle: `throttle.*`. Without the feature `rate-limit` only `step`,
/// `step_long`, `known_for` and `keys` take effect, and each node counts for itself.
///
/// All attempts are counted, successful ones too, before anything is hashed. A sign-in spends from
/// `client`, `identifier` and `identifier_long`. A device that signed in to that identifier before
/// has a budget of its own, `known` and `known_long`, when the others are used up. So a stranger
/// who tries passwords does not lock the owner out on that device; an owner on a new device has to
/// wait like a stranger.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleSettings {
    /// The place where sign-ins and actions are counted.
    pub counted: Counted,
    /// Sign-ins from one address, an IPv6 one by its /64. By default 60 in 5 minutes.
    pub client: Allowance,
    /// Sign-ins to one identifier, whether or not it has an account. By default 20 in 15 minutes.
    pub identifier: Allowance,
    /// The same in the long run: by default 100 in 30 days, because NIST SP 800-63B-4 section 3.2.2
    /// allows no more than 100 failures in a row.
    pub identifier_long: Allowance,
    /// Sign-ins to one identifier from one device that signed in to it before. By default 20 in 15
    /// minutes.
    pub known: Allowance,
    /// The same in the long run. By default 100 in 30 days.
    pub known_long: Allowance,
    /// The time after its last sign-in for which a device stays known. By default 90 days.
    pub known_for: Duration,
    /// Answers to further steps, such as codes, of one subject: one budget for all strangers
    /// together, and one for each known device. A change of the credentials begins fresh budgets.
    /// By default 10 in 15 minutes.
    pub step: Allowance,
    /// The same in the long run. By default 100 in 30 days: few enough against a code with six
    /// digits.
    pub step_long: Allowance,
    /// Actions that an application counts with `gate.allow(…)`: emails that are sent, accounts that
    /// are opened. By default 5 in an hour.
    pub action: Allowance,
    /// Refreshes from one address, counted by each node for itself. By default 600 in a minute.
    pub refresh: Allowance,
    /// Requests about tokens from one address, counted by each node for itself. By default 600 in a
    /// minute.
    pub verify: Allowance,
    /// The number of addresses or identifiers that a node counts separately in one budget. By
    /// default 100 000. One more replaces the one that has used least; if all are used up, it
    /// shares a budget with its network.
    pub keys: u32,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            counted: Counted::Auto,
            client: Allowance::of(60, 5 * MINUTE),
            identifier: Allowance::of(20, 15 * MINUTE),
            identifier_long: Allowance::of(100, 30 * DAY),
            known: Allowance::of(20, 15 * MINUTE),
            known_long: Allowance::of(100, 30 * DAY),
            known_for: Duration::from_secs(90 * DAY),
            step: Allowance::of(10, 15 * MINUTE),
            step_long: Allowance::of(100, 30 * DAY),
            action: Allowance::of(5, 60 * MINUTE),
            refresh: Allowance::of(600, MINUTE),
            verify: Allowance::of(600, MINUTE),
            keys: 100_000,
        }
    }
}

impl ThrottleSettings {
    /// Returns settings that count nothing, the answers to further steps included: for tests, and
    /// behind a proxy that counts.
    #[must_use]
    pub fn off() -> Self {
        let off = Allowance::Unlimited;
        let (client, identifier, identifier_long) = (off, off, off);
        let (known, known_long, step, step_long) = (off, off, off, off);
        Self {
            client,
            identifier,
            identifier_long,
            known,
            known_long,
            step,
            step_long,
            action: off,
            refresh: off,
            verify: off,
            ..Self::default()
        }
    }

    /// Returns the part that takes effect without the feature `rate-limit`: the budgets of steps.
    pub(crate) fn steps_alone(&self) -> Self {
        Self {
            counted: Counted::Local,
            step: self.step,
            step_long: self.step_long,
            known_for: self.known_for,
            keys: self.keys,
            ..Self::off()
        }
    }
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The number of attempts that is allowed: `20/15m`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allowance {
    /// Any number.
    Unlimited,
    /// So many at once; an empty budget fills evenly over the period (the generic cell rate
    /// algorithm).
    Attempts {
        /// The number of attempts.
        burst: u32,
        /// The time that an empty budget takes to be full again.
        period: Duration,
    },
}

impl Allowance {
    /// Allows so many attempts in a period.
    #[must_use]
    pub const fn per(burst: u32, period: Duration) -> Self {
        Self::Attempts { burst, period }
    }

    const fn of(burst: u32, seconds: u64) -> Self {
        Self::per(burst, Duration::from_secs(seconds))
    }
}

impl SettingValue for Allowance {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> super::value::Schema {
        serde_json::json!({ "type": "string", "pattern": "^(off|[0-9]+/([0-9]+(d|h|m|s|ms))+)$" })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let read = raw.text().and_then(|text| match text.split_once('/') {
            None => (text == "off").then_some(Self::Unlimited),
            Some((burst, period)) => {
                let burst = burst
                    .parse()
                    .ok()
                    .filter(|_| burst.bytes().all(|byte| byte.is_ascii_digit()))?;
                Some(Self::per(burst, parse_duration(period)?))
            }
        });
        read.ok_or_else(|| "must be attempts and a period such as `20/15m`, or `off`".to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::Unlimited => "off".to_owned(),
            Self::Attempts { burst, period } => format!("{burst}/{}", show_duration(*period)),
        })
    }
}

/// The place where attempts are counted: `throttle.counted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Counted {
    /// In the store if nodes share it over a network, and otherwise in this process.
    #[default]
    Auto,
    /// In this process: each node for itself.
    #[serde(alias = "here")]
    Local,
    /// In the store: all nodes together.
    Store,
}

impl Counted {
    /// The former name of [`Counted::Local`].
    #[deprecated(since = "0.1.0", note = "use `Counted::Local`")]
    #[allow(non_upper_case_globals, reason = "the name that it had as a variant")]
    pub const Here: Self = Self::Local;
}
