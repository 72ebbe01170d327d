//! The rules of the field that says who the user is.

use proc_macro2::Ident;
use syn::DeriveInput;
use syn::ext::IdentExt as _;

use super::types::{is_bool, is_float, is_option};
use super::{Seen, serde};
use crate::claims::model::Field;
use crate::claims::parse::{ClaimsArgs, FieldItem};
use crate::diag::Diag;

/// Names of fields that are likely to be meant where none is marked.
pub(super) const LIKELY: [&str; 6] = ["id", "sub", "subject", "user_id", "uuid", "uid"];

/// Checks the field that is marked with this word.
pub(super) fn check(
    word: &Ident,
    field: &Field,
    said: &FieldItem,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) {
    if let Some(first) = &seen.subject {
        diag.error(
            word,
            format_args!(
                "a second `sub`: a token has one subject, and `{first}` is marked already, so \
                 remove one of them"
            ),
        );
    }
    seen.subject.get_or_insert_with(|| field.ident.clone());
    let name = field.ident.unraw();
    if is_option(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "every token needs a subject, so `{name}` cannot be optional: use the \
                 type inside"
            ),
        );
    }
    if is_float(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "`{name}` is a float, and floats cannot be compared reliably: use a `Uuid`, an \
                 integer or a `String`"
            ),
        );
    }
    if is_bool(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "`{name}` is a `bool`, which has only two values and cannot tell users apart: \
                 use a `Uuid`, an \
                 integer or a `String`"
            ),
        );
    }
    serde::check_field(said, args, None, diag);
}

/// Returns the field that is the subject, or is likely to become it.
pub(super) fn likely(args: &ClaimsArgs) -> Option<&FieldItem> {
    let marked = args.fields.iter().find(|said| said.args.sub.is_given());
    let carried = || args.fields.iter().filter(|said| !said.args.skip.is_given());
    marked.or_else(|| carried().find(|said| LIKELY.contains(&said.ident.to_string().as_str())))
}

/// Reports that no field is marked.
pub(super) fn report_none(item: &DeriveInput, args: &ClaimsArgs, diag: &mut Diag) {
    let near = args
        .fields
        .iter()
        .find(|said| LIKELY.contains(&said.ident.to_string().as_str()));
    let which = near.map_or_else(
        || String::from("the field that identifies the user"),
        |said| format!("`{}`", said.ident),
    );
    diag.error(
        &item.ident,
        format_args!(
            "no field of `{}` is the subject: mark {which} with `#[claim(sub)]`",
            item.ident
        ),
    );
}
