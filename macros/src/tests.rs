//! Expansions as a reader would see them, and what they do with half an attribute.

use std::path::Path;
use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::{backend, caller, claims, policy, state, value};

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
        #[serde(with = "crate::hex", default = "empty")]
        blob: Vec<u8>,
        #[claim(default)]
        extra: Option<T>,
        #[claim(skip)]
        password: String,
    }
"##;

/// A struct with the claims of another issuer's token.
const EXTERNAL: &str = r##"
    #[claims(external)]
    struct Approval {
        #[claim(sub)]
        id: String,
        #[claim(roles)]
        roles: Vec<String>,
        #[claim(action)]
        digest: String,
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
    #[policy(role = Role::Admin, max_age = "5m")]
    struct FreshAdmin;
"##;

/// A policy with every option.
const RICH_POLICY: &str = r##"
    #[policy(user = User<u8>, consistency = bounded("1500ms"), crate = ::gatekeeper, claim(r#type = "pro"), not(claim(level = -1)))]
    #[policy(any(scope = auth::Scope::Write, acr = "gold", acr = "silver", not(all(role = Role::Guest, role = Role::Editor))))]
    #[policy(all(claim(paid = true), any(claim(plan = Plan::Pro), max_age = "1h")))]
    struct Customers;
"##;

const BACKEND: &str = "struct Accounts { db: SqlitePool, passwords: Passwords }";

/// Every option of a backend.
const BACKEND_OPTIONS: &str = r##"
    login = Login<A, B>, user = User<T>, kind = "customers", prefix = "/session", tag = "session", openapi = false,
    signin(path = "/in", summary = "in", description = "lets in"), refresh(path = "/renew", from = stored),
    names(access_token = "token", refresh_token = "renewal"), disable(revoke, signout_all), crate = ::gatekeeper
"##;

/// A state with one gate.
const STATE: &str = "struct App { gate: Gate<Accounts>, db: Pool }";

/// A state with every option.
const RICH_STATE: &str = r##"
    #[gate(crate = ::gatekeeper)]
    struct App<R: Clone = u8> where R: Send {
        #[gate(user = shop::Customer)]
        r#type: Arc<Gate<Shop>>,
        #[gate(user = Staff)]
        desk: Gatekeeper<R>,
        partners: ::gatekeeper::gate::Verifier<Partner>,
        #[gate(skip)]
        old: Gate<Shop>,
        db: Pool,
    }
"##;

const CALLER: &str = "struct Admin(Auth<User, Admins>);";

/// A caller with every option.
const RICH_CALLER: &str = r##"
    #[caller(extract = own, crate = ::gatekeeper)]
    pub struct Reader<P: PolicyFor<User> = Anyone> { r#type: Option<Auth<User, P>>, note: u64 }
"##;

fn tokens(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

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
    ("claims", 1922),
    ("claims_external", 1865),
    ("claims_with_every_option", 3669),
    ("value", 432),
    ("policy", 149),
    ("policy_with_every_option", 855),
    ("state", 135),
    ("state_with_every_option", 392),
    ("caller", 378),
    ("caller_with_every_option", 245),
    ("backend", 239),
    ("backend_with_every_option", 395),
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

/// A variant with braces is named with them.
#[test]
fn a_policy_names_a_variant_as_it_is_written() {
    for (asked, named) in [
        (
            "role = auth::Role::Admin {}",
            "auth :: Role :: Admin { } . __tollgate_derive",
        ),
        (
            "user = User, claim(plan = Plan::Pro {})",
            "Plan :: Pro { } . __tollgate_derive",
        ),
        ("role = Role::Admin", "Role :: Admin . __tollgate_derive"),
    ] {
        let item = quote_item("policy", &tokens(asked), "struct P;");
        let text = policy::expand(item).to_string();
        assert!(text.contains(named), "{text}");
    }
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

/// Puts an attribute above an item.
fn quote_item(name: &str, options: &TokenStream, item: &str) -> TokenStream {
    let (name, item) = (quote::format_ident!("{name}"), tokens(item));
    quote!(#[#name(#options)] #item)
}

#[test]
fn a_struct_with_a_lifetime_is_reported_once() {
    let item = "struct User<'a> { #[claim(sub)] id: u64, name: &'a str }";
    let messages = messages(&claims::expand(tokens(item)));
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("cannot borrow"), "{messages:?}");
}

#[test]
fn a_shape_with_a_mistake_keeps_its_names() {
    for item in [
        "enum User { One }",
        "union User { a: u8 }",
        "struct User(u8);",
        "struct User<'a, T> { #[claim(sub)] id: &'a T }",
    ] {
        let text = claims::expand(tokens(item)).to_string();
        assert!(text.contains("struct UserClaims"), "{text}");
        assert!(text.contains("JwtClaims for User"), "{text}");
    }
}

#[test]
fn a_backend_comes_out_as_it_came_in() {
    for item in [
        BACKEND,
        "enum Accounts { One }",
        "struct Accounts<'a>(&'a str);",
        "fn accounts() {}",
        "struct",
    ] {
        let out = backend::expand(quote!(emial), tokens(item)).to_string();
        assert!(out.starts_with(&tokens(item).to_string()), "{out}");
    }
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

/// Mistakes that have no ui case of their own: an item, and words of the message.
const CLAIMS_MISTAKES: &[(&str, &str)] = &[
    ("union User { a: u8 }", "is a union"),
    (
        "struct User { #[claim(sbu)] id: u8 }",
        "did you mean `sub`?",
    ),
    ("struct User;", "has no fields"),
    (
        "#[claims(sub)] struct User { #[claim(sub)] id: u8 }",
        "belongs to a field",
    ),
    (
        "#[claim(sub)] struct User { #[claim(sub)] id: u8 }",
        "`sub` belongs to a field",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(name = \"mail\")] email: A }",
        "write `rename = \"…\"`",
    ),
    (
        "#[claims(iss)] struct User { #[claim(sub)] id: u8 }",
        "`iss` is what the gate says",
    ),
    (
        "#[claims(derive(Clone))] struct User { #[claim(sub)] id: u8 }",
        "the generated type has it already",
    ),
    (
        "#[claims(derive(serde::Deserialize))] struct User { #[claim(sub)] id: u8 }",
        "claims come only from a verified token",
    ),
    (
        "#[claims(derive())] struct User { #[claim(sub)] id: u8 }",
        "`derive` is empty",
    ),
    (
        "#[claims(serde = derived)] struct User { #[claim(sub)] id: u8 }",
        "unknown value `derived`",
    ),
    (
        "struct User { #[claim(sub)] id: bool }",
        "has only two values",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(skip)] a: Vec<std::rc::Rc<A>> }",
        "which stays in one thread",
    ),
    (
        "struct User { #[claim(sub)] id: u8, rlm: String }",
        "the claim `rlm` is set by the gate",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename = \"rlm\")] shop: String }",
        "the claim `rlm` is set by the gate",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(of = Role)] a: A }",
        "add `roles` or `scope`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(roles, of = Role, with = m)] a: A }",
        "`of` cannot be combined with `with`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(role, roles)] a: A }",
        "`roles` is given twice: keep one",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim] a: A }",
        "`claim` needs options: write `#[claim(…)]`",
    ),
    (
        "struct User { #[claim(sub, namespace = \"a\")] id: u8 }",
        "belongs to the struct",
    ),
    (
        "#[claims] struct User { #[claim(sub)] id: u8 }",
        "`claims` needs options: write `#[claims(…)]`",
    ),
    (
        "#[claims(namespace = \"https://a.example\")] struct User { #[claim(sub)] id: u8 }",
        "end it with `/`",
    ),
    (
        "#[claims(rename_all = \"camel\")] struct User { #[claim(sub)] id: u8 }",
        "did you mean `camelCase`?",
    ),
    (
        "struct User { #[claim(sub, rename = \"uid\")] id: u8 }",
        "always `sub`",
    ),
    (
        "struct User { #[claim(sub, roles)] id: u8 }",
        "neither role nor scope",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(roles)] a: A, #[claim(roles)] b: B }",
        "a second `roles`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(scope)] a: A, #[claim(scope, rename = \
         \"s\")] b: B }",
        "a second `scope`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(scope, with = m)] a: A }",
        "`with` cannot be combined with `scope`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename = \"\")] a: A }",
        "visible characters",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename = \"my_token\")] a: A }",
        "`my_token` looks like a secret because of `token`",
    ),
    (
        "struct User { #[claim(sub)] token: u8 }",
        "`token` looks like a secret:",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename = 5)] a: A }",
        "expected a string",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename)] a: A }",
        "`rename` takes a string",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename =)] a: A }",
        "needs a value",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(with = \"m\")] a: A }",
        "expected a path",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(default roles)] a: A }",
        "expected `,`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(, default)] a: A }",
        "expected the name of an option",
    ),
    (
        "struct User { #[claim(sub)] id: u8, valid_until: Option<f32> }",
        "whole seconds",
    ),
    (
        "#[serde(rename_all = \"camelCase\")] struct User { #[claim(sub)] id: u8 }",
        "write `#[claims(rename_all = \"camelCase\")]` too",
    ),
    (
        "#[serde(deny_unknown_fields)] struct User { #[claim(sub)] id: u8 }",
        "has no effect on it",
    ),
    (
        "struct User { #[claim(sub)] #[serde(rename = \"uid\")] id: u8 }",
        "serde calls it `uid`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(skip)] a: A }",
        "write `#[claim(skip)]` too",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(default)] a: A }",
        "write `#[claim(default)]` too",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(with = \"m\")] a: A }",
        "write `#[claim(with = m)]` too",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(with = n)] #[serde(with = \"m\")] a: A }",
        "name the same module for both",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(default)] #[serde(default = \"f\")] a: A }",
        "serde takes the default from `f`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(default = \"f\")] a: Option<A> }",
        "write `#[claim(default = f)]` too",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(skip_serializing_if = \"f\")] a: Option<A> }",
        "left out only where it is `None`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(rename(serialize = \"b\"))] a: A }",
        "one name for both ways",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(expose, confidential)] a: A }",
        "`expose` cannot be combined with `confidential`",
    ),
    (
        "struct User { #[claim(sub, confidential)] id: u8 }",
        "`confidential` cannot be combined with `sub`",
    ),
    (
        "struct User { #[claim(sub)] id: &'static str }",
        "`id` borrows",
    ),
    (
        "struct User { #[claim(sub)] id: u8, a: Option<Vec<&'static A>> }",
        "`a` borrows",
    ),
    (
        "struct User { #[claim(sub)] id: Option<u8>, }",
        "cannot be optional",
    ),
    (
        "struct User { #[claim(sub)] id: u8, roles: Vec<Role> }",
        "mark the field with `#[claim(roles)]`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(rename = \"scope\")] a: A }",
        "mark the field with `#[claim(scope)]`",
    ),
    (
        "struct User { #[claim(sub)] id: f32 }",
        "hardly ever the same",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(action)] a: A }",
        "`action` is for tokens that others issue",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, #[claim(confidential)] a: u8 }",
        "cannot be combined with `external`",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, #[claim(expose)] a: u8 }",
        "cannot be combined with `external`",
    ),
    (
        "#[claims(external = 1)] struct User { #[claim(sub)] id: u8 }",
        "`external` takes no value",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(external)] a: u8 }",
        "`external` belongs to the struct",
    ),
    (
        "#[claims(action)] struct User { #[claim(sub)] id: u8 }",
        "`action` belongs to a field",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, azp: String }",
        "read by the verifier itself",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub, action)] id: String }",
        "a subject is no action",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, #[claim(action, roles)] a: \
         String }",
        "cannot be combined with `action`",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, #[claim(action, default)] a: \
         String }",
        "cannot be combined with `action`",
    ),
    (
        "#[claims(external)] struct User { #[claim(sub)] id: u8, #[claim(action)] a: String, \
         #[claim(action)] b: String }",
        "a second `action`: the guard looks at one field",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(flatten)] a: A }",
        "not flattened",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[serde(alias = \"b\")] a: A }",
        "has no effect on it",
    ),
];

