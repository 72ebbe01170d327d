//! Reads `#[claim_value(…)]` of an enum and its variants. Knows how options look, not what they
//! mean.

use darling::FromMeta;
use syn::{Data, DeriveInput, LitStr, Path, Variant};

use crate::attr;
use crate::case::Case;
use crate::diag::Diag;
use crate::options::{self, Maybe, Options, Own, Unknown, Word};
use crate::path::Krate;

/// The options of the enum and of its variants, as they were read.
pub(crate) struct ValueArgs {
    pub(crate) options: EnumArgs,
    pub(crate) krate: Krate,
    /// The variants, each with its options.
    pub(crate) variants: Vec<(Variant, VariantArgs)>,
}

/// The options of the enum.
#[derive(Default, FromMeta)]
pub(crate) struct EnumArgs {
    /// The case of the strings.
    pub(crate) rename_all: Maybe<Case>,
    /// The user writes the serde impls.
    pub(crate) serde: Maybe<Own>,
    /// `as_str`, `Display`, `FromStr` and `TryFrom` are written too.
    pub(crate) text: Word,
    /// The impls of sqlx are written too.
    pub(crate) sqlx: Word,
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
    #[darling(flatten)]
    _unknown: Unknown<EnumArgs>,
}

/// The options of a variant.
#[derive(Default, FromMeta)]
pub(crate) struct VariantArgs {
    /// Its string.
    pub(crate) rename: Maybe<LitStr>,
    #[darling(flatten)]
    _unknown: Unknown<VariantArgs>,
}

impl Options for EnumArgs {
    const NAMES: &'static [&'static str] = &["rename_all", "serde", "text", "sqlx", "crate"];

    fn elsewhere(word: &str) -> Option<String> {
        (word == "rename").then(|| {
            String::from(
                "`rename` belongs to a variant: write it above the one that is meant, or \
                 `rename_all` above the enum",
            )
        })
    }
}

impl Options for VariantArgs {
    const NAMES: &'static [&'static str] = &["rename"];

    fn elsewhere(word: &str) -> Option<String> {
        let example = match word {
            "text" => "text",
            "sqlx" => "sqlx",
            "serde" => "serde = own",
            "rename_all" => "rename_all = …",
            "crate" => "crate = …",
            _ => return None,
        };
        Some(format!(
            "`{word}` belongs to the enum: write `#[claim_value({example})]` above it"
        ))
    }
}

/// The attributes that are read: the first is the documented one.
const ATTRIBUTES: [&str; 3] = ["claim_value", "claim", "claims"];

/// Reads all attributes of the item and its variants.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> ValueArgs {
    let items = attr::of_attributes(&item.attrs, &ATTRIBUTES, diag);
    let options = options::read::<EnumArgs>(items, diag).args;
    let mut variants = Vec::new();
    if let Data::Enum(data) = &item.data {
        for variant in &data.variants {
            let items = attr::of_attributes(&variant.attrs, &ATTRIBUTES, diag);
            variants.push((variant.clone(), options::read(items, diag).args));
        }
    }
    ValueArgs {
        krate: Krate::new(&options.krate),
        options,
        variants,
    }
}
