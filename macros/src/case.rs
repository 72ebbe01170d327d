//! The cases of `rename_all`, which turn a field or a variant into a name on the wire exactly as
//! serde does.

use syn::LitStr;

use crate::attr::Opt;
use crate::diag::{Diag, nearest};

/// A case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// Reads `rename_all = "…"`.
    pub(crate) fn read(opt: &Opt, diag: &mut Diag) -> Option<Self> {
        let text = opt.string(diag)?;
        let case = Self::named(&text);
        if case.is_none() {
            let names = CASES.map(|(name, _)| name);
            let word = text.value();
            match nearest(&word, &names) {
                Some(near) => diag.error(
                    &text,
                    format_args!("unknown case `{word}`: did you mean `{near}`?"),
                ),
                None => diag.error(
                    &text,
                    format_args!(
                        "unknown case `{word}`: there is {}",
                        crate::diag::listed(&names)
                    ),
                ),
            }
        }
        case
    }

    /// The case of this name.
    pub(crate) fn named(text: &LitStr) -> Option<Self> {
        let text = text.value();
        CASES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, case)| *case)
    }

    /// The wire name of a field, whose own name is in snake case.
    pub(crate) fn of_field(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_uppercase(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_uppercase().replace('_', "-"),
            Self::Pascal => field.split('_').map(capital).collect(),
            Self::Camel => uncapital(&Self::Pascal.of_field(field)),
        }
    }

    /// The wire name of a variant, whose own name is in Pascal case.
    pub(crate) fn of_variant(self, variant: &str) -> String {
        match self {
            Self::Pascal => variant.to_owned(),
            Self::Lower => variant.to_lowercase(),
            Self::Upper => variant.to_uppercase(),
            Self::Camel => uncapital(variant),
            Self::Snake => {
                let mut out = String::new();
                for (at, letter) in variant.char_indices() {
                    if at > 0 && letter.is_uppercase() {
                        out.push('_');
                    }
                    out.extend(letter.to_lowercase());
                }
                out
            }
            Self::ScreamingSnake => Self::Snake.of_variant(variant).to_uppercase(),
            Self::Kebab => Self::Snake.of_variant(variant).replace('_', "-"),
            Self::ScreamingKebab => Self::ScreamingSnake.of_variant(variant).replace('_', "-"),
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn uncapital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(letters).collect()
    })
}
