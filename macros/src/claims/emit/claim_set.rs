//! The impl of `ClaimSet`: how claims are written and read.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::{EmitParts, holds_foreign_roles, marker_value};
use crate::claims::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field};
use crate::path::{Krate, located};

impl EmitParts<'_> {
    pub(super) fn claim_set(&self) -> TokenStream {
        let ClaimsModel {
            krate,
            claims,
            subject,
            own,
            ..
        } = self.model;
        let (_, args, _) = &self.generics;
        let head = self.head(quote!(#krate::ClaimSet), claims);
        let sub = &subject.ident;
        let declared = self.declared_subject();
        let (as_subject, from_subject, read_subject) = (
            self.subject("as_subject"),
            self.subject("from_subject"),
            self.subject("read"),
        );
        let writes = own.iter().map(|claim| self.write(claim));
        let places = own.iter().enumerate().map(|(at, claim)| {
            let (at, wire) = (Literal::usize_unsuffixed(at), &claim.wire);
            quote!(#wire => ::core::option::Option::Some(#at))
        });
        let reads = own.iter().enumerate().map(|(at, claim)| {
            let (at, read) = (Literal::usize_unsuffixed(at), self.read(claim));
            quote!(#at => #read)
        });
        let finished = own.iter().map(|claim| self.finish(claim));
        let marker = marker_value(self.model);
        let (has_role, has_scope) = (
            self.holds("has_role", ClaimKind::Roles),
            self.holds("has_scope", ClaimKind::Scope),
        );
        let action = self.action();
        let exposed = self.exposed();
        quote! {
            #head {
                #declared
                type Draft = __TollgateDraft #args;
                #exposed
                fn subject(&self) -> &Self::Subject { #as_subject(&self.#sub) }
                fn parse_subject(
                    __tollgate_text: &::core::primitive::str,
                ) -> ::core::option::Option<Self::Subject> { #read_subject(__tollgate_text) }
                fn write<__TollgateM: #krate::serde::ser::SerializeMap>(
                    &self,
                    __tollgate_map: &mut __TollgateM,
                ) -> ::core::result::Result<(), __TollgateM::Error> {
                    #(#writes)*
                    let _ = __tollgate_map;
                    ::core::result::Result::Ok(())
                }
                fn place(
                    __tollgate_name: &::core::primitive::str,
                ) -> ::core::option::Option<::core::primitive::usize> {
                    match __tollgate_name { #(#places,)* _ => ::core::option::Option::None }
                }
                fn read<'__tollgate_de, __TollgateA: #krate::serde::de::MapAccess<'__tollgate_de>>(
                    __tollgate_draft: &mut Self::Draft,
                    __tollgate_place: ::core::primitive::usize,
                    __tollgate_map: &mut __TollgateA,
                ) -> ::core::result::Result<(), __TollgateA::Error> {
                    let _ = &__tollgate_draft;
                    match __tollgate_place {
                        #(#reads,)*
                        _ => #krate::skip_value(__tollgate_map),
                    }
                }
                fn finish(
                    __tollgate_draft: Self::Draft,
                    __tollgate_subject: Self::Subject,
                ) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
                    let _ = &__tollgate_draft;
                    ::core::result::Result::Ok(Self {
                        #sub: #from_subject(__tollgate_subject),
                        #(#finished,)*
                        #marker
                    })
                }
                #has_role
                #has_scope
                #action
            }
        }
    }

    fn write(&self, claim: &Claim) -> TokenStream {
        let krate = &self.model.krate;
        let Field { ident, ty, .. } = &claim.field;
        let wire = &claim.wire;
        let write = match (&claim.codec, &claim.absence) {
            (Codec::With(at, _), _) => {
                let at = Literal::usize_unsuffixed(*at);
                quote!(#krate::write_coded::<Self, #ty, #at, _>)
            }
            (_, Absence::ByType) => self.via(claim, "write"),
            (_, Absence::Default | Absence::Call(_)) => self.via(claim, "write_always"),
        };
        let write = quote!(#write(&self.#ident, #wire, __tollgate_map)?;);
        match (&claim.codec, &claim.absence) {
            (Codec::With(..), Absence::ByType) => {
                let presence = presence(krate, ty);
                quote!(if !#presence::is_absent(&self.#ident) { #write })
            }
            _ => write,
        }
    }

    fn read(&self, claim: &Claim) -> TokenStream {
        let krate = &self.model.krate;
        let Field { ident, ty, .. } = &claim.field;
        let wire = &claim.wire;
        let read = match &claim.codec {
            Codec::With(at, _) => {
                let at = Literal::usize_unsuffixed(*at);
                quote!(#krate::read_coded::<Self, #ty, #at, _>)
            }
            Codec::Plain | Codec::Of(_) => self.via(claim, "read"),
        };
        quote! {
            #krate::read_once(
                &mut __tollgate_draft.#ident,
                #wire,
                __tollgate_map,
                #read,
            )
        }
    }

    fn finish(&self, claim: &Claim) -> TokenStream {
        let (ident, wire) = (&claim.field.ident, &claim.wire);
        let draft = quote!(__tollgate_draft.#ident);
        match (&claim.absence, &claim.codec) {
            (Absence::ByType, Codec::With(..)) => {
                let presence = presence(&self.model.krate, &claim.field.ty);
                quote!(#ident: #presence::finish(#draft, #wire)?)
            }
            (Absence::ByType, _) => {
                let finish = self.via(claim, "finish");
                quote!(#ident: #finish(#draft, #wire)?)
            }
            (Absence::Default, _) => {
                let ty = &claim.field.ty;
                let here = located(ty.span());
                let default = quote_spanned!(here=> <#ty as ::core::default::Default>::default());
                quote!(#ident: ::core::option::Option::unwrap_or_else(#draft, || #default))
            }
            (Absence::Call(path), _) => {
                quote!(#ident: ::core::option::Option::unwrap_or_else(#draft, #path))
            }
        }
    }

    fn holds(&self, name: &str, kind: ClaimKind) -> TokenStream {
        let krate = &self.model.krate;
        let name = format_ident!("{name}");
        let Some(claim) = self.model.own.iter().find(|claim| claim.kind == kind) else {
            return quote! {
                fn #name(&self, _: &::core::primitive::str) -> ::core::primitive::bool { false }
            };
        };
        let (ident, ty) = (&claim.field.ident, &claim.field.ty);
        let holds = match &claim.codec {
            Codec::With(..) if holds_foreign_roles(claim, self.model) => {
                quote!(<#ty as #krate::ForeignRoles>::holds)
            }
            Codec::With(..) => quote!(<#ty as #krate::ValueSet>::holds),
            Codec::Plain | Codec::Of(_) => self.via(claim, "holds"),
        };
        quote! {
            fn #name(
                &self,
                __tollgate_value: &::core::primitive::str,
            ) -> ::core::primitive::bool {
                #holds(&self.#ident, __tollgate_value)
            }
        }
    }

    /// Returns the places of the claims into which nobody needs to look.
    fn exposed(&self) -> Option<TokenStream> {
        let own = self.model.own.iter().enumerate();
        let places: Vec<Literal> = own
            .filter(|(_, claim)| claim.exposed)
            .map(|(at, _)| Literal::usize_unsuffixed(at))
            .collect();
        (!places.is_empty()).then(|| {
            quote! {
                const EXPOSED: &'static [::core::primitive::usize] = &[#(#places),*];
            }
        })
    }

    /// Returns what binds the token to one action.
    fn action(&self) -> Option<TokenStream> {
        let own = &self.model.own;
        let claim = own.iter().find(|claim| claim.kind == ClaimKind::Action)?;
        let Field { ident, ty, .. } = &claim.field;
        let here = located(ty.span());
        let krate = self.model.krate.at(here);
        let digest = quote_spanned!(here=> <#ty as #krate::Action>::digest);
        Some(quote! {
            const ACTION_BOUND: ::core::primitive::bool = true;
            fn action(&self) -> ::core::option::Option<&::core::primitive::str> {
                ::core::option::Option::Some(#digest(&self.#ident))
            }
        })
    }
}

/// Returns what a missing claim of this type means, where a module of the user's writes it.
fn presence(krate: &Krate, ty: &Type) -> TokenStream {
    quote!(#krate::Presence::<#ty>)
}
