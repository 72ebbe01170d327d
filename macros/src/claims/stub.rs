//! What stands in for the claims of a struct with a mistake, so that the mistake is all that is
//! reported.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, parse_quote};

use super::check::{self, types};
use super::model::Field;
use super::parse::{ClaimsArgs, FieldArgs};

/// The generated type with its accessors, and impls that compile. Nothing of it runs.
pub(crate) fn emit(item: &DeriveInput, args: &ClaimsArgs) -> TokenStream {
    // Claims cannot borrow, so for a struct that does there is no impl that compiles.
    if item.generics.lifetimes().next().is_some() {
        return TokenStream::new();
    }
    let (krate, vis, user, claims) = (
        &args.krate,
        &item.vis,
        &item.ident,
        check::claims_name(item, args),
    );
    let accessors = carried(item, args).map(|(ident, field, said)| {
        let Field { ty, vis, docs, .. } = check::carried(item, field, ident, said);
        quote!(#(#docs)* #vis fn #ident(&self) -> &#ty { ::core::unreachable!() })
    });
    let subject = subject(item, args);

    let mut generics = item.generics.clone();
    let types: Vec<Ident> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    for ty in &types {
        generics
            .make_where_clause()
            .predicates
            .push(parse_quote!(#ty: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    let mut asked = generics.clone();
    asked.params.push(parse_quote!(__TollgateValue));
    let mut named = asked.clone();
    named
        .params
        .push(parse_quote!(const __TOLLGATE_NAME: ::core::primitive::u64));
    let ((params, ty, clause), (asked, ..), (named, ..)) = (
        generics.split_for_impl(),
        asked.split_for_impl(),
        named.split_for_impl(),
    );
    let (declared, own_clause) = (&item.generics.params, &item.generics.where_clause);
    let result = quote!(::core::result::Result);
    let doc = format!("The claims of [`{}`].", user.unraw());
    quote! {
        #[doc = #doc]
        #vis struct #claims <#declared> #own_clause { __tollgate_marker: ::core::marker::PhantomData<fn() -> (#(#types,)*)> }
        #[allow(dead_code, private_interfaces, unreachable_pub, unused_variables)]
        const _: () = {
            impl #params #claims #ty #clause { #(#accessors)* }
            impl #params ::core::clone::Clone for #claims #ty #clause {
                fn clone(&self) -> Self { ::core::unreachable!() }
            }
            impl #params ::core::fmt::Debug for #claims #ty #clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { ::core::unreachable!() }
            }
            impl #params #krate::serde::Serialize for #claims #ty #clause {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    serializer: __TollgateS,
                ) -> #result<__TollgateS::Ok, __TollgateS::Error> { ::core::unreachable!() }
            }
            impl #params #krate::ClaimSet for #claims #ty #clause {
                type Subject = #subject;
                type Draft = ();
                fn subject(&self) -> &Self::Subject { ::core::unreachable!() }
                fn write<__TollgateM: #krate::serde::ser::SerializeMap>(
                    &self,
                    map: &mut __TollgateM,
                ) -> #result<(), __TollgateM::Error> { ::core::unreachable!() }
                fn place(name: &::core::primitive::str) -> ::core::option::Option<::core::primitive::usize> { ::core::unreachable!() }
                fn read<'__tollgate_de, __TollgateA: #krate::serde::de::MapAccess<'__tollgate_de>>(
                    draft: &mut Self::Draft,
                    place: ::core::primitive::usize,
                    map: &mut __TollgateA,
                ) -> #result<(), __TollgateA::Error> { ::core::unreachable!() }
                fn finish(draft: Self::Draft, subject: Self::Subject) -> #result<Self, &'static ::core::primitive::str> { ::core::unreachable!() }
                fn has_role(&self, role: &::core::primitive::str) -> ::core::primitive::bool { ::core::unreachable!() }
                fn has_scope(&self, scope: &::core::primitive::str) -> ::core::primitive::bool { ::core::unreachable!() }
            }
            impl #params #krate::JwtClaims for #user #ty #clause {
                type Claims = #claims #ty;
                type Subject = #subject;
                type Secrecy = #krate::Open;
                fn subject(&self) -> &Self::Subject { ::core::unreachable!() }
                fn to_claims(&self) -> Self::Claims { ::core::unreachable!() }
            }
            impl #params #krate::Issuable for #user #ty #clause {}
            impl #asked #krate::HasRoles<__TollgateValue> for #user #ty #clause {}
            impl #asked #krate::HasScopes<__TollgateValue> for #user #ty #clause {}
            impl #named #krate::HasClaim<__TOLLGATE_NAME, __TollgateValue> for #user #ty #clause {
                const WIRE: &'static ::core::primitive::str = "";
            }
        };
    }
}

/// The named fields that are in the token, each with what it says.
fn carried<'a>(
    item: &'a DeriveInput,
    args: &'a ClaimsArgs,
) -> impl Iterator<Item = (&'a Ident, &'a syn::Field, &'a FieldArgs)> {
    let fields = if let Data::Struct(data) = &item.data {
        Some(&data.fields)
    } else {
        None
    };
    let pairs = fields.into_iter().flatten().zip(&args.fields);
    pairs
        .filter(|(_, said)| said.skip.is_none())
        .filter_map(|(field, said)| Some((field.ident.as_ref()?, field, said)))
}

/// The type of the subject, or what is likely to become it.
fn subject(item: &DeriveInput, args: &ClaimsArgs) -> TokenStream {
    let marked = carried(item, args).find(|(.., said)| said.sub.is_some());
    let likely = || {
        carried(item, args)
            .find(|(ident, ..)| check::LIKELY_SUBJECTS.contains(&ident.to_string().as_str()))
    };
    match marked.or_else(likely) {
        Some((_, field, _)) => {
            let ty = types::inside_option(&field.ty).unwrap_or(&field.ty);
            quote!(#ty)
        }
        None => {
            let krate = &args.krate;
            quote!(#krate::AnySubject)
        }
    }
}
