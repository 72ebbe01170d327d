//! What derived policies ask for.

use tollgate::policy::{PolicyFor, Rule};
use tollgate::{ClaimValue, JwtClaims, Policy};

#[derive(Clone, Copy, ClaimValue)]
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
    assert_eq!(rule::<Both>(), Rule::All(&[Rule::Role("admin"), Rule::Role("editor"), Rule::MaxAge(300)]));
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
    const ANY: Rule = Rule::Any(&[Rule::Role("admin"), Rule::All(&[Rule::Scope("notes:write"), Rule::MaxAge(3_600)])]);
    assert_eq!(rule::<Nested>(), Rule::All(&[ANY, Rule::Not(&Rule::Role("guest"))]));
    let user = User { id: 1, role: Role::Guest, scope: vec![Scope::Write] };
    assert_eq!((user.id, user.role.as_str(), user.scope.len()), (1, "guest", 1));
    assert_eq!(Role::Editor.as_str(), "editor");
}
