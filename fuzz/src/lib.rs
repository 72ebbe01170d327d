//! The pipelines of the macros and the readers of the runtime as a library, and token streams made of
//! bytes to feed the former.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../macros/src/attr.rs"]
mod attr;
#[path = "../../macros/src/backend/mod.rs"]
mod backend;
#[path = "../../macros/src/caller/mod.rs"]
mod caller;
#[path = "../../macros/src/case.rs"]
mod case;
#[path = "../../macros/src/claims/mod.rs"]
mod claims;
#[path = "../../macros/src/diag.rs"]
mod diag;
#[path = "../../macros/src/lints.rs"]
mod lints;
#[path = "../../macros/src/options/mod.rs"]
mod options;
#[path = "../../macros/src/path.rs"]
mod path;
#[path = "../../macros/src/pipeline.rs"]
mod pipeline;
#[path = "../../macros/src/policy/mod.rs"]
mod policy;
#[path = "../../macros/src/receiver.rs"]
mod receiver;
#[path = "../../macros/src/shown.rs"]
mod shown;
#[path = "../../macros/src/state/mod.rs"]
mod state;
#[path = "../../macros/src/value/mod.rs"]
mod value;
mod runtime;
mod tokens;

pub use runtime::*;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use tokens::Tokens;

/// `#[derive(JwtClaims)]`.
pub fn claims(data: &[u8]) {
    let mut tokens = Tokens::new(data, &WORDS_OF_CLAIMS);
    let item = match tokens.choice(4) {
        0 => tokens.stream(),
        1 => {
            let (of_struct, of_field, of_serde) = (tokens.stream(), tokens.stream(), tokens.stream());
            quote!(
                #[claims(#of_struct)]
                pub struct User {
                    #[claim(sub)]
                    id: u64,
                    #[claim(#of_field)]
                    #[serde(#of_serde)]
                    name: String,
                }
            )
        }
        2 => {
            let (generics, fields) = (tokens.stream(), tokens.stream());
            quote!(struct User<#generics> { #[claim(sub)] id: u64, #fields })
        }
        _ => {
            let (subject, ty, other) = (tokens.stream(), tokens.stream(), tokens.stream());
            quote!(struct User { #[claim(#subject)] id: #ty, #[claim(#other)] email_address: Option<#ty>, #[claim(roles)] roles: #ty })
        }
    };
    derive(item, claims::expand);
}

/// `#[derive(ClaimValue)]`.
pub fn value(data: &[u8]) {
    let mut tokens = Tokens::new(data, &WORDS_OF_VALUES);
    let item = match tokens.choice(3) {
        0 => tokens.stream(),
        1 => {
            let (of_enum, of_variant) = (tokens.stream(), tokens.stream());
            quote!(
                #[claim_value(#of_enum)]
                enum Role {
                    Admin,
                    #[claim_value(#of_variant)]
                    ChiefEditor,
                }
            )
        }
        _ => {
            let (generics, variants) = (tokens.stream(), tokens.stream());
            quote!(enum Role<#generics> { #variants })
        }
    };
    derive(item, value::expand);
}

/// `#[derive(Policy)]`.
pub fn policy(data: &[u8]) {
    let mut tokens = Tokens::new(data, &WORDS_OF_POLICIES);
    let item = match tokens.choice(4) {
        0 => tokens.stream(),
        1 => {
            let (one, two) = (tokens.stream(), tokens.stream());
            quote!(
                #[policy(#one)]
                #[policy(#two)]
                struct Admins;
            )
        }
        2 => {
            let (user, claim) = (tokens.stream(), tokens.stream());
            quote!(
                #[policy(user = #user, claim(#claim))]
                struct Admins;
            )
        }
        _ => {
            let (condition, consistency) = (tokens.stream(), tokens.stream());
            quote!(
                #[policy(any(role = Role::Admin, #condition), consistency = #consistency)]
                struct Admins;
            )
        }
    };
    derive(item, policy::expand);
}

/// `#[auth_backend(…)]`.
pub fn backend(data: &[u8]) {
    let mut tokens = Tokens::new(data, &WORDS_OF_BACKENDS);
    let (options, item) = match tokens.choice(3) {
        0 => (tokens.stream(), tokens.stream()),
        1 => (
            tokens.stream(),
            quote!(
                pub struct Accounts<T> {
                    db: T,
                }
            ),
        ),
        _ => {
            let (route, names) = (tokens.stream(), tokens.stream());
            (
                quote!(email, user = User, signin(#route), refresh(#route), names(#names), disable(#names)),
                quote!(
                    struct Accounts;
                ),
            )
        }
    };
    let expansion = backend::expand(options, item.clone());
    let (before, after) = (item.to_string(), expansion.to_string());
    assert!(after.starts_with(&before), "the item does not come out as it came in");
    if syn::parse2::<syn::Item>(item).is_ok() {
        check(&expansion);
    }
}

fn derive(item: TokenStream, expand: fn(TokenStream) -> TokenStream) {
    let expansion = expand(item.clone());
    // syn takes `_` for the name of a parameter, and rustc never lets it come so far.
    if !mentions_nothing(&item) {
        check(&expansion);
    }
    if syn::parse2::<syn::DeriveInput>(item).is_err() {
        assert!(!messages(&expansion).is_empty(), "what is no item is a mistake");
    }
}

/// Returns whether `_` is among the tokens.
fn mentions_nothing(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == "_",
        TokenTree::Group(group) => mentions_nothing(&group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Checks what holds for every expansion: it is Rust, and its messages are sentences.
fn check(expansion: &TokenStream) {
    if let Err(error) = syn::parse2::<syn::File>(expansion.clone()) {
        panic!("{error}: {expansion}");
    }
    for message in messages(expansion) {
        assert!(!message.is_empty() && !message.ends_with('.'), "{message:?}");
    }
}

/// The messages of all `compile_error!` in an expansion.
fn messages(expansion: &TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = expansion.clone().into_iter().collect();
    let after = |at: usize| match trees.get(at + 2) {
        Some(TokenTree::Group(group)) => syn::parse2::<syn::LitStr>(group.stream()).ok().map(|text| text.value()),
        _ => None,
    };
    let errors = trees.iter().enumerate().filter(|(_, tree)| matches!(tree, TokenTree::Ident(ident) if ident == "compile_error"));
    errors.filter_map(|(at, _)| after(at)).collect()
}

const WORDS_OF_CLAIMS: [&str; 35] = [
    "claims",
    "claim",
    "serde",
    "sub",
    "roles",
    "scope",
    "rename",
    "rename_all",
    "with",
    "default",
    "skip",
    "expose",
    "confidential",
    "name",
    "namespace",
    "external",
    "action",
    "flatten",
    "alias",
    "skip_serializing_if",
    "id",
    "email",
    "password_hash",
    "expires_at",
    "exp",
    "iss",
    "String",
    "f64",
    "Option",
    "Vec",
    "Role",
    "User",
    "u64",
    "roles_claim",
    "Self",
];

const WORDS_OF_VALUES: [&str; 15] = [
    "claim_value",
    "serde",
    "rename",
    "rename_all",
    "own",
    "Admin",
    "admin",
    "ChiefEditor",
    "Role",
    "Other",
    "lowercase",
    "cfg",
    "default",
    "derive",
    "sqlx",
];

const WORDS_OF_POLICIES: [&str; 25] = [
    "policy",
    "role",
    "scope",
    "claim",
    "max_age",
    "acr",
    "any",
    "all",
    "not",
    "user",
    "consistency",
    "strict",
    "eventual",
    "bounded",
    "Role",
    "Admin",
    "Editor",
    "Scope",
    "Write",
    "User",
    "plan",
    "level",
    "Plan",
    "Pro",
    "tenant",
];

const WORDS_OF_BACKENDS: [&str; 33] = [
    "email",
    "username",
    "login",
    "guard",
    "user",
    "prefix",
    "signin",
    "refresh",
    "disable",
    "names",
    "tag",
    "openapi",
    "path",
    "summary",
    "description",
    "from",
    "stored",
    "access_token",
    "refresh_token",
    "signout",
    "signout_all",
    "revoke",
    "sessions",
    "verify",
    "reauthenticate",
    "User",
    "MyLogin",
    "Accounts",
    "db",
    "Pool",
    "answer",
    "step",
    "exchange",
];
