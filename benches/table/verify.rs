//! Access tokens against jsonwebtoken: verifying and issuing, by every algorithm (rows 1, 3 and 5).

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tollgate::clock::{Clock, Timestamp};
use tollgate::id::{SessionId, TokenId};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::JwtClaims as _;
use tollgate::token::{Expect, Stamp, issue, verify};
use tollgate_benches::claims::{Role, User, UserClaims};
use tollgate_benches::server::{AUDIENCE, ISSUER};
use tollgate_benches::{Contestant, Table, interleave};
use uuid::Uuid;

/// The claims as a careful user of jsonwebtoken would write them.
#[derive(Serialize, Deserialize)]
struct PeerClaims {
    iss: String,
    sub: Uuid,
    aud: String,
    client_id: String,
    exp: u64,
    iat: u64,
    jti: TokenId,
    sid: SessionId,
    r#gen: u32,
    uep: u64,
    auth_time: u64,
    email: String,
    roles: Vec<Role>,
}

/// Fills in the rows.
pub(crate) fn rows(table: &mut Table) {
    for (algorithm, targets) in [
        (Algorithm::HS256, [0.21, 0.52]),
        (Algorithm::HS384, [0.40, 0.58]),
        (Algorithm::HS512, [0.40, 0.58]),
    ] {
        verify_and_issue(table, algorithm, ["1", "5"], targets);
    }
    for (algorithm, targets) in [
        (Algorithm::EdDSA, [0.95, 0.56]),
        (Algorithm::ES256, [0.95, 0.60]),
        (Algorithm::ES384, [1.0, 0.60]),
        (Algorithm::RS256, [0.80, 0.40]),
        (Algorithm::RS384, [0.80, 0.40]),
        (Algorithm::RS512, [0.80, 0.40]),
        (Algorithm::PS256, [0.80, 0.40]),
        (Algorithm::PS384, [0.80, 0.40]),
        (Algorithm::PS512, [0.80, 0.40]),
    ] {
        verify_and_issue(table, algorithm, ["3", "5"], targets);
    }
}

/// A ring, and the peer's keys of the same numbers.
pub(crate) fn keys(algorithm: Algorithm) -> (KeyRing, EncodingKey, DecodingKey) {
    let refresh = || Secret::from_bytes((100..132).collect());
    let pem = |der: &[u8]| {
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into_bytes()
    };
    let der = match jsonwebtoken::Algorithm::from(algorithm).family() {
        AlgorithmFamily::Hmac => {
            let secret: Vec<u8> = (0..64).collect();
            let ring =
                KeyRing::from_secret(algorithm, Secret::from_bytes(secret.clone()), refresh())
                    .expect("a ring");
            return (
                ring,
                EncodingKey::from_secret(&secret),
                DecodingKey::from_secret(&secret),
            );
        }
        AlgorithmFamily::Ed => Ed25519KeyPair::generate()
            .expect("a key")
            .to_pkcs8v1()
            .expect("its form")
            .as_ref()
            .to_vec(),
        AlgorithmFamily::Ec => {
            let curve = if algorithm == Algorithm::ES256 {
                &ECDSA_P256_SHA256_FIXED_SIGNING
            } else {
                &ECDSA_P384_SHA384_FIXED_SIGNING
            };
            EcdsaKeyPair::generate(curve)
                .expect("a key")
                .to_pkcs8v1()
                .expect("its form")
                .as_ref()
                .to_vec()
        }
        AlgorithmFamily::Rsa => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
            let der: Pkcs8V1Der<'_> = pair.as_der().expect("its form");
            der.as_ref().to_vec()
        }
    };
    let pem = pem(&der);
    let encoding = match jsonwebtoken::Algorithm::from(algorithm).family() {
        AlgorithmFamily::Ed => EncodingKey::from_ed_pem(&pem),
        AlgorithmFamily::Ec => EncodingKey::from_ec_pem(&pem),
        _ => EncodingKey::from_rsa_pem(&pem),
    };
    let ring = KeyRing::from_pem(algorithm, &pem)
        .and_then(|ring| ring.refresh_secret(refresh()))
        .expect("a ring");
    let decoding = DecodingKey::from_jwk(&ring.jwks().keys.remove(0).try_into().expect("a JWK"))
        .expect("a key");
    (ring, encoding.expect("a key"), decoding)
}

fn verify_and_issue(table: &mut Table, algorithm: Algorithm, rows: [&str; 2], targets: [f64; 2]) {
    let (ring, encoding, decoding) = keys(algorithm);
    let clock = Clock::system();
    let claims = User::ada().to_claims();
    let token = issue(&ring.set(), &stamp(clock.now()), &claims).expect("a token");

    let expect = Expect {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        realm: None,
        client_id: "first-party".into(),
        leeway: Duration::from_secs(30),
        max_lifetime: Duration::from_secs(600),
        allow_expired: false,
    };
    let mut validation = Validation::new(algorithm.into());
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.leeway = 30;
    validation.validate_nbf = true;

    let measured = interleave(vec![
        Contestant::new("tollgate", || {
            verify::<UserClaims>(&token, &ring.set(), &expect, clock.now()).expect("it verifies")
        }),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::decode::<PeerClaims>(&token, &decoding, &validation).expect("it verifies")
        }),
    ]);
    let what = format!(
        "{algorithm:?} verify to owned typed claims, {} bytes",
        token.len()
    );
    table.row(rows[0], &what, &measured[0], &measured[1], targets[0]);

    let header = Header {
        typ: Some("at+jwt".into()),
        kid: Some(ring.set().signing().kid().to_string()),
        ..Header::new(algorithm.into())
    };
    let measured = interleave(vec![
        Contestant::new("tollgate", || {
            issue(&ring.set(), &stamp(clock.now()), &claims).expect("a token")
        }),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::encode(&header, &peer_claims(clock.now(), &claims), &encoding)
                .expect("a token")
        }),
    ]);
    table.row(
        rows[1],
        &format!("{algorithm:?} issue"),
        &measured[0],
        &measured[1],
        targets[1],
    );
}

pub(crate) fn stamp(now: Timestamp) -> Stamp<'static> {
    Stamp {
        issuer: ISSUER,
        audience: AUDIENCE,
        client_id: "first-party",
        realm: None,
        issued_at: now,
        expires_at: now.plus(Duration::from_secs(600)),
        jti: TokenId::from_bytes([1; 16]),
        sid: Some(SessionId::from_bytes([2; 16])),
        generation: Some(3),
        user_epoch: 4,
        auth_time: Some(now),
        acr: None,
        binding: None,
    }
}

fn peer_claims(now: Timestamp, claims: &UserClaims) -> PeerClaims {
    PeerClaims {
        iss: ISSUER.into(),
        sub: *claims.id(),
        aud: AUDIENCE.into(),
        client_id: "first-party".into(),
        exp: now.as_secs() + 600,
        iat: now.as_secs(),
        jti: TokenId::from_bytes([1; 16]),
        sid: SessionId::from_bytes([2; 16]),
        r#gen: 3,
        uep: 4,
        auth_time: now.as_secs(),
        email: claims.email().clone(),
        roles: claims.roles().clone(),
    }
}
