//! The rules of times: how old a proof or a view may be.

use syn::LitStr;

use crate::diag::{Diag, nearest};
use crate::policy::model::Consistency;
use crate::policy::parse;

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
    let value = text.value();
    let read = units.iter().find_map(|(unit, millis)| {
        let number = value.strip_suffix(*unit)?;
        let number: u64 = number
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| number.parse().ok())??;
        number.checked_mul(*millis)
    });
    match read {
        Some(0) => diag.error(text, "the duration is zero: write at least `1s`"),
        Some(_) => return read,
        None => diag.error(
            text,
            format_args!(
                "`{value}` is not a duration: write a whole number and its unit, as in `30s`, \
                 `5m`, \
                 `2h`, `1d` or `1w`"
            ),
        ),
    }
    None
}
