//! What the expansions do outside.

use gatehouse::gate::{AuthBackend as _, AuthRoute};
use gatehouse::policy::{PolicyFor, Rule};
use gatehouse::token::JwtClaims as _;
use outside::{Accounts, Customers, Door, FreshChief, Names, Plan, Role, Scope, User, Watched, Writers};

fn rule<P: PolicyFor<User>>() -> Rule {
    P::RULE
}

fn main() -> Result<(), serde_json::Error> {
    let user = User {
        id: 7,
        email_address: String::from("ada@example.com"),
        roles: vec![Role::ChiefEditor, Role::Guest],
        scope: vec![Scope::Read, Scope::Write],
        plan: Plan::Pro,
        visits: 3,
        weight: 1,
        colour: vec![255, 1],
        nickname: None,
        pin: 1815,
        password_hash: String::from("$argon2id$"),
    };
    let expected = serde_json::json!({
        "sub": "7",
        "https://example.com/emailAddress": "ada@example.com",
        "roles": ["chief-editor", "visitor"],
        "scope": "notes:read notes:write",
        "https://example.com/tier": "pro",
        "https://example.com/visits": 3,
        "https://example.com/weight": 1,
        "https://example.com/colour": ["ff", "01"],
        "https://example.com/pin": 1815,
    });
    assert_eq!(serde_json::to_value(user.to_claims())?, expected);
    assert_eq!(rule::<FreshChief>(), Rule::All(&[Rule::Role("chief-editor"), Rule::MaxAge(300)]));
    assert_eq!(rule::<Watched>(), Rule::Anyone);
    assert!(matches!(rule::<Writers>(), Rule::All([Rule::Any(_), Rule::Not(_)])));
    assert!(matches!(rule::<Customers>(), Rule::All([Rule::Claim { name: "https://example.com/tier", .. }, ..])));
    assert_eq!((Accounts::ROUTES.prefix, Accounts::ROUTES.access_token), ("/session", "token"));
    assert_eq!(Accounts::ROUTES.disabled, [AuthRoute::Revoke, AuthRoute::SignoutAll]);
    let _ = (Accounts { user: Some(user) }.gate(), Names.gate(), Door(()).gate(), outside::routes());
    Ok(())
}
