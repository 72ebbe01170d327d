//! Issuers that are slow, down, redirecting, huge, malformed or hostile, and tokens that would have
//! somebody be asked; each with the count of requests that went out.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tollgate::guard::{GuardRouter, HttpKeys, JwksGuard};
use tollgate::prelude::*;

use crate::guard::issuer::{
    ISSUER, Key, Partner, Said, Server, builder, claims, claims_with, expected, verify,
};
use crate::guard::keys::{at, on, until};

/// R23, R34, R56: nothing in a token says where to ask.
#[tokio::test]
async fn r23_r34_r56_no_token_makes_anybody_be_asked() {
    let key = Key::new("k1");
    let (thief, published) = (Key::new("k1"), key.clone());
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, _) = on(at(&server));
    assert!(verify(&guards, &key.token(&claims())).await.is_ok());
    let asked = server.count();
    let trap = Server::start(|_| Said::ok("{}")).await;
    let url = trap.url("/keys");
    for header in [
        json!({"jwk": thief.jwk()}),
        json!({"jku": url}),
        json!({"x5u": url}),
        json!({"x5c": ["MIIB"], "x5t": "AAAA"}),
        json!({"jwk": thief.jwk(), "kid": "thief"}),
        json!({"jku": url, "kid": url}),
        json!({"kid": "../../etc/passwd"}),
        json!({"kid": "' OR 1=1--"}),
        json!({"kid": "\u{0}"}),
        json!({"kid": 7}),
        json!({"kid": "k".repeat(10_000)}),
        json!({"alg": "none"}),
        json!({"typ": "JWT"}),
        json!({"crit": ["x"]}),
    ] {
        let token = thief.with_header(&header);
        assert_eq!(
            verify(&guards, &token).await.unwrap_err(),
            Code::InvalidToken,
            "{header}"
        );
    }
    for issuer in ["https://evil.example", &url, "", "https://partner.example"] {
        let token = thief.token(&claims_with(&json!({"iss": issuer})));
        assert_eq!(
            verify(&guards, &token).await.unwrap_err(),
            Code::InvalidToken,
            "{issuer}"
        );
    }
    assert_eq!((server.count() - asked, trap.connections()), (0, 0));
    // A header that points elsewhere does no harm to a token that is good without it.
    for header in [
        json!({"jku": url}),
        json!({"x5u": url}),
        json!({"jwk": thief.jwk()}),
    ] {
        assert!(
            verify(&guards, &key.with_header(&header)).await.is_ok(),
            "{header}"
        );
    }
    assert_eq!((server.count() - asked, trap.connections()), (0, 0));
}

/// R56: what cannot count makes nobody ask for keys, not even the first time.
#[tokio::test]
async fn r56_what_cannot_count_asks_nobody() {
    let key = Key::new("k1");
    let server = Server::start(|_| Said::ok("{}")).await;
    let (guards, _) = on(at(&server));
    for token in [
        key.with_header(&json!({"alg": "RS256"})),
        key.with_header(&json!({"alg": "none"})),
        key.with_header(&json!({"typ": "JWT"})),
        key.token(&claims_with(&json!({"iss": "https://other.example"}))),
        key.token(&claims_with(&json!({"iss": [ISSUER]}))),
        "a.b.c".into(),
    ] {
        assert_eq!(
            verify(&guards, &token).await.unwrap_err(),
            Code::InvalidToken,
            "{token}"
        );
    }
    assert_eq!(server.connections(), 0);
}

