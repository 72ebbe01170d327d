//! Compares `#[serde(…)]` with `#[claim(…)]`: a token is not read through serde's derive, so both
//! must say the same.

use darling::ast::NestedMeta;
use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::parse::Parser as _;
use syn::{ExprPath, LitStr};

use crate::attr;
use crate::case::Case;
use crate::claims::parse::{ClaimsArgs, DefaultArg, FieldItem};
use crate::diag::Diag;

/// Options of serde's own impls, which say nothing about the members of a token.
const IGNORED: [&str; 4] = ["crate", "bound", "expecting", "rename"];

/// Checks the struct's own attributes.
pub(crate) fn check_struct(args: &ClaimsArgs, diag: &mut Diag) {
    if args.options.serde.0.is_some() {
        return;
    }
    for opt in args.serde.iter().filter_map(Opt::new) {
        let name = opt.key.to_string();
        match name.as_str() {
            "rename_all" => {
                let said = text(&opt);
                let case = said.as_ref().and_then(Case::named);
                if case != args.options.rename_all.0 || case.is_none() {
                    let said = said.map_or_else(|| String::from("…"), |said| said.value());
                    diag.error(
                        opt.key,
                        format_args!(
                            "claims do not follow `#[serde(rename_all = \"{said}\")]`: write \
                             `#[claims(rename_all = \"{said}\")]` too"
                        ),
                    );
                }
            }
            name if IGNORED.contains(&name) => {}
            _ => refuse(&opt, diag),
        }
    }
}

/// Checks a field that is in the token: an own claim by its wire name, with whether it is optional,
/// or the subject.
pub(crate) fn check_field(
    said: &FieldItem,
    args: &ClaimsArgs,
    claim: Option<(&str, bool)>,
    diag: &mut Diag,
) {
    if args.options.serde.0.is_some() {
        return;
    }
    let all: Vec<Opt<'_>> = said.serde.iter().filter_map(Opt::new).collect();
    for opt in &all {
        let name = opt.key.to_string();
        let optional = claim.is_some_and(|(_, optional)| optional);
        match name.as_str() {
            "rename" => check_name(opt, claim.map(|(wire, _)| wire), diag),
            "skip" | "skip_serializing" | "skip_deserializing" => diag.error(
                opt.key,
                format_args!(
                    "serde leaves this field out, and the token would carry it: write \
                     `#[claim(skip)]` too, or remove `{name}`"
                ),
            ),
            "default" => check_default(opt, said, optional || leaves_out_none(&all), diag),
            "with" => check_module(opt, said, diag),
            "serialize_with" | "deserialize_with" if said.args.with.0.is_some() => {}
            "serialize_with" | "deserialize_with" => {
                diag.error(
                    opt.key,
                    format_args!(
                        "claims do not follow `#[serde({name} = …)]`: write `#[claim(with = \
                         module)]` too"
                    ),
                );
            }
            "skip_serializing_if" if is_none(opt) => {}
            "skip_serializing_if" => diag.error(
                opt.key,
                "a claim is left out only where it is `None`: make the field an \
                 `Option` with `skip_serializing_if = \"Option::is_none\"`, or remove the \
                 condition",
            ),
            "flatten" => diag.error(
                opt.key,
                "claims are not flattened: write a separate field for each claim, or leave \
                 `flatten` \
                 out and the claim is an object",
            ),
            "bound" | "getter" => {}
            _ => refuse(opt, diag),
        }
    }
}

/// `rename` of a field whose claim has the name `wire`; `None` for the subject.
fn check_name(opt: &Opt<'_>, wire: Option<&str>, diag: &mut Diag) {
    let Some(said) = text(opt).map(|said| said.value()) else {
        diag.error(
            opt.key,
            "claims have one name for both ways: write `#[claim(rename = \"…\")]` instead",
        );
        return;
    };
    match wire {
        Some(wire) if wire != said => diag.error(
            opt.key,
            format_args!(
                "serde calls this `{said}`, and the claim is `{wire}`: write `#[claim(rename = \
                 \"{said}\")]` too"
            ),
        ),
        None if said != "sub" => diag.error(
            opt.key,
            format_args!(
                "the subject is `sub` on the wire, and serde calls it `{said}`: leave `rename` out"
            ),
        ),
        Some(_) | None => {}
    }
}