const VALUE_MISTAKES: &[(&str, &str)] = &[
    ("union Role { a: u8 }", "a closed set of strings is an enum"),
    ("enum Role<T> { Admin }", "has no parameters"),
    (
        "enum Role { Admin, #[claim_value(rename = \"admin\")] Root }",
        "`Admin` and `Root` are both `admin`",
    ),
    (
        "enum Role { #[claim_value(rename = \"read all\")] Reader }",
        "separates or quotes scopes",
    ),
    (
        "#[claim_value(rename = \"a\")] enum Role { Admin }",
        "belongs to a variant",
    ),
    (
        "enum Role { #[claim_value(serde = own)] Admin }",
        "belongs to the enum",
    ),
    (
        "#[serde(rename_all = \"UPPERCASE\")] enum Role { Admin }",
        "does not read `#[serde(…)]`",
    ),
    (
        "enum Role { #[serde(rename = \"a\")] Admin }",
        "does not read `#[serde(…)]`",
    ),
    (
        "#[claim_value(sqlx)] #[sqlx(type_name = \"role\")] enum Role { Admin }",
        "does not read `#[sqlx(…)]`",
    ),
    (
        "#[claim_value(sqlx)] enum Role { #[sqlx(rename = \"a\")] Admin }",
        "does not read `#[sqlx(…)]`",
    ),
    (
        "enum Role { #[claim_value(sqlx)] Admin }",
        "write `#[claim_value(sqlx)]` above it",
    ),
    (
        "#[claim_value(sqlx = \"text\")] enum Role { Admin }",
        "`sqlx` takes no value",
    ),
];

