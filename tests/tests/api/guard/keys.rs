//! Keys that are fetched: when, how often, how long they count.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tollgate::clock::Clock;
use tollgate::guard::{GuardRouter, HttpKeys, Issuer, JwksGuard};
use tollgate::keys::Algorithm;
use tollgate::prelude::*;

use crate::guard::issuer::{Key, Partner, Said, Server, builder, claims, expected, verify};

/// A guard whose keys lie at a local server.
pub(crate) fn at(server: &Server) -> JwksGuard<Partner> {
    let keys = HttpKeys::at(server.url("/jwks.json"))
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    JwksGuard::new(expected(), keys)
}

pub(crate) fn on(guard: JwksGuard<Partner>) -> (GuardRouter<Partner>, Clock) {
    let (builder, clock) = builder();
    (builder.guard("partner", guard).build().unwrap(), clock)
}

/// Lets a fetch in the background come to its end.
pub(crate) async fn until(is_done: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, _) = on(at(&server));
    assert_eq!(server.count(), 0);
    for n in 0..50 {
        let claims = crate::guard::issuer::claims_with(&json!({"jti": n.to_string()}));
        assert!(verify(&guards, &key.token(&claims)).await.is_ok());
    }
    assert_eq!(server.count(), 1);
    // R58: no cookie, no credential, nothing of the caller's.
    let head = server.requests()[0].to_lowercase();
    assert!(
        !head.contains("cookie") && !head.contains("authorization") && !head.contains("referer"),
        "{head}"
    );
    let health = &guards.health()[0];
    assert!(
        health.is_well && health.keys.keys == Some(1) && health.keys.age == Some(Duration::ZERO),
        "{health:?}"
    );
}

/// A token without a key id, which anyone can send, asks for no other keys.
#[tokio::test]
async fn a_token_without_a_key_id_fetches_nothing_once_there_are_keys() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, clock) = on(at(&server));
    let header = json!({"alg": "EdDSA", "typ": "at+jwt"}).to_string();
    let without_id = |key: &Key| key.sign(&header, &claims().to_string());
    assert!(verify(&guards, &without_id(&key)).await.is_ok());
    // An unknown key id would be looked for by now.
    clock.advance(Duration::from_secs(31));
    for _ in 0..20 {
        let other = Key::new("k1");
        let refused = verify(&guards, &without_id(&other)).await.unwrap_err();
        assert_eq!(refused, Code::InvalidToken);
    }
    assert_eq!(server.count(), 1);
}

/// R62.
#[tokio::test]
async fn r62_a_thousand_first_requests_make_one_fetch() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said {
        after: Duration::from_millis(300),
        ..Said::keys(&[&published])
    })
    .await;
    let (guards, _) = on(at(&server));
    let token: Arc<str> = key.token(&claims()).into();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (guards, token) = (guards.clone(), Arc::clone(&token));
        requests.spawn(async move { verify(&guards, &token).await.is_ok() });
    }
    assert!(requests.join_all().await.into_iter().all(|is_ok| is_ok));
    assert_eq!((server.count(), server.connections()), (1, 1));
}

/// A caller that goes away does not break off the fetch that others wait for.
#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_the_fetch() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said {
        after: Duration::from_millis(200),
        ..Said::keys(&[&published])
    })
    .await;
    let (guards, _) = on(at(&server));
    let token = key.token(&claims());
    let gone = tokio::time::timeout(Duration::from_millis(50), verify(&guards, &token)).await;
    assert!(gone.is_err());
    assert!(verify(&guards, &token).await.is_ok());
    assert_eq!(server.count(), 1);
}

