//! From the model of a policy to Rust. Decides nothing.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Path, Type};

use super::model::{Asked, Claim, Consistency, Named, PolicyModel, Rule, Value, Variant};
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
    // The user type has this name in the expansion, also as an alias of one that is known.
    let (params, alias) = match user {
        Some(user) => (None, Some(path::asked(krate, "has_claims", user))),
        None => (Some(quote!(<__TollgateUser>)), None),
    };
    let user = quote!(__TollgateUser);
    let node = if is_generic {
        quote!(#krate::Rule)
    } else {
        quote!(__TollgateRule)
    };
    let writer = RuleWriter {
        krate,
        node,
        user: &user,
    };
    let rule = writer.constant(rule);
    let consistency = asks(krate, &user, *consistency, asked);
    let mut needs: Vec<Need> = Vec::new();
    for (of, name) in enums(&asked.roles, "HasRoles").chain(enums(&asked.scopes, "HasScopes")) {
        let last = of.segments.last();
        let here = last.map_or_else(Span::call_site, |last| located(last.ident.span()));
        let (krate, of) = (krate.at(here), moved(of, here));
        needs.push(Need {
            here,
            of: moved(&user, here),
            bound: quote_spanned!(here=> #krate::#name<#of>),
        });
    }
    for (named, has) in [
        (&asked.roles, "HasTextRoles"),
        (&asked.scopes, "HasTextScopes"),
    ] {
        let text = named.iter().find_map(|named| match named {
            Named::Text(text) => Some(text),
            Named::Variant(_) => None,
        });
        let Some(text) = text else { continue };
        let here = located(text.span());
        let (krate, has) = (krate.at(here), Ident::new(has, here));
        needs.push(Need {
            here,
            of: moved(&user, here),
            bound: quote_spanned!(here=> #krate::#has),
        });
    }
    for policy in &asked.policies {
        let here = located(policy.span());
        let (krate, user) = (krate.at(here), moved(&user, here));
        needs.push(Need {
            here,
            of: moved(policy, here),
            bound: quote_spanned!(here=> #krate::PolicyFor<#user>),
        });
    }
    let (clause, checks) = if is_generic {
        let needs = needs
            .iter()
            .map(|Need { here, of, bound }| quote_spanned!(*here=> #of: #bound));
        (
            Some(quote!(where #user: #krate::JwtClaims, #(#needs,)*)),
            None,
        )
    } else {
        let checks = needs.iter().map(|Need { here, of, bound }| {
            quote_spanned! {*here=>
                const fn __tollgate_asks<__TollgateAsked: #bound>() {}
                __tollgate_asks::<#of>();
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
        .filter_map(|claim| fits(krate, &user, claim))
        .chain(asked.again.iter().map(|claim| alone(krate, &user, claim)));
    let impls = quote! {
        #(#fits)*
        #[automatically_derived]
        #(#lints)*
        impl #krate::Policy for #name {}
        #[automatically_derived]
        #(#lints)*
        impl #params #krate::PolicyFor<#user> for #name #clause {
            const RULE: #krate::Rule = #rule;
            #consistency
        }
    };
    match alias {
        Some(alias) => quote! {
            #(#lints)*
            const _: () = {
                use #krate::Rule as __TollgateRule;
                type __TollgateUser = #alias;
                #impls
            };
        },
        None => impls,
    }
}

/// A bound on the user type or on another policy, and the place in the policy that asks for it.
struct Need {
    here: Span,
    of: TokenStream,
    bound: TokenStream,
}

/// Writes rules as constants.
struct RuleWriter<'a> {
    krate: &'a Krate,
    /// The path of `Rule`.
    node: TokenStream,
    user: &'a TokenStream,
}

impl RuleWriter<'_> {
    fn constant(&self, rule: &Rule) -> TokenStream {
        let node = &self.node;
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
            Rule::Policy(policy) => {
                let policy = asked_of(self.krate, self.user, policy);
                return quote!(#policy::RULE);
            }
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
        quote!(#node::#rule)
    }

    fn claim(&self, Claim { field, value }: &Claim) -> TokenStream {
        let Self { krate, user, .. } = self;
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
fn wire(variant: &Variant) -> TokenStream {
    let Variant {
        of,
        name,
        has_braces,
    } = variant;
    let here = located(name.span());
    let hidden = crate::value::hidden(here);
    let name = path::own(name);
    let braces = has_braces.then(|| quote_spanned!(here=> {}));
    quote_spanned!(here=> #of::#name #braces.#hidden())
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

/// Returns the check that a claim which is asked for two values can have both, at its name.
fn alone(krate: &Krate, user: &TokenStream, claim: &Claim) -> TokenStream {
    let here = located(claim.field.span());
    let at = krate.at(here);
    let has = has(krate, user, &claim.field, &claim.value);
    quote_spanned!(here=> const _: () = #at::one_value(#has::LIMITS);)
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

/// Returns `<policy as PolicyFor<user>>`, at the policy.
fn asked_of(krate: &Krate, user: &TokenStream, policy: &Type) -> TokenStream {
    let here = located(policy.span());
    let (krate, user, policy) = (krate.at(here), moved(user, here), moved(policy, here));
    quote_spanned!(here=> <#policy as #krate::PolicyFor<#user>>)
}

/// Returns the constants that say what a verifier asks: what the policy says, and at least what the
/// policies say of which it is made. One that is made of nothing else, and says nothing, asks what
/// they do.
fn asks(
    krate: &Krate,
    user: &TokenStream,
    consistency: Option<Consistency>,
    asked: &Asked,
) -> TokenStream {
    let parts: Vec<_> = asked
        .policies
        .iter()
        .map(|policy| asked_of(krate, user, policy))
        .collect();
    let own = match consistency {
        Some(consistency) => {
            let consistency = said(krate, consistency);
            Some(quote!(::core::option::Option::Some(#consistency)))
        }
        None if parts.is_empty() || asked.has_own => None,
        None => Some(quote!(#krate::said_by_all(&[#(#parts::CONSISTENCY),*]))),
    };
    let own = own
        .map(|own| quote!(const CONSISTENCY: ::core::option::Option<#krate::Consistency> = #own;));
    let at_least = (!parts.is_empty()).then(|| {
        quote! {
            const AT_LEAST: #krate::Consistency = #krate::strictest(
                &[#(#krate::stricter(#parts::CONSISTENCY, #parts::AT_LEAST)),*]
            );
        }
    });
    quote!(#own #at_least)
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
