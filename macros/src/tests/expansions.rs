//! Expansions as a reader would see them, on the pages too, and their sizes.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::backend::{BACKEND, BACKEND_OPTIONS};
use super::caller::{CALLER, RICH_CALLER};
use super::claims::{EXTERNAL, RICH_USER, USER};
use super::policy::{POLICY, RICH_POLICY};
use super::state::{RICH_STATE, STATE};
use super::tokens;
use super::value::ROLE;
use crate::{backend, caller, claims, policy, state, value};

#[test]
fn the_expansions_are_what_they_were() {
    snapshot("claims", &claims::expand(tokens(USER)));
    snapshot(
        "claims_with_every_option",
        &claims::expand(tokens(RICH_USER)),
    );
    snapshot("claims_external", &claims::expand(tokens(EXTERNAL)));
    snapshot("value", &value::expand(tokens(ROLE)));
    snapshot("policy", &policy::expand(tokens(POLICY)));
    snapshot(
        "policy_with_every_option",
        &policy::expand(tokens(RICH_POLICY)),
    );
    snapshot("state", &state::expand(tokens(STATE)));
    snapshot(
        "state_with_every_option",
        &state::expand(tokens(RICH_STATE)),
    );
    snapshot("caller", &caller::expand(tokens(CALLER)));
    snapshot(
        "caller_with_every_option",
        &caller::expand(tokens(RICH_CALLER)),
    );
    snapshot(
        "backend_with_every_option",
        &backend::expand(tokens(BACKEND_OPTIONS), tokens(BACKEND)),
    );
}

#[test]
fn the_backend_of_the_quickstart_expands_to_less_than_sixty_lines() {
    let expansion = backend::expand(quote!(email, user = User), tokens(BACKEND));
    let lines = snapshot("backend", &expansion).lines().count() - 2;
    assert!(lines <= 60, "{lines} lines");
}

/// The most tokens that each expansion may have.
const SIZES: [(&str, usize); 12] = [
    ("claims", 1973),
    ("claims_external", 1916),
    ("claims_with_every_option", 3601),
    ("value", 432),
    ("policy", 149),
    ("policy_with_every_option", 751),
    ("state", 135),
    ("state_with_every_option", 392),
    ("caller", 391),
    ("caller_with_every_option", 245),
    ("backend", 231),
    ("backend_with_every_option", 370),
];

/// Expansions are compiled in every build of a user. `-- --nocapture` prints the sizes.
#[test]
fn the_expansions_do_not_grow() {
    fn count(tokens: TokenStream) -> usize {
        let of = |token| match token {
            TokenTree::Group(group) => 2 + count(group.stream()),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
        };
        tokens.into_iter().map(of).sum()
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut grown = Vec::new();
    for (name, most) in SIZES {
        let text = std::fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        let size = count(tokens(&text));
        println!("{name}: {size} tokens, at most {most}");
        if size > most {
            grown.push(name);
        }
    }
    assert_eq!(
        grown, [""; 0],
        "raise the number where a feature is worth it"
    );
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), SIZES.len());
}

/// Inputs that a fuzz target found.
#[test]
fn what_comes_out_is_rust_whatever_goes_in() {
    for item in [
        "struct User { #[claim(sub)] id: u8, name: dyn A + B }",
        "struct User { id: A + B, name: Option<dyn A + B>, last: impl A + B }",
    ] {
        let expansion = claims::expand(tokens(item));
        assert!(
            syn::parse2::<syn::File>(expansion.clone()).is_ok(),
            "{item}: {expansion}"
        );
    }
}

/// The smallest use of each macro, as its page shows it.
#[test]
fn the_pages_show_what_the_macros_write() {
    page("claims", &claims::expand(tokens(USER)), |file| {
        file.items.iter_mut().for_each(shorten);
    });
    page(
        "value",
        &value::expand(tokens("enum Role { Admin, ChiefEditor }")),
        |_| {},
    );
    page("policy", &policy::expand(tokens(POLICY)), |_| {});
    page("state", &state::expand(tokens(STATE)), |_| {});
    page("caller", &caller::expand(tokens(CALLER)), |_| {});
    page(
        "backend",
        &backend::expand(quote!(email, user = User), tokens(BACKEND)),
        |_| {},
    );
}