/// The issuer rotates: what is published is found by the first token that needs it, and nobody
/// waits otherwise.
#[tokio::test]
async fn a_rotation_is_noticed() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let published = old.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, clock) = on(at(&server));
    assert!(verify(&guards, &old.token(&claims())).await.is_ok());
    let published = [old.clone(), new.clone()];
    server.says(move |_| Said::keys(&[&published[0], &published[1]]));
    // Just fetched: an unknown key makes nobody ask again so soon.
    assert_eq!(
        verify(&guards, &new.token(&claims())).await.unwrap_err(),
        Code::InvalidToken
    );
    clock.advance(Duration::from_secs(31));
    assert!(verify(&guards, &new.token(&claims())).await.is_ok());
    assert!(verify(&guards, &old.token(&claims())).await.is_ok());
    assert_eq!(server.count(), 2);
    // The old one goes: it verifies until the next fetch, and not after, though it was seen before.
    let published = new.clone();
    server.says(move |_| Said::keys(&[&published]));
    assert!(verify(&guards, &old.token(&claims())).await.is_ok());
    clock.advance(Duration::from_secs(569));
    clock.advance(Duration::from_secs(31));
    let late = crate::guard::issuer::claims_with(
        &json!({"exp": crate::guard::issuer::START.as_secs() + 3600}),
    );
    let (by_old, by_new) = (old.token(&late), new.token(&late));
    assert!(verify(&guards, &by_new).await.is_ok());
    until(|| server.count() == 3).await;
    until(|| guards.health()[0].keys.age == Some(Duration::ZERO)).await;
    assert_eq!(
        verify(&guards, &by_old).await.unwrap_err(),
        Code::InvalidToken
    );
    assert!(verify(&guards, &by_new).await.is_ok());
}

/// R64: what the issuer says about its answer is believed within bounds.
#[tokio::test]
async fn r64_hostile_cache_headers_are_bounded() {
    for (header, early, late) in [
        ("cache-control: max-age=0", 29, 30),
        ("cache-control: no-store", 599, 600),
        ("cache-control: public, max-age=31536000", 599, 600),
        ("cache-control: max-age=99999999999999999999999", 599, 600),
        ("cache-control: max-age=-5", 599, 600),
        ("cache-control: max-age=120", 119, 120),
        ("x: y", 599, 600),
    ] {
        let key = Key::new("k1");
        let published = key.clone();
        let server = Server::start(move |_| Said::keys(&[&published]).header(header)).await;
        let (guards, clock) = on(at(&server));
        let token = key.token(&crate::guard::issuer::claims_with(
            &json!({"exp": crate::guard::issuer::START.as_secs() + 3600}),
        ));
        assert!(verify(&guards, &token).await.is_ok());
        clock.advance(Duration::from_secs(early));
        assert!(verify(&guards, &token).await.is_ok());
        // A fetch that should not happen gets the time to happen.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.count(), 1, "{header}");
        clock.advance(Duration::from_secs(late - early));
        assert!(verify(&guards, &token).await.is_ok());
        until(|| server.count() == 2).await;
    }
}

/// R57.
#[tokio::test]
async fn r57_a_discovery_document_speaks_for_its_own_issuer() {
    let key = Key::new("k1");
    for (says, counts) in [
        ("{url}", true),
        ("{url}/", false),
        ("https://partner.example/", false),
        ("", false),
    ] {
        let published = key.clone();
        let server = Server::start(|_| Said::ok("")).await;
        let url = server.url("");
        let (issuer, keys) = (says.replace("{url}", &url), server.url("/keys"));
        server.says(move |path| match path {
            "/.well-known/openid-configuration" => {
                Said::ok(json!({"issuer": issuer, "jwks_uri": keys, "more": [1]}).to_string())
            }
            "/keys" => Said::keys(&[&published]),
            other => panic!("{other}"),
        });
        let source = HttpKeys::discovered(&url)
            .dangerous_allow_http()
            .dangerous_allow_private_addresses();
        let issuer = Issuer::new(&url)
            .audience(crate::guard::issuer::AUDIENCE)
            .algorithms([Algorithm::EdDSA]);
        let (guards, _) = on(JwksGuard::new(issuer, source));
        let token = key.token(&crate::guard::issuer::claims_with(&json!({"iss": url})));
        let found = verify(&guards, &token).await;
        assert_eq!(
            found.map(drop),
            if counts {
                Ok(())
            } else {
                Err(Code::Unavailable)
            },
            "{says}"
        );
        assert_eq!(server.count(), if counts { 2 } else { 1 });
    }
}

