//! The rules of callers: from what was said to a model, or to mistakes.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Index, Member};

use super::model::CallerModel;
use super::parse::CallerArgs;
use super::stub::CallerNames;
use crate::diag::Diag;
use crate::lints;
use crate::path;
use crate::pipeline::Outline;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &CallerArgs, diag: &mut Diag) -> Option<CallerModel> {
    let name = item.ident.unraw();
    let fields = match &item.data {
        Data::Struct(data) => Ok(&data.fields),
        Data::Enum(_) => Err("is an enum"),
        Data::Union(_) => Err("is a union"),
    };
    let fields = fields.and_then(|fields| match fields.len() {
        0 => Err("has no fields"),
        _ => Ok(fields),
    });
    let fields = match fields {
        Ok(fields) => fields,
        Err(what) => {
            diag.error(
                &item.ident,
                format_args!(
                    "a caller is a struct whose first field says who may call, and `{name}` \
                     {what}: write `struct {name}(Auth<User>);`"
                ),
            );
            return None;
        }
    };
    for lifetime in item.generics.lifetimes() {
        diag.error(
            lifetime,
            format_args!(
                "a caller is made from a request and outlives it, so `{name}` cannot borrow: \
                 hold owned values"
            ),
        );
    }
    if let Some(second) = fields.iter().nth(1).filter(|_| !args.is_own) {
        let at = second.ident.as_ref().map_or_else(
            || second.ty.to_token_stream(),
            quote::ToTokens::to_token_stream,
        );
        diag.error(
            &at,
            format_args!(
                "the derive fills in the caller alone, and `{name}` has more fields: write \
                 `#[caller(extract = own)]` and implement `FromRequestParts` for `{name}`, or \
                 make these fields arguments of the handler"
            ),
        );
    }
    let first = fields.iter().next()?;
    let member = first.ident.clone().map_or_else(
        || Member::Unnamed(Index::from(0)),
        |name| Member::Named(path::own(&name)),
    );
    Some(CallerModel {
        krate: args.krate.clone(),
        name: path::own(&item.ident),
        lints: lints::allowed(&item.attrs),
        generics: item.generics.clone(),
        inner: first.ty.clone(),
        extracted: (!args.is_own).then_some(member),
    })
}

/// Returns what a stand-in is made of.
pub(crate) fn outline(item: &DeriveInput, args: &CallerArgs) -> Option<Outline<CallerNames>> {
    Some(Outline {
        krate: args.krate.clone(),
        ident: item.ident.clone(),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: CallerNames {
            extracted: !args.is_own,
        },
    })
}
