//! The rules of closed sets of strings: from what was said to a model, or to mistakes.

use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Variant};

use super::model::{Serde, Value, ValueModel};
use super::parse::ValueArgs;
use crate::case::Case;
use crate::diag::Diag;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &ValueArgs, diag: &mut Diag) -> Option<ValueModel> {
    let name = &item.ident;
    let Data::Enum(data) = &item.data else {
        diag.error(
            name,
            format_args!(
                "a closed set of strings is an enum: write `enum {name} {{ Admin, Editor }}`"
            ),
        );
        return None;
    };
    if let Some(param) = item.generics.params.first() {
        diag.error(
            param,
            format_args!("a closed set of strings has no parameters: leave them out of `{name}`"),
        );
    }
    if data.variants.is_empty() {
        diag.error(
            name,
            format_args!("`{name}` is empty, so nobody can have one: add a variant"),
        );
    }
    let serde = match &args.serde {
        None => Serde::Derived,
        Some(own) => {
            if own != "own" {
                diag.error(
                    own,
                    format_args!(
                        "unknown value `{own}`: write `own`, or leave `serde` out and the impls \
                         are written for you"
                    ),
                );
            }
            Serde::Own
        }
    };
    if serde == Serde::Derived {
        refuse_serde(&item.attrs, "rename_all = \"…\"", diag);
    }
    let mut values: Vec<Value> = Vec::new();
    for (variant, rename) in data.variants.iter().zip(&args.renames) {
        if serde == Serde::Derived {
            refuse_serde(&variant.attrs, "rename = \"…\"", diag);
        }
        if let Some(value) = check_variant(variant, rename.as_ref(), args, &values, diag) {
            values.push(value);
        }
    }
    Some(ValueModel {
        krate: args.krate.clone(),
        vis: item.vis.clone(),
        name: name.clone(),
        values,
        serde,
    })
}

fn check_variant(
    variant: &Variant,
    rename: Option<&LitStr>,
    args: &ValueArgs,
    before: &[Value],
    diag: &mut Diag,
) -> Option<Value> {
    let name = variant.ident.unraw().to_string();
    if !matches!(variant.fields, Fields::Unit) {
        diag.error(
            &variant.ident,
            format_args!("`{name}` carries fields, and a string cannot: leave them out"),
        );
    }
    let wire = rename.map_or_else(
        || args.rename_all.unwrap_or(Case::Snake).of_variant(&name),
        LitStr::value,
    );
    let message = if wire.is_empty() {
        format!("`{name}` has no string: write `rename = \"…\"` with at least one character")
    } else if wire.contains(|c: char| !matches!(c, '!' | '#'..='[' | ']'..='~')) {
        // RFC 6749 section 3.3, `scope-token`.
        format!(
            "`{wire}` holds a character that scopes are parted or quoted by: use visible ASCII \
             without space, `\"` and `\\`"
        )
    } else if let Some(first) = before.iter().find(|value| value.wire == wire) {
        format!(
            "`{}` and `{name}` are both `{wire}` in the token: choose another string with \
             `#[claim_value(rename = \"…\")]`",
            first.variant
        )
    } else {
        return Some(Value {
            variant: variant.ident.clone(),
            wire,
        });
    };
    match rename {
        Some(rename) => diag.error(rename, message),
        None => diag.error(&variant.ident, message),
    }
    None
}

fn refuse_serde(attrs: &[Attribute], instead: &str, diag: &mut Diag) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        diag.error(
            attr.path(),
            format_args!(
                "`ClaimValue` writes the serde impls and does not read `#[serde(…)]`: say \
                 `#[claim_value({instead})]`, or `#[claim_value(serde = own)]` to write them \
                 yourself"
            ),
        );
    }
}