/// An issuer that moves its keys is followed within a day, also where the old place still answers.
#[tokio::test]
async fn where_the_keys_are_is_looked_up_once_a_day() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let server = Server::start(|_| Said::ok("")).await;
    let url = server.url("");
    let says = |place: &'static str| {
        let (issuer, keys) = (url.clone(), server.url(place));
        let (old, new) = (old.clone(), new.clone());
        server.says(move |path| match path {
            "/.well-known/openid-configuration" => {
                Said::ok(json!({"issuer": issuer, "jwks_uri": keys}).to_string())
            }
            "/old" => Said::keys(&[&old]),
            "/new" => Said::keys(&[&new]),
            other => panic!("{other}"),
        });
    };
    says("/old");
    let source = HttpKeys::discovered(&url)
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let issuer = Issuer::new(&url)
        .audience(crate::guard::issuer::AUDIENCE)
        .algorithms([Algorithm::EdDSA])
        .max_lifetime(Duration::from_secs(1_000_000));
    let (guards, clock) = on(JwksGuard::new(issuer, source));
    let claims = crate::guard::issuer::claims_with(
        &json!({"iss": url, "exp": crate::guard::issuer::START.as_secs() + 500_000}),
    );
    let (by_old, by_new) = (old.token(&claims), new.token(&claims));
    assert!(verify(&guards, &by_old).await.is_ok());
    assert_eq!(server.count(), 2);
    says("/new");
    // Within the day the place is known, so that nothing but the keys is fetched.
    clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert!(verify(&guards, &by_new).await.is_err());
    assert_eq!(server.count(), 3);
    clock.advance(Duration::from_secs(31));
    assert!(verify(&guards, &by_new).await.is_ok());
    assert_eq!(server.count(), 5);
    assert!(verify(&guards, &by_old).await.is_err());
}

