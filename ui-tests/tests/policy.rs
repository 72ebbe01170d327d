//! Checks what derived policies ask for.

use std::time::Duration;

use tollgate::policy::{AnyOf, Anyone, PolicyFor, Rule, Value, claim_holds};
use tollgate::settings::Consistency;
use tollgate::{ClaimValue, JwtClaims, Policy};

#[derive(Clone, Copy, ClaimValue)]
#[claim_value(text)]
enum Role {
    Admin,
    Editor,
    Guest,
}

#[derive(Clone, Copy, ClaimValue)]
enum Scope {
    #[claim_value(rename = "notes:write")]
    Write,
}

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
    #[claim(roles)]
    role: Role,
    #[claim(scope)]
    scope: Vec<Scope>,
}

fn rule<P: PolicyFor<User>>() -> Rule {
    P::RULE
}

#[test]
fn one_condition_is_its_own_rule() {
    #[derive(Policy)]
    #[policy(role = Role::Admin)]
    struct Admins;
    #[derive(Policy)]
    #[policy(scope = Scope::Write)]
    struct Writers;
    assert_eq!(rule::<Admins>(), Rule::Role("admin"));
    assert_eq!(rule::<Writers>(), Rule::Scope("notes:write"));
}

#[test]
fn several_conditions_all_hold_in_whatever_attribute_they_stand() {
    #[derive(Policy)]
    #[policy(role = Role::Admin, role = Role::Editor)]
    #[policy(max_age = "5m")]
    struct Both;
    assert_eq!(
        rule::<Both>(),
        Rule::All(&[Rule::Role("admin"), Rule::Role("editor"), Rule::MaxAge(300)])
    );
}

#[test]
fn ages_have_units() {
    macro_rules! age {
        ($($text:literal = $seconds:literal),*) => {$({
            #[derive(Policy)]
            #[policy(max_age = $text)]
            struct Fresh;
            assert_eq!(rule::<Fresh>(), Rule::MaxAge($seconds));
        })*};
    }
    age!("30s" = 30, "5m" = 300, "2h" = 7_200, "1d" = 86_400);
}

#[test]
fn conditions_nest() {
    #[derive(Policy)]
    #[policy(any(role = Role::Admin, all(scope = Scope::Write, max_age = "1h")), not(role = Role::Guest))]
    struct Nested;
    const ANY: Rule = Rule::Any(&[
        Rule::Role("admin"),
        Rule::All(&[Rule::Scope("notes:write"), Rule::MaxAge(3_600)]),
    ]);
    assert_eq!(
        rule::<Nested>(),
        Rule::All(&[ANY, Rule::Not(&Rule::Role("guest"))])
    );
    let user = User {
        id: 1,
        role: Role::Guest,
        scope: vec![Scope::Write],
    };
    assert_eq!(
        (user.id, user.role.as_str(), user.scope.len()),
        (1, "guest", 1)
    );
    assert_eq!(Role::Editor.as_str(), "editor");
}

#[derive(Clone, Copy, ClaimValue)]
#[claim_value(rename_all = "UPPERCASE")]
enum Plan {
    Free,
    Pro,
}

#[derive(JwtClaims)]
#[claims(rename_all = "camelCase", namespace = "https://example.com/")]
struct Customer<T: Clone + serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static> {
    #[claim(sub)]
    id: u64,
    current_plan: Plan,
    tenant: Option<String>,
    r#type: Box<str>,
    levels: Vec<i16>,
    #[claim(rename = "verified")]
    is_verified: bool,
    extra: T,
    #[claim(with = text)]
    since: u64,
}

