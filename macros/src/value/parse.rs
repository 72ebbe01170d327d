//! Reads `#[claim_value(…)]` of an enum and its variants. Knows how options look, not what they
//! mean.

use proc_macro2::Ident;
use syn::{Attribute, Data, DeriveInput, LitStr};

use crate::attr;
use crate::case::Case;
use crate::diag::Diag;
use crate::path::Krate;

/// What the enum says.
pub(crate) struct ValueArgs {
    pub(crate) rename_all: Option<Case>,
    /// `serde = own`: the user writes the serde impls.
    pub(crate) serde: Option<Ident>,
    pub(crate) krate: Krate,
    /// `rename` of each variant, in their order.
    pub(crate) renames: Vec<Option<LitStr>>,
}

const ENUM_OPTIONS: [&str; 3] = ["rename_all", "serde", "crate"];
const VARIANT_OPTIONS: [&str; 1] = ["rename"];

/// Reads all attributes of the item and its variants.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> ValueArgs {
    let mut args = ValueArgs {
        rename_all: None,
        serde: None,
        krate: Krate::DEFAULT,
        renames: Vec::new(),
    };
    for opt in attr::once(
        attr::of_attributes(&item.attrs, "claim_value", diag),
        &[],
        diag,
    ) {
        match opt.key.to_string().as_str() {
            "rename_all" => args.rename_all = Case::read(&opt, diag),
            "serde" => {
                args.serde = opt.parse(
                    "the word `own`",
                    "serde = own",
                    syn::parse::Parse::parse,
                    diag,
                );
            }
            "crate" => args.krate = Krate::read(&opt, diag),
            "rename" => diag.error(
                &opt.key,
                "`rename` belongs to a variant: write it above the one that is meant, or \
                 `rename_all` above the enum",
            ),
            _ => {
                diag.unknown(&opt.key, "option", &ENUM_OPTIONS);
            }
        }
    }
    if let Data::Enum(data) = &item.data {
        args.renames = data
            .variants
            .iter()
            .map(|variant| parse_variant(&variant.attrs, diag))
            .collect();
    }
    args
}

fn parse_variant(attrs: &[Attribute], diag: &mut Diag) -> Option<LitStr> {
    let mut rename = None;
    for opt in attr::once(attr::of_attributes(attrs, "claim_value", diag), &[], diag) {
        match opt.key.to_string().as_str() {
            "rename" => rename = opt.string(diag),
            word if ENUM_OPTIONS.contains(&word) => {
                diag.error(
                    &opt.key,
                    format_args!(
                        "`{word}` belongs to the enum: write `#[claim_value({word} = …)]` above it"
                    ),
                );
            }
            _ => {
                diag.unknown(&opt.key, "option", &VARIANT_OPTIONS);
            }
        }
    }
    rename
}
