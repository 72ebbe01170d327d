//! A mistake in a whole program is reported once, or as often as its reason says; and what needs a
//! feature that is off names the feature.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A change to the program, how many errors it makes, and words of the first.
#[derive(Clone, Copy)]
struct Mistake {
    name: &'static str,
    change: &'static [(&'static str, &'static str)],
    errors: usize,
    words: &'static str,
}

const fn more(errors: usize, mistake: Mistake) -> Mistake {
    Mistake { errors, ..mistake }
}

const fn once(
    name: &'static str,
    change: &'static [(&'static str, &'static str)],
    words: &'static str,
) -> Mistake {
    Mistake {
        name,
        change,
        errors: 1,
        words,
    }
}

const MISTAKES: &[Mistake] = &[
    once(
        "user_missing",
        &[("login = Login, user = User", "login = Login")],
        "the user type is missing",
    ),
    once(
        "user_in_quotes",
        &[(
            "user = User)]\n#[derive(Clone, Default)]",
            "user = \"User\")]\n#[derive(Clone, Default)]",
        )],
        "expected a type",
    ),
    once(
        "login_in_quotes",
        &[("login = Login,", "login = \"Login\",")],
        "expected a type",
    ),
    once(
        "enum_as_backend",
        &[(
            "struct Accounts {\n    users: Arc<Mutex<HashMap<u64, User>>>,\n}",
            "enum Accounts {\n    #[default]\n    One,\n}\nimpl std::ops::Deref for Accounts {\n    \
             type Target = Users;\n    fn deref(&self) -> &Users { loop {} }\n}\nstruct Users { \
             users: Arc<Mutex<HashMap<u64, User>>> }",
        )],
        "a backend is a struct",
    ),
    once(
        "claim_without_serde",
        &[
            (
                "PartialEq, Serialize, Deserialize)]\nstruct Plan",
                "PartialEq)]\nstruct Plan",
            ),
            ("    plan: Plan,\n    is_admin", "    is_admin"),
            ("        plan: user.plan().clone(),\n", ""),
        ],
        "`Plan` cannot be a claim",
    ),
    // One for the field. The others are the four conditions that name a variant: a condition is a
    // constant, which can call no function of a trait, so it calls the one that the derive writes
    // into the enum, at the variant, where rustc reports a misspelt one too.
    more(
        5,
        once(
            "role_without_derive",
            &[(
                "Debug, PartialEq, Eq, ClaimValue)]\nenum Role",
                "Debug, PartialEq, Eq)]\nenum Role",
            )],
            "`Vec<Role>` holds no roles",
        ),
    ),
    once(
        "misspelt_role",
        &[(
            "#[policy(role = Role::Admin)]",
            "#[policy(role = Role::Admn)]",
        )],
        "no variant",
    ),
    // One for the lifetime, and one for the field that the constructor lacks. The others are the places
    // that name the type without its lifetime, which rustc reports of every struct that gets one.
    more(
        14,
        once(
            "borrowing_user",
            &[("struct User {", "struct User<'a> {\n    name: &'a str,")],
            "cannot borrow",
        ),
    ),
    once(
        "borrowing_user_with_its_lifetime",
        &[
            (
                "#[derive(Clone, Debug, JwtClaims)]",
                "type User = Person<'static>;\n\n#[derive(Clone, Debug, \
                 JwtClaims)]\n#[claims(name = UserClaims)]",
            ),
            ("struct User {", "struct Person<'a> {\n    nick: &'a str,"),
            (
                "            id: 1,",
                "            nick: \"ada\",\n            id: 1,",
            ),
        ],
        "cannot borrow",
    ),
    // No macro sees the struct, so that nothing stands in for its claims. rustc reports the four
    // attributes that no derive reads; then, once each, the backend and the policy that name the
    // user, whose other impls are silent; and then what names `Auth<User>`: the bound of `Auth` is
    // looked at in each argument, each future, each route, each impl of a caller, and each method of
    // claims that are not known. The first error is the one to repair.
    more(
        41,
        once(
            "forgotten_claims",
            &[(
                "#[derive(Clone, Debug, JwtClaims)]",
                "#[derive(Clone, Debug)]",
            )],
            "the derive macros `ClaimValue` and `JwtClaims`, you might be missing a `derive`",
        ),
    ),
    // The bound stands on `Auth` itself, so that a plain router reports it in the same words; rustc
    // looks at it in the argument, in the type of the future and at the route.
    more(
        3,
        once(
            "forgotten_policy",
            &[("#[derive(Policy)]\n#[policy(role = Role::Admin)]\n", "")],
            "`Admins` is not a policy",
        ),
    ),
    once(
        "forgotten_caller",
        &[("#[derive(Caller)]\n", "")],
        "its first argument is `Cleaner`",
    ),
    once(
        "auth_last",
        &[(
            "_: Auth<User>,\n    Path(id): Path<u64>,\n    notes",
            "Path(id): Path<u64>,\n    _: Auth<User>,\n    notes",
        )],
        "does not say who may call it",
    ),
    once(
        "claims_as_argument",
        &[(
            "async fn me(user: Auth<User>)",
            "async fn me(user: UserClaims)",
        )],
        "does not say who may call it",
    ),
    once(
        "not_async",
        &[("async fn me(", "fn me(")],
        "not asynchronous",
    ),
    once(
        "no_response",
        &[(
            "-> Json<Profile> {\n    Json(Profile {",
            "-> Profile {\n    (Profile {",
        )],
        "cannot be the answer of a handler",
    ),
    once(
        "no_state",
        &[
            ("routes().with_state(app)", "routes()"),
            ("let app = App", "let _app = App"),
        ],
        "From<tollgate::ProtectedRouter<App>>",
    ),
    // One for each step of the check: rustc knows no tuple of seventeen arguments for either.
    more(
        2,
        once(
            "seventeen_arguments",
            &[(
                "async fn account(user: Current<Accounts>)",
                "type H = axum::http::HeaderMap;\n#[rustfmt::skip]\n#[allow(clippy::too_many_arguments)]\n\
                 async fn account(user: Current<Accounts>, _: H, _: H, _: H, _: H, _: H, _: H, _: H, \
                 _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H, _: H)",
            )],
            "at most sixteen arguments",
        ),
    ),
    // One for `Auth`, which verifies, and one for `Current`, which asks the backend: a state may hold
    // what verifies without the gate, so neither bound stands for the other. rustc reports each once
    // in `routes`, however many handlers need it.
    more(
        2,
        once(
            "state_without_gate",
            &[("#[derive(Clone, GateState)]", "#[derive(Clone)]")],
            "the state `App` holds no gate",
        ),
    ),
    // One for the backend, and one for `Current`, which calls it also of a backend whose refresh comes
    // from elsewhere, so that `Current` cannot rely on what the attribute asks for.
    more(
        2,
        once(
            "missing_refresh",
            &[(
                "impl Refresh for Accounts",
                "trait Other {\n    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError>;\n}\n\nimpl Other for Accounts",
            )],
            "`Accounts` does not say who may stay signed in",
        ),
    ),
    // The bound on the struct is looked at in the argument, in the type of the future and at the
    // route.
    more(
        3,
        once(
            "wrong_user",
            &[(
                "_: Auth<User>,\n    Path(id): Path<u64>,\n    notes",
                "_: Auth<Plan>,\n    Path(id): Path<u64>,\n    notes",
            )],
            "`Plan` does not say which claims its tokens carry",
        ),
    ),
    // In the argument and at the route, and one for each of the four claims that the handler reads:
    // `Auth<Plan>` has no claims to deref to, and rustc looks for each method on its own.
    more(
        6,
        once(
            "wrong_user_that_is_read",
            &[(
                "async fn me(user: Auth<User>)",
                "async fn me(user: Auth<Plan>)",
            )],
            "`Plan` does not say which claims its tokens carry",
        ),
    ),
];

