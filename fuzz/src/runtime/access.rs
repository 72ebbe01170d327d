//! Access and refresh tokens of ours, signed by the target, so that what is refused is refused for
//! its content.

use std::sync::LazyLock;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;
use tollgate::clock::Timestamp;
use tollgate::id::SessionId;
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::prelude::*;
use tollgate::secret::Secret;
use tollgate::token::{ClaimSet, Expect, RefreshToken, VerifyError, verify};

use super::{AUDIENCE, Bare, ISSUER, Many, NOW, One, Optional, encode, spliced};

/// The knowledge of the target: the secret, the ring and the header of its tokens.
struct Forge {
    ring: KeyRing,
    expect: Expect,
    header: String,
    secret: Vec<u8>,
}

static FORGE: LazyLock<Forge> = LazyLock::new(|| {
    let secret: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let ring = KeyRing::from_secret(
        Algorithm::HS256,
        Secret::from_bytes(secret.clone()),
        Secret::from_bytes((100..132).collect()),
    )
    .unwrap();
    let kid = ring.set().signing().kid().to_string();
    let forge = Forge {
        expect: Expect {
            issuer: ISSUER.into(),
            audience: AUDIENCE.into(),
            realm: None,
            client_id: "first-party".into(),
            leeway: Duration::ZERO,
            max_lifetime: Duration::from_secs(600),
            allow_expired: false,
        },
        header: encode(format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}}"#)),
        ring,
        secret,
    };
    // The target would mean nothing where the seeds were refused, or the second way were closed.
    for (kind, seed) in SEEDS.iter().enumerate() {
        let (fast, slow) = (forge.sign(seed.as_bytes()), forge.sign_spaced(seed.as_bytes()));
        for token in [fast, slow] {
            assert!(read(&forge, kind, &token).is_ok(), "{seed}");
        }
    }
    forge
});

/// A good payload for each type of claims, as the issuer writes it.
const SEEDS: [&str; 4] = [
    r#"{"iss":"https://accounts.example.com","sub":"7","aud":"https://api.example.com","client_id":"first-party","exp":1800000600,"iat":1800000000,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg","gen":3,"uep":4,"auth_time":1799999995}"#,
    r#"{"iss":"https://accounts.example.com","sub":"7","aud":"https://api.example.com","client_id":"first-party","exp":1800000600,"iat":1800000000,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg","gen":3,"uep":4,"auth_time":1799999995,"email":"ada@example.com"}"#,
    r#"{"iss":"https://accounts.example.com","sub":"7","aud":"https://api.example.com","client_id":"first-party","exp":1800000600,"iat":1800000000,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg","gen":3,"uep":4,"auth_time":1799999995,"nickname":"ada"}"#,
    r#"{"iss":"https://accounts.example.com","sub":"ada","aud":"https://api.example.com","client_id":"first-party","exp":1800000600,"iat":1800000000,"jti":"AQEBAQEBAQEBAQEBAQEBAQ","sid":"AgICAgICAgICAgICAgICAg","gen":3,"uep":4,"auth_time":1799999995,"email":"ada@example.com","roles":["admin"],"nickname":"a\n","level":-3,"ratio":0.5,"active":true,"tags":["x","y"],"address":null}"#,
];

impl Forge {
    fn sign(&self, payload: &[u8]) -> String {
        let signed = format!("{}.{}", self.header, encode(payload));
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", encode(mac.finalize().into_bytes()))
    }

    /// Signs the payload after a blank, which means the same and is no form that the issuer writes:
    /// the general decoder reads it.
    fn sign_spaced(&self, payload: &[u8]) -> String {
        self.sign(&[b" ", payload].concat())
    }
}

/// The answer of a verifier: the claims, and everything that it tells of the token.
type Outcome = Result<(Value, String), VerifyError>;

fn read(forge: &Forge, kind: usize, token: &str) -> Outcome {
    match kind {
        0 => read_as::<<Bare as JwtClaims>::Claims>(forge, token),
        1 => read_as::<<One as JwtClaims>::Claims>(forge, token),
        2 => read_as::<<Optional as JwtClaims>::Claims>(forge, token),
        _ => read_as::<<Many as JwtClaims>::Claims>(forge, token),
    }
}

fn read_as<C: ClaimSet + serde::Serialize>(forge: &Forge, token: &str) -> Outcome {
    let now = Timestamp::from_secs(NOW);
    verify::<C>(token, &forge.ring.set(), &forge.expect, now).map(|verified| {
        let claims = serde_json::to_value(verified.claims()).unwrap();
        (claims, format!("{:?}", verified.token()))
    })
}

/// Compares the decoder that reads what the issuer writes, the general one, and jsonwebtoken.
pub fn verify_token(data: &[u8]) {
    let forge = &*FORGE;
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let kind = usize::from(mode % 4);
    let payload = match mode / 4 % 4 {
        // A whole token.
        0 => {
            if let Ok(text) = std::str::from_utf8(data) {
                let _ = read(forge, kind, text);
            }
            return;
        }
        // A whole payload.
        1 => data.to_vec(),
        // A good payload, of which something is replaced.
        2 => spliced(SEEDS[kind], data),
        // A good payload, with something more at its end.
        _ => {
            let seed = &SEEDS[kind][..SEEDS[kind].len() - 1];
            [seed.as_bytes(), data, b"}"].concat()
        }
    };
    let token = forge.sign(&payload);
    let fast = read(forge, kind, &token);
    if payload.len() < 5000 {
        let slow = read(forge, kind, &forge.sign_spaced(&payload));
        assert_eq!(fast, slow, "{}", String::from_utf8_lossy(&payload));
    }
    if fast.is_ok() {
        let peer = peer_reads(forge, &token);
        let peer = peer.unwrap_or_else(|error| {
            panic!("jsonwebtoken: {error}: {}", String::from_utf8_lossy(&payload))
        });
        assert_eq!(peer["iss"], ISSUER);
        assert!(peer["exp"].as_u64().is_some_and(|exp| exp > NOW));
    }
}

fn peer_reads(
    forge: &Forge,
    token: &str,
) -> Result<Map<String, Value>, jsonwebtoken::errors::Error> {
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // It reads the system's clock.
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_secret(&forge.secret);
    jsonwebtoken::decode(token, &key, &validation).map(|data| data.claims)
}

/// Reads refresh tokens: whatever is read is written again as it was.
pub fn refresh_token(data: &[u8]) {
    let forge = &*FORGE;
    let set = forge.ring.set();
    let sid = SessionId::from_bytes([2; 16]);
    let good = RefreshToken::mint(&set, None, sid, 7, &[9; 16]);
    let text = match data.split_first() {
        Some((0..=127, rest)) => rest.to_vec(),
        Some((_, rest)) => spliced(good.expose(), rest),
        None => return,
    };
    let Ok(text) = std::str::from_utf8(&text) else {
        return;
    };
    if RefreshToken::parse(&set, None, text).is_ok() {
        assert_eq!(text, good.expose(), "a token that nobody issued");
    }
}