const POLICY_MISTAKES: &[(&str, &str)] = &[
    (
        "#[policy(max_age = \"1h\")] struct P<T>;",
        "has no parameters",
    ),
    (
        "#[policy(role = Role::A, role = Role::A)] struct P;",
        "is given twice",
    ),
    (
        "#[policy(claim(a = -7), claim(a = -7), user = U)] struct P;",
        "`claim(a = -7)` is given twice",
    ),
    (
        "#[policy(role = Role::A, not(role = Role::A))] struct P;",
        "nobody can have and lack `role = Role::A`",
    ),
    (
        "#[policy(any(scope = S::A, not(scope = S::A)))] struct P;",
        "everybody has or lacks `scope = S::A`",
    ),
    ("#[policy(max_age = \"1y\")] struct P;", "is no duration"),
    ("#[policy(max_age = \"500ms\")] struct P;", "is no duration"),
    (
        "#[policy(max_age = \"99999999999999999999d\")] struct P;",
        "is no duration",
    ),
    (
        "#[policy(max_age = \"300000000000000000d\")] struct P;",
        "is no duration",
    ),
    ("#[policy(max_age = \"+5m\")] struct P;", "is no duration"),
    ("#[policy(max_age = \"m\")] struct P;", "is no duration"),
    (
        "#[policy(any(crate = x))] struct P;",
        "`crate` belongs to the whole policy",
    ),
    (
        "#[policy(not(user = U))] struct P;",
        "`user` belongs to the whole policy",
    ),
    (
        "#[policy(all(consistency = strict, role = Role::A))] struct P;",
        "`consistency` belongs to the whole policy",
    ),
    ("#[policy(user = U)] struct P;", "has no condition"),
    ("#[policy(acr = high)] struct P;", "expected a string"),
    ("#[policy(acr = \"\")] struct P;", "an `acr` has a name"),
    (
        "#[policy(acr = \"gold silver\")] struct P;",
        "separates or quotes",
    ),
    (
        "#[policy(acr = \"gold\", acr = \"silver\")] struct P;",
        "a sign-in has one `acr`",
    ),
    (
        "#[policy(not(role = Role::A, role = Role::B))] struct P;",
        "can be read in two ways",
    ),
    (
        "#[policy(claim(plan = Plan::Pro))] struct P;",
        "nothing says whose claim `plan` is",
    ),
    (
        "#[policy(claim)] struct P;",
        "`claim` takes options of its own",
    ),
    (
        "#[policy(user = U, claim(plan = Plan::Pro, tenant = 7))] struct P;",
        "write another `claim(…)` for `tenant`",
    ),
    (
        "#[policy(user = U, claim(level >= 3))] struct P;",
        "as in `any(claim(level = 3), claim(level = …))`",
    ),
    (
        "#[policy(user = U, claim(level = 3..=5))] struct P;",
        "as in `any(claim(level = 3), claim(level = …))`",
    ),
    (
        "#[policy(any(claim(plan != Plan::Free), role = Role::A), user = U)] struct P;",
        "write `not(claim(plan = Plan::Free))`",
    ),
    (
        "#[policy(claim(plan == \"pro\"))] struct P;",
        "a condition has one `=`: write `claim(plan = \"pro\")`",
    ),
    (
        "#[policy(claims(plan in [Plan::Pro, Plan::Team]))] struct P;",
        "write `any(claim(plan = Plan::Pro), claim(plan = Plan::Team))`",
    ),
    (
        "#[policy(claim(plan = Plan::Pro | Plan::Team))] struct P;",
        "write `any(claim(plan = Plan::Pro), claim(plan = Plan::Team))`",
    ),
    (
        "#[policy(claim(plan = any(\"pro\", \"team\")))] struct P;",
        "write `any(claim(plan = \"pro\"), claim(plan = \"team\"))`",
    ),
    (
        "#[policy(claim(groups = \"a\" & \"b\"))] struct P;",
        "write `claim(groups = \"a\"), claim(groups = \"b\")`",
    ),
    (
        "#[policy(claim(plan = !\"free\"))] struct P;",
        "write `not(claim(plan = \"free\"))`",
    ),
    (
        "#[policy(claim(!verified))] struct P;",
        "write `claim(verified = false)`",
    ),
    (
        "#[policy(claim(plan: Plan::Pro))] struct P;",
        "a condition has `=`: write `claim(plan = Plan::Pro)`",
    ),
    (
        "#[policy(role: Role::Admin)] struct P;",
        "a condition has `=`: write `role = Role::Admin`",
    ),
    (
        "#[policy(role = not(Role::Guest))] struct P;",
        "write `not(role = Role::Guest)`",
    ),
    (
        "#[policy(role = all(Role::A, Role::B))] struct P;",
        "write `role = Role::A, role = Role::B`",
    ),
    (
        "#[policy(acr in [\"gold\", \"silver\"])] struct P;",
        "write `any(acr = \"gold\", acr = \"silver\")`",
    ),
    (
        "#[policy(acr = \"gold\" && \"silver\")] struct P;",
        "write `any(acr = \"gold\", acr = \"silver\")`",
    ),
    (
        "#[policy(policy = Admins | Editors)] struct P;",
        "write `any(policy = Admins, policy = Editors)`",
    ),
    (
        "#[policy(policy != Admins)] struct P;",
        "write `not(policy = Admins)`",
    ),
    (
        "#[policy(max_age <= \"5m\")] struct P;",
        "write `max_age = \"5m\"`",
    ),
    (
        "#[policy(max_age > \"5m\")] struct P;",
        "write `not(max_age = \"5m\")`",
    ),
    (
        "#[policy(role = \"chief-editor\")] struct P;",
        "write `role = Role::ChiefEditor`",
    ),
    (
        "#[policy(scope = \"notes:write\")] struct P;",
        "write `scope = Scope::NotesWrite`",
    ),
    (
        "#[policy(role = \"1\")] struct P;",
        "write `role = Role::Admin`",
    ),
    (
        "#[policy(role = Role::Admin { id: 1 })] struct P;",
        "expected a path: write `role = Role::Admin`",
    ),
    (
        "#[policy(user = U, claim(plan))] struct P;",
        "`plan` takes a string, a whole number, a bool or a variant",
    ),
    (
        "#[policy(user = U, claim(plan = Pro))] struct P;",
        "`Pro` lacks its enum",
    ),
    (
        "#[policy(user = U, claim(plan = 1.5))] struct P;",
        "a claim is compared with",
    ),
    (
        "#[policy(user = U, claim(plan = 'a'))] struct P;",
        "a claim is compared with",
    ),
    (
        "#[policy(user = U, claim(plan = -true))] struct P;",
        "a claim is compared with",
    ),
    (
        "#[policy(user = U, claim(plan = 1 + 1))] struct P;",
        "expected a string, a whole number, a bool or a variant",
    ),
    (
        "#[policy(user = U, claim(plan = 340282366920938463463374607431768211455))] struct P;",
        "so large a number",
    ),
    (
        "#[policy(consistency)] struct P;",
        "`consistency` takes `strict`, `eventual` or",
    ),
    (
        "#[policy(consistency = \"strict\")] struct P;",
        "expected `strict`, `eventual` or",
    ),
    (
        "#[policy(consistency = strict(\"2s\"))] struct P;",
        "`strict` takes no time",
    ),
    (
        "#[policy(consistency = strikt)] struct P;",
        "did you mean `strict`?",
    ),
    (
        "#[policy(consistency = always)] struct P;",
        "there is `strict`, `eventual` and",
    ),
    (
        "#[policy(consistency = bounded)] struct P;",
        "`bounded` lacks its time",
    ),
    (
        "#[policy(consistency = bounded(\"0s\"))] struct P;",
        "the duration is zero",
    ),
    (
        "#[policy(consistency = bounded(\"2\"))] struct P;",
        "is no duration",
    ),
];

