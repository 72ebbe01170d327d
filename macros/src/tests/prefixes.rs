//! Half an attribute: it does not panic, and keeps the names.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use super::backend::{BACKEND, BACKEND_OPTIONS};
use super::caller::{CALLER, RICH_CALLER};
use super::claims::{RICH_USER, USER};
use super::policy::{POLICY, RICH_POLICY};
use super::state::{RICH_STATE, STATE};
use super::value::ROLE;
use super::{quote_item, tokens};
use crate::{backend, caller, claims, policy, state, value};

#[test]
fn half_an_attribute_does_not_panic() {
    for item in [USER, RICH_USER] {
        every_prefix(&tokens(item), &claims::expand);
    }
    every_prefix(&tokens(ROLE), &value::expand);
    for item in [POLICY, RICH_POLICY] {
        every_prefix(&tokens(item), &policy::expand);
    }
    for item in [STATE, RICH_STATE] {
        every_prefix(&tokens(item), &state::expand);
    }
    for item in [CALLER, RICH_CALLER] {
        every_prefix(&tokens(item), &caller::expand);
    }
    every_prefix(&tokens(BACKEND_OPTIONS), &|options| {
        backend::expand(options, tokens(BACKEND))
    });
    every_prefix(&tokens(BACKEND), &|item| {
        backend::expand(quote!(email, user = User), item)
    });
}

/// While options are being typed, each expansion has every name that other code uses and is valid
/// Rust, so that rustc checks the rest of the program too. `-- --nocapture` prints the number
/// tried.
#[test]
fn every_prefix_of_the_options_keeps_the_names() {
    let tried = std::cell::Cell::new(0);
    let has = |expansion: &TokenStream, names: &[&str], prefix: &TokenStream| {
        tried.set(tried.get() + 1);
        let text = expansion.to_string();
        for name in names {
            assert!(text.contains(name), "{prefix}\nlacks {name}:\n{text}");
        }
        let read = syn::parse2::<syn::File>(expansion.clone());
        assert!(read.is_ok(), "{prefix}\nis no Rust:\n{text}");
    };
    for (options, item) in [
        (tokens(BACKEND_OPTIONS), BACKEND),
        (tokens(BACKEND_OPTIONS), "enum Accounts { One }"),
        (
            tokens(BACKEND_OPTIONS),
            "pub struct Accounts<'a, R>(&'a R);",
        ),
        (quote!(email, user = User), "enum Accounts { One }"),
        (
            quote!(guard, user = "User"),
            "pub struct Accounts<'a, R>(&'a R);",
        ),
        (
            quote!(username, user = User, bound(R: Repository), kind = "staff", disable(refresh)),
            "pub struct Accounts<R>(R);",
        ),
    ] {
        for prefix in prefixes(&options) {
            let expansion = backend::expand(prefix.clone(), tokens(item));
            assert!(expansion.to_string().starts_with(&tokens(item).to_string()));
            has(
                &expansion,
                &["fn gate", "AuthBackend for Accounts"],
                &prefix,
            );
        }
    }
    let inside = |item: &str, name: &str| {
        let item: syn::DeriveInput = syn::parse2(tokens(item)).unwrap();
        let list = |attr: &syn::Attribute| attr.meta.require_list().ok().cloned();
        item.attrs
            .iter()
            .filter(|attr| attr.path().is_ident(name))
            .filter_map(list)
            .flat_map(|list| prefixes(&list.tokens))
            .collect::<Vec<_>>()
    };
    let more = tokens("external, serde = own, derive(PartialEq, std::hash::Hash), name = Claims");
    for prefix in inside(RICH_USER, "claims")
        .into_iter()
        .chain(prefixes(&more))
    {
        let item = "pub struct User { #[claim(sub)] id: Uuid, email: String }";
        let expansion = claims::expand(quote_item("claims", &prefix, item));
        let names = ["JwtClaims for User", "fn id", "fn email"];
        has(&expansion, &names, &prefix);
    }
    let options = "sub, roles, scope, action, of = Role, rename = \"groups\", with = crate::hex, \
                   default = Vec::<u8>::new, skip, expose, confidential";
    for prefix in prefixes(&tokens(options)) {
        let item = quote! {
            struct User { #[claim(sub)] id: Uuid, email: String, #[claim(#prefix)] last: Last }
        };
        let names = [
            "struct UserClaims",
            "JwtClaims for User",
            "fn id",
            "fn email",
        ];
        has(&claims::expand(item), &names, &prefix);
    }
    for prefix in prefixes(&tokens(
        "rename_all = \"kebab-case\", serde = own, text, sqlx, crate = a::b",
    )) {
        let item = quote_item("claim_value", &prefix, "enum Role { Admin }");
        let names = [
            "ClaimValue for Role",
            "__tollgate_derive_ClaimValue_on_this_enum",
        ];
        has(&value::expand(item), &names, &prefix);
    }
    for prefix in prefixes(&tokens("rename = \"admin\"")) {
        let item = quote!(
            enum Role {
                #[claim_value(#prefix)]
                Admin,
                Editor,
            }
        );
        has(&value::expand(item), &["ClaimValue for Role"], &prefix);
    }
    for prefix in prefixes(&tokens("user = User<A, B>, skip")) {
        let item = quote!(
            struct App {
                #[gate(#prefix)]
                shop: Gate<Shop>,
                desk: Gatekeeper,
            }
        );
        let names = ["FromRef < App > for", "Verifier <", "Gate <"];
        has(&state::expand(item), &names, &prefix);
    }
    for prefix in prefixes(&tokens("extract = own, crate = ::gatekeeper")) {
        let item = quote_item("caller", &prefix, "struct Admin(Auth<User>);");
        has(
            &caller::expand(item),
            &["CallerArgument < __TollgateS > for Admin"],
            &prefix,
        );
    }
    let more = tokens(
        "policy = AnyOf<(Admins, shop::Editors)>, not(policy = (A, B)), role = [Role::A, Role::B], \
         claim(level >= 3), acr in [\"gold\"], max_age < \"5m\", role = Role::Admin {}",
    );
    for prefix in inside(RICH_POLICY, "policy")
        .into_iter()
        .chain(prefixes(&more))
    {
        let expansion = policy::expand(quote_item("policy", &prefix, "struct P;"));
        has(&expansion, &["for P", "const RULE"], &prefix);
    }
    for prefix in prefixes(&tokens("crate = ::gatekeeper")) {
        let item = quote_item("gate", &prefix, "struct App { gate: Gate<Shop> }");
        has(&state::expand(item), &["FromRef < App > for"], &prefix);
    }
    println!("{} prefixes, and each keeps the names", tried.get());
    assert!(tried.get() > 881);
}

/// Runs on all that is left when the tokens end too early: at the outermost level, and within each
/// pair of brackets.
fn every_prefix(whole: &TokenStream, run: &dyn Fn(TokenStream) -> TokenStream) {
    for prefix in prefixes(whole) {
        let _ = run(prefix);
    }
}

fn prefixes(whole: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = whole.clone().into_iter().collect();
    let mut all: Vec<TokenStream> = (0..=trees.len())
        .map(|end| trees[..end].iter().cloned().collect())
        .collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        for inner in prefixes(&group.stream()) {
            for delimiter in [group.delimiter(), Delimiter::None] {
                let mut cut = trees.clone();
                cut[at] = TokenTree::Group(Group::new(delimiter, inner.clone()));
                all.push(cut.into_iter().collect());
            }
        }
    }
    all
}
