//! Reading and showing a value. No message repeats the value: it may be a secret in the wrong
//! place.

use std::time::Duration;

use toml::Value;

use super::{Cidr, Consistency};

/// A value as its source has it.
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
    /// Reads it. The error says what it must be.
    fn read(raw: Scalar<'_>) -> Result<Self, String>;

    /// Writes it as the file would have it; `None` where it is not set.
    fn show(&self) -> Option<String>;
}

impl<T: SettingValue> SettingValue for Option<T> {
    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        T::read(raw).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}

impl SettingValue for String {
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
    fn read(raw: Scalar<'_>) -> Result<Self, String> {
        raw.text()
            .and_then(parse_duration)
            .ok_or_else(|| "must be a duration such as `30s`, `10m` or `1h30m`".to_owned())
    }

    fn show(&self) -> Option<String> {
        Some(show_duration(*self))
    }
}

impl SettingValue for Consistency {
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
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
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

/// Writes a duration the way it is read, in whole milliseconds.
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
