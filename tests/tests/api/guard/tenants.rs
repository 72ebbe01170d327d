//! An issuer of many tenants, as Microsoft Entra is.

use serde_json::{Value, json};
use tollgate::guard::{GuardRouter, Issuer, StaticGuard, TokenFault};
use tollgate::keys::{Algorithm, PublicKey};

use crate::guard::issuer::{AUDIENCE, Key, Partner, START, builder, fixed, verify};
use crate::guard::shapes::TENANT;

const OTHER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const PATTERN: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

fn issuer() -> Issuer {
    Issuer::entra_tenants()
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDSA])
}

fn claims(iss: &str, tid: &Value) -> Value {
    let now = START.as_secs();
    json!({"iss": iss, "tid": tid, "aud": AUDIENCE, "sub": "s", "iat": now, "exp": now + 600, "scp": "a"})
}

fn of(tenant: &str) -> Value {
    claims(&PATTERN.replace("{tenantid}", tenant), &json!(tenant))
}

fn token(key: &Key, claims: &Value) -> String {
    key.sign(
        &json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"}).to_string(),
        &claims.to_string(),
    )
}

/// A guard whose key names an issuer of its own, or none.
fn keyed(issuer: Issuer, key: &Key, of_key: &Value) -> StaticGuard<Partner> {
    let mut jwk = key.jwk();
    jwk["issuer"] = of_key.clone();
    let jwk = serde_json::from_value(jwk).unwrap();
    let guard = StaticGuard::new(issuer);
    guard
        .set_public_keys([PublicKey::from_jwk(&jwk, &[Algorithm::EdDSA]).unwrap()])
        .unwrap();
    guard
}

fn build(guard: StaticGuard<Partner>) -> GuardRouter<Partner> {
    builder().0.guard("entra", guard).build().unwrap()
}

/// R46, R57: the tenant is a GUID in its one form, the same in `iss` and `tid`, and accepted.
#[tokio::test]
async fn r46_r57_the_tenant_is_one_that_is_accepted() {
    let key = Key::new("k1");
    let these = build(fixed(issuer().tenants([TENANT]), &[&key]));
    let any = build(fixed(issuer().any_tenant_dangerous(), &[&key]));
    let upper = TENANT.to_uppercase();
    let at = |tenant: &str| PATTERN.replace("{tenantid}", tenant);
    for (claims, counts) in [
        (of(TENANT), [true, true]),
        (of(OTHER), [false, true]),
        (of(&upper), [false, false]),
        (of("common"), [false, false]),
        (of("{tenantid}"), [false, false]),
        (of(""), [false, false]),
        (
            of("../72f988bf-86f1-41af-91ab-2d7cd011db47"),
            [false, false],
        ),
        (claims(&at(TENANT), &json!(OTHER)), [false, false]),
        (claims(&at(OTHER), &json!(TENANT)), [false, false]),
        (claims(&at(TENANT), &json!(upper)), [false, false]),
        (claims(&at(TENANT), &json!(null)), [false, false]),
        (claims(&at(TENANT), &json!([TENANT])), [false, false]),
        (claims(PATTERN, &json!(TENANT)), [false, false]),
        (
            claims(&format!("{}/", at(TENANT)), &json!(TENANT)),
            [false, false],
        ),
        (
            claims(
                &format!("https://evil.example/{}", at(TENANT)),
                &json!(TENANT),
            ),
            [false, false],
        ),
        // Version 1.
        (
            claims(
                &format!("https://sts.windows.net/{TENANT}/"),
                &json!(TENANT),
            ),
            [true, true],
        ),
        (
            claims(&format!("https://sts.windows.net/{TENANT}/"), &json!(OTHER)),
            [false, false],
        ),
    ] {
        let token = token(&key, &claims);
        for (guards, counts) in [&these, &any].into_iter().zip(counts) {
            let found = verify(guards, &token).await;
            assert_eq!(found.is_ok(), counts, "{claims}");
            if let Ok(verified) = found {
                let tenant = claims["tid"].as_str().unwrap();
                assert_eq!(verified.token().identity(), (&*at(tenant), "s"));
                assert_eq!(verified.token().issuer(), claims["iss"].as_str().unwrap());
            }
        }
    }
    let mut without = of(TENANT);
    without.as_object_mut().unwrap().remove("tid");
    assert!(verify(&any, &token(&key, &without)).await.is_err());
    assert_eq!(
        any.health()[0].refused.first().unwrap().0,
        TokenFault::Tenant
    );
}

