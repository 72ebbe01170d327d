//! Tokens and key sets of other issuers.

use std::sync::LazyLock;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use tokio::runtime::Runtime;
use tollgate::clock::{Clock, Timestamp};
use tollgate::guard::{Context, GuardRouter, Issuer, StaticGuard};
use tollgate::keys::{Algorithm, PublicKey, PublicKeySet};
use tollgate::prelude::*;

use super::{NOW, encode, spliced};

/// The claims of a partner's users.
#[derive(Clone, Debug, JwtClaims)]
#[claims(external)]
struct Partner {
    #[claim(sub)]
    id: String,
    email: Option<String>,
    #[claim(roles)]
    roles: Vec<String>,
}

struct World {
    key: SigningKey,
    guards: GuardRouter<Partner>,
    runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let key = SigningKey::from_bytes(&[7; 32]);
    let jwk = format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"1","x":"{}"}}"#,
        encode(key.verifying_key().as_bytes())
    );
    let jwk = serde_json::from_str(&jwk).unwrap();
    let public = PublicKey::from_jwk(&jwk, &[Algorithm::EdDSA]).unwrap();
    let issuer = Issuer::new("https://partner.example")
        .audience("orders")
        .algorithms([Algorithm::EdDSA])
        .max_lifetime(Duration::from_secs(86_400));
    let guard = StaticGuard::<Partner>::new(issuer);
    guard.set_public_keys([public]).unwrap();
    let guards = GuardRouter::builder()
        .clock(Clock::manual(Timestamp::from_secs(NOW)))
        .guard("partner", guard)
        .build()
        .unwrap();
    let world = World {
        guards: guards,
        key,
        runtime: tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
    };
    assert!(world.accepts(&world.sign(HEADER.as_bytes(), PAYLOAD.as_bytes())));
    world
});

const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"1"}"#;
const PAYLOAD: &str = r#"{"iss":"https://partner.example","sub":"ada","aud":["orders"],"exp":1800003600,"iat":1800000000,"nbf":1800000000,"jti":"x","email":"ada@example.com","roles":["buyer"],"realm_access":{"roles":["a"]}}"#;

impl World {
    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature.to_bytes()))
    }

    fn accepts(&self, token: &str) -> bool {
        let context = Context::none();
        let verified = self.guards.verify(token, &context);
        self.runtime.block_on(verified).is_ok()
    }
}

/// Reads tokens of another issuer: whole ones, and those whose header or payload is changed before
/// the issuer signs them.
pub fn foreign_token(data: &[u8]) {
    let world = &*WORLD;
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let (header, payload) = match mode % 4 {
        0 => {
            if let Ok(text) = std::str::from_utf8(data) {
                world.accepts(text);
            }
            return;
        }
        1 => (HEADER.as_bytes().to_vec(), data.to_vec()),
        2 => (spliced(HEADER, data), PAYLOAD.as_bytes().to_vec()),
        _ => (HEADER.as_bytes().to_vec(), spliced(PAYLOAD, data)),
    };
    if world.accepts(&world.sign(&header, &payload)) {
        let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(payload["iss"], "https://partner.example");
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], "EdDSA");
    }
}

/// Reads a key set: what is accepted is written and read again alike.
pub fn jwks(data: &[u8]) {
    let Ok(set) = PublicKeySet::from_json(data, &Algorithm::ALL) else {
        return;
    };
    for key in set.keys() {
        let text = serde_json::to_string(&key.jwk()).unwrap();
        let again = PublicKey::from_jwk(&serde_json::from_str(&text).unwrap(), &Algorithm::ALL);
        let again = again.unwrap_or_else(|problem| panic!("{problem}: {text}"));
        assert_eq!(again.thumbprint(), key.thumbprint());
        assert!(!key.verify(b"message", data));
    }
}
