//! Inputs and mistakes of `JwtClaims`.

use super::{messages, tokens};
use crate::claims;

/// The user of the quickstart.
pub(super) const USER: &str = r##"
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
pub(super) const RICH_USER: &str = r##"
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
pub(super) const EXTERNAL: &str = r##"
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

/// Mistakes that have no ui case of their own: an item, and words of the message.
pub(super) const MISTAKES: &[(&str, &str)] = &[
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
        "#[claims(aud = \"api\")] struct User { #[claim(sub)] id: u8 }",
        "`aud` is set on the gate, not here: leave it out, and use `.audience(…)` of its builder",
    ),
    (
        "#[claims(exp = 60)] struct User { #[claim(sub)] id: u8 }",
        "`exp` is set on the gate, not here: leave it out, and use the setting `access.ttl`",
    ),
    (
        "#[claims(iss)] struct User { #[claim(sub)] id: u8 }",
        "`iss` is set on the gate",
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
        "which cannot be sent to another thread",
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
        "cannot be compared reliably",
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
    (
        "struct User { #[claim(sub)] id: u8, #[serde(with = \"::serde_with::As::<Vec<::serde_with::Same>>\")] \
         ports: Vec<u16> }",
        "claims do not follow `#[serde_as(…)]`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(roles, rename = \"scope\")] a: A }",
        "others read the claim `scope` as scopes, and this field holds roles",
    ),
    (
        "struct User { #[claim(sub)] id: u8, #[claim(scope, rename = \"roles\")] a: A }",
        "others read the claim `roles` as roles, and this field holds scopes",
    ),
    (
        "struct User { #[claim(sub)] id: u8, verification_code: u32 }",
        "`verification_code` looks like a secret",
    ),
    (
        "struct User { #[claim(sub)] id: u8, token_set: String }",
        "`token_set` looks like a secret because of `token`",
    ),
    (
        "struct User { #[claim(sub)] id: u8, a: [&'static str; MASK & 7] }",
        "`a` borrows",
    ),
];

/// Another issuer decides in which claim its roles stand.
#[test]
fn roles_of_others_stand_in_any_claim() {
    let item = "#[claims(external)] struct User { #[claim(sub)] id: u8, \
                #[claim(roles, rename = \"scope\")] a: Vec<String> }";
    assert_eq!(messages(&claims::expand(tokens(item))), [""; 0]);
}

/// An `&` in a number is no reference.
#[test]
fn a_number_in_a_type_borrows_nothing() {
    for ty in ["[u8; MASK & 7]", "Vec<[u8; { A & B }]>", "Bits<{ A & B }>"] {
        let item = format!("struct User {{ #[claim(sub)] id: u8, a: {ty} }}");
        assert_eq!(messages(&claims::expand(tokens(&item))), [""; 0], "{ty}");
    }
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
        "struct User { #[claim(sub)] id: u8, #[claim(with = As::<Vec<Same>>)] #[serde(with = \
         \"::serde_with::As::<Vec<::serde_with::Same>>\")] ports: Vec<u16> }",
    ] {
        assert_eq!(messages(&claims::expand(tokens(item))), [""; 0], "{item}");
    }
}

#[test]
fn what_only_tells_about_a_secret_needs_no_mark() {
    for field in [
        "password_changed: DateTime<Utc>",
        "password_changed_at: chrono::NaiveDateTime",
        "last_token: Option<SystemTime>",
        "password: time::Date",
        "has_password: bool",
        "otp: Option<bool>",
        "tokens_used: u64",
        "token_balance: f64",
        "tokens: Option<u32>",
        "otp_method: OtpMethod",
    ] {
        let item = format!("struct User {{ #[claim(sub)] id: u8, {field} }}");
        assert_eq!(messages(&claims::expand(tokens(&item))), [""; 0], "{item}");
    }
    for field in [
        "password: DateTimeText",
        "clientsecret: String",
        "tokens: Vec<u64>",
        "token: u64",
        "otp: u32",
    ] {
        let item = format!("struct User {{ #[claim(sub)] id: u8, {field} }}");
        let messages = messages(&claims::expand(tokens(&item)));
        assert!(
            messages.len() == 1 && messages[0].contains("looks like a secret"),
            "{item}: {messages:?}"
        );
    }
}

#[test]
fn a_marker_of_a_reference_holds_none() {
    for (field, borrows) in [
        ("a: PhantomData<&'static T>", false),
        ("a: PhantomData<fn(&u8) -> Vec<&'static T>>", false),
        ("a: Option<std::marker::PhantomData<&'static [u8]>>", false),
        ("a: (PhantomData<&'static u8>, &'static u8)", true),
        (
            "a: Vec<(PhantomData<&'static u8>, Option<&'static str>)>",
            true,
        ),
        ("a: Option<&'static str>", true),
    ] {
        let item = format!("struct User {{ #[claim(sub)] id: u8, {field} }}");
        let messages = messages(&claims::expand(tokens(&item)));
        assert_eq!(
            messages.iter().any(|message| message.contains("borrows")),
            borrows,
            "{item}: {messages:?}"
        );
    }
}