const FEATURES: &[Mistake] = &[
    once(
        "sqlite",
        &[("MemoryStore::new();", "SqliteStore::open(\"a.db\").await?;")],
        "`SqliteStore` needs the feature `sqlite`",
    ),
    once(
        "postgres",
        &[(
            "MemoryStore::new();",
            "tollgate::store::PostgresStore::connect(\"a\").await?;",
        )],
        "`PostgresStore` needs the feature `postgres`",
    ),
    once(
        "redis",
        &[(
            "MemoryStore::new();",
            "tollgate::store::RedisStore::connect(\"a\").await?;",
        )],
        "`RedisStore` needs the feature `redis`",
    ),
    once(
        "password",
        &[(
            "let _client",
            "let _passwords = Passwords::new();\n    let _client",
        )],
        "`Passwords` needs the feature `password`",
    ),
    once(
        "jwe",
        &[(
            "builder.keys(keys)",
            "builder.encrypt(Encrypted::A256Gcm).keys(keys)",
        )],
        "encrypted tokens need the feature `jwe`",
    ),
    once(
        "openapi",
        &[(
            "let _client",
            "let _document = gate.openapi();\n    let _client",
        )],
        "the OpenAPI document needs the feature `openapi`",
    ),
    once(
        "jwks_client",
        &[(
            "let _client",
            "let _guard = tollgate::guard::JwksGuard::<User>::oidc(\"https://a\").audience(\"b\");\n    let _client",
        )],
        "needs the feature `jwks-client`",
    ),
    once(
        "jwks_client_of_auth0",
        &[(
            "let _client",
            "let _guard = tollgate::guard::JwksGuard::<User>::auth0(\"a.auth0.com\").audience(\"b\");\n    let _client",
        )],
        "fetching the keys of another issuer needs the feature `jwks-client`",
    ),
    once(
        "passwords_of_the_builder",
        &[("builder.keys(keys)", "builder.passwords(&()).keys(keys)")],
        "`Passwords` needs the feature `password`",
    ),
    once(
        "rate_limit",
        &[(
            "let _client = Client::unknown();",
            "gate.allow(\"forgot\", \"a\", &Client::unknown()).await?;",
        )],
        "counting attempts needs the feature `rate-limit`",
    ),
    // The word itself, and nothing that the program would do with the impls.
    once(
        "sqlx",
        &[(
            "use tollgate::prelude::*;\n",
            "use tollgate::prelude::*;\n\n#[derive(Clone, Copy, ClaimValue)]\n#[claim_value(sqlx)]\n\
             pub enum Role {\n    Admin,\n}\n",
        )],
        "`claim_value(sqlx)` needs the feature `sqlx`",
    ),
    once(
        "testing",
        &[(
            "let _client",
            "let _ready = tollgate::testing::ready(Accounts.gate())?;\n    let _client",
        )],
        "gated behind the `testing` feature",
    ),
];

