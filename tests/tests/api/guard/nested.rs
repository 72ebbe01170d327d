//! Roles that an issuer nests in another claim, as Keycloak does.

use serde_json::json;
use tollgate::guard::{Context, GuardRouter};
use tollgate::prelude::*;

use crate::guard::issuer::{Key, START, claims_with, expected, fixed};

/// `realm_access.roles`.
mod realm_access {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Default, Serialize, Deserialize)]
    struct Access {
        #[serde(default)]
        roles: Vec<String>,
    }

    pub(super) fn serialize<S: Serializer>(roles: &[String], to: S) -> Result<S::Ok, S::Error> {
        Access {
            roles: roles.to_vec(),
        }
        .serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
        Access::deserialize(from).map(|access| access.roles)
    }
}

#[derive(Clone, JwtClaims)]
#[claims(external)]
struct Keycloak {
    #[claim(sub)]
    id: String,
    #[claim(roles, rename = "realm_access", with = realm_access, default)]
    roles: Vec<String>,
}

#[derive(Policy)]
#[policy(user = Keycloak, role = "buyer")]
struct Buyers;

#[tokio::test]
async fn nested_roles_are_read_and_policies_ask_for_them() {
    use axum::Router;
    use axum::routing::get;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    let key = Key::new("k1");
    let guards: GuardRouter<Keycloak> = GuardRouter::builder()
        .clock(tollgate::clock::Clock::manual(START))
        .guard("keycloak", fixed(expected(), &[&key]))
        .build()
        .unwrap();
    let app = Router::new()
        .route("/", get(async |_: Auth<Keycloak, Buyers>| "in"))
        .with_state(guards.verifier());
    for (access, roles, status) in [
        (
            json!({"roles": ["buyer", "x"]}),
            vec!["buyer", "x"],
            StatusCode::OK,
        ),
        (
            json!({"roles": ["seller"]}),
            vec!["seller"],
            StatusCode::FORBIDDEN,
        ),
        (json!({}), vec![], StatusCode::FORBIDDEN),
        (json!("-"), vec![], StatusCode::FORBIDDEN),
    ] {
        let token = key.token(&claims_with(&json!({ "realm_access": access })));
        let verified = guards.verify(&token, &Context::none()).await.unwrap();
        assert_eq!(verified.claims().roles(), &roles, "{access}");
        assert_eq!(verified.claims().id(), "p-7");
        let request = Request::get("/")
            .header("authorization", format!("Bearer {token}"))
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status);
    }
}