/// A key that names its own issuer is one for the tokens of that issuer alone.
#[tokio::test]
async fn a_key_of_one_tenant_signs_for_no_other() {
    let key = Key::new("k1");
    let own = PATTERN.replace("{tenantid}", TENANT);
    for (of_key, counts) in [
        (json!(null), [true, true]),
        (json!(PATTERN), [true, true]),
        (json!(own), [true, false]),
        (
            json!("https://login.microsoftonline.us/{tenantid}/v2.0"),
            [false, false],
        ),
        (json!(""), [false, false]),
        (json!([PATTERN]), [false, false]),
        (json!(7), [false, false]),
    ] {
        let guards = build(keyed(issuer().any_tenant_dangerous(), &key, &of_key));
        for (tenant, counts) in [TENANT, OTHER].into_iter().zip(counts) {
            let found = verify(&guards, &token(&key, &of(tenant))).await;
            assert_eq!(found.is_ok(), counts, "{of_key} {tenant}");
        }
        // The same for a guard of one tenant.
        let one = Issuer::entra(TENANT)
            .audience(AUDIENCE)
            .algorithms([Algorithm::EdDSA]);
        let guards = build(keyed(one, &key, &of_key));
        let found = verify(&guards, &token(&key, &of(TENANT))).await;
        assert_eq!(found.is_ok(), counts[0], "{of_key}");
        assert!(verify(&guards, &token(&key, &of(OTHER))).await.is_err());
    }
    // Elsewhere the member may mean anything.
    let guards = build(keyed(
        crate::guard::issuer::expected(),
        &key,
        &json!("anything"),
    ));
    let token = key.token(&crate::guard::issuer::claims());
    assert!(verify(&guards, &token).await.is_ok());
}

#[test]
fn a_guard_says_which_tenants_count() {
    let key = Key::new("k1");
    for (issuer, word) in [
        (issuer(), "it accepts no tenant"),
        (
            issuer().tenants(Vec::<String>::new()),
            "list of tenants is empty",
        ),
        (issuer().tenants(["common"]), "not a GUID"),
        (issuer().tenants([TENANT.to_uppercase()]), "not a GUID"),
        (
            Issuer::new("https://a.example")
                .audience("a")
                .tenants([TENANT, OTHER]),
            "no `{tenantid}`",
        ),
        (
            Issuer::new("https://a.example")
                .audience("a")
                .any_tenant_dangerous(),
            "no `{tenantid}`",
        ),
        (Issuer::entra("common").audience("a"), "not a GUID"),
    ] {
        let guard: StaticGuard<Partner> = StaticGuard::new(issuer);
        let error = builder().0.guard("a", guard).build().unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    // A guard of one tenant lies within those of many.
    let error = builder()
        .0
        .guard("many", fixed(issuer().tenants([OTHER]), &[&key]))
        .guard("one", StaticGuard::new(Issuer::entra(TENANT).audience("a")))
        .build()
        .unwrap_err();
    assert!(
        error.to_string().contains("both are for the issuer"),
        "{error}"
    );
    let apart = builder()
        .0
        .guard("one", StaticGuard::new(Issuer::entra(TENANT).audience("a")))
        .guard(
            "other",
            StaticGuard::new(Issuer::entra(OTHER).audience("a")),
        )
        .build();
    assert!(apart.is_ok());
}
