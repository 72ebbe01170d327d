//! From the model of claims to Rust. Decides nothing.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{ImplGenerics, TypeGenerics, WhereClause, parse_quote};

use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use crate::path::name_number;

/// The generated type, and all impls.
pub(crate) fn emit(model: &ClaimsModel) -> TokenStream {
    let parts = EmitParts {
        model,
        generics: model.generics.split_for_impl(),
    };
    let item = claims_type(model);
    let common = parts.common();
    let claim_set = parts.claim_set();
    let draft = parts.draft();
    let jwt_claims = parts.jwt_claims();
    let with = parts.with();
    let policies = parts.policies();
    quote! {
        #item
        #[doc(hidden)]
        #[allow(dead_code, deprecated, non_camel_case_types, non_snake_case, private_bounds, private_interfaces, trivial_bounds, unreachable_pub)]
        #[allow(clippy::all, clippy::pedantic)]
        const _: () = {
            #draft
            #common
            #claim_set
            #jwt_claims
            #with
            #policies
        };
    }
}

/// The struct behind the accessors.
fn claims_type(model: &ClaimsModel) -> TokenStream {
    let ClaimsModel {
        vis, user, claims, ..
    } = model;
    let (params, clause) = (&model.declared.params, &model.declared.where_clause);
    let doc = format!(
        "The claims of [`{}`], as a token carries them.",
        user.unraw()
    );
    let fields = all(model).map(|Field { ident, ty, .. }| quote!(#ident: #ty));
    let marker = marker_field(model);
    quote! {
        #[doc = #doc]
        #[allow(non_camel_case_types, non_snake_case, clippy::all, clippy::pedantic)]
        #vis struct #claims <#params> #clause { #(#fields,)* #marker }
    }
}

/// Every field, the subject first.
fn all(model: &ClaimsModel) -> impl Iterator<Item = &Field> {
    std::iter::once(&model.subject).chain(model.own.iter().map(|claim| &claim.field))
}

/// What uses up the parameters that no claim uses.
fn marker_field(model: &ClaimsModel) -> Option<TokenStream> {
    let params: Vec<&Ident> = model
        .generics
        .type_params()
        .map(|param| &param.ident)
        .collect();
    (!params.is_empty())
        .then(|| quote!(__tollgate_marker: ::core::marker::PhantomData<fn() -> (#(#params,)*)>,))
}

fn marker_value(model: &ClaimsModel) -> Option<TokenStream> {
    model
        .generics
        .type_params()
        .next()
        .map(|_| quote!(__tollgate_marker: ::core::marker::PhantomData,))
}

struct EmitParts<'a> {
    model: &'a ClaimsModel,
    generics: (ImplGenerics<'a>, TypeGenerics<'a>, Option<&'a WhereClause>),
}

impl EmitParts<'_> {
    /// `impl<…> trait for type where …`.
    fn head(&self, of: impl ToTokens, target: &Ident) -> TokenStream {
        let (params, args, clause) = &self.generics;
        quote!(#[automatically_derived] impl #params #of for #target #args #clause)
    }

    fn common(&self) -> TokenStream {
        let ClaimsModel {
            krate, claims, own, ..
        } = self.model;
        let (params, args, clause) = &self.generics;
        let accessors = all(self.model).map(
            |Field {
                 ident,
                 ty,
                 vis,
                 docs,
             }| quote!(#(#docs)* #[must_use] #vis fn #ident(&self) -> &#ty { &self.#ident }),
        );
        let clones = self.clones();
        let marker = marker_value(self.model);
        let (name, wires) = (claims.to_string(), own.iter().map(|claim| &claim.wire));
        let (clone, debug) = (
            self.head(quote!(::core::clone::Clone), claims),
            self.head(quote!(::core::fmt::Debug), claims),
        );
        let serialize = self.head(quote!(#krate::serde::Serialize), claims);
        quote! {
            impl #params #claims #args #clause { #(#accessors)* }
            #clone {
                fn clone(&self) -> Self { Self { #(#clones,)* #marker } }
            }
            #debug {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #krate::debug_claims(#name, &[#(#wires),*], self, f)
                }
            }
            #serialize {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    serializer: __TollgateS,
                ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                    #krate::serialize_claims(self, serializer)
                }
            }
        }
    }

    /// One empty place for each own claim.
    fn draft(&self) -> TokenStream {
        let fields = self.model.own.iter().map(
            |Claim {
                 field: Field { ident, ty, .. },
                 ..
             }| quote!(#ident: ::core::option::Option<#ty>),
        );
        let empty = self.model.own.iter().map(|claim| &claim.field.ident);
        let (field, value) = (marker_field(self.model), marker_value(self.model));
        let (params, clause) = (
            &self.model.declared.params,
            &self.model.declared.where_clause,
        );
        let head = self.head(quote!(::core::default::Default), &draft_name());
        quote! {
            pub struct __TollgateDraft <#params> #clause { #(#fields,)* #field }
            #head {
                fn default() -> Self { Self { #(#empty: ::core::option::Option::None,)* #value } }
            }
        }
    }

    fn claim_set(&self) -> TokenStream {
        let ClaimsModel {
            krate,
            claims,
            subject,
            own,
            ..
        } = self.model;
        let (_, args, _) = &self.generics;
        let head = self.head(quote!(#krate::ClaimSet), claims);
        let Field {
            ident: sub,
            ty: sub_ty,
            ..
        } = subject;
        let writes = own.iter().map(|claim| self.write(claim));
        let places = own.iter().enumerate().map(|(at, claim)| {
            let (at, wire) = (Literal::usize_unsuffixed(at), &claim.wire);
            quote!(#wire => ::core::option::Option::Some(#at))
        });
        let reads = own.iter().enumerate().map(|(at, claim)| {
            let (at, read) = (Literal::usize_unsuffixed(at), self.read(claim));
            quote!(#at => #read)
        });
        let finished = own.iter().map(finish);
        let marker = marker_value(self.model);
        let (has_role, has_scope) = (
            self.holds("has_role", ClaimKind::Roles),
            self.holds("has_scope", ClaimKind::Scope),
        );
        let action = self.action();
        quote! {
            #head {
                type Subject = <#sub_ty as #krate::Identity>::Subject;
                type Draft = __TollgateDraft #args;
                fn subject(&self) -> &Self::Subject { #krate::Identity::as_subject(&self.#sub) }
                fn write<__TollgateM: #krate::serde::ser::SerializeMap>(
                    &self,
                    map: &mut __TollgateM,
                ) -> ::core::result::Result<(), __TollgateM::Error> {
                    #(#writes)*
                    let _ = map;
                    ::core::result::Result::Ok(())
                }
                fn place(name: &::core::primitive::str) -> ::core::option::Option<::core::primitive::usize> {
                    match name { #(#places,)* _ => ::core::option::Option::None }
                }
                fn read<'__tollgate_de, __TollgateA: #krate::serde::de::MapAccess<'__tollgate_de>>(
                    draft: &mut Self::Draft,
                    place: ::core::primitive::usize,
                    map: &mut __TollgateA,
                ) -> ::core::result::Result<(), __TollgateA::Error> {
                    let _ = &draft;
                    match place { #(#reads,)* _ => #krate::skip_value(map) }
                }
                fn finish(draft: Self::Draft, subject: Self::Subject) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
                    let _ = &draft;
                    ::core::result::Result::Ok(Self { #sub: #krate::Identity::from_subject(subject), #(#finished,)* #marker })
                }
                #has_role
                #has_scope
                #action
            }
        }
    }

    fn write(&self, claim: &Claim) -> TokenStream {
        let krate = &self.model.krate;
        let Claim {
            field: Field { ident, ty, .. },
            wire,
            ..
        } = claim;
        let write = match &claim.codec {
            Codec::With(at, _) => {
                let at = Literal::usize_unsuffixed(*at);
                quote!(#krate::write_coded::<Self, #ty, #at, _>)
            }
            Codec::Plain | Codec::Scope => {
                let carrier = carrier(claim, self.model.origin);
                quote!(#krate::#carrier::write)
            }
        };
        let write = quote!(#write(&self.#ident, #wire, map)?;);
        match claim.absence {
            Absence::Nothing => quote!(if ::core::option::Option::is_some(&self.#ident) { #write }),
            Absence::Refused | Absence::Default | Absence::Call(_) => write,
        }
    }

    fn read(&self, claim: &Claim) -> TokenStream {
        let krate = &self.model.krate;
        let Claim {
            field: Field { ident, ty, .. },
            wire,
            ..
        } = claim;
        let read = match &claim.codec {
            Codec::With(at, _) => {
                let at = Literal::usize_unsuffixed(*at);
                quote!(#krate::read_coded::<Self, #ty, #at, _>)
            }
            Codec::Plain | Codec::Scope => {
                let carrier = carrier(claim, self.model.origin);
                quote!(#krate::#carrier::read)
            }
        };
        quote!(#krate::read_once(&mut draft.#ident, #wire, map, #read))
    }

    /// Every field of the claims, copied from those of `self`.
    fn clones(&self) -> impl Iterator<Item = TokenStream> {
        let ClaimsModel {
            krate,
            subject: Field { ident: sub, .. },
            own,
            origin,
            ..
        } = self.model;
        let own = own.iter().map(move |claim| {
            let (ident, carrier) = (&claim.field.ident, carrier(claim, *origin));
            quote!(#ident: #krate::#carrier::duplicate(&self.#ident))
        });
        std::iter::once(quote!(#sub: #krate::Identity::duplicate(&self.#sub))).chain(own)
    }

    fn holds(&self, name: &str, kind: ClaimKind) -> TokenStream {
        let krate = &self.model.krate;
        let name = quote::format_ident!("{name}");
        match self.model.own.iter().find(|claim| claim.kind == kind) {
            Some(claim) => {
                let (ident, (set, _)) = (&claim.field.ident, set(claim, self.model.origin));
                quote! {
                    fn #name(&self, value: &::core::primitive::str) -> ::core::primitive::bool {
                        #krate::#set::holds(&self.#ident, value)
                    }
                }
            }
            None => {
                quote!(fn #name(&self, _: &::core::primitive::str) -> ::core::primitive::bool { false })
            }
        }
    }

    /// What binds the token to one action.
    fn action(&self) -> Option<TokenStream> {
        let krate = &self.model.krate;
        let Claim {
            field: Field { ident, .. },
            ..
        } = self
            .model
            .own
            .iter()
            .find(|claim| claim.kind == ClaimKind::Action)?;
        Some(quote! {
            const ACTION_BOUND: ::core::primitive::bool = true;
            fn action(&self) -> ::core::option::Option<&::core::primitive::str> {
                ::core::option::Option::Some(#krate::Action::digest(&self.#ident))
            }
        })
    }

    fn jwt_claims(&self) -> TokenStream {
        let ClaimsModel {
            krate,
            user,
            claims,
            subject,
            ..
        } = self.model;
        let (_, args, _) = &self.generics;
        let head = self.head(quote!(#krate::JwtClaims), user);
        let secrecy = match self.model.secrecy {
            Secrecy::Open => quote!(Open),
            Secrecy::Confidential => quote!(Confidential),
        };
        let Field {
            ident: sub,
            ty: sub_ty,
            ..
        } = subject;
        let clones = self.clones();
        let marker = marker_value(self.model);
        let issuable = (self.model.origin == Origin::Own).then(|| {
            let head = self.head(quote!(#krate::Issuable), user);
            quote!(#head {})
        });
        quote! {
            #head {
                type Claims = #claims #args;
                type Subject = <#sub_ty as #krate::Identity>::Subject;
                type Secrecy = #krate::#secrecy;
                fn subject(&self) -> &Self::Subject { #krate::Identity::as_subject(&self.#sub) }
                fn to_claims(&self) -> Self::Claims { #claims { #(#clones,)* #marker } }
            }
            #issuable
        }
    }

    /// The functions of each `with`.
    fn with(&self) -> TokenStream {
        let ClaimsModel {
            krate, claims, own, ..
        } = self.model;
        let impls = own.iter().filter_map(|claim| {
            let Codec::With(at, path) = &claim.codec else { return None };
            let (at, ty) = (Literal::usize_unsuffixed(*at), &claim.field.ty);
            let head = self.head(quote!(#krate::Coded<#ty, #at>), claims);
            Some(quote! {
                #head {
                    fn serialize<__TollgateS: #krate::serde::Serializer>(
                        value: &#ty,
                        serializer: __TollgateS,
                    ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                        #path::serialize(value, serializer)
                    }
                    fn deserialize<'__tollgate_de, __TollgateD: #krate::serde::Deserializer<'__tollgate_de>>(
                        deserializer: __TollgateD,
                    ) -> ::core::result::Result<#ty, __TollgateD::Error> {
                        #path::deserialize(deserializer)
                    }
                }
            })
        });
        quote!(#(#impls)*)
    }

    /// What policies may ask of the user.
    fn policies(&self) -> TokenStream {
        let ClaimsModel {
            krate, user, own, ..
        } = self.model;
        let impls = own.iter().map(|claim| {
            let has = match claim.kind {
                ClaimKind::Roles => quote!(HasRoles),
                ClaimKind::Scope => quote!(HasScopes),
                ClaimKind::Other => return self.comparable(claim),
                // A policy has nothing to ask there: the guard compares it.
                ClaimKind::Action => return TokenStream::new(),
            };
            let (ty, (set, value)) = (&claim.field.ty, set(claim, self.model.origin));
            let head = self.head(quote!(#krate::#has<<#ty as #krate::#set>::#value>), user);
            quote!(#head {})
        });
        quote!(#(#impls)*)
    }

    /// That a policy may compare the claim, and with what.
    fn comparable(&self, claim: &Claim) -> TokenStream {
        let ClaimsModel {
            krate,
            user,
            declared,
            ..
        } = self.model;
        let (_, args, _) = &self.generics;
        let Claim {
            field: Field { ident, ty, .. },
            wire,
            codec,
            ..
        } = claim;
        let number = name_number(&ident.to_string());
        // rustc lists the impls where a policy asks for a claim that is none: this is how the list
        // shows the field.
        let kind = quote::format_ident!("claim_{}", ident.unraw());
        let mut generics = declared.clone();
        generics.params.push(parse_quote!(#kind));
        // What a module writes may be anything.
        if !matches!(codec, Codec::With(..)) {
            generics
                .make_where_clause()
                .predicates
                .push(parse_quote!(#ty: #krate::Comparable<#kind>));
        }
        let (params, _, clause) = generics.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #params #krate::HasClaim<#number, #kind> for #user #args #clause {
                const WIRE: &'static ::core::primitive::str = #wire;
            }
        }
    }
}

/// The trait through which a claim is copied, written and read.
fn carrier(claim: &Claim, origin: Origin) -> TokenStream {
    match (&claim.codec, claim.kind, origin) {
        (Codec::With(..), ..) => quote!(Carried),
        (Codec::Scope, _, Origin::Own) => quote!(ScopeSet),
        (Codec::Scope, _, Origin::External) => quote!(ForeignScopes),
        (Codec::Plain, ClaimKind::Roles | ClaimKind::Scope, Origin::Own) => quote!(RoleSet),
        (Codec::Plain, ClaimKind::Roles | ClaimKind::Scope, Origin::External) => {
            quote!(ForeignRoles)
        }
        (Codec::Plain, ClaimKind::Other | ClaimKind::Action, _) => quote!(Claim),
    }
}

/// The trait that says what a set of roles or scopes holds, and its type of one.
fn set(claim: &Claim, origin: Origin) -> (TokenStream, TokenStream) {
    match (&claim.codec, origin) {
        (Codec::With(..), _) => (quote!(ValueSet), quote!(Value)),
        (Codec::Scope, Origin::Own) => (quote!(ScopeSet), quote!(Scope)),
        (Codec::Plain, Origin::Own) => (quote!(RoleSet), quote!(Role)),
        (Codec::Scope, Origin::External) => (quote!(ForeignScopes), quote!(Scope)),
        (Codec::Plain, Origin::External) => (quote!(ForeignRoles), quote!(Role)),
    }
}

fn draft_name() -> Ident {
    quote::format_ident!("__TollgateDraft")
}

fn finish(claim: &Claim) -> TokenStream {
    let (ident, wire) = (&claim.field.ident, &claim.wire);
    match &claim.absence {
        Absence::Refused => quote!(#ident: ::core::option::Option::ok_or(draft.#ident, #wire)?),
        Absence::Nothing => quote!(#ident: ::core::option::Option::flatten(draft.#ident)),
        Absence::Default => quote!(#ident: ::core::option::Option::unwrap_or_default(draft.#ident)),
        Absence::Call(path) => {
            quote!(#ident: ::core::option::Option::unwrap_or_else(draft.#ident, #path))
        }
    }
}
