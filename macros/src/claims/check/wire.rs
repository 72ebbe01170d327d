//! The rules of the names that claims have on the wire.

use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt as _;

use super::{Seen, names};
use crate::claims::model::ClaimKind;
use crate::claims::parse::{ClaimsArgs, FieldItem};
use crate::diag::Diag;

/// Returns the name of a claim.
pub(super) fn name(ident: &Ident, kind: ClaimKind, said: &FieldItem, args: &ClaimsArgs) -> String {
    let renamed = said.args.rename.0.as_ref().map(LitStr::value);
    let own = ident.unraw().to_string();
    match kind {
        ClaimKind::Roles => renamed.unwrap_or_else(|| String::from("roles")),
        ClaimKind::Scope => renamed.unwrap_or_else(|| String::from("scope")),
        ClaimKind::Other | ClaimKind::Action => {
            let name = renamed.unwrap_or_else(|| {
                args.options
                    .rename_all
                    .0
                    .map_or(own.clone(), |case| case.of_field(&own))
            });
            args.options
                .namespace
                .0
                .as_ref()
                .map_or(name.clone(), |namespace| namespace.value() + &name)
        }
    }
}

/// Checks the name of a claim.
pub(super) fn check(
    wire: &str,
    kind: ClaimKind,
    ident: &Ident,
    said: &FieldItem,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) {
    let external = args.options.external.is_given();
    let message = if wire.is_empty() || wire.contains(char::is_control) {
        String::from("a claim needs a name of visible characters: write one, or leave `rename` out")
    } else if external && names::is_read(wire) {
        format!(
            "the claim `{wire}` is read by the verifier itself, and `auth.token()` has it: leave \
             the field out, or skip it with `#[claim(skip)]`"
        )
    } else if !external && names::is_reserved(wire) {
        format!(
            "the claim `{wire}` is set by the gate: choose another name with `#[claim(rename = \
             \"…\")]`, or leave the field out with `#[claim(skip)]`"
        )
    } else if let Some((_, first)) = seen.wires.iter().find(|(other, _)| other == wire) {
        format!(
            "`{first}` and `{ident}` are both `{wire}` in the token: choose another name with \
             `#[claim(rename = \"…\")]`"
        )
    } else if kind == ClaimKind::Other && ["roles", "scope"].contains(&wire) {
        format!(
            "policies look at the claim `{wire}`: mark the field with \
             `#[claim({wire})]`, or choose another name with `#[claim(rename = \"…\")]`"
        )
    } else if let Some(sentence) = taken(wire, kind).filter(|_| !external) {
        sentence
    } else {
        seen.wires.push((wire.to_owned(), ident.clone()));
        return;
    };
    match &said.args.rename.0 {
        Some(rename) => diag.error(rename, message),
        None => diag.error(ident, message),
    }
}

/// Returns what to say of roles in the claim of scopes, and of scopes in that of roles, where others
/// would read the one as the other.
fn taken(wire: &str, kind: ClaimKind) -> Option<String> {
    let (theirs, ours, word, other) = match (kind, wire) {
        (ClaimKind::Roles, "scope") => ("scopes", "roles", "roles", "groups"),
        (ClaimKind::Scope, "roles") => ("roles", "scopes", "scope", "permissions"),
        _ => return None,
    };
    Some(format!(
        "others read the claim `{wire}` as {theirs}, and this field holds {ours}: choose another \
         name, as in `#[claim({word}, rename = \"{other}\")]`, or leave `rename` out"
    ))
}
