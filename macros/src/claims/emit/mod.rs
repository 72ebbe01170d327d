//! From the model of claims to Rust. Decides nothing.

mod claim_set;
mod policies;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{GenericParam, Generics, ImplGenerics, TypeGenerics, WhereClause, parse_quote};

use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use crate::path::{located, moved};

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
    let reader = parts.reader();
    let jwt_claims = parts.jwt_claims();
    let with = parts.with();
    let policies = parts.policies();
    let lints = &model.lints;
    let krate = &model.krate;
    let reported = (!model.own.is_empty()).then(|| quote!(use #krate::Reported as _;));
    let coded = |claim: &Claim| {
        matches!(
            (&claim.codec, &claim.absence),
            (Codec::With(..), Absence::ByType)
        )
    };
    let required = model.own.iter().any(coded);
    let required = required.then(|| quote!(use #krate::Required as _;));
    quote! {
        #item
        #[doc(hidden)]
        #(#lints)*
        #[allow(private_bounds, private_interfaces, clippy::all, clippy::pedantic)]
        const _: () = {
            #reported
            #required
            #reader
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
    let krate = &model.krate;
    let clause = generics.make_where_clause();
    for param in &params {
        // A trait of ours: clippy reports a bound that the struct has too.
        clause.predicates.push(parse_quote!(#param: #krate::Shared));
    }
    let mut bound = |field: &Field, bounds: &[TokenStream]| {
        let (ty, here) = (&field.ty, located(field.ty.span()));
        if let Ok(predicate) = syn::parse2(quote_spanned!(here=> #ty: #(#bounds)+*)) {
            clause.predicates.push(predicate);
        }
    };
    // The subject stands in signatures, where rustc would report each of them.
    let here = located(model.subject.ty.span());
    let at = krate.at(here);
    bound(
        &model.subject,
        &[quote_spanned!(here=> #at::SubjectValue<__TOLLGATE_READER>)],
    );
    for claim in model.own.iter().filter(|claim| claim.field.generic) {
        let mut bounds = vec![carrier(claim, model)];
        match (&claim.codec, claim.kind) {
            (Codec::With(..), ClaimKind::Roles) if holds_foreign_roles(claim, model) => {
                bounds.push(quote!(#krate::ForeignRoles));
            }
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

/// Returns the parameters of an alias, which have no bounds.
fn alias_params(generics: &Generics) -> Option<TokenStream> {
    let params = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => {
            let (ident, ty) = (&param.ident, &param.ty);
            quote!(const #ident: #ty)
        }
    });
    (!generics.params.is_empty()).then(|| quote!(<#(#params),*>))
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
        // Accessors ask for nothing of the types that they show.
        let (params, args, clause) = self.model.generics.split_for_impl();
        // By another name of the type, since an accessor may be called as a function of a trait is,
        // which `clippy::same_name_method` reports of the type itself.
        let declared = alias_params(&self.model.generics);
        let accessors = all(self.model).map(
            |Field {
                 ident,
                 ty,
                 vis,
                 docs,
                 ..
             }| quote!(#(#docs)* #[must_use] #vis fn #ident(&self) -> &#ty { &self.#ident }),
        );
        let clones = self.clones(|claim| self.named(claim));
        let marker = marker_value(self.model);
        let (name, wires) = (claims.to_string(), own.iter().map(|claim| &claim.wire));
        let (clone, debug) = (
            self.head(quote!(::core::clone::Clone), claims),
            self.head(quote!(::core::fmt::Debug), claims),
        );
        let serialize = self.head(quote!(#krate::serde::Serialize), claims);
        quote! {
            type __TollgateClaims #declared = #claims #args;
            impl #params __TollgateClaims #args #clause { #(#accessors)* }
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
        let declared = &self.model.generics.params;
        let (params, args, clause) = self.model.generics.split_for_impl();
        quote! {
            pub struct __TollgateDraft <#declared> #clause { #(#fields,)* #field }
            #[automatically_derived]
            impl #params ::core::default::Default for __TollgateDraft #args #clause {
                fn default() -> Self {
                    Self { #(#empty: ::core::option::Option::None,)* #value }
                }
            }
        }
    }

    /// Returns how the subject is read: the type says it, and of one that a parameter stands for
    /// only the bound says something.
    fn reader(&self) -> TokenStream {
        let Field { ty, generic, .. } = &self.model.subject;
        let krate = &self.model.krate;
        let reader = if *generic {
            quote!(#krate::FROM_STR)
        } else {
            quote!({
                use #krate::NoFromStr as _;
                #krate::SubjectReader::<#ty>::READER
            })
        };
        // By its type, since an alias hides what the field seems to be.
        let apart = (!*generic).then(|| {
            let here = located(ty.span());
            let (at, ty) = (krate.at(here), moved(ty, ty.span()));
            quote_spanned! {here=>
                const _: () = {
                    use #at::NoFromStr as _;
                    #at::tells_users_apart(#at::SubjectReader::<#ty>::VALUES)
                };
            }
        });
        quote! {
            const __TOLLGATE_READER: ::core::primitive::u8 = #reader;
            #apart
        }
    }

    /// Returns `<type as SubjectValue>::item`.
    fn subject(&self, item: &str) -> TokenStream {
        let ty = &self.model.subject.ty;
        let here = located(ty.span());
        let ty = moved(ty, ty.span());
        let (krate, item) = (self.model.krate.at(here), Ident::new(item, here));
        quote_spanned!(here=> <#ty as #krate::SubjectValue<__TOLLGATE_READER>>::#item)
    }

    /// Returns the associated type of the subject, at the field: rustc reports one that is less
    /// visible than the user where it is declared.
    fn declared_subject(&self) -> TokenStream {
        let (here, ty) = (
            located(self.model.subject.ty.span()),
            self.subject("Subject"),
        );
        quote_spanned!(here=> type Subject = #ty;)
    }

    /// Returns a function of the trait of a claim that compiles also where the type has no trait:
    /// rustc reports it in every function that names it, so only `Clone::clone` does.
    fn via(&self, claim: &Claim, item: &str) -> TokenStream {
        let ty = &claim.field.ty;
        let here = located(ty.span());
        let (name, of) = carrier_name(claim, self.model);
        let (krate, via) = (
            self.model.krate.at(here),
            format_ident!("{name}Via", span = here),
        );
        let (ty, item) = (moved(ty, ty.span()), Ident::new(item, here));
        let of = of.map(|of| quote_spanned!(here=> , #of));
        quote_spanned!(here=> #krate::#via::<#ty #of>::#item)
    }

    /// Returns `<type as trait>::duplicate` of a claim, at the type.
    fn named(&self, claim: &Claim) -> TokenStream {
        let ty = &claim.field.ty;
        let here = located(ty.span());
        let carrier = carrier(claim, self.model);
        let ty = moved(ty, ty.span());
        quote_spanned!(here=> <#ty as #carrier>::duplicate)
    }

    /// Returns every field of the claims, copied from those of `self`.
    fn clones(
        &self,
        duplicate: impl Fn(&Claim) -> TokenStream,
    ) -> impl Iterator<Item = TokenStream> {
        let own = self.model.own.iter().map(move |claim| {
            let (ident, duplicate) = (&claim.field.ident, duplicate(claim));
            quote!(#ident: #duplicate(&self.#ident))
        });
        let (sub, duplicate) = (&self.model.subject.ident, self.subject("duplicate"));
        std::iter::once(quote!(#sub: #duplicate(&self.#sub))).chain(own)
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
        let (declared, as_subject) = (self.declared_subject(), self.subject("as_subject"));
        let clones = self.clones(|claim| self.via(claim, "duplicate"));
        let marker = marker_value(self.model);
        let issuable = (self.model.origin == Origin::Own).then(|| {
            let head = self.head(quote!(#krate::Issuable), user);
            quote!(#head {})
        });
        quote! {
            #head {
                type Claims = #claims #args;
                #declared
                type Secrecy = #krate::#secrecy;
                fn subject(&self) -> &Self::Subject { #as_subject(&self.#sub) }
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
}

/// Returns whether a module reads the roles of another issuer into a list or set, whose elements may
/// be texts: roles that need not be a closed set.
fn holds_foreign_roles(claim: &Claim, model: &ClaimsModel) -> bool {
    model.origin == Origin::External && claim.kind == ClaimKind::Roles && claim.element.is_some()
}

/// Returns the trait through which a claim is copied, written and read.
fn carrier(claim: &Claim, model: &ClaimsModel) -> TokenStream {
    let here = located(claim.field.ty.span());
    let krate = model.krate.at(here);
    let (name, of) = carrier_name(claim, model);
    let name = Ident::new(name, here);
    let of = of.map(|of| quote_spanned!(here=> <#of>));
    quote_spanned!(here=> #krate::#name #of)
}

/// Returns the name of the trait, and its arguments.
fn carrier_name(claim: &Claim, model: &ClaimsModel) -> (&'static str, Option<TokenStream>) {
    let name = match (&claim.codec, claim.kind, model.origin) {
        (Codec::With(..), ..) => "Carried",
        (Codec::Of(_), ClaimKind::Scope, _) => "ScopesOf",
        (Codec::Of(_), ..) => "RolesOf",
        (Codec::Plain, ClaimKind::Roles, Origin::Own) => "RoleSet",
        (Codec::Plain, ClaimKind::Roles, Origin::External) => "ForeignRoles",
        (Codec::Plain, ClaimKind::Scope, Origin::Own) => "ScopeSet",
        (Codec::Plain, ClaimKind::Scope, Origin::External) => "ForeignScopes",
        (Codec::Plain, ClaimKind::Other | ClaimKind::Action, _) => "Claim",
    };
    let foreign = model.origin == Origin::External;
    let of = match &claim.codec {
        Codec::Of(of) => Some(quote!(#of, #foreign)),
        Codec::With(..) | Codec::Plain => None,
    };
    (name, of)
}
