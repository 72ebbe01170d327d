//! From the model of a closed set to Rust. Decides nothing.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use super::model::{Serde, Value, ValueModel};
use super::parse::ValueArgs;
use crate::path::name_number;

/// The inherent `as_str`, and all impls.
pub(crate) fn emit(model: &ValueModel) -> TokenStream {
    let ValueModel {
        krate,
        vis,
        name,
        values,
        serde,
    } = model;
    let variants: Vec<_> = values.iter().map(|Value { variant, .. }| variant).collect();
    let wires: Vec<_> = values.iter().map(|Value { wire, .. }| wire).collect();
    let numbers = variants
        .iter()
        .map(|variant| name_number(&variant.to_string()));
    let serde = (*serde == Serde::Derived).then(|| {
        quote! {
            #[automatically_derived]
            impl #krate::serde::Serialize for #name {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    serializer: __TollgateS,
                ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                    #krate::serialize_value(self, serializer)
                }
            }
            #[automatically_derived]
            impl<'__tollgate_de> #krate::serde::Deserialize<'__tollgate_de> for #name {
                fn deserialize<__TollgateD: #krate::serde::Deserializer<'__tollgate_de>>(
                    deserializer: __TollgateD,
                ) -> ::core::result::Result<Self, __TollgateD::Error> {
                    #krate::deserialize_value(deserializer)
                }
            }
        }
    });
    quote! {
        #[allow(dead_code, deprecated, unreachable_pub, clippy::all, clippy::pedantic)]
        const _: () = {
            impl #name {
                /// The string on the wire.
                #[must_use]
                #vis const fn as_str(&self) -> &'static ::core::primitive::str {
                    match self { #(Self::#variants => #wires,)* }
                }
            }
            #[automatically_derived]
            impl #krate::ClaimValue for #name {
                const ALL: &'static [Self] = &[#(Self::#variants),*];
                fn wire(&self) -> &'static ::core::primitive::str { Self::as_str(self) }
                fn from_wire(text: &::core::primitive::str) -> ::core::option::Option<Self> {
                    match text { #(#wires => ::core::option::Option::Some(Self::#variants),)* _ => ::core::option::Option::None }
                }
            }
            #(
                #[automatically_derived]
                impl #krate::NamedVariant<#numbers> for #name {
                    const WIRE: &'static ::core::primitive::str = #wires;
                }
            )*
            #serde
        };
    }
}

/// What stands in for the impls of an enum with a mistake. Nothing of it runs.
pub(crate) fn stub(item: &DeriveInput, args: &ValueArgs) -> TokenStream {
    let (krate, vis, name) = (&args.krate, &item.vis, &item.ident);
    // With parameters there is nothing to be sure of.
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let names: Vec<String> = match &item.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| variant.ident.to_string())
            .collect(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let numbers = names.iter().map(|variant| name_number(variant));
    let result = quote!(::core::result::Result);
    // Where `#[serde(…)]` stands, serde's derive stands too.
    let variants = if let Data::Enum(data) = &item.data {
        data.variants.iter().collect()
    } else {
        Vec::new()
    };
    let attrs = item
        .attrs
        .iter()
        .chain(variants.iter().flat_map(|variant| &variant.attrs));
    let derived = attrs.into_iter().any(|attr| attr.path().is_ident("serde"));
    let serde = (args.serde.is_none() && !derived).then(|| {
        quote! {
            impl #krate::serde::Serialize for #name {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    serializer: __TollgateS,
                ) -> #result<__TollgateS::Ok, __TollgateS::Error> { ::core::unreachable!() }
            }
            impl<'__tollgate_de> #krate::serde::Deserialize<'__tollgate_de> for #name {
                fn deserialize<__TollgateD: #krate::serde::Deserializer<'__tollgate_de>>(
                    deserializer: __TollgateD,
                ) -> #result<Self, __TollgateD::Error> { ::core::unreachable!() }
            }
        }
    });
    quote! {
        #[allow(dead_code, unreachable_pub, unused_variables)]
        const _: () = {
            impl #name {
                /// The string on the wire.
                #vis const fn as_str(&self) -> &'static ::core::primitive::str { "" }
            }
            impl #krate::ClaimValue for #name {
                const ALL: &'static [Self] = &[];
                fn wire(&self) -> &'static ::core::primitive::str { "" }
            }
            #(impl #krate::NamedVariant<#numbers> for #name { const WIRE: &'static ::core::primitive::str = ""; })*
            #serde
        };
    }
}
