//! The kinds of options, and the reader of a struct that lists them, with darling: each mistake has
//! a sentence of its own, and none hides another.

mod value;

use std::marker::PhantomData;

use darling::FromMeta;
use darling::ast::{MetaNameValueInvalidExpr, NestedMeta};
use proc_macro2::{Ident, TokenStream};
use syn::parse::{ParseStream, Parser as _};
use syn::{Meta, Path};

pub(crate) use self::value::Own;
use crate::attr;
use crate::diag::{Diag, nearest};

/// A struct whose fields are the options of one list.
pub(crate) trait Options: FromMeta + Default {
    /// The options as the documentation has them.
    const NAMES: &'static [&'static str];
    /// Other words, and the options that they stand for.
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[];

    /// Returns what to say of a word that is an option elsewhere.
    fn elsewhere(_word: &str) -> Option<String> {
        None
    }
}

/// Options that were read, and those that were meant.
pub(crate) struct OptionsRead<T> {
    pub(crate) args: T,
    /// The names of all known options, readable or not, in their order.
    pub(crate) named: Vec<Ident>,
    /// The options that misspelt ones probably mean: their absence is not reported as well.
    pub(crate) meant: Vec<&'static str>,
}

impl<T> OptionsRead<T> {
    /// Returns whether an option was given or meant, readable or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.named.iter().any(|named| named == name) || self.meant.contains(&name)
    }
}

/// Reads all options. What is left out of the result was reported.
pub(crate) fn read<T: Options>(items: Vec<NestedMeta>, diag: &mut Diag) -> OptionsRead<T> {
    let mut good: Vec<NestedMeta> = Vec::new();
    let (mut named, mut meant): (Vec<Ident>, Vec<&'static str>) = (Vec::new(), Vec::new());
    for item in once(items, T::SYNONYMS, &[], diag) {
        let Some(key) = attr::key(&item).cloned() else {
            continue;
        };
        let name = key.to_string();
        if T::NAMES.contains(&name.as_str()) {
            named.push(key.clone());
        } else if T::elsewhere(&name).is_none() {
            meant.extend(nearest(&name, T::NAMES));
        }
        let is_reported = attr::value(&item).is_some_and(TokenStream::is_empty);
        let error = match (is_reported, T::from_list(std::slice::from_ref(&item))) {
            (false, Ok(_)) => {
                good.push(item);
                continue;
            }
            (true, _) => None,
            (false, Err(error)) => Some(error),
        };
        error.into_iter().for_each(|error| diag.darling(error));
        // An option with a wrong value was still named: it counts as the word alone would.
        let word = NestedMeta::Meta(Meta::Path(Path::from(key)));
        if T::from_list(std::slice::from_ref(&word)).is_ok() {
            good.push(word);
        }
    }
    let args = T::from_list(&good).unwrap_or_else(|error| {
        diag.darling(error);
        T::default()
    });
    OptionsRead { args, named, meant }
}

/// Keeps the first of each option under its own name, and reports the others unless they may
/// repeat.
pub(crate) fn once(
    items: Vec<NestedMeta>,
    synonyms: &[(&str, &str)],
    repeatable: &[&str],
    diag: &mut Diag,
) -> Vec<NestedMeta> {
    let mut kept: Vec<NestedMeta> = Vec::new();
    for item in items {
        let Some(key) = attr::key(&item).cloned() else {
            continue;
        };
        let word = key.to_string();
        let name = synonyms
            .iter()
            .find(|(synonym, _)| *synonym == word)
            .map_or(word.as_str(), |(_, name)| *name);
        let repeats = kept
            .iter()
            .any(|other| attr::key(other).is_some_and(|other| other == name));
        if repeats && !repeatable.contains(&name) {
            diag.error(&key, format_args!("`{word}` is given twice: keep one"));
        } else if name == word {
            kept.push(item);
        } else {
            kept.push(attr::renamed(item, name));
        }
    }
    kept
}

/// An option without a value. It keeps its own word.
#[derive(Default)]
pub(crate) struct Word(pub(crate) Option<Ident>);

impl Word {
    pub(crate) const fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

impl FromMeta for Word {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        match item {
            Meta::Path(path) => Ok(Self(path.get_ident().cloned())),
            Meta::List(_) | Meta::NameValue(_) => Err(takes_no_value(item.path())),
        }
    }

    fn from_invalid_expr(item: &MetaNameValueInvalidExpr) -> darling::Result<Self> {
        Err(takes_no_value(&item.path))
    }

    fn from_none() -> Option<Self> {
        Some(Self(None))
    }
}

fn takes_no_value(path: &Path) -> darling::Error {
    let key = shown(path);
    darling::Error::custom(format_args!("`{key}` takes no value: write `{key}`")).with_span(path)
}

/// An option with a value, which may be absent.
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Value> FromMeta for Maybe<T> {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        let key = shown(item.path());
        Err(darling::Error::custom(format_args!(
            "`{key}` takes {}: write `{}`",
            T::WHAT,
            T::example(&key)
        ))
        .with_span(item.path()))
    }

    fn from_invalid_expr(item: &MetaNameValueInvalidExpr) -> darling::Result<Self> {
        T::parse
            .parse2(item.value.clone())
            .map(|value| Self(Some(value)))
            .map_err(|_| {
                let key = shown(&item.path);
                let sentence = T::problem(&item.value).unwrap_or_else(|| {
                    format!("expected {}: write `{}`", T::WHAT, T::example(&key))
                });
                darling::Error::custom(sentence).with_span(&item.value)
            })
    }

    fn from_none() -> Option<Self> {
        Some(Self(None))
    }
}

