//! Reads and shows a value. No message repeats the value: it may be a secret in the wrong place.

use std::time::Duration;

use toml::Value;

use super::{Cidr, Consistency};
use crate::clock::Timestamp;

/// A value in the form of its source.
#[derive(Clone, Copy)]
pub(super) enum Scalar<'a> {
    /// In the file, where it has a type.
    File(&'a Value),
    /// In the environment, where everything is text.
    Env(&'a str),
}

impl<'a> Scalar<'a> {
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::File(value) => value.as_str(),
            Self::Env(text) => Some(text),
        }
    }
}

/// A type that a setting may have.
pub(super) trait SettingValue: Sized {
    /// Reads it. The error says which form it must have.
    fn read(raw: Scalar<'_>) -> Result<Self, String>;

    /// Writes it in the form of the file; `None` if it is not set.
    fn show(&self) -> Option<String>;

    /// Returns the JSON schema of the value in the file.
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema;
}

/// A JSON schema.
#[cfg(any(test, feature = "cli"))]
pub(super) type Schema = serde_json::Value;

impl<T: SettingValue> SettingValue for Option<T> {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        T::schema()
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        T::read(raw).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}

impl SettingValue for String {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "string" })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        raw.text()
            .map(str::to_owned)
            .ok_or_else(|| "must be a string".to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl SettingValue for Vec<String> {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "array", "items": { "type": "string" } })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        match raw {
            Scalar::Env(text) => Ok(text
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect()),
            Scalar::File(value) => value
                .as_array()
                .and_then(|items| {
                    items
                        .iter()
                        .map(|item| item.as_str().map(str::to_owned))
                        .collect()
                })
                .ok_or_else(|| "must be an array of strings".to_owned()),
        }
    }

    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.join(","))
    }
}

impl SettingValue for Vec<Cidr> {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "array", "items": { "type": "string" } })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let ranges = Vec::<String>::read(raw)?;
        ranges
            .iter()
            .map(|text| text.parse().map_err(|error| format!("each {error}")))
            .collect()
    }

    fn show(&self) -> Option<String> {
        (!self.is_empty()).then(|| {
            self.iter()
                .map(Cidr::to_string)
                .collect::<Vec<_>>()
                .join(",")
        })
    }
}

impl SettingValue for bool {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "boolean" })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let read = match raw {
            Scalar::File(value) => value.as_bool(),
            Scalar::Env("true") => Some(true),
            Scalar::Env("false") => Some(false),
            Scalar::Env(_) => None,
        };
        read.ok_or_else(|| "must be `true` or `false`".to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for u32 {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let read = match raw {
            Scalar::File(value) => value
                .as_integer()
                .and_then(|number| Self::try_from(number).ok()),
            Scalar::Env(text) => text
                .parse()
                .ok()
                .filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())),
        };
        read.ok_or_else(|| format!("must be a whole number from 0 to {}", Self::MAX))
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl SettingValue for Duration {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "string", "pattern": DURATION })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        raw.text()
            .and_then(parse_duration)
            .ok_or_else(|| "must be a duration such as `30s`, `10m` or `1h30m`".to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(show_duration(*self))
    }
}

impl SettingValue for Timestamp {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({
            "anyOf": [{ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }, { "type": "object" }]
        })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let day = match raw {
            Scalar::File(Value::Datetime(day)) => parse_day(&day.to_string()),
            raw => raw.text().and_then(parse_day),
        };
        day.ok_or_else(|| "must be a day such as `2027-01-31`, from 1970 to 9999".to_owned())
    }

    fn show(&self) -> Option<String> {
        let (year, month, day) = civil(self.as_secs() / DAY_SECS);
        Some(format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl SettingValue for Consistency {
    #[cfg(any(test, feature = "cli"))]
    fn schema() -> Schema {
        serde_json::json!({ "type": "string", "pattern": "^(eventual|strict|bounded:([0-9]+(d|h|m|s|ms))+)$" })
    }

    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        let read = raw.text().and_then(|text| match text {
            "eventual" => Some(Self::Eventual),
            "strict" => Some(Self::Strict),
            _ => text
                .strip_prefix("bounded:")
                .and_then(parse_duration)
                .map(Self::Bounded),
        });
        read.ok_or_else(|| {
            "must be `eventual`, `strict`, or `bounded:` and a duration such as `bounded:2s`"
                .to_owned()
        })
    }

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::Eventual => "eventual".to_owned(),
            Self::Strict => "strict".to_owned(),
            Self::Bounded(span) => format!("bounded:{}", show_duration(*span)),
        })
    }
}

