//! Inputs and mistakes of `Policy`.

use super::{quote_item, tokens};
use crate::policy;

pub(super) const POLICY: &str = r##"
    #[policy(role = Role::Admin, max_age = "5m")]
    struct FreshAdmin;
"##;

/// A policy with every option.
pub(super) const RICH_POLICY: &str = r##"
    #[policy(user = User<u8>, consistency = bounded("1500ms"), crate = ::gatekeeper, claim(r#type = "pro"), not(claim(level = -1)))]
    #[policy(any(scope = auth::Scope::Write, acr = "gold", acr = "silver", not(all(role = Role::Guest, role = Role::Editor))))]
    #[policy(all(claim(paid = true), any(claim(plan = Plan::Pro), max_age = "1h")))]
    struct Customers;
"##;

pub(super) const MISTAKES: &[(&str, &str)] = &[
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
        "`role = Role::A` is asked for and excluded, so nobody satisfies both",
    ),
    (
        "#[policy(any(scope = S::A, not(scope = S::A)))] struct P;",
        "so everybody satisfies one of them",
    ),
    ("#[policy(max_age = \"1y\")] struct P;", "is not a duration"),
    (
        "#[policy(max_age = \"500ms\")] struct P;",
        "is not a duration",
    ),
    (
        "#[policy(max_age = \"99999999999999999999d\")] struct P;",
        "is not a duration",
    ),
    (
        "#[policy(max_age = \"300000000000000000d\")] struct P;",
        "is not a duration",
    ),
    (
        "#[policy(max_age = \"+5m\")] struct P;",
        "is not a duration",
    ),
    ("#[policy(max_age = \"m\")] struct P;", "is not a duration"),
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
        "the user type that has the claim `plan` is missing",
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
        "a condition needs `=`: write `claim(plan = Plan::Pro)`",
    ),
    (
        "#[policy(role: Role::Admin)] struct P;",
        "a condition needs `=`: write `role = Role::Admin`",
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
        "#[policy(role = Role::Admin(1))] struct P;",
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
        "is not a duration",
    ),
    (
        "#[policy(role = Role::Admin || role = Role::Editor)] struct P;",
        "write `any(role = Role::Admin, role = Role::Editor)`",
    ),
    (
        "#[policy(role == Role::Admin && scope == Scope::Write)] struct P;",
        "write `role = Role::Admin, scope = Scope::Write`",
    ),
    (
        "#[policy(any(max_age = \"5m\", role == Role::Admin && scope == Scope::Write))] struct P;",
        "write `all(role = Role::Admin, scope = Scope::Write)`",
    ),
    (
        "#[policy(any(max_age = \"5m\", role = all(Role::A, Role::B)))] struct P;",
        "write `all(role = Role::A, role = Role::B)`",
    ),
    (
        "#[policy(role = Role::A || Role::B && scope = Scope::Write)] struct P;",
        "write `any(role = Role::A, all(role = Role::B, scope = Scope::Write))`",
    ),
    (
        "#[policy(role = Role::A | role != Role::B)] struct P;",
        "write `any(role = Role::A, not(role = Role::B))`",
    ),
    (
        "#[policy((role = Role::A || role = Role::B) && !scope = Scope::Write)] struct P;",
        "write `any(role = Role::A, role = Role::B), not(scope = Scope::Write)`",
    ),
    (
        "#[policy(user = U, claim(plan == \"gold plus\" || level == 3))] struct P;",
        "write `any(claim(plan = \"gold plus\"), claim(level = 3))`",
    ),
    (
        "#[policy(user = U, claim(plan = \"pro\") || max_age < \"5m\")] struct P;",
        "write `any(claim(plan = \"pro\"), max_age = \"5m\")`",
    ),
    (
        "#[policy(user = U, plan == \"a || b\" && role = Role::A)] struct P;",
        "write `claim(plan = \"a || b\"), role = Role::A`",
    ),
    (
        "#[policy(not(role = Role::A && any(scope = Scope::W, scope == Scope::R)))] struct P;",
        "write `all(role = Role::A, any(scope = Scope::W, scope = Scope::R))`",
    ),
    (
        "#[policy(acr = \"gold\" && acr = \"silver\")] struct P;",
        "write `any(acr = \"gold\", acr = \"silver\")`",
    ),
    (
        "#[policy(role in [Role::A, Role::B] && scope = Scope::Write)] struct P;",
        "write `any(role = Role::A, role = Role::B), scope = Scope::Write`",
    ),
    (
        "#[policy(Role::A || role = Role::B)] struct P;",
        "write `any(role = Role::A, role = Role::B)`",
    ),
    (
        "#[policy(!role = Role::A)] struct P;",
        "write `not(role = Role::A)`",
    ),
    (
        "#[policy(role >= Role::A && scope = Scope::Write)] struct P;",
        "as in `any(role = Role::A, role = …)`",
    ),
    (
        "#[policy(role < Role::Editor, max_age = \"5m\")] struct P;",
        "as in `any(role = Role::Editor, role = …)`",
    ),
    (
        "#[policy(role <= Role::Editor, max_age = \"5m\")] struct P;",
        "as in `any(role = Role::Editor, role = …)`",
    ),
    (
        "#[policy(user = U, claim(level < 3), max_age = \"5m\")] struct P;",
        "as in `any(claim(level = 3), claim(level = …))`",
    ),
    (
        "#[policy(scope = Scope::W && role < Role::Editor, max_age = \"5m\")] struct P;",
        "as in `any(role = Role::Editor, role = …)`",
    ),
    (
        "#[policy(claim(plan == \"gold plus\"))] struct P;",
        "write `claim(plan = \"gold plus\")`",
    ),
    (
        "#[policy(claim(plan != \"a,b\"))] struct P;",
        "write `not(claim(plan = \"a,b\"))`",
    ),
    (
        "#[policy(acr in [\"a = b\", \"c\"])] struct P;",
        "write `any(acr = \"a = b\", acr = \"c\")`",
    ),
    (
        "#[policy(max_age = \"5m\", not(max_age = \"5m\"))] struct P;",
        "`max_age = \"5m\"` is asked for and excluded, so nobody satisfies both",
    ),
    (
        "#[policy(max_age = \"60s\", not(max_age = \"1m\"))] struct P;",
        "`max_age = \"60s\"` is asked for and excluded, so nobody satisfies both",
    ),
    (
        "#[policy(not(max_age = \"1h\"), max_age = \"5m\")] struct P;",
        "`max_age = \"5m\"` stands beside `not(max_age = \"1h\")`, so nobody satisfies both",
    ),
    (
        "#[policy(any(max_age = \"5m\", not(max_age = \"5m\")))] struct P;",
        "so everybody satisfies one of them",
    ),
    (
        "#[policy(any(max_age = \"1h\", not(max_age = \"5m\")))] struct P;",
        "`max_age = \"1h\"` stands beside `not(max_age = \"5m\")`, so everybody satisfies one of them",
    ),
    (
        "#[policy(not(max_age = \"1h\"), not(max_age = \"1h\"))] struct P;",
        "`not(max_age = \"1h\")` is given twice",
    ),
    (
        "#[policy(role = Role::A, all(max_age = \"5m\", not(max_age = \"1h\")))] struct P;",
        "so nobody satisfies both",
    ),
];