mod text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[test]
fn claims_are_asked_for_by_their_fields_and_compared_by_their_wire_names() {
    macro_rules! asks {
        ($(($($asked:tt)*) = $name:literal $value:expr;)*) => {$({
            #[derive(Policy)]
            #[policy(user = Customer<u8>, claim($($asked)*))]
            struct Asked;
            let rule = <Asked as PolicyFor<Customer<u8>>>::RULE;
            assert_eq!(rule, Rule::Claim { name: concat!("https://example.com/", $name), value: $value });
        })*};
    }
    asks! {
        (current_plan = Plan::Pro) = "currentPlan" Value::Text("PRO");
        (tenant = "acme") = "tenant" Value::Text("acme");
        (type = "person") = "type" Value::Text("person");
        (r#type = "person") = "type" Value::Text("person");
        (levels = -3) = "levels" Value::Number(-3);
        (levels = 0x10_i16) = "levels" Value::Number(16);
        (is_verified = true) = "verified" Value::Truth(true);
        (is_verified = false) = "verified" Value::Truth(false);
        (extra = 7) = "extra" Value::Number(7);
        (since = "7") = "since" Value::Text("7");
    }
    let customer = Customer {
        id: 1,
        current_plan: Plan::Free,
        tenant: Some(String::from("acme")),
        r#type: Box::from("person"),
        levels: vec![1, -3],
        is_verified: false,
        extra: 7_u8,
        since: 7,
    };
    let claims = tollgate::token::JwtClaims::to_claims(&customer);
    let holds = |name: &str, value| {
        claim_holds(&claims, &format!("https://example.com/{name}"), &value) == Some(true)
    };
    assert!(
        holds("currentPlan", Value::Text("FREE"))
            && holds("levels", Value::Number(-3))
            && holds("extra", Value::Number(7))
    );
    assert!(
        holds("type", Value::Text("person"))
            && holds("since", Value::Text("7"))
            && !holds("since", Value::Number(7))
    );
}

#[test]
fn a_policy_says_how_one_proved_who_they_are() {
    #[derive(Policy)]
    #[policy(
        any(
            acr = "urn:mace:incommon:iap:silver",
            acr = "urn:mace:incommon:iap:gold"
        ),
        max_age = "1h"
    )]
    struct Strong;
    const EITHER: Rule = Rule::Any(&[
        Rule::Acr("urn:mace:incommon:iap:silver"),
        Rule::Acr("urn:mace:incommon:iap:gold"),
    ]);
    assert_eq!(rule::<Strong>(), Rule::All(&[EITHER, Rule::MaxAge(3_600)]));
}

