//! Tokens in the shape in which well-known issuers write them: synthetic, from the documents that
//! `docs/reference/issuers.md` names.

use serde_json::{Value, json};
use tollgate::guard::{Issuer, TokenKind};

use crate::guard::issuer::START;

pub(crate) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const CLIENT: &str = "0123client";

/// The tokens of an issuer.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) issuer: Issuer,
    /// The `typ` of the header of either kind.
    pub(crate) header_type: [Option<&'static str>; 2],
    /// The claims of access tokens: of a user, of a machine.
    pub(crate) access: Vec<Value>,
    /// The claims of ID tokens.
    pub(crate) id: Vec<Value>,
    /// Claims that are of neither kind.
    pub(crate) neither: Vec<Value>,
    /// An audience of the ID tokens, where that of the access tokens is another.
    pub(crate) id_audience: Option<&'static str>,
}

fn with(base: &Value, more: &Value) -> Value {
    let mut claims = base.as_object().unwrap().clone();
    claims.extend(more.as_object().unwrap().clone());
    Value::Object(claims)
}

/// Every issuer with a preset.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub(crate) fn all() -> Vec<Shape> {
    let now = START.as_secs();
    let times = json!({"iat": now, "exp": now + 3600});
    let shape = |name, issuer, header_type: Option<&'static str>| Shape {
        name,
        issuer,
        header_type: [header_type; 2],
        access: Vec::new(),
        id: Vec::new(),
        neither: Vec::new(),
        id_audience: None,
    };
    let keycloak = with(
        &times,
        &json!({"iss": "https://sso.example.com/realms/shop", "sub": "f3c1", "jti": "b2a0", "auth_time": now - 5, "azp": "web", "sid": "5c0e", "acr": "1"}),
    );
    let entra = |version: &str| {
        let (iss, ver) = match version {
            "1" => (format!("https://sts.windows.net/{TENANT}/"), "1.0"),
            _ => (
                format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
                "2.0",
            ),
        };
        with(
            &times,
            &json!({"iss": iss, "aud": CLIENT, "nbf": now, "oid": "690222be", "sub": "HKZpfaHyWadeO", "tid": TENANT, "uti": "fqiBqXLPj0", "ver": ver}),
        )
    };
    let entra_access = vec![
        with(
            &entra("2"),
            &json!({"aio": "A", "azp": "6e74172b", "azpacr": "0", "name": "Abe", "scp": "access_as_user"}),
        ),
        with(
            &entra("2"),
            &json!({"azp": "6e74172b", "azpacr": "1", "idtyp": "app", "roles": ["Tasks.Write"]}),
        ),
        with(
            &entra("1"),
            &json!({"appid": "6e74172b", "appidacr": "0", "scp": "access_as_user", "unique_name": "abe"}),
        ),
    ];
    let entra_id = vec![
        with(
            &entra("2"),
            &json!({"nonce": "n", "name": "Abe", "preferred_username": "abe@example.com", "rh": "0.A"}),
        ),
        with(&entra("2"), &json!({"name": "Abe", "rh": "0.A"})),
    ];
    let cognito = with(
        &times,
        &json!({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", "sub": "aaaa", "origin_jti": "o", "event_id": "e", "auth_time": now, "jti": "j"}),
    );
    let auth0 = with(
        &times,
        &json!({"iss": "https://acme.eu.auth0.com/", "sub": "auth0|1"}),
    );
    let okta = with(
        &times,
        &json!({"ver": 1, "iss": "https://acme.okta.com/oauth2/default", "sub": "a@example.com"}),
    );
    let clerk = with(
        &times,
        &json!({"iss": "https://clerk.example.com", "nbf": now - 10, "sub": "user_2"}),
    );
    let supabase = with(
        &times,
        &json!({"iss": "https://abcd.supabase.co/auth/v1", "sub": "c4d5", "aud": "authenticated", "email": "a@example.com", "phone": "", "role": "authenticated"}),
    );
    let zitadel = with(
        &times,
        &json!({"iss": "https://acme.zitadel.cloud", "sub": "77776025198584418", "aud": ["69234237810729019", CLIENT], "nbf": now}),
    );
    let google = with(
        &times,
        &json!({"sub": "10769150350006150715113082367", "aud": CLIENT, "azp": CLIENT, "email": "j@example.com", "email_verified": true}),
    );
    let apple = json!({"iss": "https://appleid.apple.com", "aud": CLIENT, "exp": now + 86400, "iat": now, "sub": "001999", "email": "a@privaterelay.appleid.com", "email_verified": "true", "is_private_email": "true", "auth_time": now, "nonce_supported": true});
    let firebase = with(
        &times,
        &json!({"iss": "https://securetoken.google.com/acme-1", "aud": "acme-1", "auth_time": now, "user_id": "u1", "sub": "u1", "firebase": {"identities": {"email": ["a@example.com"]}, "sign_in_provider": "password"}}),
    );
    let tollgate = json!({"iss": "https://accounts.example.com", "sub": "7", "aud": CLIENT, "client_id": "first-party", "exp": now + 600, "iat": now, "jti": "AAAAAAAAAAAAAAAAAAAAAA", "sid": "AAAAAAAAAAAAAAAAAAAAAA", "gen": 0, "uep": 0, "auth_time": now});
    vec![
        Shape {
            access: vec![
                with(
                    &keycloak,
                    &json!({"aud": [CLIENT, "account"], "typ": "Bearer", "scope": "openid email", "realm_access": {"roles": ["buyer"]}}),
                ),
                // Before 25.
                with(
                    &keycloak,
                    &json!({"aud": CLIENT, "typ": "Bearer", "nonce": "n", "session_state": "5c0e"}),
                ),
                with(
                    &keycloak,
                    &json!({"aud": CLIENT, "typ": "DPoP", "cnf": {"jkt": "x"}}),
                ),
            ],
            id: vec![with(
                &keycloak,
                &json!({"aud": CLIENT, "azp": CLIENT, "typ": "ID", "nonce": "n", "at_hash": "h"}),
            )],
            neither: vec![
                with(&keycloak, &json!({"aud": CLIENT, "typ": "Refresh"})),
                with(&keycloak, &json!({"aud": CLIENT, "typ": "Offline"})),
                with(&keycloak, &json!({"aud": CLIENT, "azp": CLIENT})),
            ],
            ..shape(
                "keycloak",
                Issuer::keycloak("https://sso.example.com/", "shop").audience(CLIENT),
                Some("JWT"),
            )
        },
        Shape {
            access: entra_access.clone(),
            id: entra_id.clone(),
            ..shape("entra", Issuer::entra(TENANT).audience(CLIENT), Some("JWT"))
        },
        Shape {
            access: entra_access,
            id: entra_id,
            ..shape(
                "entra_tenants",
                Issuer::entra_tenants().tenants([TENANT]).audience(CLIENT),
                Some("JWT"),
            )
        },
        Shape {
            access: vec![
                with(
                    &cognito,
                    &json!({"client_id": CLIENT, "token_use": "access", "scope": "openid", "username": "a", "version": 2}),
                ),
                with(
                    &cognito,
                    &json!({"aud": CLIENT, "client_id": CLIENT, "token_use": "access", "scope": "openid"}),
                ),
            ],
            id: vec![with(
                &cognito,
                &json!({"aud": CLIENT, "token_use": "id", "at_hash": "h", "cognito:username": "a"}),
            )],
            neither: vec![
                with(&cognito, &json!({"client_id": CLIENT})),
                with(&cognito, &json!({"aud": CLIENT})),
            ],
            ..shape(
                "cognito",
                Issuer::cognito("eu-west-1", "eu-west-1_abc").audience(CLIENT),
                None,
            )
        },
        Shape {
            access: vec![
                with(
                    &auth0,
                    &json!({"aud": ["https://api.example.com", "https://acme.eu.auth0.com/userinfo"], "azp": "spa", "scope": "openid read:orders"}),
                ),
                with(
                    &auth0,
                    &json!({"aud": "https://api.example.com", "azp": "spa", "sub": "spa@clients", "gty": "client-credentials"}),
                ),
            ],
            id: vec![
                with(
                    &auth0,
                    &json!({"aud": "https://api.example.com", "nonce": "n", "name": "A", "sid": "s"}),
                ),
                with(
                    &auth0,
                    &json!({"aud": "https://api.example.com", "name": "A", "updated_at": "2026-11-26T00:00:00.000Z"}),
                ),
            ],
            ..shape(
                "auth0",
                Issuer::auth0("acme.eu.auth0.com").audience("https://api.example.com"),
                Some("JWT"),
            )
        },
        Shape {
            access: vec![with(
                &auth0,
                &json!({"aud": "https://api.example.com", "client_id": "spa", "jti": "j", "scope": "read:orders"}),
            )],
            header_type: [Some("at+jwt"), Some("JWT")],
            ..shape(
                "auth0 with RFC 9068",
                Issuer::auth0("acme.eu.auth0.com").audience("https://api.example.com"),
                None,
            )
        },
        Shape {
            access: vec![with(
                &okta,
                &json!({"jti": "AT.1", "aud": "api://default", "cid": "0oa1", "uid": "00u1", "scp": ["openid"], "auth_time": now}),
            )],
            id: vec![with(
                &okta,
                &json!({"jti": "ID.1", "aud": "0oa1", "amr": ["pwd"], "idp": "00o1", "nonce": "n", "at_hash": "h", "auth_time": now}),
            )],
            neither: vec![with(
                &okta,
                &json!({"jti": "X.1", "aud": "api://default", "nonce": "n", "cid": "0oa1", "at_hash": "h"}),
            )],
            id_audience: Some("0oa1"),
            ..shape(
                "okta",
                Issuer::okta("acme.okta.com", "default").audience("api://default"),
                None,
            )
        },
        Shape {
            id: vec![
                with(
                    &google,
                    &json!({"iss": "https://accounts.google.com", "at_hash": "h", "nonce": "n", "hd": "example.com"}),
                ),
                with(&google, &json!({"iss": "accounts.google.com"})),
            ],
            ..shape("google", Issuer::google().audience(CLIENT), Some("JWT"))
        },
        Shape {
            id: vec![firebase],
            ..shape("firebase", Issuer::firebase("acme-1"), Some("JWT"))
        },
        Shape {
            id: vec![
                with(&apple, &json!({"nonce": "n", "c_hash": "h"})),
                with(&apple, &json!({"at_hash": "h"})),
            ],
            ..shape("apple", Issuer::apple().audience(CLIENT), None)
        },
        Shape {
            access: vec![with(
                &clerk,
                &json!({"azp": "https://app.example.com", "sid": "sess_1", "fva": [1, -1], "sts": "active", "v": 2}),
            )],
            neither: vec![
                // A token of a template.
                with(
                    &clerk,
                    &json!({"azp": "https://app.example.com", "jti": "j"}),
                ),
                with(&clerk, &json!({"sid": "sess_1"})),
                with(
                    &clerk,
                    &json!({"azp": "https://app.example.com.evil", "sid": "sess_1"}),
                ),
            ],
            ..shape(
                "clerk",
                Issuer::clerk("clerk.example.com").audience("https://app.example.com"),
                Some("JWT"),
            )
        },
        Shape {
            access: vec![with(
                &supabase,
                &json!({"session_id": "s", "aal": "aal1", "amr": [{"method": "password", "timestamp": now}], "is_anonymous": false, "app_metadata": {"provider": "email"}, "user_metadata": {}}),
            )],
            id: vec![with(
                &supabase,
                &json!({"aud": CLIENT, "nonce": "n", "at_hash": "h"}),
            )],
            id_audience: Some(CLIENT),
            ..shape("supabase", Issuer::supabase("abcd"), Some("JWT"))
        },
        Shape {
            access: vec![with(
                &zitadel,
                &json!({"jti": "69234237813329048", "client_id": CLIENT, "urn:zitadel:iam:org:project:roles": {"user": {"id1": "acme.zitadel.cloud"}}}),
            )],
            id: vec![with(
                &zitadel,
                &json!({"azp": CLIENT, "client_id": CLIENT, "amr": ["pwd"], "auth_time": now, "at_hash": "h", "sid": "V1_1"}),
            )],
            neither: vec![with(&zitadel, &json!({"jti": "1", "amr": ["pwd"]}))],
            ..shape(
                "zitadel",
                Issuer::zitadel("acme.zitadel.cloud").audience(CLIENT),
                None,
            )
        },
        Shape {
            access: vec![tollgate.clone()],
            neither: vec![with(&tollgate, &json!({"rlm": "staff"}))],
            ..shape(
                "tollgate",
                Issuer::tollgate("https://accounts.example.com").audience(CLIENT),
                Some("at+jwt"),
            )
        },
        Shape {
            access: vec![with(&tollgate, &json!({"rlm": "staff"}))],
            neither: vec![tollgate.clone(), with(&tollgate, &json!({"rlm": "staf"}))],
            ..shape(
                "tollgate, a realm",
                Issuer::tollgate("https://accounts.example.com")
                    .audience(CLIENT)
                    .realm("staff"),
                Some("at+jwt"),
            )
        },
    ]
}

/// The kinds that an issuer's preset is tried with.
pub(crate) const BOTH: [TokenKind; 2] = [TokenKind::LooseAccessToken, TokenKind::IdToken];
