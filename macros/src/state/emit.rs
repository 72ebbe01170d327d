//! From the model of a state to Rust. Decides nothing.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::model::{Held, HeldKind, StateModel};
use crate::path::{located, moved};

/// Returns an impl of `FromRef` for each gate and each verifier.
pub(crate) fn emit(model: &StateModel) -> TokenStream {
    let StateModel { krate, fields, .. } = model;
    let mut out = TokenStream::new();
    for Held { member, ty, kind } in fields {
        let field = quote!(&__tollgate_state.#member);
        match kind {
            HeldKind::Verifier => {
                out.extend(from_ref(model, ty, &quote!(#krate::held_verifier(#field))));
            }
            HeldKind::GateOf(backend) => {
                out.extend(from_ref(model, ty, &quote!(#krate::held_gate(#field))));
                out.extend(from_ref(
                    model,
                    &quote!(#krate::Verifier<<#backend as #krate::AuthBackend>::User>),
                    &quote!(#krate::verifier_of(#field)),
                ));
            }
            HeldKind::GateFor(user) => {
                out.extend(from_ref(model, ty, &quote!(#krate::held_gate(#field))));
                // A user type of another backend is reported where it is written.
                let here = located(user.span());
                let (at, member) = (krate.at(here), moved(member, here));
                let call = quote_spanned! {here=>
                    #at::verifier_for::<#user, _>(&__tollgate_state.#member)
                };
                out.extend(from_ref(model, &quote!(#krate::Verifier<#user>), &call));
            }
        }
    }
    out
}

fn from_ref(model: &StateModel, made: &impl ToTokens, value: &TokenStream) -> TokenStream {
    let StateModel {
        krate,
        name,
        lints,
        generics,
        ..
    } = model;
    let (params, args, clause) = generics.split_for_impl();
    quote! {
            #[automatically_derived]
    #(#lints)*
            impl #params #krate::FromRef<#name #args> for #made #clause {
                fn from_ref(__tollgate_state: &#name #args) -> Self { #value }
            }
        }
}
