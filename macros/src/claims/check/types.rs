//! What can be told of a type as it is written, before anybody knows what its names mean.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Type, parse_quote};

/// The place of a type, for tokens of ours: the names in them are looked up where the macro stands.
pub(crate) fn located(ty: &Type) -> Span {
    Span::call_site().located_at(ty.span())
}

/// Whether a type is an `Option`, as far as it is written so.
pub(crate) fn is_option(ty: &Type) -> bool {
    inside_option(ty).is_some()
}

/// Whether a type is a float or an optional one.
pub(crate) fn is_float(ty: &Type) -> bool {
    let Type::Path(ty) = bare(inside_option(ty).unwrap_or(ty)) else {
        return false;
    };
    ty.path.is_ident("f32") || ty.path.is_ident("f64")
}

/// The type in an `Option`, as far as it is written so.
pub(crate) fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(ty) = bare(ty) else {
        return None;
    };
    let last = ty
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match (args.args.first(), args.args.len()) {
        (Some(syn::GenericArgument::Type(inner)), 1) => Some(inner),
        _ => None,
    }
}

/// A type without the invisible group that a `macro_rules!` puts around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Whether a type holds a reference.
pub(crate) fn borrows(ty: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() == '&',
            TokenTree::Group(group) => any(group.stream()),
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        })
    }
    any(ty.to_token_stream())
}

/// The type so that it stays one behind `&` and before `:`, where `dyn A + B` falls apart.
pub(crate) fn enclosed(ty: &Type) -> Type {
    match ty {
        Type::TraitObject(_) | Type::ImplTrait(_) => parse_quote!((#ty)),
        other => other.clone(),
    }
}