const BACKEND_MISTAKES: &[(&str, &str)] = &[
    ("email, user =", "`user` needs a value: write `user = …`"),
    ("login =, user = U", "`login` needs a value"),
    (
        "email, user = \"U\"",
        "expected a type: write `user = User`",
    ),
    ("email, user", "`user` takes a type: write `user = User`"),
    ("email user = U", "separate options with commas"),
    (
        "email, user = U, user = V",
        "`user` is given twice: keep one",
    ),
    ("email, user = U, kind", "write `kind = \"accounts\"`"),
    ("email, user = U, kind = \"\"", "is no name for a kind"),
    ("email, user = U, kind = \"9a\"", "begin with a letter"),
    ("email, user = U, kind = \"a.b\"", "is no name for a kind"),
    ("email, user = U, kind = \"é\"", "is no name for a kind"),
    (
        "email, user = U, kind = \"a23456789-123456789-123456789-123456789-123456789-123456789-12345\"",
        "at most 64",
    ),
    (
        "login = Login<'_>, user = U",
        "hold owned values in it, such as `String` for `&str`",
    ),
    (
        "login = (u64, &Login), user = U",
        "outlives the body of the request",
    ),
    ("email, user = U, bound()", "`bound` is empty"),
    (
        "email, user = U, bound(R)",
        "expected bounds: write `bound(R: Repository)`",
    ),
    ("email, user = U, refresh = kept", "unknown source `kept`"),
    ("login = Login<A, B>, user = U, no", "unknown option `no`"),
    ("emial, user = U", "did you mean `email`?"),
    ("email, usr = U", "did you mean `user`?"),
    (
        "user = U",
        "add `email`, `username`, `login = MyLogin`, or `guard`",
    ),
    ("email, username, user = U", "one way to sign in"),
    (
        "email, guard, user = U",
        "`guard` cannot be combined with `email`",
    ),
    ("guard = Partner, user = U", "`guard` takes no value"),
    ("email, user = U, prefix = \"/\"", "the prefix is empty"),
    (
        "email, user = U, prefix = \"/auth/\"",
        "ends in a slash: write `/auth`",
    ),
    (
        "email, user = U, prefix = \"/a//b\"",
        "empty or relative segment",
    ),
    (
        "email, user = U, prefix = \"/a/../b\"",
        "empty or relative segment",
    ),
    ("email, user = U, prefix = \"/a b\"", "percent-encoded"),
    (
        "email, user = U, signin(path = \"/:id\")",
        "holds a parameter",
    ),
    (
        "email, user = U, signin(path = \"/sessions/own\")",
        "`end_session` is at `/sessions/{id}` already",
    ),
    (
        "email, user = U, signin(path = \"/in\"), refresh(path = \"/in\")",
        "`signin` is at `/in` already",
    ),
    (
        "email, user = U, signin(path = \"/in\"), disable(signin)",
        "`signin` is disabled",
    ),
    (
        "email, user = U, step(path = \"/in\"), disable(signin)",
        "`signin` is disabled",
    ),
    (
        "email, user = U, end_session(path = \"/in/{id}\"), disable(sessions)",
        "`sessions` is disabled",
    ),
    (
        "email, user = U, refresh(path = \"/in/step\"), signin(path = \"/in\")",
        "`step` is at `/in/step` already",
    ),
    (
        "email, user = U, signin(path = \"/a\"), verify(path = \"/a/step\"), prefix = \"/b\"",
        "`step` is at `/a/step` already",
    ),
    (
        "email, user = U, sessions(path = \"/a\"), step(path = \"/a/b\")",
        "where `end_session` would be: choose another path, or say `end_session(path = \"…\")`",
    ),
    (
        "email, user = U, signout(path = \"/revoke\")",
        "`revoke` is at `/revoke` already",
    ),
    (
        "email, user = U, prefix = \"/a\", jwks(path = \"/a/verify\")",
        "`verify` is at `/verify` already",
    ),
    ("email, user = U, signout(path = \"out\")", "write `/out`"),
    (
        "email, user = U, introspect(path = \"/in/\")",
        "write `/in`",
    ),
    (
        "email, user = U, sessions(path = \"/of/{id}\")",
        "holds a parameter, and nothing would read it: write a fixed path, as in `/sessions`",
    ),
    (
        "email, user = U, end_session(path = \"/devices\")",
        "lacks the id of the session: write `/devices/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/devices/{sid}\")",
        "call it `{id}`, as in `/sessions/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/{id}/of/{id}\")",
        "holds `{id}` twice",
    ),
    (
        "email, user = U, end_session(path = \"/x{id}/{id}\")",
        "keep `{id}` alone",
    ),
    (
        "email, user = U, end_session(path = \"/{user}/{id}\")",
        "holds a parameter beside `{id}`",
    ),
    (
        "email, user = U, end_session(path = \"/devices/{id}/\")",
        "ends in a slash: write `/devices/{id}`",
    ),
    (
        "email, user = U, end_session(path = \"devices/{id}\")",
        "lacks its leading slash: write `/devices/{id}`",
    ),
    (
        "email, user = U, revoke(summary = \"\")",
        "the summary is empty",
    ),
    (
        "email, user = U, verify = \"/v\"",
        "write `verify(path = \"/verify\")`",
    ),
    (
        "email, user = U, disable(introspect)",
        "unknown route `introspect`",
    ),
    ("email, user = U, signin()", "`signin` is empty"),
    (
        "email, user = U, signin(from = stored)",
        "unknown option `from`",
    ),
    (
        "email, user = U, names(access_token = \"refresh_token\")",
        "both tokens would be called",
    ),
    (
        "email, user = U, names(access_token = \"a\", refresh_token = \"a\")",
        "both tokens would be called",
    ),
    (
        "email, user = U, names(access_token = \"a b\")",
        "ASCII letters",
    ),
    (
        "email, user = U, signin(summary = \" \")",
        "the summary is empty",
    ),
    (
        "email, user = U, openapi",
        "`openapi` takes `true` or `false`",
    ),
];

