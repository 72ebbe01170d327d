//! The rules of closed sets of strings: from what was said to a model, or to mistakes.

use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, LitStr, Variant};

use super::model::{Serde, Text, Value, ValueModel};
use super::parse::{ValueArgs, VariantArgs};
use super::stub::ValueNames;
use crate::case::Case;
use crate::diag::Diag;
use crate::path;
use crate::pipeline::Outline;

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
            format_args!("`{name}` has no variants, so no token can hold one: add a variant"),
        );
    }
    if args.options.sqlx.is_given() {
        refuse_sqlx(&item.attrs, diag);
    }
    let serde = if args.options.serde.0.is_some() {
        Serde::Own
    } else {
        refuse_serde(&item.attrs, "rename_all = \"…\"", diag);
        Serde::Derived
    };
    let mut values: Vec<Value> = Vec::new();
    for (variant, said) in &args.variants {
        if serde == Serde::Derived {
            refuse_serde(&variant.attrs, "rename = \"…\"", diag);
        }
        if args.options.sqlx.is_given() {
            refuse_sqlx(&variant.attrs, diag);
        }
        if let Some(value) = check_variant(variant, said, args, &values, diag) {
            values.push(value);
        }
    }
    Some(ValueModel {
        krate: args.krate.clone(),
        vis: item.vis.clone(),
        name: path::own(name),
        values,
        serde,
        text: if args.options.text.is_given() {
            Text::Derived
        } else {
            Text::Absent
        },
        sqlx: args.options.sqlx.0.clone(),
    })
}

/// Returns what a stand-in is made of.
pub(crate) fn outline(item: &DeriveInput, args: &ValueArgs) -> Option<Outline<ValueNames>> {
    // A `#[serde(…)]` on the item comes with serde's derive.
    let variants = args.variants.iter().flat_map(|(variant, _)| &variant.attrs);
    let mut attrs = item.attrs.iter().chain(variants);
    let derived = attrs.any(|attr| attr.path().is_ident("serde"));
    Some(Outline {
        krate: args.krate.clone(),
        ident: item.ident.clone(),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: ValueNames {
            serde: args.options.serde.0.is_none() && !derived,
            text: args.options.text.is_given(),
            sqlx: args.options.sqlx.is_given(),
        },
    })
}

fn check_variant(
    variant: &Variant,
    said: &VariantArgs,
    args: &ValueArgs,
    before: &[Value],
    diag: &mut Diag,
) -> Option<Value> {
    let rename = said.rename.0.as_ref();
    let name = variant.ident.unraw().to_string();
    if !variant.fields.is_empty() {
        diag.error(
            &variant.ident,
            format_args!("`{name}` has fields, which a string cannot hold: remove them"),
        );
    }
    let wire = rename.map_or_else(
        || {
            args.options
                .rename_all
                .0
                .unwrap_or(Case::Snake)
                .of_variant(&name)
        },
        LitStr::value,
    );
    let message = if wire.is_empty() {
        format!(
            "the string of `{name}` is empty: write `rename = \"…\"` with at least one \
        character"
        )
    } else if wire.contains(|c: char| !matches!(c, '!' | '#'..='[' | ']'..='~')) {
        // RFC 6749 section 3.3, `scope-token`.
        format!(
            "`{wire}` holds a character that separates or quotes scopes: use visible ASCII \
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
            variant: path::own(&variant.ident),
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
                "`ClaimValue` writes the serde impls and does not read `#[serde(…)]`: write \
                 `#[claim_value({instead})]`, or `#[claim_value(serde = own)]` to write them \
                 yourself"
            ),
        );
    }
}

/// Refuses the attribute that comes with `derive(sqlx::Type)`, which would write the same impls.
fn refuse_sqlx(attrs: &[Attribute], diag: &mut Diag) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("sqlx")) {
        diag.error(
            attr.path(),
            "`claim_value(sqlx)` writes the impls of `derive(sqlx::Type)` and does not read \
             `#[sqlx(…)]`: remove one of them",
        );
    }
}