/// The form of a duration, as a schema tells it: the order of the units is left to the reader.
#[cfg(any(test, feature = "cli"))]
const DURATION: &str = "^([0-9]+(d|h|m|s|ms))+$";

const DAY_SECS: u64 = 24 * 60 * 60;

/// Reads `2027-01-31` as the time at which that day begins in UTC.
fn parse_day(text: &str) -> Option<Timestamp> {
    let digits = |text: &str, len| {
        let is_number = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().ok()).flatten()
    };
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let wanted = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let days = days_before(wanted.0.checked_sub(1970)?, wanted)?;
    // A day that its month does not have would become another date.
    (parts.next().is_none() && civil(days) == wanted).then(|| Timestamp::from_secs(days * DAY_SECS))
}

/// Returns the number of days from 1970 to a date, whose year is `years` after 1970.
fn days_before(years: u64, (year, month, day): (u64, u64, u64)) -> Option<u64> {
    let lengths = month_lengths(year);
    let months: u64 = lengths
        .iter()
        .take(usize::try_from(month.checked_sub(1)?).ok()?)
        .sum();
    let leap_days = (1970..year).filter(|year| is_leap(*year)).count() as u64;
    Some(years * 365 + leap_days + months + day.checked_sub(1)?)
}

/// Returns the date of a day that many days after the first of 1970.
pub(crate) fn civil(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in month_lengths(year) {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

fn month_lengths(year: u64) -> [u64; 12] {
    let february = 28 + u64::from(is_leap(year));
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The units of a duration in milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads `10m`, `500ms`, `1h30m`: whole numbers with their units, each unit once, the largest
/// first.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*millis)?)?;
        rest = tail;
    }
    (!text.is_empty()).then(|| Duration::from_millis(total))
}

/// Writes a duration in the form in which it is read, in whole milliseconds.
pub(super) fn show_duration(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let count = rest / millis;
        rest %= millis;
        if count > 0 {
            text += &format!("{count}{unit}");
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown_alike() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
            ("1h30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
            assert_eq!(show_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn days_are_read_and_shown_alike() {
        for (text, secs) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2027-01-31", 1_801_353_600),
            ("2100-03-01", 4_107_542_400),
        ] {
            let day = Timestamp::read(Scalar::Env(text)).unwrap();
            assert_eq!((day.as_secs(), day.show().unwrap()), (secs, text.into()));
        }
        let file: Value = toml::from_str::<toml::Table>("day = 2027-01-31").unwrap()["day"].clone();
        assert_eq!(
            Timestamp::read(Scalar::File(&file)).unwrap().as_secs(),
            1_801_353_600
        );
        for bad in [
            "",
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "2027-01-32",
            "1969-12-31",
            "27-01-31",
            "2027-1-31",
            "2027-01-31T00:00:00Z",
            "2027-01-31-",
            "+027-01-31",
        ] {
            assert!(Timestamp::read(Scalar::Env(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "10",
            "m",
            "-1s",
            "+1s",
            "1.5h",
            "10 m",
            " 10m",
            "10M",
            "1m1h",
            "1s1s",
            "1w",
            "18446744073709551615d",
            "1é",
            "１s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