const STATE_MISTAKES: &[(&str, &str)] = &[
    ("union App { gate: Gate<A> }", "is a union"),
    ("enum App { A(Gate<A>) }", "is an enum"),
    ("struct App;", "no field of `App` is a `Gate<…>`"),
    (
        "struct App { gate: Gates<A>, other: Gate }",
        "no field of `App`",
    ),
    ("struct r#type(u8);", "no field of `type`"),
    (
        "struct App { gate: Arc<Option<a::Gate<A>>> }",
        "cannot verify tokens",
    ),
    (
        "struct App { #[gate(user = U)] of: Verifier<U> }",
        "names its user type itself",
    ),
    (
        "struct App { #[gate(user = A)] a: Gate<A>, b: (Gate<B>) }",
        "and `b` lacks them",
    ),
    (
        "struct App(#[gate(user = A)] Gate<A>, #[gate(user = B)] Arc<Gate<A>>);",
        "`0` and `1` are both gates of `A`",
    ),
    (
        "struct App { #[gate(user = U<A, B>)] a: Gate<A>, #[gate(user = U<A, B>)] b: Other }",
        "both verify the tokens of `U<A,B>`",
    ),
    (
        "struct App { #[gate(user = U)] a: Gate<A>, b: Verifier<U> }",
        "`a` and `b` both verify",
    ),
    ("struct App { #[gate] a: Gate<A> }", "write `#[gate(…)]`"),
    (
        "struct App { #[gate(skpi)] a: Gate<A> }",
        "did you mean `skip`?",
    ),
    (
        "struct App { #[gate(crate = a)] a: Gate<A> }",
        "belongs to the struct",
    ),
    (
        "#[gate(skip)] struct App { a: Gate<A> }",
        "belongs to a field",
    ),
    (
        "struct App { #[gate(user)] a: Gate<A> }",
        "`user` takes a type",
    ),
];

