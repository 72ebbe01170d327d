//! The macros from outside: what they expand to, and what they say of mistakes.

mod backend;
mod caller;
mod claims;
mod expansions;
mod policy;
mod prefixes;
mod state;
mod value;

use std::str::FromStr as _;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

/// Puts an attribute above an item.
fn quote_item(name: &str, options: &TokenStream, item: &str) -> TokenStream {
    let (name, item) = (quote::format_ident!("{name}"), tokens(item));
    quote!(#[#name(#options)] #item)
}

#[test]
fn each_mistake_has_its_sentence() {
    let of = |mistakes: &[(&'static str, &'static str)], expand: fn(TokenStream) -> TokenStream| {
        mistakes
            .iter()
            .map(|(item, words)| (*item, *words, messages(&expand(tokens(item)))))
            .collect::<Vec<_>>()
    };
    let all = [
        of(claims::MISTAKES, crate::claims::expand),
        of(value::MISTAKES, crate::value::expand),
        of(policy::MISTAKES, crate::policy::expand),
        of(state::MISTAKES, crate::state::expand),
        of(caller::MISTAKES, crate::caller::expand),
        of(backend::MISTAKES, |options| {
            crate::backend::expand(options, tokens(backend::BACKEND))
        }),
    ];
    for (item, words, messages) in all.into_iter().flatten() {
        assert!(
            messages.iter().any(|message| message.contains(words)),
            "{item}: {messages:?}"
        );
        assert_eq!(messages.len(), 1, "{item}: {messages:?}");
        for message in messages {
            assert!(
                !message.starts_with(char::is_uppercase) && !message.ends_with('.'),
                "{message}"
            );
        }
    }
}

/// The messages of all `compile_error!` in an expansion.
fn messages(expansion: &TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = expansion.clone().into_iter().collect();
    let after = |at: usize| match trees.get(at + 2) {
        Some(TokenTree::Group(group)) => syn::parse2::<syn::LitStr>(group.stream())
            .ok()
            .map(|text| text.value()),
        _ => None,
    };
    let errors = trees
        .iter()
        .enumerate()
        .filter(|(_, tree)| matches!(tree, TokenTree::Ident(ident) if ident == "compile_error"));
    let inside = trees.iter().filter_map(|tree| match tree {
        TokenTree::Group(group) => Some(messages(&group.stream())),
        _ => None,
    });
    errors
        .filter_map(|(at, _)| after(at))
        .chain(inside.flatten())
        .collect()
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "were not read")]
fn a_mistake_that_nobody_reads_is_noticed() {
    let mut diag = crate::diag::Diag::new();
    diag.error(&quote::quote!(word), "a mistake");
}