/// R59, R61: ten thousand unknown names cost one fetch a cool-down, and drop no good key.
#[tokio::test]
async fn r59_r61_ten_thousand_unknown_keys_cost_one_fetch() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, clock) = on(at(&server));
    let good = key.token(&claims());
    assert!(verify(&guards, &good).await.is_ok());
    assert_eq!(server.count(), 1);
    // One signature for all: it does not come to that.
    let junk = key.with_header(&json!({"kid": "junk"}));
    let rest = junk.split_once('.').unwrap().1;
    let named = |n: usize| {
        use base64::Engine as _;
        let header =
            json!({"alg": "EdDSA", "typ": "at+jwt", "kid": format!("random-{n}")}).to_string();
        format!(
            "{}.{rest}",
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header)
        )
    };
    clock.advance(Duration::from_secs(40));
    for n in 0..10_000 {
        assert_eq!(
            verify(&guards, &named(n)).await.unwrap_err(),
            Code::InvalidToken
        );
        // Ten seconds in all.
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(server.count(), 2);
    assert!(verify(&guards, &good).await.is_ok());
    clock.advance(Duration::from_secs(31));
    assert_eq!(
        verify(&guards, &named(0)).await.unwrap_err(),
        Code::InvalidToken
    );
    assert_eq!(server.count(), 3);
}

/// R60: the cool-down holds too where the fetch failed, or brought nothing.
#[tokio::test]
async fn r60_a_failure_is_remembered() {
    let key = Key::new("k1");
    for said in [
        Said {
            status: "500 Internal Server Error",
            ..Said::ok("")
        },
        Said {
            status: "404 Not Found",
            ..Said::ok("{\"keys\":[]}")
        },
        Said::ok("{\"keys\":[]}"),
        Said::ok("<html>"),
        Said::ok(""),
        Said::ok("[".repeat(100_000)),
        Said::ok("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":1}]}"),
    ] {
        let server = Server::start(move |_| said.clone()).await;
        let (guards, clock) = on(at(&server));
        let token = key.token(&claims());
        for _ in 0..100 {
            verify(&guards, &token).await.unwrap_err();
        }
        assert_eq!(server.count(), 1);
        assert!(!guards.health()[0].is_well);
        // And is over when the issuer is well again.
        let published = key.clone();
        server.says(move |_| Said::keys(&[&published]));
        clock.advance(Duration::from_secs(29));
        verify(&guards, &token).await.unwrap_err();
        assert_eq!(server.count(), 1);
        clock.advance(Duration::from_secs(1));
        assert!(verify(&guards, &token).await.is_ok());
        assert_eq!(server.count(), 2);
        assert!(guards.health()[0].is_well);
    }
}

/// R63: keys that were fetched verify for a day without their issuer, and not a moment longer.
#[tokio::test]
async fn r63_known_keys_outlive_their_issuer_for_a_day() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let (guards, clock) = on(at(&server).max_lifetime(Duration::from_secs(7 * 86_400)));
    let token = key.token(&claims_with(
        &json!({"exp": crate::guard::issuer::START.as_secs() + 5 * 86_400}),
    ));
    assert!(verify(&guards, &token).await.is_ok());
    server.says(|_| Said {
        status: "503 Service Unavailable",
        ..Said::ok("")
    });
    for _ in 0..23 {
        clock.advance(Duration::from_secs(3600));
        assert!(verify(&guards, &token).await.is_ok());
        let before = server.count();
        until(|| server.count() > 1 && guards.health()[0].keys.problem.is_some()).await;
        assert!(server.count() >= before);
    }
    assert!(!guards.health()[0].is_well && guards.health()[0].keys.keys == Some(1));
    clock.advance(Duration::from_secs(3599));
    assert!(verify(&guards, &token).await.is_ok());
    // An attempt more may still be under way, within the cool-down.
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        verify(&guards, &token).await.unwrap_err(),
        Code::Unavailable
    );
    assert_eq!(guards.health()[0].keys.keys, Some(0));
    let published = key.clone();
    server.says(move |_| Said::keys(&[&published]));
    clock.advance(Duration::from_secs(31));
    assert!(verify(&guards, &token).await.is_ok());
}

