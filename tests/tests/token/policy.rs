//! Policies decide: what holds, what another authentication would change, and how a claim is
//! compared.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::ser::SerializeMap;
use tollgate::clock::Timestamp;
use tollgate::policy::{
    AnyOf, Decision, Facts, PolicyFor, Rule, StepUp, Value, claim_holds, decide,
};
use tollgate::token::ClaimSet;
use tollgate::{ClaimValue, JwtClaims, Policy};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

/// A caller.
#[derive(Clone, Debug, Default)]
struct Caller {
    roles: Vec<&'static str>,
    scopes: Vec<&'static str>,
    plan: Option<&'static str>,
    /// Seconds since the last authentication.
    age: Option<u64>,
    acr: Option<&'static str>,
}

impl Facts for Caller {
    fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(&scope)
    }

    fn has_claim(&self, name: &str, value: &Value) -> Option<bool> {
        let is_plan = name == "plan"
            && matches!((value, self.plan), (Value::Text(text), Some(plan)) if *text == plan);
        (name != "unreadable").then_some(is_plan)
    }

    fn auth_time(&self) -> Option<Timestamp> {
        self.age
            .map(|age| Timestamp::from_secs(NOW.as_secs() - age))
    }

    fn acr(&self) -> Option<&str> {
        self.acr
    }
}

fn asks(rule: &Rule, caller: &Caller) -> Decision {
    decide(rule, caller, NOW)
}

