//! Expansions as a reader would see them, and what they do with half an attribute.

use std::path::Path;
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::{backend, claims, policy, value};

/// The user of the quickstart.
const USER: &str = r##"
    struct User {
        #[claim(sub)]
        id: Uuid,
        /// Where to write to.
        email: String,
        #[claim(roles)]
        roles: Vec<Role>,
        #[claim(skip)]
        password_hash: String,
    }
"##;

/// A user with every option.
const RICH_USER: &str = r##"
    #[claims(name = Claims, rename_all = "camelCase", namespace = "https://example.com/", crate = ::gatekeeper)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct User<T: Clone = u8, const N: usize = 1> where T: Copy {
        #[claim(sub, expose)]
        pub id: Uuid,
        #[claim(roles, rename = "groups")]
        roles: Vec<Role>,
        #[claim(scope)]
        scope: Option<Scope>,
        #[claim(with = crate::hex, default = empty, confidential)]
        #[serde(with = "crate::hex", default)]
        blob: Vec<u8>,
        #[claim(default)]
        extra: Option<T>,
        #[claim(skip)]
        password: String,
    }
"##;

const ROLE: &str = r##"
    #[claim_value(rename_all = "kebab-case")]
    pub enum Role {
        Admin,
        #[claim_value(rename = "editor-in-chief")]
        Editor = 4,
    }
"##;

const POLICY: &str = r##"
    #[policy(role = Role::Admin, max_age = "5m", any(scope = auth::Scope::Write, not(all(role = Role::Guest, role = Role::Editor))))]
    struct FreshAdmin;
"##;

const BACKEND: &str = "struct Accounts { db: SqlitePool, passwords: Passwords }";

/// Every option of a backend.
const BACKEND_OPTIONS: &str = r##"
    login = Login<A, B>, user = User<T>, prefix = "/session", tag = "session", openapi = false,
    signin(path = "/in", summary = "in", description = "lets in"), refresh(path = "/renew", from = stored),
    names(access_token = "token", refresh_token = "renewal"), disable(revoke, signout_all), crate = ::gatekeeper
"##;

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

#[test]
fn the_expansions_are_what_they_were() {
    snapshot("claims", &claims::expand(tokens(USER)));
    snapshot("claims_with_every_option", &claims::expand(tokens(RICH_USER)));
    snapshot("value", &value::expand(tokens(ROLE)));
    snapshot("policy", &policy::expand(tokens(POLICY)));
    snapshot("backend_with_every_option", &backend::expand(tokens(BACKEND_OPTIONS), tokens(BACKEND)));
}

#[test]
fn the_backend_of_the_quickstart_expands_to_less_than_sixty_lines() {
    let expansion = backend::expand(quote!(email, user = User), tokens(BACKEND));
    let lines = snapshot("backend", &expansion).lines().count() - 2;
    assert!(lines <= 60, "{lines} lines");
}

#[test]
fn half_an_attribute_does_not_panic() {
    for item in [USER, RICH_USER] {
        every_prefix(&tokens(item), &claims::expand);
    }
    every_prefix(&tokens(ROLE), &value::expand);
    every_prefix(&tokens(POLICY), &policy::expand);
    every_prefix(&tokens(BACKEND_OPTIONS), &|options| backend::expand(options, tokens(BACKEND)));
    every_prefix(&tokens(BACKEND), &|item| backend::expand(quote!(email, user = User), item));
}

#[test]
fn a_backend_comes_out_as_it_came_in() {
    for item in [BACKEND, "enum Accounts { One }", "struct Accounts<'a>(&'a str);", "fn accounts() {}", "struct"] {
        let out = backend::expand(quote!(emial), tokens(item)).to_string();
        assert!(out.starts_with(&tokens(item).to_string()), "{out}");
    }
}

#[test]
fn a_renamed_crate_is_named_everywhere() {
    let renamed = [
        claims::expand(tokens(RICH_USER)),
        claims::expand(tokens("#[claims(crate = ::gatekeeper)] struct User { id: u8 }")),
        value::expand(tokens("#[claim_value(crate = ::gatekeeper)] enum Role { Admin }")),
        value::expand(tokens("#[claim_value(crate = ::gatekeeper, no)] enum Role { Admin }")),
        policy::expand(tokens("#[policy(crate = ::gatekeeper, role = Role::Admin)] struct P;")),
        policy::expand(tokens("#[policy(crate = ::gatekeeper)] struct P;")),
        backend::expand(tokens(BACKEND_OPTIONS), tokens(BACKEND)),
    ];
    for expansion in renamed {
        let text = expansion.to_string();
        assert!(text.contains(":: gatekeeper :: __private"), "{text}");
        assert!(!text.contains(":: tollgate"), "{text}");
    }
}

#[test]
fn expansions_name_only_core_and_the_private_module() {
    let expansions = [
        claims::expand(tokens(USER)),
        claims::expand(tokens("struct User { email: String }")),
        value::expand(tokens(ROLE)),
        policy::expand(tokens(POLICY)),
        backend::expand(quote!(email, user = User, disable(revoke)), tokens(BACKEND)),
    ];
    for expansion in expansions {
        let text = expansion.to_string();
        let absolute =
            text.match_indices(" :: ").filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '>'));
        for (at, _) in absolute {
            let path = &text[at + 4..];
            assert!(path.starts_with("core ::") || path.starts_with("tollgate :: __private ::"), "{}", &path[..40]);
        }
    }
}

/// Compares with `snapshots/{name}.rs`; `BLESS=1` writes it. Gives the text.
fn snapshot(name: &str, expansion: &TokenStream) -> String {
    let text = prettyplease::unparse(&syn::parse2(expansion.clone()).unwrap());
    let text = format!("//! What `{name}` of `src/tests.rs` expands to.\n\n{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "{} differs; BLESS=1 rewrites it:\n{text}", path.display());
    text
}

/// Runs on all that is left when the tokens end too early: at the outermost level, and within each pair of brackets.
fn every_prefix(whole: &TokenStream, run: &dyn Fn(TokenStream) -> TokenStream) {
    for prefix in prefixes(whole) {
        let _ = run(prefix);
    }
}

fn prefixes(whole: &TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = whole.clone().into_iter().collect();
    let mut all: Vec<TokenStream> = (0..=trees.len()).map(|end| trees[..end].iter().cloned().collect()).collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
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
