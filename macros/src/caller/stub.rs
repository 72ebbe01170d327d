//! Stand-ins for the impls of a caller with a mistake, in a program that does not compile.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use super::emit::for_states;
use crate::pipeline::{Outline, owned_args, without_lifetimes};

/// The part of a caller with a mistake that is known, for its stand-ins.
pub(crate) struct CallerNames {
    /// `true` where the derive would write `FromRequestParts`.
    pub(crate) extracted: bool,
}

/// Returns impls that compile.
pub(crate) fn emit(outline: &Outline<CallerNames>) -> TokenStream {
    let Outline {
        krate,
        ident,
        generics,
        names,
        ..
    } = outline;
    let args = owned_args(generics);
    let of_state = for_states(&without_lifetimes(generics));
    let (params, _, clause) = of_state.split_for_impl();
    let extraction = names.extracted.then(|| {
        quote! {
            impl #params #krate::FromRequestParts<__TollgateS> for #ident #args #clause {
                type Rejection = #krate::CallerRejection;
                async fn from_request_parts(
                    _: &mut #krate::Parts,
                    _: &__TollgateS,
                ) -> ::core::result::Result<Self, #krate::CallerRejection> { ::core::unreachable!() }
            }
        }
    });
    let mut declaring = of_state.clone();
    if let (false, Some(clause)) = (names.extracted, &mut declaring.where_clause) {
        clause
            .predicates
            .push(parse_quote!(#ident #args: #krate::FromRequestParts<__TollgateS>));
    }
    let declaring = &declaring.where_clause;
    quote! {
        impl #params #krate::CallerArgument<__TollgateS> for #ident #args #declaring {
            const SECURITY: #krate::Security = #krate::Security::Public;
        }
        #extraction
    }
}