fn stale(max_age: Option<u64>, acr_values: &[&'static str]) -> Decision {
    Decision::Stale(StepUp {
        max_age,
        acr_values: acr_values.to_vec(),
    })
}

const ADMIN: Rule = Rule::Role("admin");
const WRITE: Rule = Rule::Scope("write");
const PRO: Rule = Rule::Claim {
    name: "plan",
    value: Value::Text("pro"),
};
const FRESH: Rule = Rule::MaxAge(300);

#[test]
fn each_condition_looks_at_its_own_fact() {
    let nobody = Caller::default();
    let admin = Caller {
        roles: vec!["admin"],
        ..nobody.clone()
    };
    let writer = Caller {
        scopes: vec!["write"],
        ..nobody.clone()
    };
    let customer = Caller {
        plan: Some("pro"),
        ..nobody.clone()
    };
    let fresh = Caller {
        age: Some(300),
        ..nobody.clone()
    };
    let gold = Caller {
        acr: Some("gold"),
        ..nobody.clone()
    };
    let all = [&nobody, &admin, &writer, &customer, &fresh, &gold];
    for (rule, satisfied, refused) in [
        (ADMIN, &admin, Decision::Deny),
        (WRITE, &writer, Decision::Scope),
        (PRO, &customer, Decision::Deny),
        (FRESH, &fresh, stale(Some(300), &[])),
        (Rule::Acr("gold"), &gold, stale(None, &["gold"])),
    ] {
        for caller in all {
            let expected = if std::ptr::eq(caller, satisfied) {
                Decision::Allow
            } else {
                refused.clone()
            };
            assert_eq!(asks(&rule, caller), expected, "{rule:?} of {caller:?}");
        }
    }
    assert_eq!(asks(&Rule::Anyone, &nobody), Decision::Allow);
}

/// R114.
#[test]
fn an_authentication_counts_until_its_last_second() {
    for (age, allowed) in [
        (Some(0), true),
        (Some(300), true),
        (Some(301), false),
        (None, false),
    ] {
        let expected = if allowed {
            Decision::Allow
        } else {
            stale(Some(300), &[])
        };
        assert_eq!(
            asks(
                &FRESH,
                &Caller {
                    age,
                    ..Caller::default()
                }
            ),
            expected,
            "{age:?}"
        );
    }
}

/// R114: nobody is sent to sign in again where that alone would not help.
#[test]
fn another_authentication_is_asked_for_only_where_it_alone_would_do() {
    const FRESH_ADMIN: Rule = Rule::All(&[ADMIN, FRESH]);
    let old = Caller {
        age: Some(1_000),
        ..Caller::default()
    };
    assert_eq!(asks(&FRESH_ADMIN, &old), Decision::Deny);
    assert_eq!(
        asks(
            &FRESH_ADMIN,
            &Caller {
                roles: vec!["admin"],
                ..old.clone()
            }
        ),
        stale(Some(300), &[])
    );
    const FRESH_WRITER: Rule = Rule::All(&[WRITE, FRESH]);
    assert_eq!(asks(&FRESH_WRITER, &old), Decision::Scope);
    assert_eq!(
        asks(
            &FRESH_WRITER,
            &Caller {
                age: Some(1),
                ..old.clone()
            }
        ),
        Decision::Scope
    );
    // Only an authentication that is old enough satisfies this; a fresh one never does.
    assert_eq!(
        asks(
            &Rule::Not(&FRESH),
            &Caller {
                age: Some(1),
                ..old.clone()
            }
        ),
        Decision::Deny
    );
    assert_eq!(
        asks(
            &Rule::All(&[Rule::Not(&FRESH), Rule::MaxAge(600)]),
            &Caller {
                age: Some(1),
                ..old.clone()
            }
        ),
        Decision::Deny
    );
}

/// R114: `max_age` and `acr_values` say what is missing, and no more.
#[test]
fn the_challenge_is_the_cheapest_that_helps() {
    let old = Caller {
        age: Some(1_000),
        acr: Some("bronze"),
        ..Caller::default()
    };
    const BOTH: Rule = Rule::All(&[Rule::MaxAge(600), FRESH]);
    assert_eq!(asks(&BOTH, &old), stale(Some(300), &[]));
    const EITHER: Rule = Rule::Any(&[Rule::MaxAge(600), FRESH]);
    assert_eq!(asks(&EITHER, &old), stale(Some(600), &[]));
    const ADMIN_OR_FRESH: Rule = Rule::Any(&[Rule::All(&[ADMIN, FRESH]), Rule::MaxAge(60)]);
    assert_eq!(asks(&ADMIN_OR_FRESH, &old), stale(Some(60), &[]));
    const STRONG: Rule = Rule::Any(&[Rule::Acr("gold"), Rule::Acr("silver")]);
    assert_eq!(asks(&STRONG, &old), stale(None, &["gold", "silver"]));
    const STRONG_AND_FRESH: Rule = Rule::All(&[STRONG, FRESH]);
    assert_eq!(
        asks(&STRONG_AND_FRESH, &old),
        stale(Some(300), &["gold", "silver"])
    );
    assert_eq!(
        asks(
            &STRONG_AND_FRESH,
            &Caller {
                acr: Some("gold"),
                ..old.clone()
            }
        ),
        stale(Some(300), &[])
    );
    assert_eq!(
        asks(
            &STRONG_AND_FRESH,
            &Caller {
                age: Some(1),
                ..old.clone()
            }
        ),
        stale(Some(300), &["gold", "silver"])
    );
    const GOLD_OF_ADMINS: Rule =
        Rule::Any(&[Rule::All(&[ADMIN, Rule::Acr("gold")]), Rule::Acr("silver")]);
    assert_eq!(asks(&GOLD_OF_ADMINS, &old), stale(None, &["silver"]));
    const NEVER: Rule = Rule::All(&[Rule::Acr("gold"), Rule::Acr("silver")]);
    assert_eq!(asks(&NEVER, &old), Decision::Deny);
    assert_eq!(
        asks(
            &NEVER,
            &Caller {
                acr: Some("gold"),
                ..old.clone()
            }
        ),
        Decision::Deny
    );
    assert_eq!(asks(&Rule::Not(&Rule::Acr("bronze")), &old), Decision::Deny);
}

#[test]
fn a_refusal_says_what_the_decision_said() {
    assert!(Decision::Allow.or_refuse().is_ok());
    let refusal = stale(Some(60), &["gold", "silver"])
        .or_refuse()
        .unwrap_err();
    assert_eq!(
        (refusal.max_age(), refusal.acr_values()),
        (Some(60), Some("gold silver"))
    );
    assert_eq!(refusal.code().as_str(), "insufficient_user_authentication");
    let refusal = stale(None, &["gold"]).or_refuse().unwrap_err();
    assert_eq!(
        (refusal.max_age(), refusal.acr_values()),
        (None, Some("gold"))
    );
    assert_eq!(
        stale(Some(60), &[]).or_refuse().unwrap_err().acr_values(),
        None
    );
    assert_eq!(
        Decision::Scope.or_refuse().unwrap_err().code().as_str(),
        "insufficient_scope"
    );
    assert_eq!(
        Decision::Deny.or_refuse().unwrap_err().code().as_str(),
        "forbidden"
    );
}

const ACRS: [&str; 3] = ["bronze", "silver", "gold"];

fn rules() -> impl Strategy<Value = Rule> {
    let leaf = prop_oneof![
        Just(ADMIN),
        Just(WRITE),
        Just(PRO),
        prop_oneof![Just(10_u64), Just(100), Just(1_000)].prop_map(Rule::MaxAge),
        prop::sample::select(&ACRS[..]).prop_map(Rule::Acr),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 0..4).prop_map(|rules| &*rules.leak());
        prop_oneof![
            many.clone().prop_map(Rule::All),
            many.prop_map(Rule::Any),
            inner.prop_map(|rule| Rule::Not(Box::leak(Box::new(rule)))),
        ]
    })
}

