//! Compares `#[serde(…)]` with `#[claim(…)]`: a token is not read through serde's derive, so both
//! must say the same.

use quote::ToTokens as _;
use syn::parse::Parser as _;
use syn::{LitStr, Path};

use super::super::parse::{ClaimsArgs, DefaultArg, FieldArgs};
use crate::attr::{Opt, Value};
use crate::case::Case;
use crate::diag::Diag;

/// Options of serde's own impls, which say nothing about the members of a token.
const IGNORED: [&str; 4] = ["crate", "bound", "expecting", "rename"];

/// Checks the struct's own attributes.
pub(crate) fn check_struct(args: &ClaimsArgs, diag: &mut Diag) {
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
                            "claims do not follow `#[serde(rename_all = \"{said}\")]`: say \
                             `#[claims(rename_all = \"{said}\")]` too"
                        ),
                    );
                }
            }
            name if IGNORED.contains(&name) => {}
            _ => refuse(opt, diag),
        }
    }
}

/// Checks a field that is in the token: an own claim by its wire name, with whether it is optional,
/// or the subject.
pub(crate) fn check_field(args: &FieldArgs, claim: Option<(&str, bool)>, diag: &mut Diag) {
    for opt in &args.serde {
        let name = opt.key.to_string();
        let optional = claim.is_some_and(|(_, optional)| optional);
        match name.as_str() {
            "rename" => check_name(opt, claim.map(|(wire, _)| wire), diag),
            "skip" | "skip_serializing" | "skip_deserializing" => diag.error(
                &opt.key,
                format_args!(
                    "serde leaves this field out, and the token would carry it: say \
                     `#[claim(skip)]` too, or remove `{name}`"
                ),
            ),
            "default" => check_default(opt, args, optional, diag),
            "with" => check_module(opt, args, diag),
            "serialize_with" | "deserialize_with" if args.with.is_some() => {}
            "serialize_with" | "deserialize_with" => {
                diag.error(
                    &opt.key,
                    format_args!(
                        "claims do not follow `#[serde({name} = …)]`: say `#[claim(with = \
                         module)]` too"
                    ),
                );
            }
            "skip_serializing_if"
                if optional
                    && text(opt).is_some_and(|said| said.value().ends_with("Option::is_none")) => {}
            "skip_serializing_if" => diag.error(
                &opt.key,
                "a claim is left out where it is `None` and never else: make the field an \
                 `Option` with `skip_serializing_if = \"Option::is_none\"`, or remove the \
                 condition",
            ),
            "flatten" => diag.error(
                &opt.key,
                "claims are not flattened: give each claim a field of its own, or leave `flatten` \
                 out and the claim is an object",
            ),
            "bound" | "getter" => {}
            _ => refuse(opt, diag),
        }
    }
}

/// `rename` of a field whose claim has the name `wire`; `None` for the subject.
fn check_name(opt: &Opt, wire: Option<&str>, diag: &mut Diag) {
    let Some(said) = text(opt).map(|said| said.value()) else {
        diag.error(
            &opt.key,
            "claims have one name for both ways: say `#[claim(rename = \"…\")]` instead",
        );
        return;
    };
    match wire {
        Some(wire) if wire != said => diag.error(
            &opt.key,
            format_args!(
                "serde calls this `{said}`, and the claim is `{wire}`: say `#[claim(rename = \
                 \"{said}\")]` too"
            ),
        ),
        None if said != "sub" => diag.error(
            &opt.key,
            format_args!(
                "the subject is `sub` on the wire, and serde calls it `{said}`: leave `rename` out"
            ),
        ),
        Some(_) | None => {}
    }
}

fn check_default(opt: &Opt, args: &FieldArgs, optional: bool, diag: &mut Diag) {
    let serde = path(opt);
    let claim = match &args.default {
        Some(DefaultArg::Function(path)) => Some(path),
        Some(DefaultArg::Trait) => None,
        None if optional && serde.is_none() => return,
        None => {
            let example = serde
                .as_ref()
                .map_or_else(String::new, |path| format!(" = {}", shown(path)));
            diag.error(
                &opt.key,
                format_args!(
                    "claims do not follow `#[serde(default)]`: say `#[claim(default{example})]` \
                     too"
                ),
            );
            return;
        }
    };
    if serde.as_ref().map(shown) != claim.map(shown) {
        let by = |path: Option<&Path>| {
            path.map_or_else(
                || String::from("`Default`"),
                |path| format!("`{}`", shown(path)),
            )
        };
        diag.error(
            &opt.key,
            format_args!(
                "serde takes the default from {}, and the claim from {}: name the same for both",
                by(serde.as_ref()),
                by(claim)
            ),
        );
    }
}

fn check_module(opt: &Opt, args: &FieldArgs, diag: &mut Diag) {
    let serde = path(opt)
        .as_ref()
        .map_or_else(|| String::from("module"), shown);
    match args.with.as_ref().map(shown) {
        Some(claim) if claim == serde => {}
        Some(claim) => diag.error(
            &opt.key,
            format_args!(
                "serde writes this with `{serde}`, and the claim is written with `{claim}`: name \
                 the same module for both"
            ),
        ),
        None => {
            diag.error(
                &opt.key,
                format_args!(
                    "claims do not follow `#[serde(with = …)]`: say `#[claim(with = {serde})]` too"
                ),
            );
        }
    }
}

fn refuse(opt: &Opt, diag: &mut Diag) {
    diag.error(
        &opt.key,
        format_args!(
            "a token is not read through serde's derive, so `{0}` has no effect on it: leave \
             `#[serde({0})]` out, or make the claims of a struct of their own",
            opt.key
        ),
    );
}

fn text(opt: &Opt) -> Option<LitStr> {
    let Value::Is(tokens) = &opt.value else {
        return None;
    };
    <LitStr as syn::parse::Parse>::parse
        .parse2(tokens.clone())
        .ok()
}

/// The path in the string after `=`.
fn path(opt: &Opt) -> Option<Path> {
    text(opt).and_then(|text| text.parse_with(Path::parse_mod_style).ok())
}

/// A path as it is compared and shown: without spaces.
fn shown(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
