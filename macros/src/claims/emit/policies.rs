//! Writes the impls by which policies ask a user type for roles, scopes and claims.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse_quote;
use syn::spanned::Spanned as _;

use super::{EmitParts, holds_foreign_roles};
use crate::claims::model::{Claim, ClaimKind, ClaimsModel, Codec, Field, Origin};
use crate::path::{located, moved, name_number};

impl EmitParts<'_> {
    /// Returns what policies may ask of the user.
    pub(super) fn policies(&self) -> TokenStream {
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
            let ty = &claim.field.ty;
            let value = match (&claim.codec, &claim.element) {
                (Codec::With(..), Some(element)) if holds_foreign_roles(claim, self.model) => {
                    element.to_token_stream()
                }
                (Codec::With(..), _) => quote!(<#ty as #krate::ValueSet>::Value),
                (Codec::Of(of), _) => of.to_token_stream(),
                (Codec::Plain, Some(element)) => element.to_token_stream(),
                (Codec::Plain, None) => return self.set_of(claim, &has),
            };
            let head = self.head(quote!(#krate::#has<#value>), user);
            quote!(#head {})
        });
        quote!(#(#impls)*)
    }

    /// Returns that a policy may ask for what the type of the claim holds, which its text does not
    /// say. It is a condition of the impl with its parameter in it, so that rustc reports a type that
    /// holds nothing only where it is used.
    fn set_of(&self, claim: &Claim, has: &TokenStream) -> TokenStream {
        let ClaimsModel {
            krate,
            user,
            origin,
            ..
        } = self.model;
        let (_, args, _) = &self.generics;
        let set = match (origin, claim.kind) {
            (Origin::Own, ClaimKind::Scope) => "ScopeSetOf",
            (Origin::Own, _) => "RoleSetOf",
            (Origin::External, ClaimKind::Scope) => "ForeignScopesOf",
            (Origin::External, _) => "ForeignRolesOf",
        };
        let here = located(claim.field.ty.span());
        let (at, set) = (krate.at(here), Ident::new(set, here));
        let ty = moved(&claim.field.ty, claim.field.ty.span());
        let bound = quote_spanned!(here=> #ty: #at::#set<__TollgateValue>);
        let mut generics = super::bounded(self.model);
        generics.params.push(parse_quote!(__TollgateValue));
        if let Ok(bound) = syn::parse2(bound) {
            generics.make_where_clause().predicates.push(bound);
        }
        let (params, _, clause) = generics.split_for_impl();
        quote! {
            #[automatically_derived]
            impl #params #krate::#has<__TollgateValue> for #user #args #clause {}
        }
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
        // For a policy that asks for a claim which does not exist, rustc lists the impls: this name
        // shows the field in that list.
        let kind = format_ident!("claim_{}", ident.unraw(), span = Span::call_site());
        let mut generics = generics.clone();
        generics.params.push(parse_quote!(#kind));
        // The module of `with` may write any value: neither its type nor its limits are known.
        let limits = if matches!(codec, Codec::With(..)) {
            None
        } else {
            generics
                .make_where_clause()
                .predicates
                .push(parse_quote!(#ty: #krate::Comparable<#kind>));
            self.limits(&claim.field)
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
    fn limits(&self, field: &Field) -> Option<TokenStream> {
        let (krate, ty) = (&self.model.krate, &field.ty);
        (!field.generic).then(|| {
            quote! {
                const LIMITS: #krate::Limits = {
                    use #krate::NoLimits as _;
                    #krate::LimitsOf::<#ty>::LIMITS
                };
            }
        })
    }
}
