//! From the model of a closed set to Rust. Decides nothing.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{Serde, Text, Value, ValueModel};
use crate::path::{self, Krate};

/// Returns the name of the hidden function through which a policy takes the string of a variant.
/// rustc shows it where the derive is missing.
pub(crate) fn hidden(span: Span) -> Ident {
    Ident::new("__tollgate_derive_ClaimValue_on_this_enum", span)
}

/// Returns all impls.
pub(crate) fn emit(model: &ValueModel) -> TokenStream {
    let ValueModel {
        krate,
        vis,
        name,
        values,
        serde,
        text,
        sqlx,
    } = model;
    let variants: Vec<_> = values.iter().map(|Value { variant, .. }| variant).collect();
    let wires: Vec<_> = values.iter().map(|Value { wire, .. }| wire).collect();
    let hidden = hidden(Span::call_site());
    let serde = (*serde == Serde::Derived).then(|| serde_impls(krate, name));
    let text = (*text == Text::Derived).then(|| text_impls(model));
    let sqlx = sqlx.as_ref().map(|word| sqlx_impls(krate, name, word));
    quote! {
        const _: () = {
            impl #name {
                #[doc(hidden)]
                #[must_use]
                #vis const fn #hidden(&self) -> &'static ::core::primitive::str {
                    match self { #(Self::#variants {} => #wires,)* }
                }
            }
            #[automatically_derived]
            impl #krate::ClaimValue for #name {
                const ALL: &'static [Self] = &[#(Self::#variants {}),*];
                fn wire(&self) -> &'static ::core::primitive::str { Self::#hidden(self) }
                fn from_wire(
                    __tollgate_text: &::core::primitive::str,
                ) -> ::core::option::Option<Self> {
                    match __tollgate_text {
                        #(#wires => ::core::option::Option::Some(Self::#variants {}),)*
                        _ => ::core::option::Option::None,
                    }
                }
            }
            #serde
            #text
        };
        #sqlx
    }
}

/// Writes the impls of sqlx, or the sentence of the feature that is off, which stands at the word.
fn sqlx_impls(krate: &Krate, name: &Ident, word: &Ident) -> TokenStream {
    quote_spanned! {path::located(word.span())=>
        #krate::column!(#name, ::core::compile_error!(#MISSING););
    }
}

fn serde_impls(krate: &Krate, name: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #krate::serde::Serialize for #name {
            fn serialize<__TollgateS: #krate::serde::Serializer>(
                &self,
                __tollgate_serializer: __TollgateS,
            ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                #krate::serialize_value(self, __tollgate_serializer)
            }
        }
        #[automatically_derived]
        impl<'__tollgate_de> #krate::serde::Deserialize<'__tollgate_de> for #name {
            fn deserialize<__TollgateD: #krate::serde::Deserializer<'__tollgate_de>>(
                __tollgate_deserializer: __TollgateD,
            ) -> ::core::result::Result<Self, __TollgateD::Error> {
                #krate::deserialize_value(__tollgate_deserializer)
            }
        }
    }
}

/// Writes what a database driver or a form asks for: the strings as text, both ways.
fn text_impls(model: &ValueModel) -> TokenStream {
    let ValueModel {
        krate, vis, name, ..
    } = model;
    let hidden = hidden(Span::call_site());
    let result = quote!(::core::result::Result<Self, #krate::UnknownValue>);
    quote! {
        // By another name of the type, since a trait of tollgate has a function of this name, which
        // `clippy::same_name_method` reports of the type itself.
        type __TollgateValue = #name;
        impl __TollgateValue {
            /// Returns the string on the wire.
            #[must_use]
            #vis const fn as_str(&self) -> &'static ::core::primitive::str { self.#hidden() }
        }
        #[automatically_derived]
        impl #krate::TextValue for #name {}
        #[automatically_derived]
        impl ::core::fmt::Display for #name {
            fn fmt(
                &self,
                __tollgate_f: &mut ::core::fmt::Formatter<'_>,
            ) -> ::core::fmt::Result {
                ::core::fmt::Formatter::pad(__tollgate_f, self.#hidden())
            }
        }
        #[automatically_derived]
        impl ::core::str::FromStr for #name {
            type Err = #krate::UnknownValue;
            fn from_str(__tollgate_text: &::core::primitive::str) -> #result {
                #krate::value_of_text(__tollgate_text)
            }
        }
        #[automatically_derived]
        impl ::core::convert::TryFrom<&::core::primitive::str> for #name {
            type Error = #krate::UnknownValue;
            fn try_from(__tollgate_text: &::core::primitive::str) -> #result {
                #krate::value_of_text(__tollgate_text)
            }
        }
        #[automatically_derived]
        impl ::core::convert::TryFrom<#krate::OwnedText> for #name {
            type Error = #krate::UnknownValue;
            fn try_from(__tollgate_text: #krate::OwnedText) -> #result {
                #krate::value_of_text(&__tollgate_text)
            }
        }
    }
}

const MISSING: &str = "`claim_value(sqlx)` needs the feature `sqlx` of tollgate, which is off: add it \
                       to `features` in Cargo.toml";
