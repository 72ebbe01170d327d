//! From the model of a policy to Rust. Decides nothing.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Path};

use super::model::{Model, Rule, Variant};
use super::parse::Args;
use crate::krate::Krate;
use crate::value::variant_number;

/// The impl for every user type that has what the policy asks for.
pub(crate) fn emit(model: &Model) -> TokenStream {
    let Model { krate, name, rule, roles, scopes } = model;
    let rule = constant(krate, rule);
    let has_roles = enums(roles).into_iter().map(|of| quote!(+ #krate::HasRoles<#of>));
    let has_scopes = enums(scopes).into_iter().map(|of| quote!(+ #krate::HasScopes<#of>));
    let mut known: Vec<TokenStream> = Vec::new();
    let both: Vec<Variant> = roles.iter().chain(scopes).cloned().collect();
    for Variant { of, name } in &both {
        let number = Literal::u64_suffixed(variant_number(&name.to_string()));
        let span = Span::call_site().located_at(name.span());
        // Spanned at the variant, so that rustc reports a misspelt one there.
        let (of, krate) = (respan(of, span), krate.at(span));
        known.push(quote_spanned!(span=> #of: #krate::Variant<#number>));
    }
    quote! {
        #[automatically_derived]
        #[allow(deprecated, trivial_bounds)]
        impl<__TollgateUser> #krate::PolicyFor<__TollgateUser> for #name
        where
            __TollgateUser: #krate::JwtClaims #(#has_roles)* #(#has_scopes)*,
            #(#known,)*
        {
            const RULE: #krate::Rule = #rule;
        }
    }
}

/// What stands in for a policy with a mistake. Nothing of it runs.
pub(crate) fn stub(item: &DeriveInput, args: &Args) -> TokenStream {
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

fn constant(krate: &Krate, rule: &Rule) -> TokenStream {
    let list = |rules: &[Rule]| {
        let rules = rules.iter().map(|rule| constant(krate, rule));
        quote!(&[#(#rules),*])
    };
    match rule {
        Rule::Role(Variant { of, name }) => quote!(#krate::Rule::Role(#of::as_str(&#of::#name))),
        Rule::Scope(Variant { of, name }) => quote!(#krate::Rule::Scope(#of::as_str(&#of::#name))),
        Rule::MaxAge(seconds) => {
            let seconds = Literal::u64_unsuffixed(*seconds);
            quote!(#krate::Rule::MaxAge(#seconds))
        }
        Rule::All(rules) => {
            let rules = list(rules);
            quote!(#krate::Rule::All(#rules))
        }
        Rule::Any(rules) => {
            let rules = list(rules);
            quote!(#krate::Rule::Any(#rules))
        }
        Rule::Not(rule) => {
            let rule = constant(krate, rule);
            quote!(#krate::Rule::Not(&#rule))
        }
    }
}

/// Every enum once.
fn enums(variants: &[Variant]) -> Vec<&Path> {
    let mut enums: Vec<&Path> = Vec::new();
    for Variant { of, .. } in variants {
        if !enums.contains(&of) {
            enums.push(of);
        }
    }
    enums
}

/// The path as if it stood at `span`; its names are looked up where they were written.
fn respan(path: &Path, span: Span) -> Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        segment.ident.set_span(segment.ident.span().located_at(span));
    }
    path
}
