//! From the model of a caller to Rust. Decides nothing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{Generics, Type, parse_quote, parse_quote_spanned};

use super::model::CallerModel;
use crate::path::{located, moved};

/// Returns the impls of `IsCaller`, `CallerArgument` and `FromRequestParts`.
pub(crate) fn emit(model: &CallerModel) -> TokenStream {
    let CallerModel {
        krate,
        name,
        lints,
        generics,
        inner,
        extracted,
    } = model;
    let (params, args, _) = generics.split_for_impl();
    let mut checked = generics.clone();
    // A type that declares no caller is reported at the place where it is written.
    let here = located(inner.span());
    let (at, moved) = (krate.at(here), moved(inner, here));
    checked
        .make_where_clause()
        .predicates
        .push(parse_quote_spanned!(here=> #moved: #at::IsCaller));
    let checked = &checked.where_clause;
    let mut of_state = for_states(generics);
    if let Some(clause) = &mut of_state.where_clause {
        clause
            .predicates
            .push(parse_quote!(#inner: #krate::CallerArgument<__TollgateS>));
    }
    let (state_params, _, extracting) = of_state.split_for_impl();
    let mut declaring = of_state.clone();
    if let (None, Some(clause)) = (extracted, &mut declaring.where_clause) {
        let own: Type = parse_quote!(#name #args);
        clause
            .predicates
            .push(parse_quote!(#own: #krate::FromRequestParts<__TollgateS>));
    }
    let declaring = &declaring.where_clause;
    let extraction = extracted.as_ref().map(|member| {
        quote! {
            #[automatically_derived]
#(#lints)*
            impl #state_params #krate::FromRequestParts<__TollgateS> for #name #args #extracting {
                type Rejection = #krate::CallerRejection;
                async fn from_request_parts(
                    __tollgate_parts: &mut #krate::Parts,
                    __tollgate_state: &__TollgateS,
                ) -> ::core::result::Result<Self, #krate::CallerRejection> {
                    let __tollgate_caller =
                        #krate::caller::<#inner, __TollgateS>(__tollgate_parts, __tollgate_state);
                    let __tollgate_caller = Self { #member: __tollgate_caller.await? };
                    // A caller that only guards a route reads its field nowhere else.
                    let _ = &__tollgate_caller.#member;
                    ::core::result::Result::Ok(__tollgate_caller)
                }
            }
        }
    });
    quote! {
            #[automatically_derived]
    #(#lints)*
            impl #params #krate::IsCaller for #name #args #checked {}
            #[automatically_derived]
    #(#lints)*
            impl #state_params #krate::CallerArgument<__TollgateS> for #name #args #declaring {
                const SECURITY: #krate::Security =
                    <#inner as #krate::CallerArgument<__TollgateS>>::SECURITY;
                const CALLERS: &'static [#krate::CallerUser] =
                    <#inner as #krate::CallerArgument<__TollgateS>>::CALLERS;
            }
            #extraction
        }
}

/// Returns the generics with those of a state.
pub(super) fn for_states(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    generics.params.push(parse_quote!(__TollgateS));
    generics
        .make_where_clause()
        .predicates
        .push(parse_quote!(__TollgateS: ::core::marker::Send + ::core::marker::Sync));
    generics
}
