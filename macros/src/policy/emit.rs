//! From the model of a policy to Rust. Decides nothing.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Path;

use super::model::{Claim, Consistency, Named, PolicyModel, Rule, Value, Variant};
use crate::path::{self, Krate, located, moved, name_number};

/// Returns the impl for the user type, or for every one that has what the policy asks for.
pub(crate) fn emit(model: &PolicyModel) -> TokenStream {
    let PolicyModel {
        krate,
        name,
        lints,
        user,
        rule,
        consistency,
        asked,
    } = model;
    let is_generic = user.is_none();
    let (params, user) = match user {
        Some(user) => (None, user.to_token_stream()),
        None => (Some(quote!(<__TollgateUser>)), quote!(__TollgateUser)),
    };
    let rule = RuleWriter { krate, user: &user }.constant(rule);
    let consistency = consistency.map(|consistency| {
        let consistency = said(krate, consistency);
        quote!(const CONSISTENCY: ::core::option::Option<#krate::Consistency> = ::core::option::Option::Some(#consistency);)
    });
    let mut needs: Vec<Need> = Vec::new();
    for (of, name) in enums(&asked.roles, "HasRoles").chain(enums(&asked.scopes, "HasScopes")) {
        let last = of.segments.last();
        let here = last.map_or_else(Span::call_site, |last| located(last.ident.span()));
        let (krate, of) = (krate.at(here), moved(of, here));
        needs.push(Need {
            here,
            bound: quote_spanned!(here=> #krate::#name<#of>),
        });
    }
    for (named, has) in [(&asked.roles, "HasRoles"), (&asked.scopes, "HasScopes")] {
        let text = named.iter().find_map(|named| match named {
            Named::Text(text) => Some(text),
            Named::Variant(_) => None,
        });
        let Some(text) = text else { continue };
        let here = located(text.span());
        let (krate, has) = (krate.at(here), Ident::new(has, here));
        needs.push(Need {
            here,
            bound: quote_spanned!(here=> #krate::#has<#krate::AnyText>),
        });
    }
    let (clause, checks) = if is_generic {
        let needs = needs.iter().map(|Need { here, bound }| {
            let user = moved(&user, *here);
            quote_spanned!(*here=> #user: #bound)
        });
        (
            Some(quote!(where #user: #krate::JwtClaims, #(#needs,)*)),
            None,
        )
    } else {
        let checks = needs.iter().map(|Need { here, bound }| {
            let user = moved(&user, *here);
            quote_spanned! {*here=>
                const fn __tollgate_asks<__TollgateUser: #bound>() {}
                __tollgate_asks::<#user>();
            }
        });
        let checks = checks.map(|check| quote!({ #check }));
        (None, Some(quote!(#(#checks)*)))
    };
    let rule = match checks {
        Some(checks) if !checks.is_empty() => quote!({ #checks #rule }),
        _ => rule,
    };
    let fits = asked
        .claims
        .iter()
        .filter_map(|claim| fits(krate, &user, claim));
    quote! {
        #(#fits)*
        #[automatically_derived]
        #(#lints)*
        impl #params #krate::PolicyFor<#user> for #name #clause {
            const RULE: #krate::Rule = #rule;
            #consistency
        }
    }
}

/// What a policy needs of its user type, and where it says so.
struct Need {
    here: Span,
    bound: TokenStream,
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
            Rule::Role(role) => {
                let wire = named(role);
                quote!(Role(#wire))
            }
            Rule::Scope(scope) => {
                let wire = named(scope);
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
        let has = has(krate, user, field, value);
        let value = match value {
            Value::Text(text) => quote!(Text(#text)),
            Value::Number(number, _) => {
                let number = Literal::i128_unsuffixed(*number);
                quote!(Number(#number))
            }
            Value::Truth(truth) => quote!(Truth(#truth)),
            Value::Variant(variant) => {
                let wire = wire(variant);
                quote!(Text(#wire))
            }
        };
        quote!(Claim { name: #has::WIRE, value: #krate::Value::#value })
    }
}

/// Returns the string of a role or scope.
fn named(named: &Named) -> TokenStream {
    match named {
        Named::Variant(variant) => wire(variant),
        Named::Text(text) => text.to_token_stream(),
    }
}

/// Returns the string of a variant, at its name, where rustc reports a misspelt one.
fn wire(Variant { of, name }: &Variant) -> TokenStream {
    let here = located(name.span());
    let hidden = crate::value::hidden(here);
    let name = path::own(name);
    quote_spanned!(here=> #of::#name.#hidden())
}

/// Returns `<user as HasClaim<field, kind>>`, at the field's name.
fn has(krate: &Krate, user: &TokenStream, field: &Ident, value: &Value) -> TokenStream {
    let here = located(field.span());
    let number = Literal::u64_suffixed(name_number(&field.to_string()));
    let (user, at) = (moved(user, here), krate.at(here));
    let kind = moved(kind(krate, value), here);
    quote_spanned!(here=> <#user as #at::HasClaim<#number, #kind>>)
}

/// Returns the check that the type of a claim can hold the value, at the value.
fn fits(krate: &Krate, user: &TokenStream, claim: &Claim) -> Option<TokenStream> {
    let (here, name, value) = match &claim.value {
        Value::Text(text) => (located(text.span()), "fitting_text", text.to_token_stream()),
        Value::Number(number, span) => {
            let mut number = Literal::i128_unsuffixed(*number);
            number.set_span(located(*span));
            (located(*span), "fitting_number", quote!(#number))
        }
        Value::Truth(_) | Value::Variant(_) => return None,
    };
    let (at, name) = (krate.at(here), Ident::new(name, here));
    let has = has(krate, user, &claim.field, &claim.value);
    Some(quote_spanned!(here=> const _: () = #at::#name(#value, #has::LIMITS);))
}

/// Returns the kind of value that a claim is compared with.
fn kind(krate: &Krate, value: &Value) -> TokenStream {
    match value {
        Value::Text(_) => quote!(#krate::Text),
        Value::Number(..) => quote!(#krate::Number),
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

/// Returns every enum once, with the trait of user types that have its values.
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
