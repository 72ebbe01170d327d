//! The kind of a token, by what issuers write about it.

use serde_json::{Value, json};
use tollgate::guard::TokenKind::{self, AccessToken, IdToken, LooseAccessToken};

use crate::guard::issuer::{Key, claims_with, expected, router, verify};

/// Returns which kinds a token of this header `typ` and these claims counts as.
async fn counts(key: &Key, typ: &str, changes: &Value) -> [bool; 3] {
    let mut header = key.header();
    match typ {
        "-" => drop(header.as_object_mut().unwrap().remove("typ")),
        typ => header["typ"] = json!(typ),
    }
    let token = key.sign(&header.to_string(), &claims_with(changes).to_string());
    let mut counts = [false; 3];
    for (kind, counts) in [AccessToken, LooseAccessToken, IdToken]
        .into_iter()
        .zip(&mut counts)
    {
        *counts = verify(&router(expected().accept(kind), key), &token)
            .await
            .is_ok();
    }
    counts
}

const NEITHER: [bool; 3] = [false; 3];
const STRICT: [bool; 3] = [true, true, false];
const LOOSE: [bool; 3] = [false, true, false];
const ID: [bool; 3] = [false, false, true];

/// R49, R50, R55: what each marker says, with the header that its issuer writes.
#[tokio::test]
async fn r49_r55_the_kind_is_what_the_issuer_writes() {
    let key = Key::new("k1");
    for (changes, says) in [
        // Keycloak.
        (json!({"typ": "Bearer"}), LOOSE),
        (json!({"typ": "DPoP"}), LOOSE),
        (json!({"typ": "bearer"}), LOOSE),
        (json!({"typ": "Bearer", "nonce": "n"}), LOOSE),
        (json!({"typ": "ID"}), ID),
        (json!({"typ": "ID", "nonce": "n", "at_hash": "h"}), ID),
        (json!({"typ": "Refresh"}), NEITHER),
        (json!({"typ": "Offline"}), NEITHER),
        (json!({"typ": "Logout"}), NEITHER),
        (json!({"typ": "reset-credentials"}), NEITHER),
        (json!({"typ": 7}), NEITHER),
        (json!({"typ": null}), [false, true, true]),
        (json!({"typ": "JWT"}), [false, true, true]),
        // Amazon Cognito.
        (json!({"token_use": "access"}), LOOSE),
        (json!({"token_use": "id"}), ID),
        (json!({"token_use": "refresh"}), NEITHER),
        (json!({"token_use": ["access"]}), NEITHER),
        // djangorestframework-simplejwt.
        (json!({"token_type": "access"}), LOOSE),
        (json!({"token_type": "refresh"}), NEITHER),
        (json!({"token_type": "sliding"}), NEITHER),
        (json!({"token_type": "Bearer"}), [false, true, true]),
        // Microsoft Entra.
        (json!({"idtyp": "app"}), LOOSE),
        (json!({"idtyp": "user"}), LOOSE),
        (json!({"scp": "a b"}), LOOSE),
        (json!({"scp": "a b", "nonce": "n"}), ID),
        // Auth0.
        (json!({"gty": "client-credentials"}), LOOSE),
        // Only a preset knows what a scope says.
        (json!({"scope": "a b"}), [false, true, true]),
        // RFC 8417.
        (json!({"events": {}}), NEITHER),
        (json!({"events": {"e": {}}, "typ": "Bearer"}), NEITHER),
        (json!({"events": {}, "at_hash": "h"}), NEITHER),
        (json!({"events": null}), NEITHER),
        // OpenID Connect Core.
        (json!({"at_hash": "h"}), ID),
        (json!({"c_hash": "h"}), ID),
        (json!({"nonce": "n"}), ID),
        (json!({"nonce": null}), [false, true, true]),
    ] {
        for typ in ["JWT", "-"] {
            assert_eq!(counts(&key, typ, &changes).await, says, "{typ} {changes}");
        }
    }
}

/// Two markers that contradict each other are of no kind, whichever is the stronger.
#[tokio::test]
async fn two_markers_that_contradict_each_other_are_refused() {
    let key = Key::new("k1");
    let access = [
        json!({"typ": "Bearer"}),
        json!({"token_use": "access"}),
        json!({"token_type": "access"}),
        json!({"idtyp": "app"}),
    ];
    let id = [
        json!({"typ": "ID"}),
        json!({"token_use": "id"}),
        json!({"at_hash": "h"}),
        json!({"c_hash": "h"}),
    ];
    for access in &access {
        for id in &id {
            let mut both = access.as_object().unwrap().clone();
            both.extend(id.as_object().unwrap().clone());
            if both.len() < 2 {
                continue;
            }
            for typ in ["JWT", "-", "at+jwt"] {
                let both = Value::Object(both.clone());
                assert_eq!(counts(&key, typ, &both).await, NEITHER, "{typ} {both}");
            }
        }
    }
    for id in &id {
        assert_eq!(counts(&key, "at+jwt", id).await, NEITHER, "{id}");
    }
    for access in &access {
        assert_eq!(counts(&key, "at+jwt", access).await, STRICT, "{access}");
    }
    // The header is the stronger marker, where a claim says nothing that is known.
    for changes in [
        json!({"typ": "premium"}),
        json!({"nonce": "n"}),
        json!({"scope": "a"}),
    ] {
        assert_eq!(counts(&key, "at+jwt", &changes).await, STRICT, "{changes}");
    }
    for changes in [json!({"typ": "Refresh"}), json!({"token_use": "refresh"})] {
        assert_eq!(counts(&key, "at+jwt", &changes).await, NEITHER, "{changes}");
    }
}

/// RFC 8725 section 3.11: a type that is neither of both is another token.
#[tokio::test]
async fn another_header_type_is_another_token() {
    let key = Key::new("k1");
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "rt+jwt",
        "id_token",
        "application/secevent+jwt",
        "JOSE",
        "",
    ] {
        assert_eq!(counts(&key, typ, &json!({})).await, NEITHER, "{typ}");
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert_eq!(counts(&key, typ, &json!({})).await, STRICT, "{typ}");
    }
}

/// A user type may read the claims that say of which kind a token is.
#[tokio::test]
async fn a_claim_about_the_kind_may_be_the_users_own() {
    use tollgate::guard::{Context, GuardRouter};
    use tollgate::prelude::*;

    #[derive(Clone, JwtClaims)]
    #[claims(external)]
    struct Reader {
        #[claim(sub)]
        _id: String,
        typ: Option<String>,
        token_use: Option<String>,
    }

    let key = Key::new("k1");
    let guards: GuardRouter<Reader> = GuardRouter::builder()
        .clock(tollgate::clock::Clock::manual(crate::guard::issuer::START))
        .guard(
            "partner",
            crate::guard::issuer::fixed(expected().accept(TokenKind::LooseAccessToken), &[&key]),
        )
        .build()
        .unwrap();
    for (value, counts) in [("Bearer", true), ("ID", false)] {
        let header = json!({"alg": "EdDSA", "kid": "k1"}).to_string();
        let token = key.sign(&header, &claims_with(&json!({"typ": value})).to_string());
        let found = guards.verify(&token, &Context::none()).await;
        assert_eq!(found.is_ok(), counts);
        if let Ok(verified) = found {
            assert_eq!(verified.claims().typ().as_deref(), Some(value));
            assert_eq!(verified.claims().token_use(), &None);
        }
    }
}