/// R62: an issuer that does not answer is given up after five seconds.
#[tokio::test]
async fn r62_an_issuer_that_does_not_answer_is_given_up() {
    let key = Key::new("k1");
    let server = Server::start(|_| Said {
        after: Duration::from_secs(60),
        ..Said::ok("")
    })
    .await;
    let (guards, _) = on(at(&server));
    let found = tokio::time::timeout(
        Duration::from_secs(9),
        verify(&guards, &key.token(&claims())),
    )
    .await;
    assert_eq!(found.unwrap().unwrap_err(), Code::Unavailable);
    assert_eq!(server.count(), 1);
}

/// An issuer that is down is no reason to wait long, and is asked once.
#[tokio::test]
async fn an_issuer_that_is_down_is_503() {
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let keys = HttpKeys::at(format!("http://{address}/"))
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let (guards, _) = on(JwksGuard::new(expected(), keys));
    let refusal = guards
        .verify(
            &Key::new("k1").token(&claims()),
            &tollgate::guard::Context::none(),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.retry_in()),
        (Code::Unavailable, Some(1))
    );
    assert!(guards.health()[0].keys.problem.is_some());
}

/// Keys count in an answer of 200 alone, whatever else carries some.
#[tokio::test]
async fn r58_keys_in_another_answer_than_200_do_not_count() {
    let key = Key::new("k1");
    for status in [
        "201 Created",
        "203 Non-Authoritative Information",
        "206 Partial Content",
        "302 Found",
        "404 Not Found",
        "500 Internal Server Error",
    ] {
        let published = key.clone();
        let server = Server::start(move |_| Said {
            status,
            ..Said::keys(&[&published])
        })
        .await;
        let (guards, _) = on(at(&server));
        assert_eq!(
            verify(&guards, &key.token(&claims())).await.unwrap_err(),
            Code::Unavailable,
            "{status}"
        );
    }
}

/// R58: redirects lead nowhere.
#[tokio::test]
async fn r58_redirects_are_not_followed() {
    let key = Key::new("k1");
    let published = key.clone();
    let trap = Server::start(move |_| Said::keys(&[&published])).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("location: {}", trap.url("/jwks.json"));
        let server = Server::start(move |_| {
            Said {
                status,
                ..Said::ok("")
            }
            .header(&location)
        })
        .await;
        let (guards, _) = on(at(&server));
        assert_eq!(
            verify(&guards, &key.token(&claims())).await.unwrap_err(),
            Code::Unavailable,
            "{status}"
        );
        assert_eq!((server.count(), trap.connections()), (1, 0));
    }
}

/// R58: plain http and private addresses are refused before a connection is made, unless they were
/// allowed.
#[tokio::test]
async fn r58_private_addresses_and_plain_http_are_not_connected_to() {
    let key = Key::new("k1");
    let published = key.clone();
    let server = Server::start(move |_| Said::keys(&[&published])).await;
    let port = server.address.port();
    let http = |host: &str| HttpKeys::at(format!("http://{host}:{port}/"));
    let refused = [
        http("127.0.0.1"),
        http("127.0.0.1").dangerous_allow_private_addresses(),
        http("127.0.0.1").dangerous_allow_http(),
        // Found out after the name was resolved.
        http("localhost").dangerous_allow_http(),
        http("[::ffff:127.0.0.1]").dangerous_allow_http(),
        http("2130706433").dangerous_allow_http(),
        HttpKeys::at(format!("https://localhost:{port}/")),
        HttpKeys::at(format!("https://127.0.0.1:{port}/")),
        HttpKeys::discovered(format!("http://127.0.0.1:{port}")).dangerous_allow_http(),
        HttpKeys::at("file:///etc/passwd"),
        HttpKeys::at("nonsense"),
    ];
    for keys in refused {
        let shown = format!("{keys:?}");
        let (guards, _) = on(JwksGuard::new(expected(), keys));
        assert_eq!(
            verify(&guards, &key.token(&claims())).await.unwrap_err(),
            Code::Unavailable,
            "{shown}"
        );
    }
    assert_eq!(server.connections(), 0);
    let allowed = http("localhost")
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    assert!(
        verify(
            &on(JwksGuard::new(expected(), allowed)).0,
            &key.token(&claims())
        )
        .await
        .is_ok()
    );
}

