//! The cases of `rename_all`, which turn a field or a variant into a name on the wire exactly as
//! serde does.

use proc_macro2::TokenStream;
use syn::LitStr;
use syn::parse::{ParseStream, Parser as _};

use crate::options::Value;

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

impl Value for Case {
    const WHAT: &'static str = "a string";

    fn example(key: &str) -> String {
        format!("{key} = \"…\"")
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let text = <LitStr as Value>::parse(input)?;
        Self::named(&text).ok_or_else(|| syn::Error::new(text.span(), "unknown case"))
    }

    fn problem(value: &TokenStream) -> Option<String> {
        let text = <LitStr as Value>::parse.parse2(value.clone()).ok()?;
        let names = CASES.map(|(name, _)| name);
        Some(crate::diag::unknown("case", &text.value(), &names))
    }
}

impl Case {
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
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => field.split('_').map(capital).collect(),
            Self::Camel => uncapital(&Self::Pascal.of_field(field)),
        }
    }

    /// The wire name of a variant, whose own name is in Pascal case.
    pub(crate) fn of_variant(self, variant: &str) -> String {
        match self {
            Self::Pascal => variant.to_owned(),
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Camel => uncapital(variant),
            Self::Snake => {
                let mut out = String::new();
                for (at, letter) in variant.char_indices() {
                    if at > 0 && letter.is_uppercase() {
                        out.push('_');
                    }
                    out.push(letter.to_ascii_lowercase());
                }
                out
            }
            Self::ScreamingSnake => Self::Snake.of_variant(variant).to_ascii_uppercase(),
            Self::Kebab => Self::Snake.of_variant(variant).replace('_', "-"),
            Self::ScreamingKebab => Self::ScreamingSnake.of_variant(variant).replace('_', "-"),
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_uppercase())
            .chain(letters)
            .collect()
    })
}

fn uncapital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_lowercase())
            .chain(letters)
            .collect()
    })
}