fn callers() -> impl Strategy<Value = Caller> {
    let age = prop::option::of(prop_oneof![
        Just(0_u64),
        Just(10),
        Just(11),
        Just(500),
        Just(5_000)
    ]);
    let acr = prop::option::of(prop::sample::select(&ACRS[..]));
    (any::<bool>(), any::<bool>(), any::<bool>(), age, acr).prop_map(
        |(admin, writes, pro, age, acr)| Caller {
            roles: if admin { vec!["admin"] } else { Vec::new() },
            scopes: if writes { vec!["write"] } else { Vec::new() },
            plan: pro.then_some("pro"),
            age,
            acr,
        },
    )
}

/// The meaning of rules, written down a second time.
fn holds(rule: &Rule, caller: &Caller) -> bool {
    match rule {
        Rule::MaxAge(secs) => caller.age.is_some_and(|age| age <= *secs),
        Rule::Acr(acr) => caller.acr == Some(acr),
        Rule::Role(role) => caller.roles.contains(role),
        Rule::Scope(scope) => caller.scopes.contains(scope),
        Rule::Claim { .. } => caller.plan == Some("pro"),
        Rule::All(rules) => rules.iter().all(|rule| holds(rule, caller)),
        Rule::Any(rules) => rules.iter().any(|rule| holds(rule, caller)),
        Rule::Not(rule) => !holds(rule, caller),
        other => panic!("{other:?}"),
    }
}

