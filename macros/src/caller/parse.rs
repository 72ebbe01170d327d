//! Reads `#[caller(…)]`. Knows how options look, not what they mean.

use darling::FromMeta;
use proc_macro2::{Ident, TokenStream};
use syn::{Data, DeriveInput, Path};

use crate::attr;
use crate::diag::Diag;
use crate::options::{self, Maybe, Options, Unknown, Value};
use crate::path::Krate;

/// The options of `#[caller(…)]` on the struct.
pub(crate) struct CallerArgs {
    pub(crate) krate: Krate,
    /// The user writes `FromRequestParts`.
    pub(crate) is_own: bool,
}

/// The options of the struct.
#[derive(Default, FromMeta)]
struct StructArgs {
    /// `extract = own`: the user writes `FromRequestParts`, not the derive.
    #[darling(rename = "extract")]
    _extract: Maybe<OwnExtraction>,
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
    #[darling(flatten)]
    _unknown: Unknown<StructArgs>,
}

/// The options of `#[caller(…)]` on a field, all of which are refused.
#[derive(Default, FromMeta)]
struct FieldArgs {
    #[darling(flatten)]
    _unknown: Unknown<FieldArgs>,
}

impl Options for StructArgs {
    const NAMES: &'static [&'static str] = &["extract", "crate"];
}

impl Options for FieldArgs {
    const NAMES: &'static [&'static str] = &[];

    fn elsewhere(word: &str) -> Option<String> {
        Some(format!(
            "fields have no options: remove `{word}`, since the first field is always the caller"
        ))
    }
}

/// The word after `extract =`.
struct OwnExtraction;

impl Value for OwnExtraction {
    const WHAT: &'static str = "the word `own`";

    fn example(key: &str) -> String {
        format!("{key} = own")
    }

    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let word: Ident = input.parse()?;
        if word == "own" {
            return Ok(Self);
        }
        Err(syn::Error::new(word.span(), "expected `own`"))
    }

    fn problem(value: &TokenStream) -> Option<String> {
        let word: Ident = syn::parse2(value.clone()).ok()?;
        Some(format!(
            "unknown value `{word}`: write `own`, or leave `extract` out"
        ))
    }
}

/// Reads all attributes of the item and its fields.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> CallerArgs {
    let items = attr::of_attributes(&item.attrs, &["caller"], diag);
    let options = options::read::<StructArgs>(items, diag);
    if let Data::Struct(data) = &item.data {
        for field in &data.fields {
            let items = attr::of_attributes(&field.attrs, &["caller"], diag);
            let _: options::OptionsRead<FieldArgs> = options::read(items, diag);
        }
    }
    CallerArgs {
        is_own: options.has("extract"),
        krate: Krate::new(&options.args.krate),
    }
}