/// An age may be asked for and excluded where both hold for some sign-ins and not for others.
#[test]
fn a_policy_asks_for_a_span_of_ages() {
    for asked in [
        "max_age = \"1h\", not(max_age = \"5m\")",
        "any(max_age = \"5m\", not(max_age = \"1h\"))",
    ] {
        let expansion = policy::expand(quote_item("policy", &tokens(asked), "struct P;"));
        assert_eq!(super::messages(&expansion), [""; 0], "{asked}");
    }
}

/// Checks that the conditions after a comparison are looked at, too.
#[test]
fn a_comparison_does_not_hide_the_rest_of_the_list() {
    let asked = tokens("role < Role::Editor, max_age = \"5y\", policy = Of<A, B>, acr = \"\"");
    let expansion = policy::expand(quote_item("policy", &asked, "struct P;"));
    let messages = super::messages(&expansion);
    let [compared, age, acr] = messages.as_slice() else {
        panic!("{messages:?}");
    };
    assert!(compared.contains("roles have no order"), "{compared}");
    assert!(age.contains("is not a duration"), "{age}");
    assert!(acr.contains("an `acr` has a name"), "{acr}");
    let asked = tokens("role < Role::Editor, max_age > \"5m\"");
    let expansion = policy::expand(quote_item("policy", &asked, "struct P;"));
    assert_eq!(super::messages(&expansion).len(), 2);
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
        (
            "role = Role::Admin()",
            "Role :: Admin { } . __tollgate_derive",
        ),
    ] {
        let item = quote_item("policy", &tokens(asked), "struct P;");
        let text = policy::expand(item).to_string();
        assert!(text.contains(named), "{text}");
    }
}