/// R58: a discovery document that points into the network of this service is not followed there.
#[tokio::test]
async fn r58_a_discovery_document_does_not_lead_elsewhere() {
    let key = Key::new("k1");
    let trap = Server::start(|_| Said::ok("{\"keys\":[]}")).await;
    for target in [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://user:pw@127.0.0.1:1/",
        "not a url",
    ] {
        let server = Server::start(|_| Said::ok("")).await;
        let url = server.url("");
        let document = json!({"issuer": url, "jwks_uri": target}).to_string();
        server.says(move |_| Said::ok(document.clone()));
        let source = HttpKeys::discovered(&url)
            .dangerous_allow_http()
            .dangerous_allow_private_addresses();
        let issuer = tollgate::guard::Issuer::new(&url)
            .audience(crate::guard::issuer::AUDIENCE)
            .algorithms([tollgate::keys::Algorithm::EdDSA]);
        let (guards, _) = on(JwksGuard::new(issuer, source));
        let token = key.token(&claims_with(&json!({"iss": url})));
        assert_eq!(
            verify(&guards, &token).await.unwrap_err(),
            Code::Unavailable,
            "{target}"
        );
        assert_eq!((server.count(), trap.connections()), (1, 0));
    }
}

/// R62: 256 KiB, said in front or not.
#[tokio::test]
async fn r62_an_answer_without_end_is_not_read_to_its_end() {
    let key = Key::new("k1");
    for (size, has_length, counts) in [
        (200 * 1024, true, true),
        (300 * 1024, true, false),
        (300 * 1024, false, false),
        (64 << 20, false, false),
    ] {
        let published = key.clone();
        let server = Server::start(move |_| {
            let mut set = crate::guard::issuer::jwks(&[&published]).into_bytes();
            set.resize(size, b' ');
            Said {
                has_length,
                ..Said::ok(set)
            }
        })
        .await;
        let (guards, _) = on(at(&server));
        let found = verify(&guards, &key.token(&claims())).await.map(drop);
        assert_eq!(
            found,
            if counts {
                Ok(())
            } else {
                Err(Code::Unavailable)
            },
            "{size} {has_length}"
        );
        assert_eq!(server.count(), 1);
    }
}

/// One issuer's trouble is not the other's.
#[tokio::test]
async fn a_hostile_issuer_does_not_touch_the_others() {
    let (key, other) = (Key::new("k1"), Key::new("k1"));
    let published = key.clone();
    let (good, bad) = (
        Server::start(move |_| Said::keys(&[&published])).await,
        Server::start(|_| Said::ok("{")).await,
    );
    let source = HttpKeys::at(bad.url("/"))
        .dangerous_allow_http()
        .dangerous_allow_private_addresses();
    let issuer = tollgate::guard::Issuer::new("https://bad.example")
        .audience(crate::guard::issuer::AUDIENCE)
        .algorithms([tollgate::keys::Algorithm::EdDSA]);
    let guards: GuardRouter<Partner> = builder()
        .0
        .guard("bad", JwksGuard::new(issuer, source))
        .guard("good", at(&good))
        .build()
        .unwrap();
    let of_bad = other.token(&claims_with(&json!({"iss": "https://bad.example"})));
    for _ in 0..10 {
        assert!(verify(&guards, &key.token(&claims())).await.is_ok());
        assert_eq!(
            verify(&guards, &of_bad).await.unwrap_err(),
            Code::Unavailable
        );
    }
    assert_eq!((good.count(), bad.count()), (1, 1));
    assert_eq!(
        guards
            .health()
            .iter()
            .map(|health| health.is_well)
            .collect::<Vec<_>>(),
        [false, true]
    );
}