/// R21, R22, R32, R33: sets as they come.
#[tokio::test]
async fn r22_r32_r33_a_bad_key_is_skipped_and_a_bad_set_is_not_used() {
    let key = Key::new("k1");
    let good = key.jwk();
    let with = |changes: serde_json::Value| {
        let mut jwk = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let many = |count: usize| {
        (0..count)
            .map(|n| with(json!({"kid": format!("k{}", n + 1)})))
            .collect::<Vec<_>>()
    };
    let other = Key::new("k1").jwk();
    let rsa = Key::of("k1", Algorithm::RS256).jwk();
    let fresh = || Key::new("k1").jwk();
    let encrypts = json!({"kty": "RSA", "kid": "k1", "use": "enc", "alg": "RSA-OAEP", "n": rsa["n"], "e": "AQAB"});
    let no_alg = {
        let mut jwk = good.clone();
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    };
    for (set, outcome) in [
        (json!({"keys": [good]}), Ok(())),
        (
            json!({"keys": [{"kty": "XYZ", "kid": "x"}, {"kty": "EC", "crv": "P-521", "kid": "y"}, 7, {}, good]}),
            Ok(()),
        ),
        (
            json!({"keys": [with(json!({"kid": "short", "x": "AAAA"})), good]}),
            Ok(()),
        ),
        (json!({"keys": [no_alg]}), Ok(())),
        (json!({"keys": [rsa, good]}), Ok(())),
        (json!({"keys": many(64)}), Ok(())),
        (
            json!({"keys": [with(json!({"use": "enc"}))]}),
            Err(Code::InvalidToken),
        ),
        (
            json!({"keys": [with(json!({"key_ops": ["sign"]}))]}),
            Err(Code::InvalidToken),
        ),
        (
            json!({"keys": [with(json!({"alg": "RS256"}))]}),
            Err(Code::InvalidToken),
        ),
        (json!({"keys": []}), Err(Code::InvalidToken)),
        (json!({"keys": many(65)}), Err(Code::Unavailable)),
        // RFC 7517 section 4.5: of one `kid`, every key that fits is tried, four at most.
        (json!({"keys": [good, other]}), Ok(())),
        (
            json!({"keys": [other, with(json!({"use": "enc"})), good]}),
            Ok(()),
        ),
        (json!({"keys": [rsa, encrypts, good]}), Ok(())),
        (json!({"keys": [fresh(), fresh(), fresh(), good]}), Ok(())),
        (
            json!({"keys": [fresh(), fresh(), fresh(), fresh(), good]}),
            Err(Code::Unavailable),
        ),
        // A secret key among them is no key.
        (
            json!({"keys": [good, {"kty": "oct", "k": "AAAA", "kid": "s"}]}),
            Ok(()),
        ),
        (
            json!({"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]}),
            Err(Code::InvalidToken),
        ),
        (json!({"keys": [with(json!({"alg": "Ed25519"}))]}), Ok(())),
        (
            json!({"keys": [with(json!({"alg": "Ed448"}))]}),
            Err(Code::InvalidToken),
        ),
        (json!({"keys": "k1"}), Err(Code::Unavailable)),
        (json!([good]), Err(Code::Unavailable)),
    ] {
        let (body, token) = (set.to_string(), key.token(&claims()));
        let server = Server::start(move |_| Said::ok(body.clone())).await;
        let (guards, _) = on(at(&server));
        assert_eq!(verify(&guards, &token).await.map(drop), outcome, "{set}");
        assert_eq!(server.count(), 1);
        assert_eq!(guards.health()[0].is_well, outcome.is_ok(), "{set}");
    }
}

/// Firebase's keys as a map of certificates, and as a set.
#[tokio::test]
async fn certificates_by_name_are_keys_too() {
    let (pem, private) = certificate();
    let map =
        json!({"one": pem, "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "other": 7}).to_string();
    let server = Server::start(move |_| Said::ok(map.clone())).await;
    let issuer = Issuer::new(crate::guard::issuer::ISSUER)
        .audience(crate::guard::issuer::AUDIENCE)
        .algorithms([Algorithm::RS256])
        .accept(tollgate::guard::TokenKind::IdToken);
    let keys = HttpKeys::at(server.url("/x509"))
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let (guards, _) = on(JwksGuard::new(issuer, keys));
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some("one".into());
    let private = jsonwebtoken::EncodingKey::from_rsa_pem(private.as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&header, &claims(), &private).unwrap();
    assert!(verify(&guards, &token).await.is_ok());
    header.kid = Some("broken".into());
    let token = jsonwebtoken::encode(&header, &claims(), &private).unwrap();
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::InvalidToken
    );
}

/// A self-signed certificate and its private key, as openssl writes them.
fn certificate() -> (&'static str, &'static str) {
    (
        include_str!("certificate.pem"),
        include_str!("certificate.key"),
    )
}

/// An issuer that moved its keys and answers something else at their former address is asked where
/// they are.
#[tokio::test]
async fn a_former_address_of_the_keys_that_answers_something_else_is_given_up() {
    let key = Key::new("k1");
    let server = Server::start(|_| Said::ok("")).await;
    let url = server.url("");
    let says = |place: &'static str| {
        let (issuer, keys, key) = (url.clone(), server.url(place), key.clone());
        server.says(move |path| match path {
            "/.well-known/openid-configuration" => {
                Said::ok(json!({"issuer": issuer, "jwks_uri": keys}).to_string())
            }
            path if path == place => Said::keys(&[&key]),
            _ => Said::ok("<!doctype html><title>a page for every address</title>"),
        });
    };
    says("/old");
    let source = HttpKeys::discovered(&url)
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let issuer = Issuer::new(&url)
        .audience(crate::guard::issuer::AUDIENCE)
        .algorithms([Algorithm::EdDSA]);
    let (guards, clock) = on(JwksGuard::new(issuer, source).max_stale(Duration::from_secs(3600)));
    let token = |exp: u64| {
        let exp = crate::guard::issuer::START.as_secs() + exp;
        let changes = json!({"iss": url, "exp": exp, "iat": exp - 300});
        key.token(&crate::guard::issuer::claims_with(&changes))
    };
    assert!(verify(&guards, &token(300)).await.is_ok());
    says("/new");
    clock.advance(Duration::from_secs(4000));
    assert!(verify(&guards, &token(4300)).await.is_err());
    clock.advance(Duration::from_secs(31));
    assert!(verify(&guards, &token(4300)).await.is_ok());
}
