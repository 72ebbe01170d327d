//! Writes the stand-in for the claims of a struct with a mistake, so that rustc reports the mistake
//! alone.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Type, parse_quote};

use super::model::Field;
use crate::pipeline::{Outline, mistaken, owned, owned_args, without_lifetimes};

/// The names that the claims would have.
pub(crate) struct ClaimsNames {
    /// The generated type.
    pub(crate) claims: Ident,
    /// The type of the subject, or of what is likely to become it.
    pub(crate) subject: Option<Type>,
    pub(crate) accessors: Vec<Field>,
}

/// Returns the errors, the generated type with its accessors, and impls that compile. The program
/// does not, so they never run.
pub(crate) fn emit(outline: &Outline<ClaimsNames>, errors: TokenStream) -> TokenStream {
    let Outline {
        krate,
        ident: user,
        vis,
        generics,
        names,
    } = outline;
    let claims = &names.claims;
    let never = quote!(::core::unreachable!());
    // Claims cannot borrow, so of a struct that does only the owned one has them.
    let borrows = generics.lifetimes().next().is_some();
    let accessors = names.accessors.iter().map(
        |Field {
             ident,
             ty,
             vis,
             docs,
             ..
         }| {
            let ty = owned(ty, generics);
            quote!(#(#docs)* #vis fn #ident(&self) -> &#ty { #never })
        },
    );
    // The expansion without the mistake will say whether the type can be a subject.
    let (errors, subject) = match &names.subject {
        Some(subject) => (errors, owned(subject, generics)),
        None => (TokenStream::new(), mistaken(krate, &errors)),
    };

    let mut kept = without_lifetimes(generics);
    let types: Vec<Ident> = kept
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    let own_clause = kept.where_clause.clone().filter(|_| !borrows);
    kept.where_clause.clone_from(&own_clause);
    let declared = kept.params.clone();
    for ty in &types {
        kept.make_where_clause()
            .predicates
            .push(parse_quote!(#ty: #krate::Shared));
    }
    let mut asked = kept.clone();
    asked.params.push(parse_quote!(__TollgateValue));
    let mut named = asked.clone();
    named
        .params
        .push(parse_quote!(const __TOLLGATE_NAME: ::core::primitive::u64));
    let ((params, ty, clause), (asked, ..), (named, ..)) = (
        kept.split_for_impl(),
        asked.split_for_impl(),
        named.split_for_impl(),
    );
    let args = owned_args(generics);
    let result = quote!(::core::result::Result);
    let doc = format!("The claims of [`{}`].", user.unraw());
    quote! {
        #errors
        #[doc = #doc]
        #vis struct #claims <#declared> #own_clause {
            /// Nothing.
            __tollgate_marker: ::core::marker::PhantomData<fn() -> (#(#types,)*)>,
        }
        #[allow(private_interfaces)]
        const _: () = {
            impl #params #claims #ty #clause { #(#accessors)* }
            impl #params ::core::clone::Clone for #claims #ty #clause {
                fn clone(&self) -> Self { #never }
            }
            impl #params ::core::fmt::Debug for #claims #ty #clause {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #never }
            }
            impl #params #krate::serde::Serialize for #claims #ty #clause {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    _: __TollgateS,
                ) -> #result<__TollgateS::Ok, __TollgateS::Error> { #never }
            }
            impl #params #krate::ClaimSet for #claims #ty #clause {
                type Subject = <#user #args as #krate::JwtClaims>::Subject;
                type Draft = ();
                fn subject(&self) -> &Self::Subject { #never }
                fn parse_subject(
                    _: &::core::primitive::str,
                ) -> ::core::option::Option<Self::Subject> { #never }
                fn write<__TollgateM: #krate::serde::ser::SerializeMap>(
                    &self,
                    _: &mut __TollgateM,
                ) -> #result<(), __TollgateM::Error> { #never }
                fn place(
                    _: &::core::primitive::str,
                ) -> ::core::option::Option<::core::primitive::usize> { #never }
                fn read<'__tollgate_de, __TollgateA: #krate::serde::de::MapAccess<'__tollgate_de>>(
                    _: &mut Self::Draft,
                    _: ::core::primitive::usize,
                    _: &mut __TollgateA,
                ) -> #result<(), __TollgateA::Error> { #never }
                fn finish(
                    _: Self::Draft,
                    _: Self::Subject,
                ) -> #result<Self, &'static ::core::primitive::str> { #never }
                fn has_role(&self, _: &::core::primitive::str) -> ::core::primitive::bool { #never }
                fn has_scope(&self, _: &::core::primitive::str) -> ::core::primitive::bool { #never }
            }
            impl #params #krate::JwtClaims for #user #args #clause {
                type Claims = #claims #ty;
                type Subject = #subject;
                type Secrecy = #krate::Open;
                fn subject(&self) -> &Self::Subject { #never }
                fn to_claims(&self) -> Self::Claims { #never }
            }
            impl #params #krate::Issuable for #user #args #clause {}
            impl #asked #krate::HasRoles<__TollgateValue> for #user #args #clause {}
            impl #asked #krate::HasScopes<__TollgateValue> for #user #args #clause {}
            impl #named #krate::HasClaim<__TOLLGATE_NAME, __TollgateValue> for #user #args #clause {
                const WIRE: &'static ::core::primitive::str = "";
            }
        };
    }
}
