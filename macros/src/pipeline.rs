//! The stages of every macro, in their order: parse, check, then emit, or the stand-in where
//! something was reported.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::Parse;
use syn::{GenericParam, Generics, Lifetime, Visibility};

use crate::diag::Diag;
use crate::path::Krate;

/// The part of an item that is known in spite of its mistakes. A stand-in is made of it, so that
/// other code finds the names that it uses.
pub(crate) struct Outline<N> {
    pub(crate) krate: Krate,
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: Generics,
    /// The names of what the macro would have made.
    pub(crate) names: N,
}

/// Expands a macro. Each stage sees the item; `check` returns the model where the shape allows one,
/// `outline` says what a stand-in is made of, and `stub` gives it together with the errors.
pub(crate) fn derive<I: Parse, A, M, N>(
    item: TokenStream,
    parse: impl FnOnce(&I, &mut Diag) -> A,
    check: impl FnOnce(&I, &A, &mut Diag) -> Option<M>,
    emit: impl FnOnce(&M) -> TokenStream,
    outline: impl FnOnce(&I, &A) -> Option<Outline<N>>,
    stub: impl FnOnce(&Outline<N>, TokenStream) -> TokenStream,
) -> TokenStream {
    let item = match syn::parse2::<I>(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut diag = Diag::new();
    let args = parse(&item, &mut diag);
    let model = check(&item, &args, &mut diag);
    match (diag.finish(), model) {
        (None, Some(model)) => emit(&model),
        (errors, _) => {
            let errors = errors.unwrap_or_default();
            match outline(&item, &args) {
                Some(outline) => stub(&outline, errors),
                None => errors,
            }
        }
    }
}

/// Returns a stand-in that stands beside the errors.
pub(crate) fn beside<N>(
    stub: impl FnOnce(&Outline<N>) -> TokenStream,
) -> impl FnOnce(&Outline<N>, TokenStream) -> TokenStream {
    |outline, mut errors| {
        errors.extend(stub(outline));
        errors
    }
}

/// Returns a type that rustc knows to be a mistake, because the errors stand in it: rustc says
/// nothing more of any place where it comes to be.
pub(crate) fn mistaken(krate: &Krate, errors: &TokenStream) -> TokenStream {
    quote!(<#krate::Mistaken<{ #errors 0 }> as #krate::Unknown>::Type)
}

/// Returns the generics without lifetimes: a stand-in is for what borrows nothing.
pub(crate) fn without_lifetimes(generics: &Generics) -> Generics {
    let mut kept = generics.clone();
    kept.params = generics
        .params
        .iter()
        .filter(|param| !matches!(param, GenericParam::Lifetime(_)))
        .cloned()
        .collect();
    kept
}

/// Returns the arguments of the type as it is where all lifetimes are `'static`.
pub(crate) fn owned_args(generics: &Generics) -> Option<TokenStream> {
    let args = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(param) => {
            Lifetime::new("'static", param.lifetime.span()).into_token_stream()
        }
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    (!generics.params.is_empty()).then(|| quote!(<#(#args),*>))
}

/// Returns the type as it is where all lifetimes of the item are `'static`.
pub(crate) fn owned(ty: &syn::Type, generics: &Generics) -> TokenStream {
    fn replaced(tokens: TokenStream, generics: &Generics) -> TokenStream {
        let mut after_quote = false;
        tokens
            .into_iter()
            .map(|token| {
                let is_lifetime = std::mem::replace(
                    &mut after_quote,
                    matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\''),
                );
                match token {
                    TokenTree::Ident(name)
                        if is_lifetime
                            && generics.lifetimes().any(|of| of.lifetime.ident == name) =>
                    {
                        TokenTree::Ident(Ident::new("static", name.span()))
                    }
                    TokenTree::Group(group) => {
                        let inner = replaced(group.stream(), generics);
                        TokenTree::Group(Group::new(group.delimiter(), inner))
                    }
                    other => other,
                }
            })
            .collect()
    }
    replaced(ty.to_token_stream(), generics)
}
