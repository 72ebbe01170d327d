//! Compares `#[serde(…)]` with `#[claim(…)]`: a token is not read through serde's derive, so both must say the same.

use syn::LitStr;
use syn::parse::Parser as _;

use super::parse::{Args, FieldArgs};
use crate::case::Case;
use crate::diag::Diag;
use crate::option::{Opt, Value};

/// Options that say nothing about names or presence of members.
const SILENT: [&str; 4] = ["crate", "bound", "expecting", "rename"];

/// Checks the struct's own attributes.
pub(crate) fn check_struct(args: &Args, diag: &mut Diag) {
    for opt in &args.serde {
        let name = opt.key.to_string();
        match name.as_str() {
            "rename_all" => {
                let said = text(opt);
                let case = said.as_ref().and_then(Case::named);
                if case != args.rename_all || case.is_none() {
                    let said = said.map_or_else(|| String::from("…"), |said| said.value());
                    diag.error(
                        &opt.key,
                        format_args!(
                            "claims do not follow `#[serde(rename_all = \"{said}\")]`: say `#[claims(rename_all = \"{said}\")]` too"
                        ),
                    );
                }
            }
            name if SILENT.contains(&name) => {}
            _ => refuse(opt, diag),
        }
    }
}

/// Checks a field that is in the token under the name `wire`.
pub(crate) fn check_field(args: &FieldArgs, wire: &str, optional: bool, diag: &mut Diag) {
    for opt in &args.serde {
        let name = opt.key.to_string();
        match name.as_str() {
            "rename" => match text(opt) {
                Some(said) if said.value() == wire => {}
                Some(said) if args.sub.is_some() => {
                    let said = said.value();
                    diag.error(
                        &opt.key,
                        format_args!("the subject is `sub` on the wire, and serde calls it `{said}`: leave `rename` out"),
                    );
                }
                Some(said) => {
                    let said = said.value();
                    diag.error(
                        &opt.key,
                        format_args!(
                            "serde calls this `{said}`, and the claim is `{wire}`: say `#[claim(rename = \"{said}\")]` too"
                        ),
                    );
                }
                None => diag.error(&opt.key, "claims have one name for both ways: say `#[claim(rename = \"…\")]` instead"),
            },
            "skip" | "skip_serializing" | "skip_deserializing" => diag.error(
                &opt.key,
                format_args!(
                    "serde leaves this field out, and the token would carry it: say `#[claim(skip)]` too, or remove `{name}`"
                ),
            ),
            "default" if args.default.is_some() || optional => {}
            "default" => diag.error(&opt.key, "claims do not follow `#[serde(default)]`: say `#[claim(default)]` too"),
            "with" | "serialize_with" | "deserialize_with" if args.with.is_some() => {}
            "with" | "serialize_with" | "deserialize_with" => {
                diag.error(
                    &opt.key,
                    format_args!("claims do not follow `#[serde({name} = …)]`: say `#[claim(with = module)]` too"),
                );
            }
            "skip_serializing_if" if optional => {}
            "flatten" => diag.error(
                &opt.key,
                "claims are not flattened: give each claim a field of its own, or leave `flatten` out and the claim is an object",
            ),
            "bound" | "getter" => {}
            _ => refuse(opt, diag),
        }
    }
}

fn refuse(opt: &Opt, diag: &mut Diag) {
    diag.error(
        &opt.key,
        format_args!(
            "a token is not read through serde's derive, so `{0}` has no effect on it: leave `#[serde({0})]` out",
            opt.key
        ),
    );
}

fn text(opt: &Opt) -> Option<LitStr> {
    let Value::Is(tokens) = &opt.value else { return None };
    <LitStr as syn::parse::Parse>::parse.parse2(tokens.clone()).ok()
}