/// Compiles the program as it is, and with each mistake, and returns the errors by mistake.
fn check(
    package: &str,
    program: &str,
    features: &str,
    mistakes: &[Mistake],
) -> BTreeMap<String, Vec<String>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    // `tmp` lies in the target folder.
    let target: PathBuf = folder.parent().unwrap().parent().unwrap().to_owned();
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("src/bin")).unwrap();
    std::fs::copy(here.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\naxum = {{ version = \"0.8.9\", default-features = false, features = [\"json\", \
         \"tokio\", \"http1\"] }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\ntokio = {{ \
         version = \"1\", features = [\"rt\", \"macros\", \"net\"] }}\ntollgate = {{ path = {:?}, \
         features = [{features}] }}\n\n[profile.dev]\ndebug = \"line-tables-only\"\n",
        here.join("../runtime").canonicalize().unwrap()
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    let source = std::fs::read_to_string(here.join(program)).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join("src/bin").join(format!("{name}.rs")), text).unwrap();
    };
    write("as_it_is", &source);
    for mistake in mistakes {
        let mut text = source.clone();
        for (from, to) in mistake.change {
            assert_eq!(text.matches(from).count(), 1, "{}: {from}", mistake.name);
            text = text.replace(from, to);
        }
        write(mistake.name, &text);
    }
    // With incremental compilation, as a user has it, rustc tells spans of different functions apart
    // and reports a mistake in each; without, it joins them. CI turns it off for everything else.
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .env("CARGO_INCREMENTAL", "1")
        .args(["check", "--offline", "--quiet", "--bins", "--keep-going"])
        .args([
            "--profile",
            "test",
            "--message-format",
            "json",
            "--target-dir",
        ])
        .arg(target)
        // Without it rustc reports some errors less often than a user sees them.
        .env("CARGO_INCREMENTAL", "1")
        .current_dir(&folder)
        .output()
        .unwrap();
    let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let name = message["target"]["name"].as_str().unwrap_or_default();
        let body = &message["message"];
        let is_error = message["reason"] == "compiler-message" && body["level"] == "error";
        // The sum at the end has no place.
        if is_error
            && body["spans"]
                .as_array()
                .is_some_and(|spans| !spans.is_empty())
        {
            let rendered = body["rendered"].as_str().unwrap_or_default();
            errors
                .entry(name.to_owned())
                .or_default()
                .push(rendered.to_owned());
        }
    }
    assert!(
        errors.len() == mistakes.len(),
        "{:?}\n{}",
        errors.keys(),
        String::from_utf8_lossy(&output.stderr)
    );
    let _ = std::fs::remove_dir_all(&folder);
    errors
}

/// Holds the errors to what each mistake says of them; all that differ are shown at once.
fn hold(mistakes: &[Mistake], errors: &BTreeMap<String, Vec<String>>) {
    assert!(!errors.contains_key("as_it_is"), "{:?}", errors["as_it_is"]);
    let mut wrong = Vec::new();
    for mistake in mistakes {
        let found = &errors[mistake.name];
        if found.len() != mistake.errors || !found[0].contains(mistake.words) {
            wrong.push(format!(
                "== {}: {} errors, not {}\n{}",
                mistake.name,
                found.len(),
                mistake.errors,
                found.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistake_in_a_whole_program_is_reported_once() {
    let features = "\"password\", \"jwe\"";
    let errors = check("whole", "whole/program.rs", features, MISTAKES);
    hold(MISTAKES, &errors);
}

#[test]
fn what_a_feature_adds_names_the_feature_where_it_is_off() {
    let errors = check("features-off", "whole/features/program.rs", "", FEATURES);
    hold(FEATURES, &errors);
}