const CALLER_MISTAKES: &[(&str, &str)] = &[
    ("union Admin { a: u8 }", "is a union"),
    ("enum Admin {}", "is an enum"),
    ("struct Admin {}", "has no fields"),
    ("struct Admin<'a>(&'a u8);", "cannot borrow"),
    ("struct Admin(A, B);", "and `Admin` has more fields"),
    (
        "#[caller(extract)] struct Admin(A);",
        "`extract` takes the word `own`",
    ),
    (
        "#[caller(extract = none)] struct Admin(A);",
        "unknown value `none`",
    ),
    (
        "#[caller(extract = \"own\")] struct Admin(A);",
        "write `extract = own`",
    ),
    ("struct Admin(#[caller(skip)] A);", "fields have no options"),
];

#[test]
fn each_mistake_has_its_sentence() {
    let of = |mistakes: &[(&'static str, &'static str)], expand: fn(TokenStream) -> TokenStream| {
        mistakes
            .iter()
            .map(|(item, words)| (*item, *words, messages(&expand(tokens(item)))))
            .collect::<Vec<_>>()
    };
    let all = [
        of(CLAIMS_MISTAKES, claims::expand),
        of(VALUE_MISTAKES, value::expand),
        of(POLICY_MISTAKES, policy::expand),
        of(STATE_MISTAKES, state::expand),
        of(CALLER_MISTAKES, caller::expand),
        of(BACKEND_MISTAKES, |options| {
            backend::expand(options, tokens(BACKEND))
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

#[test]
fn nothing_but_a_struct_is_a_backend() {
    for item in [
        "fn f() {}",
        "trait T {}",
        "impl X {}",
        "union U { a: u8 }",
        "const X: u8 = 1;",
    ] {
        let messages = messages(&backend::expand(quote!(email, user = U), tokens(item)));
        assert!(
            messages.len() == 1 && messages[0].contains("a backend is a struct"),
            "{item}: {messages:?}"
        );
    }
}

#[test]
fn a_claim_of_the_gate_is_refused_under_every_spelling() {
    let names = [
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "sid",
        "gen",
        "uep",
        "auth_time",
        "acr",
        "bnd",
        "amr",
        "azp",
        "client_id",
    ];
    for name in names
        .into_iter()
        .chain(["sub", "cnf", "act", "typ", "nonce"])
    {
        for item in [
            format!("struct User {{ #[claim(sub)] id: u8, r#{name}: u8 }}"),
            format!("struct User {{ #[claim(sub)] id: u8, #[claim(rename = \"{name}\")] x: u8 }}"),
            format!(
                "struct User {{ #[claim(sub)] id: u8, #[claim(roles, rename = \"{name}\")] x: u8 \
                 }}"
            ),
            format!(
                "#[claims(rename_all = \"lowercase\")] struct User {{ #[claim(sub)] id: u8, \
                 #[claim(default)] r#{name}: u8 }}"
            ),
        ] {
            let messages = messages(&claims::expand(tokens(&item)));
            assert!(
                messages.len() == 1 && messages[0].contains("is set by the gate"),
                "{item}: {messages:?}"
            );
        }
    }
}

#[test]
fn what_serde_and_claims_say_alike_is_no_mistake() {
    for item in [
        RICH_USER,
        "struct User { #[claim(sub)] #[serde(rename = \"sub\")] id: u8 }",
        "struct User { #[claim(sub)] id: u8, #[claim(rename = \"b\")] #[serde(rename = \"b\")] a: \
         A }",
        "struct User { #[claim(sub)] id: u8, #[claim(skip)] #[serde(skip, default, flatten)] a: A \
         }",
        "struct User { #[claim(sub)] id: u8, #[claim(with = m)] #[serde(serialize_with = \
         \"m::serialize\")] a: &'static A }",
        "struct User { #[claim(sub)] id: u8, #[claim(confidential)] password_hash: String }",
        "struct User { #[claim(sub)] id: u8, #[serde(default, skip_serializing_if = \
         \"Option::is_none\")] a: Option<A> }",
        "#[serde(crate = \"x\")] struct User { #[claim(sub)] id: u8 }",
    ] {
        assert_eq!(messages(&claims::expand(tokens(item))), [""; 0], "{item}");
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

/// Compares with `snapshots/{name}.rs`; `BLESS=1` writes it. Gives the text.
fn snapshot(name: &str, expansion: &TokenStream) -> String {
    let text = prettyplease::unparse(&syn::parse2(expansion.clone()).unwrap());
    let text = format!("//! What `{name}` of `src/tests.rs` expands to.\n\n{text}");
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

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "were not read")]
fn a_mistake_that_nobody_reads_is_noticed() {
    let mut diag = crate::diag::Diag::new();
    diag.error(&quote::quote!(word), "a mistake");
}
