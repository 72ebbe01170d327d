//! From the model of a policy to Rust. Decides nothing.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Path};

use super::model::{Claim, Consistency, Named, PolicyModel, Rule, Value, Variant};
use super::parse::PolicyArgs;
use crate::path::{Krate, name_number};

/// The impl for the user type, or for every one that has what the policy asks for.
pub(crate) fn emit(model: &PolicyModel) -> TokenStream {
    let PolicyModel {
        krate,
        name,
        user,
        rule,
        consistency,
        asked,
    } = model;
    let (params, user) = match user {
        Some(user) => (None, user.to_token_stream()),
        None => (Some(quote!(<__TollgateUser>)), quote!(__TollgateUser)),
    };
    let rule = RuleWriter { krate, user: &user }.constant(rule);
    let consistency = consistency.map(|consistency| {
        let consistency = said(krate, consistency);
        quote!(const CONSISTENCY: ::core::option::Option<#krate::Consistency> = ::core::option::Option::Some(#consistency);)
    });
    let mut needs: Vec<TokenStream> = Vec::new();
    let here = spot(user.span());
    let private = krate.at(here);
    needs.push(quote_spanned!(here=> #user: #private::JwtClaims));
    for (of, name) in enums(&asked.roles, "HasRoles").chain(enums(&asked.scopes, "HasScopes")) {
        let here = spot(
            of.segments
                .last()
                .map_or_else(Span::call_site, |last| last.ident.span()),
        );
        let (user, krate, of) = (moved(&user, here), krate.at(here), moved(of, here));
        needs.push(quote_spanned!(here=> #user: #krate::#name<#of>));
    }
    for (named, has) in [(&asked.roles, "HasRoles"), (&asked.scopes, "HasScopes")] {
        let text = named.iter().find_map(|named| {
            if let Named::Text(text) = named {
                Some(text)
            } else {
                None
            }
        });
        let Some(text) = text else { continue };
        let here = spot(text.span());
        let (user, krate, has) = (
            moved(&user, here),
            krate.at(here),
            quote::format_ident!("{has}", span = here),
        );
        needs.push(quote_spanned!(here=> #user: #krate::#has<#krate::AnyText>));
    }
    for Claim { field, value } in &asked.claims {
        let here = spot(field.span());
        let number = Literal::u64_suffixed(name_number(&field.to_string()));
        let (user, krate, kind) = (
            moved(&user, here),
            krate.at(here),
            moved(kind(krate, value), here),
        );
        needs.push(quote_spanned!(here=> #user: #krate::HasClaim<#number, #kind>));
    }
    for Variant { of, name } in asked.variants() {
        let here = spot(name.span());
        let number = Literal::u64_suffixed(name_number(&name.to_string()));
        // Spanned at the variant, so that rustc reports a misspelt one there.
        let krate = krate.at(here);
        needs.push(quote_spanned!(here=> #of: #krate::Variant<#number>));
    }
    quote! {
        #[automatically_derived]
        #[allow(deprecated, trivial_bounds)]
        impl #params #krate::PolicyFor<#user> for #name
        where
            #(#needs,)*
        {
            const RULE: #krate::Rule = #rule;
            #consistency
        }
    }
}

/// What stands in for a policy with a mistake. Nothing of it runs.
pub(crate) fn stub(item: &DeriveInput, args: &PolicyArgs) -> TokenStream {
    let (krate, name) = (&args.krate, &item.ident);
    if !item.generics.params.is_empty() {
        return TokenStream::new();
    }
    quote! {
        impl<__TollgateUser: #krate::JwtClaims> #krate::PolicyFor<__TollgateUser> for #name {
            const RULE: #krate::Rule = #krate::Rule::Anyone;
        }
    }
}

/// Writes rules as constants.
struct RuleWriter<'a> {
    krate: &'a Krate,
    user: &'a TokenStream,
}

impl RuleWriter<'_> {
    fn constant(&self, rule: &Rule) -> TokenStream {
        let krate = self.krate;
        let rule = match rule {
            Rule::Anyone => quote!(Anyone),
            Rule::Role(named) => {
                let wire = self.named(named);
                quote!(Role(#wire))
            }
            Rule::Scope(named) => {
                let wire = self.named(named);
                quote!(Scope(#wire))
            }
            Rule::Claim(claim) => self.claim(claim),
            Rule::MaxAge(seconds) => {
                let seconds = Literal::u64_unsuffixed(*seconds);
                quote!(MaxAge(#seconds))
            }
            Rule::Acr(acr) => quote!(Acr(#acr)),
            Rule::All(rules) => {
                let rules = rules.iter().map(|rule| self.constant(rule));
                quote!(All(&[#(#rules),*]))
            }
            Rule::Any(rules) => {
                let rules = rules.iter().map(|rule| self.constant(rule));
                quote!(Any(&[#(#rules),*]))
            }
            Rule::Not(rule) => {
                let rule = self.constant(rule);
                quote!(Not(&#rule))
            }
        };
        quote!(#krate::Rule::#rule)
    }

    fn claim(&self, Claim { field, value }: &Claim) -> TokenStream {
        let Self { krate, user } = self;
        let number = Literal::u64_suffixed(name_number(&field.to_string()));
        let kind = kind(krate, value);
        let value = match value {
            Value::Text(text) => quote!(Text(#text)),
            Value::Number(number) => {
                let number = Literal::i128_unsuffixed(*number);
                quote!(Number(#number))
            }
            Value::Truth(truth) => quote!(Truth(#truth)),
            Value::Variant(variant) => {
                let wire = self.wire(variant);
                quote!(Text(#wire))
            }
        };
        quote!(Claim { name: <#user as #krate::HasClaim<#number, #kind>>::WIRE, value: #krate::Value::#value })
    }

    /// The string of a role or scope.
    fn named(&self, named: &Named) -> TokenStream {
        match named {
            Named::Variant(variant) => self.wire(variant),
            Named::Text(text) => text.to_token_stream(),
        }
    }

    /// The string of a variant.
    fn wire(&self, Variant { of, name }: &Variant) -> TokenStream {
        let krate = self.krate;
        let number = Literal::u64_suffixed(name_number(&name.to_string()));
        quote!(#krate::wire::<#number, #of>(&#of::#name))
    }
}

/// The kind of value that a claim is compared with.
fn kind(krate: &Krate, value: &Value) -> TokenStream {
    match value {
        Value::Text(_) => quote!(#krate::Text),
        Value::Number(_) => quote!(#krate::Number),
        Value::Truth(_) => quote!(#krate::Truth),
        Value::Variant(Variant { of, .. }) => of.to_token_stream(),
    }
}

fn said(krate: &Krate, consistency: Consistency) -> TokenStream {
    match consistency {
        Consistency::Strict => quote!(#krate::Consistency::Strict),
        Consistency::Eventual => quote!(#krate::Consistency::Eventual),
        Consistency::Bounded(millis) => {
            let millis = Literal::u64_unsuffixed(millis);
            quote!(#krate::Consistency::Bounded(::core::time::Duration::from_millis(#millis)))
        }
    }
}

/// Every enum once, with the trait of user types that have its values.
fn enums<'a>(named: &'a [Named], has: &str) -> impl Iterator<Item = (&'a Path, Ident)> {
    let mut enums: Vec<&Path> = Vec::new();
    for named in named {
        let Named::Variant(Variant { of, .. }) = named else {
            continue;
        };
        if !enums.contains(&of) {
            enums.push(of);
        }
    }
    let has = quote::format_ident!("{has}");
    enums.into_iter().map(move |of| (of, has.clone()))
}

/// A place, for tokens of ours: the names in them are looked up where the macro stands.
fn spot(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The tokens as if they stood at `span`; their names are looked up where they were written.
fn moved(tokens: impl quote::ToTokens, span: Span) -> TokenStream {
    let tokens = tokens.into_token_stream().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(span));
        token
    });
    tokens.collect()
}
