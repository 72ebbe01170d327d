//! Stand-ins for the impls of a closed set with a mistake, in a program that does not compile.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::emit::hidden;
use crate::pipeline::Outline;

/// The impls that a closed set would have.
pub(crate) struct ValueNames {
    /// `true` where the serde impls would be written.
    pub(crate) serde: bool,
    /// The functions and impls of `text`.
    pub(crate) text: bool,
    /// `true` where the impls of sqlx would be written.
    pub(crate) sqlx: bool,
}

/// Returns impls that compile.
pub(crate) fn emit(outline: &Outline<ValueNames>) -> TokenStream {
    let Outline {
        krate,
        ident,
        vis,
        generics,
        names,
    } = outline;
    let never = quote!(::core::unreachable!());
    let hidden = hidden(Span::call_site());
    let result = quote!(::core::result::Result);
    let (params, args, clause) = generics.split_for_impl();
    let mut reading = generics.clone();
    reading.params.insert(0, syn::parse_quote!('__tollgate_de));
    let (reading, ..) = reading.split_for_impl();
    let serde = names.serde.then(|| {
        quote! {
            impl #params #krate::serde::Serialize for #ident #args #clause {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    _: __TollgateS,
                ) -> #result<__TollgateS::Ok, __TollgateS::Error> { #never }
            }
            impl #reading #krate::serde::Deserialize<'__tollgate_de> for #ident #args #clause {
                fn deserialize<__TollgateD: #krate::serde::Deserializer<'__tollgate_de>>(
                    _: __TollgateD,
                ) -> #result<Self, __TollgateD::Error> { #never }
            }
        }
    });
    let text = names.text.then(|| {
        let here = crate::path::located(ident.span());
        let as_str = Ident::new("as_str", Span::call_site());
        quote_spanned! {here=>
            impl #params #ident #args #clause {
                /// Returns the string on the wire.
                #vis const fn #as_str(&self) -> &'static ::core::primitive::str { "" }
            }
        }
    });
    // Only what is `Copy` can be a value; a stand-in asks for nothing that is not there.
    let is_value = generics.params.is_empty().then(|| {
        quote! {
            impl #krate::ClaimValue for #ident {
                const ALL: &'static [Self] = &[];
                fn wire(&self) -> &'static ::core::primitive::str { "" }
            }
        }
    });
    // Without the sentence of the missing feature, which is one mistake more.
    let sqlx = (names.sqlx && is_value.is_some()).then(|| quote!(#krate::column!(#ident,);));
    quote! {
        #sqlx
        const _: () = {
            impl #params #ident #args #clause {
                #[doc(hidden)]
                #vis const fn #hidden(&self) -> &'static ::core::primitive::str { "" }
            }
            #is_value
            #serde
            #text
        };
    }
}