#[test]
fn a_policy_says_what_its_verifier_asks() {
    macro_rules! asks {
        ($($(#[$options:meta])* = $rule:expr, $consistency:expr;)*) => {$({
            #[derive(Policy)]
            $(#[$options])*
            struct Asked;
            assert_eq!(rule::<Asked>(), $rule);
            assert_eq!(<Asked as PolicyFor<User>>::CONSISTENCY, $consistency);
        })*};
    }
    asks! {
        #[policy(role = Role::Admin)] = Rule::Role("admin"), None;
        #[policy(role = Role::Admin, consistency = strict)] = Rule::Role("admin"), Some(Consistency::Strict);
        #[policy(consistency = eventual)] = Rule::Anyone, Some(Consistency::Eventual);
        #[policy(consistency = bounded("2s"))] #[policy(max_age = "5m")]
            = Rule::MaxAge(300), Some(Consistency::Bounded(Duration::from_secs(2)));
        #[policy(consistency = bounded("250ms"))] = Rule::Anyone, Some(Consistency::Bounded(Duration::from_millis(250)));
    }
    assert_eq!(
        <tollgate::policy::Anyone as PolicyFor<User>>::CONSISTENCY,
        None
    );
}

#[test]
fn a_policy_is_made_of_others() {
    #[derive(Policy)]
    #[policy(role = Role::Admin, consistency = strict)]
    struct Admins;
    #[derive(Policy)]
    #[policy(role = Role::Editor, consistency = bounded("2s"))]
    struct Editors;
    #[derive(Policy)]
    #[policy(max_age = "5m")]
    struct Fresh;
    #[derive(Policy)]
    #[policy(user = User, any(policy = Admins, all(policy = Editors, policy = Fresh)))]
    struct Written;
    const ADMIN: Rule = Rule::Role("admin");
    const EDITOR: Rule = Rule::Role("editor");
    const FRESH: Rule = Rule::MaxAge(300);
    assert_eq!(
        rule::<Written>(),
        Rule::Any(&[ADMIN, Rule::All(&[EDITOR, FRESH])])
    );
    assert_eq!(
        rule::<(AnyOf<(Admins, Editors)>, Fresh, Anyone)>(),
        Rule::All(&[Rule::Any(&[ADMIN, EDITOR]), FRESH, Rule::Anyone])
    );
    assert_eq!(
        rule::<(
            Fresh,
            Fresh,
            Fresh,
            Fresh,
            Fresh,
            AnyOf<(Fresh, Fresh, Fresh, Fresh, Fresh, Fresh)>
        )>(),
        Rule::All(&[FRESH, FRESH, FRESH, FRESH, FRESH, Rule::Any(&[FRESH; 6])])
    );
}

/// The strictest of what is said holds. A part that says nothing leaves it to the gate.
#[test]
fn a_policy_made_of_others_asks_what_the_strictest_does() {
    const TWO: Consistency = Consistency::Bounded(Duration::from_secs(2));
    const FIVE: Consistency = Consistency::Bounded(Duration::from_secs(5));
    const GATES: [Consistency; 4] = [Consistency::Eventual, FIVE, TWO, Consistency::Strict];
    macro_rules! policies {
        ($($name:ident: $($options:meta)*;)*) => {$(
            #[derive(Policy)]
            $(#[$options])*
            struct $name;
        )*};
    }
    policies! {
        Silent: policy(role = Role::Admin);
        Strict: policy(consistency = strict);
        Two: policy(consistency = bounded("2s"));
        Five: policy(consistency = bounded("5s"));
        Eventual: policy(consistency = eventual);
        OnlyEventual: policy(policy = Eventual);
        OwnSilent: policy(policy = Eventual, max_age = "5m");
        OwnEventual: policy(policy = Two, consistency = eventual);
        OwnStrict: policy(policy = Eventual, consistency = strict);
        Negated: policy(not(policy = Strict));
    }
    /// Returns what a verifier asks under each setting of its gate.
    fn asked<P: PolicyFor<User>>() -> [Consistency; 4] {
        GATES.map(|gate| {
            let said = P::CONSISTENCY.unwrap_or(gate);
            GATES
                .into_iter()
                .rev()
                .find(|one| *one == said || *one == P::AT_LEAST)
                .unwrap()
        })
    }
    let [eventual, five, two, strict] = GATES;
    assert_eq!(asked::<(Silent, Silent)>(), GATES);
    assert_eq!(asked::<(Silent, Strict)>(), [strict; 4]);
    assert_eq!(asked::<AnyOf<(Strict, Eventual)>>(), [strict; 4]);
    assert_eq!(asked::<(Silent, Two)>(), [two, two, two, strict]);
    assert_eq!(asked::<(Two, Five)>(), [two; 4]);
    assert_eq!(asked::<(Five, Two, Eventual)>(), [two; 4]);
    assert_eq!(asked::<(Eventual, Eventual)>(), [eventual; 4]);
    assert_eq!(
        asked::<((Silent, Five), Eventual)>(),
        [five, five, two, strict]
    );
    assert_eq!(asked::<OnlyEventual>(), [eventual; 4]);
    assert_eq!(asked::<OwnSilent>(), GATES);
    assert_eq!(asked::<OwnEventual>(), [two; 4]);
    assert_eq!(asked::<OwnStrict>(), [strict; 4]);
    assert_eq!(asked::<Negated>(), [strict; 4]);
}

#[test]
fn a_policy_for_one_user_type_is_for_no_other() {
    #[derive(Policy)]
    #[policy(user = User, role = Role::Admin)]
    struct Admins;
    assert_eq!(rule::<Admins>(), Rule::Role("admin"));
}
