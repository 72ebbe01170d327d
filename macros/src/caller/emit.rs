//! From the model of a caller to Rust. Decides nothing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{Generics, parse_quote};

use super::model::CallerModel;
use crate::path::{Krate, asked, located, moved};

/// Returns the impls of `IsCaller`, `CallerArgument` and `FromRequestParts`.
pub(crate) fn emit(model: &CallerModel) -> TokenStream {
    let CallerModel {
        krate,
        name,
        generics,
        inner,
        extracted,
    } = model;
    let (params, args, clause) = generics.split_for_impl();
    // A type that declares no caller is reported at the place where it is written.
    let inner = if generics.params.is_empty() {
        asked(krate, "is_caller", inner)
    } else {
        moved(inner, located(inner.span()))
    };
    let inside = quote!(#krate::Inside<Self>);
    let mut of_state = for_states(krate, generics);
    if let Some(clause) = &mut of_state.where_clause {
        clause
            .predicates
            .push(parse_quote!(#inside: #krate::CallerArgument<__TollgateS>));
    }
    let (state_params, _, extracting) = of_state.split_for_impl();
    let mut declaring = of_state.clone();
    if let (None, Some(clause)) = (extracted, &mut declaring.where_clause) {
        clause
            .predicates
            .push(parse_quote!(Self: #krate::FromRequestParts<__TollgateS>));
    }
    let declaring = &declaring.where_clause;
    let extraction = extracted.as_ref().map(|member| {
        quote! {
            #[automatically_derived]
            impl #state_params #krate::FromRequestParts<__TollgateS> for #name #args #extracting {
                type Rejection = #krate::CallerRejection;
                async fn from_request_parts(
                    __tollgate_parts: &mut #krate::Parts,
                    __tollgate_state: &__TollgateS,
                ) -> ::core::result::Result<Self, Self::Rejection> {
                    let __tollgate_caller = #krate::caller::<Self, _>(__tollgate_parts, __tollgate_state);
                    ::core::result::Result::Ok(Self { #member: __tollgate_caller.await?.0 })
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #params #krate::IsCaller for #name #args #clause {
            type Caller = #inner;
        }
        #[automatically_derived]
        impl #state_params #krate::CallerArgument<__TollgateS> for #name #args #declaring {
            const SECURITY: #krate::Security =
                #krate::security::<Self, __TollgateS>();
            const CALLERS: #krate::Callers =
                #krate::callers::<Self, __TollgateS>();
        }
        #extraction
    }
}

/// Returns the generics with those of a state.
pub(super) fn for_states(krate: &Krate, generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    generics.params.push(parse_quote!(__TollgateS));
    generics
        .make_where_clause()
        .predicates
        .push(parse_quote!(__TollgateS: #krate::State));
    generics
}
