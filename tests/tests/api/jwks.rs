//! The published key set: what it says for every type of key, how it is cached, and what is never
//! in it.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tollgate::clock::{Clock, Timestamp};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate_tests::{Accounts, App, request, routes};
use tower::ServiceExt as _;

const PATH: &str = "/.well-known/jwks.json";

async fn app(algorithm: Algorithm) -> (Gate<Accounts>, Clock) {
    // A ring that is made by the system's clock is published since then.
    let clock =
        Clock::manual(Timestamp::from(std::time::SystemTime::now()).plus(Duration::from_secs(1)));
    let ring = KeyRing::generate(algorithm).unwrap();
    let app = App::builder().keys(&ring).clock(&clock).build().await;
    (app.gate, clock)
}

async fn ask(gate: &Gate<Accounts>, if_none_match: &[&str]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut asking = request(Method::GET, PATH, None, None);
    for line in if_none_match {
        asking
            .headers_mut()
            .append("if-none-match", line.parse().unwrap());
    }
    let answer = routes(gate).oneshot(asking).await.unwrap();
    let (head, body) = answer.into_parts();
    (
        head.status,
        head.headers,
        body.collect().await.unwrap().to_bytes().to_vec(),
    )
}

/// R38, R35: each key type as RFC 7518 section 6 and RFC 8037 have it.
#[tokio::test]
async fn r38_every_type_of_key_is_published_without_a_private_member() {
    for (algorithm, kty, members) in [
        (Algorithm::EdDSA, "OKP", &["crv", "x"][..]),
        (Algorithm::ES256, "EC", &["crv", "x", "y"]),
        (Algorithm::ES384, "EC", &["crv", "x", "y"]),
        (Algorithm::RS256, "RSA", &["e", "n"]),
        (Algorithm::PS512, "RSA", &["e", "n"]),
    ] {
        let (gate, _) = app(algorithm).await;
        let (status, headers, body) = ask(&gate, &[]).await;
        assert_eq!(
            (status, &headers["content-type"]),
            (StatusCode::OK, &"application/jwk-set+json".parse().unwrap())
        );
        let set: Value = serde_json::from_slice(&body).unwrap();
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2, "the current and the next");
        for key in keys {
            let mut names: Vec<&str> = key
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            names.sort_unstable();
            let mut expected = [members, &["alg", "kid", "kty", "use"]].concat();
            expected.sort_unstable();
            assert_eq!(names, expected, "{algorithm:?}");
            assert_eq!((&key["kty"], &key["use"]), (&kty.into(), &"sig".into()));
            assert_eq!(key["alg"], format!("{algorithm:?}"));
        }
    }
}

#[tokio::test]
async fn the_set_of_an_hmac_ring_is_empty() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let (gate, _) = app(algorithm).await;
        assert_eq!(ask(&gate, &[]).await.2, br#"{"keys":[]}"#);
    }
}

/// RFC 9110 section 13.1.2, RFC 9111. R39: a cache may keep it for less than a key is published
/// ahead.
#[tokio::test]
async fn a_cache_asks_by_the_entity_tag_and_the_set_comes_again_only_when_keys_change() {
    let (gate, clock) = app(Algorithm::EdDSA).await;
    let (_, headers, body) = ask(&gate, &[]).await;
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20,
        "strong: {tag}"
    );
    assert_eq!(headers["cache-control"], "public, max-age=300");
    assert_eq!(ask(&gate, &[]).await.1["etag"], *tag);

    let weak = format!("W/{tag}");
    let list = format!("\"another\", {tag}");
    for known in [
        &[&*tag][..],
        &[&*weak],
        &[&*list],
        &["*"],
        &["\"another\"", &*tag],
    ] {
        let (status, headers, body) = ask(&gate, known).await;
        assert_eq!(
            (status, body.len()),
            (StatusCode::NOT_MODIFIED, 0),
            "{known:?}"
        );
        assert_eq!(
            (&headers["etag"], &headers["cache-control"]),
            (
                &tag.parse().unwrap(),
                &"public, max-age=300".parse().unwrap()
            )
        );
    }
    for unknown in [
        &["\"another\""][..],
        &[&tag[1..tag.len() - 1]],
        &[""],
        &["W/"],
        &["\"\""],
    ] {
        assert_eq!(
            ask(&gate, unknown).await,
            (StatusCode::OK, headers.clone(), body.clone()),
            "{unknown:?}"
        );
    }

    clock.advance(Duration::from_secs(15 * 60));
    gate.keys().rotate().await.unwrap();
    let (status, headers, changed) = ask(&gate, &[&tag]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers["etag"] != *tag && changed != body);
}