/// A value that may stand after `=`.
pub(crate) trait Value: Sized {
    /// The kind of value, with its article, for messages.
    const WHAT: &'static str;

    /// Returns the option as it should look.
    fn example(key: &str) -> String;

    /// Reads all of it.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self>;

    /// Returns what to say of a value that cannot be read, where there is more to say than what was
    /// expected.
    fn problem(_value: &TokenStream) -> Option<String> {
        None
    }
}

/// The options in `(…)` of an option, which another struct lists.
#[derive(Default)]
pub(crate) struct List(Option<(Ident, TokenStream)>);

impl List {
    /// Returns the items, which are to be at least one.
    pub(crate) fn items(&self, example: &str, diag: &mut Diag) -> Vec<NestedMeta> {
        let Some((key, tokens)) = &self.0 else {
            return Vec::new();
        };
        if tokens.is_empty() {
            diag.error(
                key,
                format_args!("`{key}` is empty: write what belongs there, as in `{example}`"),
            );
        }
        attr::split(tokens.clone(), diag)
    }

    /// Returns the tokens.
    pub(crate) fn tokens(&self) -> Option<(&Ident, &TokenStream)> {
        self.0.as_ref().map(|(key, tokens)| (key, tokens))
    }
}

impl FromMeta for List {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        match item {
            Meta::List(list) => Ok(Self(
                list.path
                    .get_ident()
                    .map(|key| (key.clone(), list.tokens.clone())),
            )),
            Meta::Path(_) | Meta::NameValue(_) => Err(takes_options(item.path())),
        }
    }

    fn from_invalid_expr(item: &MetaNameValueInvalidExpr) -> darling::Result<Self> {
        Err(takes_options(&item.path))
    }

    fn from_none() -> Option<Self> {
        Some(Self(None))
    }
}

fn takes_options(path: &Path) -> darling::Error {
    let key = shown(path);
    let example = match key.as_str() {
        "signin" => "signin(path = \"/signin\")",
        "step" => "step(path = \"/signin/step\")",
        "refresh" => "refresh(path = \"/refresh-access\")",
        "reauthenticate" => "reauthenticate(path = \"/reauthenticate\")",
        "verify" => "verify(path = \"/verify\")",
        "signout" => "signout(path = \"/signout\")",
        "signout_all" => "signout_all(path = \"/signout-all\")",
        "revoke" => "revoke(path = \"/revoke\")",
        "sessions" => "sessions(path = \"/sessions\")",
        "end_session" => "end_session(path = \"/sessions/{id}\")",
        "exchange" => "exchange(path = \"/exchange\")",
        "introspect" => "introspect(path = \"/introspect\")",
        "jwks" => "jwks(path = \"/.well-known/jwks.json\")",
        "disable" => "disable(signout_all, revoke)",
        "names" => "names(access_token = \"token\")",
        "bound" => "bound(R: Repository)",
        "derive" => "derive(PartialEq)",
        _ => "…",
    };
    darling::Error::custom(format_args!(
        "`{key}` takes options of its own: write `{example}`"
    ))
    .with_span(path)
}

/// All options that a struct does not list: each is a mistake.
pub(crate) struct Unknown<T>(PhantomData<fn() -> T>);

impl<T> Default for Unknown<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Options> FromMeta for Unknown<T> {
    fn from_list(items: &[NestedMeta]) -> darling::Result<Self> {
        let mut errors = darling::Error::accumulator();
        for item in items {
            let Some(key) = attr::key(item) else { continue };
            let word = key.to_string();
            let sentence = T::elsewhere(&word)
                .unwrap_or_else(|| crate::diag::unknown("option", &word, T::NAMES));
            errors.push(darling::Error::custom(sentence).with_span(key));
        }
        errors.finish_with(Self(PhantomData))
    }
}

/// Returns the name of an option.
fn shown(path: &Path) -> String {
    path.get_ident().map(Ident::to_string).unwrap_or_default()
}
