//! A forger who knows the HMAC secret: whatever is refused of what it signs is refused for its
//! content.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tollgate::clock::Timestamp;
use tollgate::id::{SessionId, TokenId};
use tollgate::keys::{Algorithm, KeyRing};
use tollgate::secret::Secret;
use tollgate::token::{Expect, Stamp, Verified, VerifyError, issue, verify};

use crate::claims::UserClaims;

pub(crate) const ISSUER: &str = "https://accounts.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) struct Forge {
    pub(crate) ring: KeyRing,
    pub(crate) expect: Expect,
    secret: Vec<u8>,
}

impl Forge {
    pub(crate) fn new() -> Self {
        Self::with_secret((0..64).map(|i| i * 3).collect())
    }

    pub(crate) fn with_secret(secret: Vec<u8>) -> Self {
        let refresh: Vec<u8> = (100..132).collect();
        let ring = KeyRing::from_secret(
            Algorithm::HS256,
            Secret::from_bytes(secret.clone()),
            Secret::from_bytes(refresh),
        )
        .unwrap();
        Self {
            ring,
            expect: expect(),
            secret,
        }
    }

    pub(crate) fn kid(&self) -> String {
        self.ring.set().signing().kid().to_string()
    }

    /// The members of a good header.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": "HS256", "typ": "at+jwt", "kid": self.kid()})
    }

    /// The members of a good payload.
    pub(crate) fn payload(&self) -> Map<String, Value> {
        let claims = json!({
            "iss": ISSUER, "sub": UserClaims::ada().id.to_string(), "aud": AUDIENCE, "client_id": "first-party",
            "exp": NOW + 600, "iat": NOW, "jti": TokenId::from_bytes([1; 16]), "sid": SessionId::from_bytes([2; 16]),
            "gen": 3, "uep": 4, "auth_time": NOW - 5, "email": "ada@example.com", "roles": ["admin"],
        });
        claims.as_object().unwrap().clone()
    }

    /// Signs texts, whatever they are.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_encoded(
            &URL_SAFE_NO_PAD.encode(header),
            &URL_SAFE_NO_PAD.encode(payload),
        )
    }

    pub(crate) fn sign_encoded(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()))
        )
    }

    /// A good token.
    pub(crate) fn token(&self) -> String {
        self.with_payload(|_| {})
    }

    /// A good token but for its header.
    pub(crate) fn with_header(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut header = self.header();
        change(header.as_object_mut().unwrap());
        self.sign(
            &header.to_string(),
            &Value::Object(self.payload()).to_string(),
        )
    }

    /// A good token but for its payload, under the very header that the ring issues.
    pub(crate) fn with_payload(&self, change: impl FnOnce(&mut Map<String, Value>)) -> String {
        let mut payload = self.payload();
        change(&mut payload);
        self.with_payload_text(&Value::Object(payload).to_string())
    }

    pub(crate) fn with_payload_text(&self, payload: &str) -> String {
        self.sign_encoded(&self.issued_header(), &URL_SAFE_NO_PAD.encode(payload))
    }

    /// The encoded header of the ring's own tokens.
    pub(crate) fn issued_header(&self) -> String {
        issue_from(&self.ring).split('.').next().unwrap().to_owned()
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Verified<UserClaims>, VerifyError> {
        self.verify_at(token, Timestamp::from_secs(NOW))
    }

    pub(crate) fn verify_at(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<UserClaims>, VerifyError> {
        verify(token, &self.ring.set(), &self.expect, now)
    }

    pub(crate) fn assert_good(&self, token: &str) -> Verified<UserClaims> {
        self.verify(token)
            .unwrap_or_else(|error| panic!("{error:?}: {token}"))
    }

    pub(crate) fn assert_invalid(&self, token: &str) {
        assert_eq!(
            self.verify(token).err(),
            Some(VerifyError::Invalid),
            "{token}"
        );
    }
}

pub(crate) fn expect() -> Expect {
    Expect {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        realm: None,
        client_id: "first-party".into(),
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_secs(600),
        allow_expired: false,
    }
}

pub(crate) fn stamp() -> Stamp<'static> {
    Stamp {
        issuer: ISSUER,
        audience: AUDIENCE,
        client_id: "first-party",
        realm: None,
        issued_at: Timestamp::from_secs(NOW),
        expires_at: Timestamp::from_secs(NOW + 600),
        jti: TokenId::from_bytes([1; 16]),
        sid: Some(SessionId::from_bytes([2; 16])),
        generation: Some(3),
        user_epoch: 4,
        auth_time: Some(Timestamp::from_secs(NOW - 5)),
        acr: None,
        binding: None,
    }
}

pub(crate) fn issue_from(ring: &KeyRing) -> String {
    issue(&ring.set(), &stamp(), &UserClaims::ada()).unwrap()
}
