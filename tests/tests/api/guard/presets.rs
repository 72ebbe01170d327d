//! Presets: tokens in the shape of each issuer, of both kinds, asked for by either.

use serde_json::{Value, json};
use tollgate::guard::{Context, GuardRouter, Issuer, JwksGuard, JwtGuard, TokenKind};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

use crate::guard::issuer::{Key, Partner, builder, fixed};
use crate::guard::shapes::{self, BOTH, Shape, TENANT};

/// Claims that every issuer's tokens have.
#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Anybody {
    #[claim(sub)]
    id: String,
}

/// Returns why a token is refused; nothing where it counts.
async fn refusal(issuer: &Issuer, key: &Key, typ: Option<&str>, claims: &Value) -> Option<String> {
    let guards: GuardRouter<Anybody> = GuardRouter::builder()
        .clock(tollgate::clock::Clock::manual(crate::guard::issuer::START))
        .guard("it", fixed(issuer.clone(), &[key]))
        .build()
        .unwrap();
    let mut header = json!({"alg": format!("{:?}", key.algorithm), "kid": key.kid});
    if let Some(typ) = typ {
        header["typ"] = json!(typ);
    }
    let token = key.sign(&header.to_string(), &claims.to_string());
    let found = guards.verify(&token, &Context::none()).await;
    if let Ok(verified) = &found {
        assert_eq!(verified.claims().id(), claims["sub"].as_str().unwrap());
        assert_eq!(verified.token().issuer(), claims["iss"].as_str().unwrap());
        return None;
    }
    let reasons = guards.health()[0].refused.clone();
    let reasons = if reasons.is_empty() {
        guards.refused()
    } else {
        reasons
    };
    Some(reasons[0].0.to_string())
}

#[tokio::test]
async fn each_kind_counts_where_it_was_asked_for_and_nowhere_else() {
    let keys = [
        Key::of("k", Algorithm::RS256),
        Key::of("k", Algorithm::ES256),
        Key::new("k"),
    ];
    let mut tried = 0;
    for shape in shapes::all() {
        let Shape {
            name,
            issuer,
            header_type,
            access,
            id,
            neither,
            id_audience,
        } = shape;
        let key = keys
            .iter()
            .find(|key| issuer.allowed().contains(&key.algorithm))
            .unwrap();
        let wide = |kind| {
            let issuer = issuer.clone().accept(kind);
            match id_audience {
                Some(audience) => issuer.audience(audience),
                None => issuer,
            }
        };
        let [access_typ, id_typ] = header_type;
        for claims in &access {
            let by_default = refusal(&issuer, key, access_typ, claims).await;
            assert_eq!(by_default, None, "{name}: {claims}");
            let as_id = refusal(&wide(TokenKind::IdToken), key, access_typ, claims).await;
            assert_eq!(as_id.as_deref(), Some("kind"), "{name}: {claims}");
        }
        for claims in &id {
            let as_id = refusal(&wide(TokenKind::IdToken), key, id_typ, claims).await;
            assert_eq!(as_id, None, "{name}: {claims}");
            if access.is_empty() {
                assert_eq!(issuer.kind(), TokenKind::IdToken, "{name}");
                assert_eq!(refusal(&issuer, key, id_typ, claims).await, None, "{name}");
            } else {
                let as_access = refusal(&wide(issuer.kind()), key, id_typ, claims).await;
                assert_eq!(as_access.as_deref(), Some("kind"), "{name}: {claims}");
            }
        }
        for claims in &neither {
            for kind in BOTH {
                for typ in header_type {
                    let found = refusal(&wide(kind), key, typ, claims).await;
                    assert!(found.is_some(), "{name}: {claims} as {kind:?}");
                }
            }
        }
        tried += access.len() + id.len() + neither.len();
    }
    assert!(tried > 35, "{tried}");
}

/// Every claim of the shapes that a preset counts as a mark is what tells its tokens apart: without
/// it the token is of no kind, or of the other.
#[tokio::test]
async fn a_token_without_its_mark_is_refused() {
    let key = Key::of("k", Algorithm::RS256);
    for (name, marks) in [
        ("keycloak", vec!["typ"]),
        ("entra", vec!["scp", "idtyp", "azpacr", "appidacr", "appid"]),
        ("cognito", vec!["token_use"]),
        ("auth0", vec!["scope", "gty"]),
        ("okta", vec!["cid", "scp"]),
        ("clerk", vec!["sid"]),
        ("supabase", vec!["session_id"]),
        ("zitadel", vec!["jti"]),
    ] {
        let shape = shapes::all()
            .into_iter()
            .find(|shape| shape.name == name)
            .unwrap();
        for mut claims in shape.access {
            for mark in &marks {
                claims.as_object_mut().unwrap().remove(*mark);
            }
            let found = refusal(&shape.issuer, &key, shape.header_type[0], &claims).await;
            assert_eq!(found.as_deref(), Some("kind"), "{name}: {claims}");
        }
    }
}

/// Supabase's older tokens are signed with a secret that every verifier would have to know.
#[tokio::test]
async fn an_hmac_of_supabase_is_refused_with_the_reason() {
    let key = Key::of("k", Algorithm::ES256);
    let shape = shapes::all()
        .into_iter()
        .find(|shape| shape.name == "supabase")
        .unwrap();
    let guards = builder()
        .0
        .guard("it", fixed(shape.issuer, &[&key]))
        .build()
        .unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k"}).to_string();
    let token = key.sign(&header, &shape.access[0].to_string());
    assert!(guards.verify(&token, &Context::none()).await.is_err());
    let refused = &guards.health()[0].refused;
    assert_eq!(refused[0].0.as_str(), "algorithm");
    let error = builder()
        .0
        .guard(
            "it",
            fixed::<Partner>(Issuer::supabase("abcd").algorithms([Algorithm::HS256]), &[]),
        )
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("so use a public key"), "{error}");
}

/// The guards that fetch keys have the same issuers, and build.
#[test]
fn every_preset_is_a_guard() {
    let guards: [(JwksGuard<Partner>, Issuer); 13] = [
        (
            JwksGuard::keycloak("https://a.example", "r"),
            Issuer::keycloak("https://a.example", "r"),
        ),
        (JwksGuard::entra(TENANT), Issuer::entra(TENANT)),
        (JwksGuard::entra_tenants(), Issuer::entra_tenants()),
        (JwksGuard::cognito("r", "p"), Issuer::cognito("r", "p")),
        (JwksGuard::auth0("a.example"), Issuer::auth0("a.example")),
        (
            JwksGuard::okta("b.example", "s"),
            Issuer::okta("b.example", "s"),
        ),
        (JwksGuard::google(), Issuer::google()),
        (JwksGuard::firebase("p"), Issuer::firebase("p")),
        (JwksGuard::apple(), Issuer::apple()),
        (JwksGuard::clerk("c.example"), Issuer::clerk("c.example")),
        (JwksGuard::supabase("p"), Issuer::supabase("p")),
        (
            JwksGuard::zitadel("z.example"),
            Issuer::zitadel("z.example"),
        ),
        (
            JwksGuard::tollgate("https://t.example"),
            Issuer::tollgate("https://t.example"),
        ),
    ];
    for (guard, issuer) in guards {
        assert_eq!(guard.issuer().name(), issuer.name());
        assert_eq!(guard.issuer().kind(), issuer.kind());
        let guard = guard.audience("a");
        let guard = if issuer.name().contains("{tenantid}") {
            guard.any_tenant_dangerous()
        } else {
            guard
        };
        GuardRouter::alone("it", guard).unwrap();
    }
}