#[test]
fn a_renamed_crate_is_named_everywhere() {
    let renamed = [
        claims::expand(tokens(RICH_USER)),
        claims::expand(tokens(
            "#[claims(crate = ::gatekeeper)] struct User { id: u8 }",
        )),
        value::expand(tokens(
            "#[claim_value(crate = ::gatekeeper)] enum Role { Admin }",
        )),
        value::expand(tokens(
            "#[claim_value(crate = ::gatekeeper, no)] enum Role { Admin }",
        )),
        policy::expand(tokens(RICH_POLICY)),
        policy::expand(tokens("#[policy(crate = ::gatekeeper)] struct P;")),
        state::expand(tokens(
            "#[gate(crate = ::gatekeeper)] struct App { gate: Gate<A> }",
        )),
        state::expand(tokens("#[gate(crate = ::gatekeeper)] struct App;")),
        caller::expand(tokens(RICH_CALLER)),
        caller::expand(tokens("#[caller(crate = ::gatekeeper)] struct Admin(A);")),
        caller::expand(tokens("#[caller(crate = ::gatekeeper)] struct Admin;")),
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
        state::expand(tokens(STATE)),
        state::expand(tokens("struct App;")),
        caller::expand(tokens(CALLER)),
        caller::expand(tokens("struct Admin;")),
        policy::expand(tokens(
            "#[policy(user = User, claim(plan = \"pro\"), consistency = strict)] struct P;",
        )),
        backend::expand(quote!(email, user = User, disable(revoke)), tokens(BACKEND)),
    ];
    for expansion in expansions {
        let text = expansion.to_string();
        let absolute = text
            .match_indices(" :: ")
            .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '>'));
        for (at, _) in absolute {
            let path = &text[at + 4..];
            assert!(
                path.starts_with("core ::") || path.starts_with("tollgate :: __private ::"),
                "{}",
                &path[..40]
            );
        }
    }
}

/// Compares with `snapshots/{name}.rs`; `BLESS=1` writes it. Gives the text.
fn snapshot(name: &str, expansion: &TokenStream) -> String {
    let text = prettyplease::unparse(&syn::parse2(expansion.clone()).unwrap());
    let text = format!("//! What `{name}` of `src/tests` expands to.\n\n{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{} differs; BLESS=1 rewrites it:\n{text}",
        path.display()
    );
    text
}

/// Compares with the block between the marks of `runtime/src/docs/{name}.md`; `BLESS=1` writes it.
///
/// The page leaves out what all paths to the runtime begin with.
fn page(name: &str, expansion: &TokenStream, shorten: fn(&mut syn::File)) {
    const MARKS: (&str, &str) = ("<!-- expansion -->\n```text\n", "```\n<!-- /expansion -->");
    let text = prettyplease::unparse(&syn::parse2(expansion.clone()).unwrap())
        .replace("::tollgate::__private::", "");
    let mut file = syn::parse_file(&text).unwrap();
    shorten(&mut file);
    let text = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../runtime/src/docs")
        .join(format!("{name}.md"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS.0).unwrap();
    let (shown, after) = rest.split_once(MARKS.1).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, [before, MARKS.0, &text, MARKS.1, after].concat()).unwrap();
    } else {
        assert!(
            shown == text,
            "{} shows another expansion; BLESS=1 rewrites it:\n{text}",
            path.display()
        );
    }
}

/// Leaves out bodies, conditions and lints.
fn shorten(item: &mut syn::Item) {
    match item {
        syn::Item::Const(constant) => {
            constant.attrs.clear();
            let syn::Expr::Block(block) = &mut *constant.expr else {
                return;
            };
            for stmt in &mut block.block.stmts {
                if let syn::Stmt::Item(item) = stmt {
                    shorten(item);
                }
            }
        }
        syn::Item::Impl(item) => {
            item.attrs.clear();
            item.generics.where_clause = None;
            for member in &mut item.items {
                if let syn::ImplItem::Fn(function) = member {
                    function.attrs.clear();
                    function.block.stmts.clear();
                }
            }
        }
        syn::Item::Struct(item) => item.attrs.retain(|attr| attr.path().is_ident("doc")),
        _ => {}
    }
}