fn check_default(opt: &Opt<'_>, said: &FieldItem, optional: bool, diag: &mut Diag) {
    let serde = path(opt);
    let claim = match &said.args.default {
        DefaultArg::Function(path) => Some(&**path),
        DefaultArg::Trait => None,
        DefaultArg::Absent if optional && serde.is_none() => return,
        DefaultArg::Absent => {
            let example = serde
                .as_ref()
                .map_or_else(String::new, |path| format!(" = {}", shown(path)));
            diag.error(
                opt.key,
                format_args!(
                    "claims do not follow `#[serde(default)]`: write `#[claim(default{example})]` \
                     too"
                ),
            );
            return;
        }
    };
    if serde.as_ref().map(shown) != claim.map(shown) {
        let by = |path: Option<&ExprPath>| {
            path.map_or_else(
                || String::from("`Default`"),
                |path| format!("`{}`", shown(path)),
            )
        };
        diag.error(
            opt.key,
            format_args!(
                "serde takes the default from {}, and the claim from {}: name the same for both",
                by(serde.as_ref()),
                by(claim)
            ),
        );
    }
}

fn check_module(opt: &Opt<'_>, said: &FieldItem, diag: &mut Diag) {
    let serde = path(opt);
    let shown_serde = serde.as_ref().map_or_else(|| String::from("module"), shown);
    match (&said.args.with.0, &serde) {
        (Some(claim), Some(serde)) if is_same(claim, serde) => {}
        (Some(claim), _) => diag.error(
            opt.key,
            format_args!(
                "serde writes this with `{shown_serde}`, and the claim is written with `{}`: name \
                 the same module for both",
                shown(claim)
            ),
        ),
        (None, Some(serde)) if is_made_up(serde) => diag.error(
            opt.key,
            "claims do not follow `#[serde_as(…)]`: write `#[claim(with = As::<…>)]` too, with the \
             type in `as = \"…\"`",
        ),
        (None, _) => diag.error(
            opt.key,
            format_args!(
                "claims do not follow `#[serde(with = …)]`: write `#[claim(with = {shown_serde})]` \
                 too"
            ),
        ),
    }
}

/// Returns whether two paths lead to the same, as far as one is written shorter than the other.
fn is_same(claim: &ExprPath, serde: &ExprPath) -> bool {
    // `serde_as` puts the name of its crate before each type that it writes, inside `<…>` too.
    let plain = |path| {
        shown(path)
            .replace("::serde_with::", "")
            .replace("serde_with::", "")
    };
    let (claim, serde) = (plain(claim), plain(serde));
    claim == serde
        || serde.ends_with(&format!("::{claim}"))
        || claim.ends_with(&format!("::{serde}"))
}

/// Returns whether `serde_as` wrote the path.
fn is_made_up(path: &ExprPath) -> bool {
    let segments = &path.path.segments;
    segments.iter().any(|segment| segment.ident == "serde_with")
        && segments.iter().any(|segment| segment.ident == "As")
}

/// Returns whether serde leaves the field out where it is `None`, so that it is an `Option` under
/// whatever name.
fn leaves_out_none(all: &[Opt<'_>]) -> bool {
    all.iter()
        .any(|opt| opt.key == "skip_serializing_if" && is_none(opt))
}

fn is_none(opt: &Opt<'_>) -> bool {
    text(opt).is_some_and(|said| said.value().ends_with("Option::is_none"))
}

fn refuse(opt: &Opt<'_>, diag: &mut Diag) {
    diag.error(
        opt.key,
        format_args!(
            "a token is not read through serde's derive, so `{0}` has no effect on it: leave \
             `#[serde({0})]` out, or write the claims in a separate struct",
            opt.key
        ),
    );
}

/// An option of serde, and its own name.
struct Opt<'a> {
    key: &'a Ident,
    item: &'a NestedMeta,
}

impl<'a> Opt<'a> {
    fn new(item: &'a NestedMeta) -> Option<Self> {
        attr::key(item).map(|key| Self { key, item })
    }
}

fn text(opt: &Opt<'_>) -> Option<LitStr> {
    <LitStr as syn::parse::Parse>::parse
        .parse2(attr::value(opt.item)?.clone())
        .ok()
}

/// Returns the path in the string after `=`.
fn path(opt: &Opt<'_>) -> Option<ExprPath> {
    text(opt).and_then(|text| text.parse().ok())
}

/// Returns a path as it is compared and shown: without spaces.
fn shown(path: &ExprPath) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
