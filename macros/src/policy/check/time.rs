//! The rules of times: how old a proof or a view may be.

use syn::LitStr;

use super::Joined;
use crate::diag::{Diag, nearest};
use crate::policy::model::Consistency;
use crate::policy::parse::{self, Condition, ConditionKind};

/// Checks what a verifier asks before it accepts a token.
pub(super) fn consistency(said: &parse::ConsistencyWord, diag: &mut Diag) -> Option<Consistency> {
    const WORDS: [&str; 3] = ["strict", "eventual", "bounded"];
    let word = said.word.to_string();
    match (word.as_str(), &said.bound) {
        ("strict", None) => return Some(Consistency::Strict),
        ("eventual", None) => return Some(Consistency::Eventual),
        ("bounded", Some(text)) => {
            return duration(text, &MILLISECONDS, diag).map(Consistency::Bounded);
        }
        ("bounded", None) => {
            diag.error(
                &said.word,
                "`bounded` lacks its time: write how old the view may be, as in `bounded(\"2s\")`",
            );
        }
        ("strict" | "eventual", Some(text)) => {
            diag.error(text, format_args!("`{word}` takes no time: write `{word}`"));
        }
        _ => match nearest(&word, &WORDS) {
            Some(near) => diag.error(
                &said.word,
                format_args!("unknown consistency `{word}`: did you mean `{near}`?"),
            ),
            None => diag.error(
                &said.word,
                format_args!(
                    "unknown consistency `{word}`: there is `strict`, `eventual` and \
                     `bounded(\"2s\")`"
                ),
            ),
        },
    }
    None
}

/// Units, and how many milliseconds each has; the longest name first.
type Units = [(&'static str, u64)];

/// The units of `max_age`.
pub(super) const SECONDS: [(&str, u64); 7] = [
    ("sec", 1_000),
    ("min", 60_000),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];
const MILLISECONDS: [(&str, u64); 8] = [
    ("ms", 1),
    ("sec", 1_000),
    ("min", 60_000),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Returns the milliseconds of `30s`, `5m`, `2h` or `1d`.
pub(super) fn duration(text: &LitStr, units: &Units, diag: &mut Diag) -> Option<u64> {
    match read(text, units) {
        Some(0) => diag.error(text, "the duration is zero: write at least `1s`"),
        Some(read) => return Some(read),
        None => diag.error(
            text,
            format_args!(
                "`{}` is not a duration: write a whole number and its unit, as in `30s`, `5m`, \
                 `2h`, `1d` or `1w`",
                text.value()
            ),
        ),
    }
    None
}

/// Returns the milliseconds, where the text is a duration.
pub(super) fn read(text: &LitStr, units: &Units) -> Option<u64> {
    let value = text.value();
    units.iter().find_map(|(unit, millis)| {
        let number = value.strip_suffix(*unit)?;
        let number: u64 = number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| number.parse().ok())??;
        number.checked_mul(*millis)
    })
}

/// An age that a list of conditions asks for, or excludes.
#[derive(Clone, Copy)]
pub(super) struct Age<'a> {
    pub(super) holds: bool,
    pub(super) text: &'a LitStr,
}

impl<'a> Age<'a> {
    /// Returns the age in a condition.
    pub(super) fn of(condition: &'a Condition) -> Option<Self> {
        match &condition.kind {
            ConditionKind::MaxAge(text) => Some(Self { holds: true, text }),
            ConditionKind::Not(conditions) => {
                let [only] = conditions.as_slice() else {
                    return None;
                };
                Self::of(only).map(|Self { holds, text }| Self {
                    holds: !holds,
                    text,
                })
            }
            _ => None,
        }
    }

    /// Returns what is wrong with two ages beside each other: that no sign-in is both so new and so
    /// old, or that each is one of them.
    pub(super) fn beside(self, other: Self, joined: Joined) -> Option<String> {
        let [ours, theirs] = [self, other].map(|age| read(age.text, &SECONDS));
        let (ours, theirs) = ours.zip(theirs)?;
        if self.holds == other.holds {
            let what = if self.holds {
                format!("max_age = \"{}\"", self.text.value())
            } else {
                format!("not(max_age = \"{}\")", self.text.value())
            };
            return (ours == theirs).then(|| format!("`{what}` is given twice: keep one"));
        }
        let ((new, newest), (old, oldest)) = if self.holds {
            ((self, ours), (other, theirs))
        } else {
            ((other, theirs), (self, ours))
        };
        let (is_wrong, outcome) = match joined {
            Joined::All => (newest <= oldest, "nobody satisfies both"),
            Joined::Any => (newest >= oldest, "everybody satisfies one of them"),
        };
        let (new, old) = (new.text.value(), old.text.value());
        is_wrong.then(|| {
            if newest == oldest {
                format!(
                    "`max_age = \"{new}\"` is asked for and excluded, so {outcome}: remove one of \
                     them"
                )
            } else {
                format!(
                    "`max_age = \"{new}\"` stands beside `not(max_age = \"{old}\")`, so {outcome}: \
                     remove one of them"
                )
            }
        })
    }
}
