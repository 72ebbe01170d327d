//! Access tokens against jsonwebtoken: verifying and issuing, HS256 and EdDSA (PERFORMANCE rows 1, 3 and 5).

use std::time::Duration;

use jsonwebtoken::{Algorithm as Peer, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use tollgate::clock::{Clock, Timestamp};
use tollgate::id::{SessionId, TokenId};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::JwtClaims as _;
use tollgate::token::{Expect, Stamp, issue, verify};
use tollgate_benches::claims::{Role, User, UserClaims};
use tollgate_benches::{Contestant, Table, interleave};
use uuid::Uuid;

const ISSUER: &str = "https://accounts.example.com";
const AUDIENCE: &str = "https://api.example.com";

/// What a careful user of jsonwebtoken would write down.
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

fn main() {
    let mut table = Table::default();
    verify_and_issue(&mut table, Algorithm::HS256, Peer::HS256, ["1", "5"], [0.40, 0.55]);
    verify_and_issue(&mut table, Algorithm::EdDSA, Peer::EdDSA, ["3", "5"], [0.80, 0.60]);
    table.print();
}

fn verify_and_issue(table: &mut Table, algorithm: Algorithm, peer: Peer, rows: [&str; 2], targets: [f64; 2]) {
    let secret: Vec<u8> = (0..32).collect();
    let (ring, encoding, decoding) = if algorithm == Algorithm::EdDSA {
        let ring = KeyRing::generate(algorithm).expect("a ring");
        let jwks = ring.jwks();
        let jwk = jwks.find(ring.set().signing().kid()).expect("the current key");
        // PKCS #8 around a seed (RFC 8410 section 7).
        let frame = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        (ring, EncodingKey::from_ed_der(&[&frame[..], &secret].concat()), DecodingKey::from_jwk(jwk).expect("a key"))
    } else {
        let secrets = [secret.clone(), (100..132).collect()].map(Secret::from_bytes);
        let [signing, refresh] = secrets;
        let ring = KeyRing::from_secret(algorithm, signing, refresh).expect("a ring");
        (ring, EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret))
    };
    let clock = Clock::system();
    let claims = User::ada().to_claims();
    let token = issue(&ring.set(), &stamp(clock.now()), &claims).expect("a token");

    let expect = Expect {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        client_id: "first-party".into(),
        leeway: Duration::from_secs(30),
        max_lifetime: Duration::from_secs(600),
        allow_expired: false,
    };
    let mut validation = Validation::new(peer);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.leeway = 30;
    validation.validate_nbf = true;

    let measured = interleave(vec![
        Contestant::new("tollgate", || verify::<UserClaims>(&token, &ring.set(), &expect, clock.now()).expect("it verifies")),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::decode::<PeerClaims>(&token, &decoding, &validation).expect("it verifies")
        }),
    ]);
    let what = format!("{algorithm:?} verify to owned typed claims, {} bytes", token.len());
    table.row(rows[0], &what, &measured[0], &measured[1], targets[0]);

    let header = Header { typ: Some("at+jwt".into()), kid: Some(ring.set().signing().kid().to_string()), ..Header::new(peer) };
    let measured = interleave(vec![
        Contestant::new("tollgate", || issue(&ring.set(), &stamp(clock.now()), &claims).expect("a token")),
        Contestant::new("jsonwebtoken", || {
            jsonwebtoken::encode(&header, &peer_claims(clock.now(), &claims), &encoding).expect("a token")
        }),
    ]);
    table.row(rows[1], &format!("{algorithm:?} issue"), &measured[0], &measured[1], targets[1]);
}

fn stamp(now: Timestamp) -> Stamp<'static> {
    Stamp {
        issuer: ISSUER,
        audience: AUDIENCE,
        client_id: "first-party",
        issued_at: now,
        expires_at: now.plus(Duration::from_secs(600)),
        jti: TokenId::from_bytes([1; 16]),
        sid: Some(SessionId::from_bytes([2; 16])),
        generation: Some(3),
        epoch: 4,
        auth_time: Some(now),
        acr: None,
        bond: None,
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
