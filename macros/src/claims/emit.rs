//! From the model of claims to Rust. Decides nothing.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Generics, ImplGenerics, Type, TypeGenerics, WhereClause, parse_quote};

use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use crate::path::{located, moved, name_number};

/// Returns the generated type, and all impls.
pub(crate) fn emit(model: &ClaimsModel) -> TokenStream {
    let generics = bounded(model);
    let parts = EmitParts {
        model,
        generics: generics.split_for_impl(),
    };
    let item = claims_type(model);
    let common = parts.common();
    let claim_set = parts.claim_set();
    let draft = parts.draft();
    let jwt_claims = parts.jwt_claims();
    let with = parts.with();
    let policies = parts.policies();
    let lints = &model.lints;
    quote! {
        #item
        #[doc(hidden)]
        #(#lints)*
        #[allow(private_bounds, private_interfaces, clippy::all, clippy::pedantic)]
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

/// Returns the struct behind the accessors.
fn claims_type(model: &ClaimsModel) -> TokenStream {
    let ClaimsModel {
        vis,
        user,
        claims,
        lints,
        derives,
        ..
    } = model;
    let (params, clause) = (&model.generics.params, &model.generics.where_clause);
    let doc = format!(
        "The claims of [`{}`], as a token carries them.",
        user.unraw()
    );
    let fields = all(model).map(
        |Field {
             ident, ty, docs, ..
         }| quote!(#(#docs)* #ident: #ty),
    );
    let marker = marker_field(model);
    let derives = (!derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
    quote! {
        #[doc = #doc]
        #(#lints)*
        #[allow(clippy::all, clippy::pedantic)]
        #derives
        #vis struct #claims <#params> #clause { #(#fields,)* #marker }
    }
}

/// Returns every field, the subject first.
fn all(model: &ClaimsModel) -> impl Iterator<Item = &Field> {
    std::iter::once(&model.subject).chain(model.own.iter().map(|claim| &claim.field))
}

/// Returns what uses up the parameters that no claim uses.
fn marker_field(model: &ClaimsModel) -> Option<TokenStream> {
    let params: Vec<&Ident> = model
        .generics
        .type_params()
        .map(|param| &param.ident)
        .collect();
    (!params.is_empty()).then(|| {
        quote! {
            /// Nothing.
            __tollgate_marker: ::core::marker::PhantomData<fn() -> (#(#params,)*)>,
        }
    })
}

fn marker_value(model: &ClaimsModel) -> Option<TokenStream> {
    model
        .generics
        .type_params()
        .next()
        .map(|_| quote!(__tollgate_marker: ::core::marker::PhantomData,))
}

/// Returns the struct's generics with the bounds under which its claims are claims. An own claim
/// without parameters needs none: rustc looks at it where it is used.
fn bounded(model: &ClaimsModel) -> Generics {
    let mut generics = model.generics.clone();
    let params: Vec<Ident> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    let clause = generics.make_where_clause();
    for param in &params {
        clause
            .predicates
            .push(parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    let mut bound = |field: &Field, bounds: &[TokenStream]| {
        let (ty, here) = (&field.ty, located(field.ty.span()));
        if let Ok(predicate) = syn::parse2(quote_spanned!(here=> #ty: #(#bounds)+*)) {
            clause.predicates.push(predicate);
        }
    };
    let krate = &model.krate;
    // The subject stands in signatures, where rustc would report each of them.
    let here = located(model.subject.ty.span());
    let at = krate.at(here);
    bound(&model.subject, &[quote_spanned!(here=> #at::SubjectValue)]);
    for claim in model.own.iter().filter(|claim| claim.field.generic) {
        let mut bounds = vec![carrier(claim, model)];
        match (&claim.codec, claim.kind) {
            (Codec::With(..), ClaimKind::Roles) => bounds.push(quote!(#krate::ValueSet)),
            (_, ClaimKind::Action) => bounds.push(quote!(#krate::Action)),
            _ => {}
        }
        if matches!(claim.absence, Absence::Default) {
            bounds.push(quote!(::core::default::Default));
        }
        bound(&claim.field, &bounds);
    }
    generics
}

struct EmitParts<'a> {
    model: &'a ClaimsModel,
    generics: (ImplGenerics<'a>, TypeGenerics<'a>, Option<&'a WhereClause>),
}

impl EmitParts<'_> {
    /// Returns `impl<…> trait for type where …`.
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
                 ..
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
                fn fmt(
                    &self,
                    __tollgate_f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    #krate::debug_claims(#name, &[#(#wires),*], self, __tollgate_f)
                }
            }
            #serialize {
                fn serialize<__TollgateS: #krate::serde::Serializer>(
                    &self,
                    __tollgate_serializer: __TollgateS,
                ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                    #krate::serialize_claims(self, __tollgate_serializer)
                }
            }
        }
    }

    /// Returns the draft: one empty place for each own claim.
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
            &self.model.generics.params,
            &self.model.generics.where_clause,
        );
        let head = self.head(
            quote!(::core::default::Default),
            &format_ident!("__TollgateDraft"),
        );
        quote! {
            pub struct __TollgateDraft <#params> #clause { #(#fields,)* #field }
            #head {
                fn default() -> Self {
                    Self { #(#empty: ::core::option::Option::None,)* #value }
                }
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
        let sub = &subject.ident;
        let (sub_ty, as_subject, from_subject) = (
            self.subject("Subject"),
            self.subject("as_subject"),
            self.subject("from_subject"),
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
        quote! {
            #head {
                type Subject = #sub_ty;
                type Draft = __TollgateDraft #args;
                fn subject(&self) -> &#sub_ty { #as_subject(&self.#sub) }
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
                    __tollgate_subject: #sub_ty,
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

    /// Returns `<type as SubjectValue>::item`.
    fn subject(&self, item: &str) -> TokenStream {
        let ty = &self.model.subject.ty;
        let here = located(ty.span());
        let ty = moved(ty, ty.span());
        let (krate, item) = (self.model.krate.at(here), Ident::new(item, here));
        quote_spanned!(here=> <#ty as #krate::SubjectValue>::#item)
    }

    /// Returns `<type as trait>::item` of a claim. All stands at the type, so that rustc reports a
    /// type that is no claim once, however often it is used.
    fn via(&self, claim: &Claim, item: &str) -> TokenStream {
        let ty = &claim.field.ty;
        let here = located(ty.span());
        let (carrier, item) = (carrier(claim, self.model), Ident::new(item, here));
        let ty = moved(ty, ty.span());
        quote_spanned!(here=> <#ty as #carrier>::#item)
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
            (_, Absence::ByType | Absence::Nothing) => self.via(claim, "write"),
            (_, Absence::Default | Absence::Call(_)) => self.via(claim, "write_always"),
        };
        let write = quote!(#write(&self.#ident, #wire, __tollgate_map)?;);
        match (&claim.codec, &claim.absence) {
            (Codec::With(..), Absence::Nothing) => {
                quote!(if ::core::option::Option::is_some(&self.#ident) { #write })
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
                |__tollgate_map| #read(__tollgate_map),
            )
        }
    }

    fn finish(&self, claim: &Claim) -> TokenStream {
        let (ident, wire) = (&claim.field.ident, &claim.wire);
        let draft = quote!(__tollgate_draft.#ident);
        match (&claim.absence, &claim.codec) {
            (Absence::ByType, Codec::With(..)) => {
                quote!(#ident: ::core::option::Option::ok_or(#draft, #wire)?)
            }
            (Absence::ByType, _) => {
                let finish = self.via(claim, "finish");
                quote!(#ident: #finish(#draft, #wire)?)
            }
            (Absence::Nothing, _) => quote!(#ident: ::core::option::Option::flatten(#draft)),
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

    /// Returns every field of the claims, copied from those of `self`.
    fn clones(&self) -> impl Iterator<Item = TokenStream> {
        let own = self.model.own.iter().map(|claim| {
            let (ident, duplicate) = (&claim.field.ident, self.via(claim, "duplicate"));
            quote!(#ident: #duplicate(&self.#ident))
        });
        let (sub, duplicate) = (&self.model.subject.ident, self.subject("duplicate"));
        std::iter::once(quote!(#sub: #duplicate(&self.#sub))).chain(own)
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
        let sub = &subject.ident;
        let (sub_ty, as_subject) = (self.subject("Subject"), self.subject("as_subject"));
        let clones = self.clones();
        let marker = marker_value(self.model);
        let issuable = (self.model.origin == Origin::Own).then(|| {
            let head = self.head(quote!(#krate::Issuable), user);
            quote!(#head {})
        });
        quote! {
            #head {
                type Claims = #claims #args;
                type Subject = #sub_ty;
                type Secrecy = #krate::#secrecy;
                fn subject(&self) -> &#sub_ty { #as_subject(&self.#sub) }
                fn to_claims(&self) -> Self::Claims { #claims { #(#clones,)* #marker } }
            }
            #issuable
        }
    }

    /// Returns the functions of each `with`.
    fn with(&self) -> TokenStream {
        let ClaimsModel {
            krate, claims, own, ..
        } = self.model;
        let impls = own.iter().filter_map(|claim| {
            let Codec::With(at, path) = &claim.codec else {
                return None;
            };
            let (at, ty) = (Literal::usize_unsuffixed(*at), &claim.field.ty);
            let head = self.head(quote!(#krate::Coded<#ty, #at>), claims);
            Some(quote! {
                #head {
                    fn serialize<__TollgateS: #krate::serde::Serializer>(
                        __tollgate_value: &#ty,
                        __tollgate_serializer: __TollgateS,
                    ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
                        #path::serialize(__tollgate_value, __tollgate_serializer)
                    }
                    fn deserialize<
                        '__tollgate_de,
                        __TollgateD: #krate::serde::Deserializer<'__tollgate_de>,
                    >(
                        __tollgate_deserializer: __TollgateD,
                    ) -> ::core::result::Result<#ty, __TollgateD::Error> {
                        #path::deserialize(__tollgate_deserializer)
                    }
                }
            })
        });
        quote!(#(#impls)*)
    }

    /// Returns what policies may ask of the user.
    fn policies(&self) -> TokenStream {
        let ClaimsModel {
            krate, user, own, ..
        } = self.model;
        let impls = own.iter().map(|claim| {
            let (has, value) = match claim.kind {
                ClaimKind::Roles => (quote!(HasRoles), "Role"),
                ClaimKind::Scope => (quote!(HasScopes), "Scope"),
                ClaimKind::Other => return self.comparable(claim),
                // A policy has nothing to ask there: the guard compares it.
                ClaimKind::Action => return TokenStream::new(),
            };
            let ty = &claim.field.ty;
            let value = match &claim.codec {
                Codec::With(..) => quote!(<#ty as #krate::ValueSet>::Value),
                Codec::Of(of) => of.to_token_stream(),
                Codec::Plain => claim
                    .element
                    .as_ref()
                    .map_or_else(|| self.via(claim, value), ToTokens::to_token_stream),
            };
            let head = self.head(quote!(#krate::#has<#value>), user);
            quote!(#head {})
        });
        quote!(#(#impls)*)
    }

    /// Returns that a policy may compare the claim, and with what.
    fn comparable(&self, claim: &Claim) -> TokenStream {
        let ClaimsModel {
            krate,
            user,
            generics,
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
        let kind = format_ident!("claim_{}", ident.unraw(), span = Span::call_site());
        let mut generics = generics.clone();
        generics.params.push(parse_quote!(#kind));
        // What a module writes may be anything.
        let limits = if matches!(codec, Codec::With(..)) {
            None
        } else {
            generics
                .make_where_clause()
                .predicates
                .push(parse_quote!(#ty: #krate::Comparable<#kind>));
            self.limits(ty)
        };
        let (params, _, clause) = generics.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #params #krate::HasClaim<#number, #kind> for #user #args #clause {
                const WIRE: &'static ::core::primitive::str = #wire;
                #limits
            }
        }
    }

    /// Returns which values the type can have, where that is known of it.
    fn limits(&self, ty: &Type) -> Option<TokenStream> {
        let krate = &self.model.krate;
        self.model.generics.type_params().next().is_none().then(|| {
            quote! {
                const LIMITS: #krate::Limits = {
                    use #krate::NoLimits as _;
                    #krate::LimitsOf::<#ty>::LIMITS
                };
            }
        })
    }
}

/// Returns the trait through which a claim is copied, written and read.
fn carrier(claim: &Claim, model: &ClaimsModel) -> TokenStream {
    let here = located(claim.field.ty.span());
    let krate = model.krate.at(here);
    let foreign = model.origin == Origin::External;
    let name = match (&claim.codec, claim.kind, model.origin) {
        (Codec::With(..), ..) => "Carried",
        (Codec::Of(of), ClaimKind::Scope, _) => {
            return quote_spanned!(here=> #krate::ScopesOf<#of, #foreign>);
        }
        (Codec::Of(of), ..) => return quote_spanned!(here=> #krate::RolesOf<#of, #foreign>),
        (Codec::Plain, ClaimKind::Roles, Origin::Own) => "RoleSet",
        (Codec::Plain, ClaimKind::Roles, Origin::External) => "ForeignRoles",
        (Codec::Plain, ClaimKind::Scope, Origin::Own) => "ScopeSet",
        (Codec::Plain, ClaimKind::Scope, Origin::External) => "ForeignScopes",
        (Codec::Plain, ClaimKind::Other | ClaimKind::Action, _) => "Claim",
    };
    let name = Ident::new(name, here);
    quote_spanned!(here=> #krate::#name)
}
