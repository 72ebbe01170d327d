//! Problems of settings, and the lines that report them.

use std::time::Duration;

use super::value::show_duration as show;
use super::{Settings, table};
use crate::error::{Error, ErrorKind};

/// A problem of a setting.
pub(super) struct SettingProblem {
    name: &'static str,
    /// The other setting that it contradicts.
    other: Option<&'static str>,
    what: String,
    pub(super) missing: bool,
}

impl SettingProblem {
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        [Some(self.name), self.other].into_iter().flatten()
    }

    pub(super) fn line(&self, settings: &Settings) -> String {
        match table::find(self.name).filter(|_| !self.missing) {
            Some(key) => {
                let (shown, by_default) = ((key.show)(settings), (key.show)(&Settings::default()));
                let origin = settings
                    .origins
                    .of(key.name, shown.as_deref(), by_default.as_deref());
                format!("`{}` ({origin}): {}", self.name, self.what)
            }
            None => format!("`{}`: {}", self.name, self.what),
        }
    }
}

/// The problems of a check, collected.
#[derive(Default)]
pub(super) struct Problems(Vec<SettingProblem>);

impl Problems {
    pub(super) fn into_vec(self) -> Vec<SettingProblem> {
        self.0
    }

    /// Adds a problem unless the condition holds.
    pub(super) fn unless(&mut self, fine: bool, name: &'static str, what: impl FnOnce() -> String) {
        if !fine {
            self.0.push(SettingProblem {
                name,
                other: None,
                what: what(),
                missing: false,
            });
        }
    }

    /// Adds a problem of two settings that contradict each other.
    pub(super) fn conflict(
        &mut self,
        bad: bool,
        name: &'static str,
        other: &'static str,
        what: impl FnOnce() -> String,
    ) {
        if bad {
            self.0.push(SettingProblem {
                name,
                other: Some(other),
                what: what(),
                missing: false,
            });
        }
    }

    /// Adds a problem where the setting is missing or empty.
    pub(super) fn required(&mut self, name: &'static str, value: Option<&str>) {
        match value {
            None => self.0.extend(table::find(name).map(|key| {
                let what = format!(
                    "is missing: set it in the file, as {}, or with `.{name}(…)`",
                    key.variable()
                );
                SettingProblem {
                    name,
                    other: None,
                    what,
                    missing: true,
                }
            })),
            Some(text) => self.unless(!text.trim().is_empty(), name, || "must not be empty".into()),
        }
    }

    /// Adds a problem where the span is zero.
    pub(super) fn not_zero(&mut self, name: &'static str, span: Duration) {
        self.unless(!span.is_zero(), name, || "must not be zero".into());
    }

    /// Adds a problem where the span is not whole seconds.
    pub(super) fn whole_seconds(&mut self, name: &'static str, span: Duration) {
        self.unless(span.subsec_nanos() == 0, name, || {
            "must be whole seconds, as the times in a token are".into()
        });
    }

    /// Adds a problem where the span is above a bound.
    pub(super) fn at_most(&mut self, name: &'static str, span: Duration, most: Duration) {
        self.unless(span <= most, name, || {
            format!("must be at most {}", show(most))
        });
    }

    /// Adds a problem where the span is longer than that of another setting.
    pub(super) fn not_longer(
        &mut self,
        (name, span): (&'static str, Duration),
        (other, most): (&'static str, Duration),
    ) {
        self.conflict(span > most, name, other, || {
            format!(
                "{} is longer than `{other}`, which is {}: change one of them",
                show(span),
                show(most)
            )
        });
    }

    /// Adds a problem where the span is shorter than that of another setting.
    pub(super) fn not_shorter(
        &mut self,
        (name, span): (&'static str, Duration),
        (other, least): (&'static str, Duration),
    ) {
        self.conflict(span < least, name, other, || {
            format!(
                "{} is shorter than `{other}`, which is {}: change one of them",
                show(span),
                show(least)
            )
        });
    }
}

/// Returns one error of all problems, each on its line.
pub(super) fn refuse(problems: &[String]) -> Error {
    Error::new(
        ErrorKind::Settings,
        format!("the settings cannot be used:\n{}", problems.join("\n")),
    )
}