/// Every authentication that a challenge could name: as the present one, or in a way that the rule
/// names.
fn authentications(rule: &Rule, caller: &Caller) -> impl Iterator<Item = Caller> {
    let text = format!("{rule:?}");
    let named = ACRS
        .into_iter()
        .filter(move |acr| text.contains(acr))
        .map(Some);
    named.chain([caller.acr]).map(|acr| Caller {
        acr,
        age: Some(0),
        ..caller.clone()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_the_one_that_the_rule_means(rule in rules(), caller in callers()) {
        let reachable = authentications(&rule, &caller).any(|caller| holds(&rule, &caller));
        let granted = Caller { scopes: vec!["write"], ..caller.clone() };
        let reachable_with_scopes = holds(&rule, &granted) || authentications(&rule, &granted).any(|caller| holds(&rule, &caller));
        match asks(&rule, &caller) {
            Decision::Allow => prop_assert!(holds(&rule, &caller)),
            Decision::Stale(StepUp { max_age, acr_values }) => {
                prop_assert!(!holds(&rule, &caller) && reachable);
                let acrs = if acr_values.is_empty() { vec![caller.acr] } else { acr_values.iter().copied().map(Some).collect() };
                for acr in acrs {
                    // An authentication that answers the challenge in any way satisfies the rule.
                    let oldest = max_age.unwrap_or(5_000);
                    for age in [0, 5, 10, 50, 100, 500, 1_000, 5_000].into_iter().filter(|age| *age <= oldest) {
                        prop_assert!(holds(&rule, &Caller { acr, age: Some(age), ..caller.clone() }), "{acr:?} {age}");
                    }
                }
                let same_kind = holds(&rule, &Caller { age: Some(0), ..caller.clone() });
                prop_assert_eq!(acr_values.is_empty(), same_kind, "another kind is asked for only where it is needed");
            }
            Decision::Scope => prop_assert!(!holds(&rule, &caller) && !reachable && reachable_with_scopes),
            Decision::Deny => prop_assert!(!holds(&rule, &caller) && !reachable && !reachable_with_scopes),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ClaimValue)]
enum Plan {
    Free,
    Pro,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Phone(String);

#[derive(JwtClaims)]
#[claims(rename_all = "camelCase", namespace = "https://example.com/")]
struct User {
    #[claim(sub)]
    id: u64,
    plan_name: Plan,
    plans: BTreeSet<Plan>,
    tenant: Option<String>,
    floor: i8,
    big: u128,
    paid: bool,
    tags: Vec<String>,
    phone: Phone,
    nested: Vec<Vec<u8>>,
    #[claim(with = doubled)]
    half: u32,
}

mod doubled {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(half: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(half * 2)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        u32::deserialize(deserializer).map(|double| double / 2)
    }
}

fn user() -> UserClaims {
    let user = User {
        id: 7,
        plan_name: Plan::Pro,
        plans: BTreeSet::from([Plan::Free, Plan::Pro]),
        tenant: Some(String::from("acme")),
        floor: -1,
        big: u128::MAX,
        paid: true,
        tags: vec![String::from("a"), String::from("7")],
        phone: Phone(String::from("+1")),
        nested: vec![vec![1]],
        half: 21,
    };
    user.to_claims()
}

#[test]
fn a_claim_is_compared_as_it_stands_in_the_token() {
    let claims = user();
    let is = |name: &str, value: Value| {
        claim_holds(&claims, &format!("https://example.com/{name}"), &value) == Some(true)
    };
    assert!(
        is("planName", Value::Text("pro"))
            && !is("planName", Value::Text("Pro"))
            && !is("planName", Value::Text("free"))
    );
    assert!(
        is("plans", Value::Text("free"))
            && is("plans", Value::Text("pro"))
            && !is("plans", Value::Text(""))
    );
    assert!(
        is("tenant", Value::Text("acme"))
            && !is("tenant", Value::Text("acm"))
            && !is("tenant", Value::Text("acme "))
    );
    assert!(
        is("floor", Value::Number(-1))
            && !is("floor", Value::Number(1))
            && !is("floor", Value::Text("-1"))
    );
    assert!(!is("big", Value::Number(-1)) && !is("big", Value::Number(i128::MAX)));
    assert!(
        is("paid", Value::Truth(true))
            && !is("paid", Value::Truth(false))
            && !is("paid", Value::Text("true"))
    );
    assert!(
        is("tags", Value::Text("7"))
            && !is("tags", Value::Number(7))
            && !is("tags", Value::Text("a7"))
    );
    assert!(
        is("phone", Value::Text("+1"))
            && is("half", Value::Number(42))
            && !is("half", Value::Number(21))
    );
    assert!(!is("paid", Value::Number(1)) && !is("floor", Value::Truth(true)));
}

#[test]
fn only_own_claims_by_their_wire_names_are_compared() {
    let claims = user();
    for name in [
        "plan_name",
        "planName",
        "https://example.com/plan_name",
        "sub",
        "",
        "https://example.com/",
    ] {
        for text in ["pro", "7"] {
            let holds = claim_holds(&claims, name, &Value::Text(text));
            assert_eq!(holds, Some(false), "{name}");
        }
    }
    let absent = User::tenantless();
    for text in ["acme", ""] {
        let tenant = "https://example.com/tenant";
        let holds = claim_holds(&absent, tenant, &Value::Text(text));
        assert_eq!(holds, Some(false));
    }
}

/// A claim that is written as another kind of value than the policy names says nothing, and what
/// says nothing allows nothing: not below a `not` either.
#[test]
fn a_claim_of_another_kind_allows_nobody() {
    let claims = user();
    for (name, value) in [
        ("floor", Value::Text("-1")),
        ("floor", Value::Truth(true)),
        ("paid", Value::Number(1)),
        ("paid", Value::Text("true")),
        ("tags", Value::Number(7)),
        ("half", Value::Truth(true)),
        ("phone", Value::Number(1)),
    ] {
        let holds = claim_holds(&claims, &format!("https://example.com/{name}"), &value);
        assert_eq!(holds, None, "{name}");
    }
    const UNREADABLE: Rule = Rule::Claim {
        name: "unreadable",
        value: Value::Truth(true),
    };
    let caller = Caller {
        roles: vec!["admin"],
        ..Caller::default()
    };
    for (rule, decision) in [
        (UNREADABLE, Decision::Deny),
        (Rule::Not(&UNREADABLE), Decision::Deny),
        (Rule::Not(&Rule::Not(&UNREADABLE)), Decision::Deny),
        (
            Rule::All(&[Rule::Role("admin"), Rule::Not(&UNREADABLE)]),
            Decision::Deny,
        ),
        (
            Rule::Not(&Rule::Any(&[UNREADABLE, Rule::Role("editor")])),
            Decision::Deny,
        ),
        // What decides without it, decides.
        (
            Rule::Any(&[Rule::Not(&UNREADABLE), Rule::Role("admin")]),
            Decision::Allow,
        ),
        (
            Rule::Not(&Rule::All(&[UNREADABLE, Rule::Role("editor")])),
            Decision::Allow,
        ),
    ] {
        assert_eq!(asks(&rule, &caller), decision, "{rule:?}");
    }
}

impl User {
    fn tenantless() -> UserClaims {
        let mut user = Self {
            id: 7,
            plan_name: Plan::Free,
            plans: BTreeSet::new(),
            tenant: Some(String::new()),
            floor: 0,
            big: 0,
            paid: false,
            tags: Vec::new(),
            phone: Phone(String::new()),
            nested: Vec::new(),
            half: 0,
        };
        user.tenant = None;
        user.to_claims()
    }
}

/// Claims that cannot be written.
#[derive(Clone, Debug, serde::Serialize)]
struct Broken;

impl ClaimSet for Broken {
    type Subject = String;
    type Draft = ();

    fn subject(&self) -> &String {
        unreachable!()
    }

    fn parse_subject(text: &str) -> Option<String> {
        text.parse().ok()
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("plan", "pro")?;
        Err(serde::ser::Error::custom("broken"))
    }

    fn place(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: serde::de::MapAccess<'de>>(
        (): &mut (),
        _: usize,
        _: &mut A,
    ) -> Result<(), A::Error> {
        Ok(())
    }

    fn finish((): (), _: String) -> Result<Self, &'static str> {
        Ok(Self)
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn claims_that_cannot_be_written_hold_nothing() {
    let pro = Value::Text("pro");
    assert_eq!(claim_holds(&Broken, "plan", &pro), None);
}

#[derive(tollgate::Policy)]
#[policy(any(acr = "gold", acr = "silver"))]
struct Strong;

#[derive(tollgate::Policy)]
#[policy(any(acr = "gold", acr = "silver"), max_age = "5m")]
struct FreshAndStrong;

#[derive(tollgate::Policy)]
#[policy(user = tollgate_tests::User, claim(email = "ada@example.com"))]
struct Ada;

/// R114: over HTTP, as RFC 9470 section 3 writes it.
#[tokio::test]
async fn a_challenge_names_the_authentication_that_would_do() {
    use axum::routing::get;
    use tollgate::extract::Auth;
    use tollgate_tests::App;

    let app = App::new().await;
    let (accounts, gate) = (&app.accounts, &app.gate);
    let router = axum::Router::new()
        .route(
            "/strong",
            get(async |_: Auth<tollgate_tests::User, Strong>| "in"),
        )
        .route(
            "/both",
            get(async |_: Auth<tollgate_tests::User, FreshAndStrong>| "in"),
        )
        .route("/ada", get(async |_: Auth<tollgate_tests::User, Ada>| "in"))
        .with_state(gate.clone());
    let app = app.serving(router);
    let get = async |path: &str, token: &str| {
        let answer = app.get(path, token).await;
        let challenge = answer
            .headers
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        (answer.status.as_u16(), challenge.unwrap_or_default())
    };
    let token = async |email: &str| {
        let user = accounts.user(email);
        gate.sign_in(user, &tollgate::device::Client::unknown())
            .await
            .unwrap()
            .access_token
    };
    let (ada, grace) = (
        token("ada@example.com").await,
        token("grace@example.com").await,
    );
    let challenge = "Bearer error=\"insufficient_user_authentication\"";

    assert_eq!(
        get("/strong", &ada).await,
        (401, format!("{challenge}, acr_values=\"gold silver\""))
    );
    assert_eq!(
        get("/both", &ada).await,
        (
            401,
            format!("{challenge}, max_age=\"300\", acr_values=\"gold silver\"")
        )
    );
    assert_eq!(get("/ada", &ada).await.0, 200);
    assert_eq!(get("/ada", &grace).await.0, 403);
}

/// A role of a member.
#[derive(Clone, Copy, ClaimValue)]
enum Role {
    Admin,
    Editor,
}

#[derive(JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    roles: Vec<Role>,
}

#[derive(Policy)]
#[policy(role = Role::Admin)]
struct Admins;

#[derive(Policy)]
#[policy(role = Role::Editor)]
struct Editors;

#[derive(Policy)]
#[policy(max_age = "5m")]
struct Fresh;

#[derive(Policy)]
#[policy(policy = Fresh, any(policy = Admins, not(policy = Editors)))]
struct Written;

/// A policy made of others decides as if its rule were written out.
#[test]
fn a_composed_policy_decides_what_its_parts_do() {
    fn rule<P: PolicyFor<Member>>() -> Rule {
        P::RULE
    }
    let member = Member {
        id: 1,
        roles: vec![Role::Editor],
    };
    assert_eq!((member.id, member.roles.len()), (1, 1));
    let all = rule::<(Admins, Editors)>();
    let any = rule::<AnyOf<(Admins, Editors)>>();
    let nested = rule::<(Fresh, AnyOf<(Admins, Editors)>)>();
    let written = rule::<Written>();
    let (deny, allow) = (Decision::Deny, Decision::Allow);
    let old = stale(Some(300), &[]);
    let table = [
        (vec![], None, [&deny, &deny, &deny, &old]),
        (vec!["admin"], None, [&deny, &allow, &old, &old]),
        (vec!["editor"], None, [&deny, &allow, &old, &deny]),
        (
            vec!["admin", "editor"],
            Some(301),
            [&allow, &allow, &old, &old],
        ),
        (vec![], Some(300), [&deny, &deny, &deny, &allow]),
        (vec!["admin"], Some(300), [&deny, &allow, &allow, &allow]),
        (vec!["editor"], Some(300), [&deny, &allow, &allow, &deny]),
        (vec!["admin", "editor"], Some(300), [&allow; 4]),
    ];
    for (roles, age, expected) in table {
        let caller = Caller {
            roles,
            age,
            ..Caller::default()
        };
        let decisions = [&all, &any, &nested, &written].map(|rule| asks(rule, &caller));
        assert_eq!(decisions.each_ref(), expected, "{caller:?}");
    }
}
