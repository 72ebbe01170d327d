//! The moving guard: exchanges each refresh token of the former system once, until a date, for a
//! session of the gate.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

use crate::clock::Timestamp;
use crate::error::{AuthError, Error, ErrorKind};
use crate::keys::{Algorithm, PublicKey, check_secret};
use crate::secret::{Secret, sha256};
use crate::token::MovedToken;

/// Takes refresh tokens of the system that a gate replaces, so that no user has to sign in again on
/// the day of the change: a client sends its old token to `POST /auth/exchange` and gets a session
/// of the gate. Give it to [`GateBuilder::moving`](crate::gate::GateBuilder::moving).
///
/// An old token is accepted there alone, never as a bearer token, and only once; as long as the old
/// system would have accepted it, and at the latest until the date that is given here. It is
/// refused if the user has changed their credentials in this system since it was issued.
///
/// The old system's key can sign users in until that date, so protect it like the gate's own keys,
/// and remove the guard afterwards.
///
/// ```
/// use tollgate::clock::Timestamp;
/// use tollgate::guard::{MovingGuard, MovingKey};
/// use tollgate::prelude::*;
/// use tollgate::secret::Secret;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let key = Secret::from_bytes(std::env::var("DJANGO_SECRET_KEY")?.into_bytes());
/// let last_day = Timestamp::from_secs(1_806_451_200); // 2027-03-31
/// let moving = MovingGuard::simplejwt(MovingKey::hs256(key)?, last_day)
///     .resolve(async |token| {
///         // Ask the old deny-list here, and say who the user is in this system.
///         if is_denied(token.claim("jti")).await? {
///             return Err(AuthError::Invalid);
///         }
///         Ok(token.subject().to_owned())
///     });
/// # async fn is_denied(_: Option<&serde_json::Value>) -> Result<bool, AuthError> { Ok(false) }
/// # drop(moving);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MovingGuard {
    rules: Arc<Rules>,
}

#[derive(Clone)]
struct Rules {
    key: Arc<MovingKey>,
    until: Timestamp,
    subject: String,
    kind: Option<(String, String)>,
    issuer: Option<String>,
    audience: Option<String>,
    resolve: Option<Arc<Resolve>>,
}

/// The hook that finds the user of a token.
type Resolve = dyn Fn(FormerToken) -> Resolved + Send + Sync;
type Resolved = Pin<Box<dyn Future<Output = Result<String, AuthError>> + Send>>;

/// The key with which the former system signed.
pub struct MovingKey(KeyKind);

enum KeyKind {
    Secret(Algorithm, Secret),
    Public(PublicKey),
}

impl MovingKey {
    /// Takes the secret of HS256, as the settings of the former system have it: usually a text,
    /// whose bytes are the secret.
    ///
    /// # Errors
    /// It is shorter than 32 bytes (RFC 7518 section 3.2), so that it can be guessed from one
    /// token; or it is a published key.
    pub fn hs256(secret: Secret) -> Result<Self, Error> {
        Self::hmac(Algorithm::HS256, secret)
    }

    /// Takes the secret of another algorithm with a secret: HS384 or HS512.
    ///
    /// # Errors
    /// As [`hs256`](Self::hs256); or the algorithm has no secret.
    pub fn hmac(algorithm: Algorithm, secret: Secret) -> Result<Self, Error> {
        if !matches!(
            algorithm,
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
        ) {
            return Err(Error::new(
                ErrorKind::Keys,
                format!("{algorithm} has no secret: give the public key of the former system"),
            ));
        }
        check_secret("the secret of the former system", &secret, 32)?;
        Ok(Self(KeyKind::Secret(algorithm, secret)))
    }

    fn verifies(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            KeyKind::Public(key) => {
                algorithm == key.algorithm().as_str() && key.verify(signed, signature)
            }
            KeyKind::Secret(own, _) if algorithm != own.as_str() => false,
            KeyKind::Secret(Algorithm::HS384, secret) => is_mac(
                Hmac::<Sha384>::new_from_slice(secret.expose()),
                signed,
                signature,
            ),
            KeyKind::Secret(Algorithm::HS512, secret) => is_mac(
                Hmac::<Sha512>::new_from_slice(secret.expose()),
                signed,
                signature,
            ),
            KeyKind::Secret(_, secret) => is_mac(
                Hmac::<Sha256>::new_from_slice(secret.expose()),
                signed,
                signature,
            ),
        }
    }
}

/// Compares in constant time.
fn is_mac<M: hmac::Mac, E>(mac: Result<M, E>, signed: &[u8], signature: &[u8]) -> bool {
    mac.is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok())
}

impl From<PublicKey> for MovingKey {
    fn from(key: PublicKey) -> Self {
        Self(KeyKind::Public(key))
    }
}

impl MovingGuard {
    /// Takes any JWT with `exp` and a subject that the key signed. Call [`kind`](Self::kind) to say
    /// how refresh tokens differ: without it an access token of the former system is accepted too.
    #[must_use]
    pub fn new(key: impl Into<MovingKey>, until: Timestamp) -> Self {
        Self {
            rules: Arc::new(Rules {
                key: Arc::new(key.into()),
                until,
                subject: "sub".to_owned(),
                kind: None,
                issuer: None,
                audience: None,
                resolve: None,
            }),
        }
    }

    /// Takes the refresh tokens of djangorestframework-simplejwt and wc-django-jwt: `token_type` is
    /// `refresh`, and the subject is in `user_id`.
    #[must_use]
    pub fn simplejwt(key: impl Into<MovingKey>, until: Timestamp) -> Self {
        Self::new(key, until)
            .kind("token_type", "refresh")
            .subject_claim("user_id")
    }

    /// Takes the refresh tokens of Ravyn Simple JWT and Esmerald Simple JWT: `token_type` is
    /// `refresh_token`, and the subject is in `sub`.
    #[must_use]
    pub fn ravyn(key: impl Into<MovingKey>, until: Timestamp) -> Self {
        Self::new(key, until).kind("token_type", "refresh_token")
    }

    /// Sets the claim that tells refresh tokens from others, and its value.
    #[must_use]
    pub fn kind(self, claim: impl Into<String>, value: impl Into<String>) -> Self {
        let kind = Some((claim.into(), value.into()));
        self.with(|rules| rules.kind = kind)
    }

    /// Sets the claim that names the user: a string or a whole number. Default `sub`.
    #[must_use]
    pub fn subject_claim(self, claim: impl Into<String>) -> Self {
        let claim = claim.into();
        self.with(|rules| rules.subject = claim)
    }

    /// Requires this `iss`. By default it is not checked.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        let issuer = Some(issuer.into());
        self.with(|rules| rules.issuer = issuer)
    }

    /// Requires this `aud`, alone or in a list. By default it is not checked.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        let audience = Some(audience.into());
        self.with(|rules| rules.audience = audience)
    }

    /// Sets a function that decides about a token that was verified: it can ask the former system's
    /// deny-list, and returns the subject of the user in this system. By default the subject is the
    /// same.
    ///
    /// [`AuthError::Unavailable`] is 503, and the token can be used again; every other error
    /// refuses it.
    #[must_use]
    pub fn resolve<F>(self, resolve: impl Fn(FormerToken) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, AuthError>> + Send + 'static,
    {
        self.with(|rules| rules.resolve = Some(Arc::new(move |token| Box::pin(resolve(token)))))
    }

    /// Returns until when tokens are taken.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.rules.until
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        // A clone that was made before keeps its own rules.
        change(Arc::make_mut(&mut self.rules));
        self
    }

    /// Verifies a token; `None` if it is not valid. The claims are read only after the signature
    /// was verified.
    pub(crate) fn verify(&self, text: &str, now: Timestamp) -> Option<FormerToken> {
        let rules = &*self.rules;
        if now >= rules.until {
            return None;
        }
        let token = MovedToken::read(text)?;
        let signature = token.signature()?;
        let (signed, key) = (token.signed().as_bytes(), &rules.key);
        if !key.verifies(&token.algorithm, signed, &signature) {
            return None;
        }
        let claims = token.claims()?;
        let text_of = |name: &str| claims.get(name).and_then(Value::as_str);
        let is_of_kind = rules
            .kind
            .as_ref()
            .is_none_or(|(name, value)| text_of(name) == Some(value));
        let is_from = rules
            .issuer
            .as_deref()
            .is_none_or(|issuer| text_of("iss") == Some(issuer));
        let is_for = rules
            .audience
            .as_deref()
            .is_none_or(|audience| match claims.get("aud") {
                Some(Value::String(one)) => one == audience,
                Some(Value::Array(many)) => many.iter().any(|one| one == audience),
                _ => false,
            });
        let time = |name| claims.get(name).map(|value| seconds(value).ok_or(()));
        let (expires_at, issued_at) = (time("exp")?.ok()?, time("iat").transpose().ok()?);
        let begins_at = time("nbf").transpose().ok()?;
        let counts = expires_at > now
            && begins_at.is_none_or(|begins_at| begins_at <= now)
            && issued_at.is_none_or(|issued_at| issued_at <= now);
        let subject = match claims.get(&rules.subject)? {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => return None,
        };
        let hash = sha256(format!("tollgate/moved/1\0{}", token.signed()).as_bytes());
        (is_of_kind && is_from && is_for && counts).then_some(FormerToken {
            subject,
            claims,
            issued_at,
            expires_at,
            hash,
        })
    }

    /// Returns the subject of a token's user in this system.
    pub(crate) async fn resolved(&self, token: FormerToken) -> Result<String, AuthError> {
        match &self.rules.resolve {
            Some(resolve) => resolve(token).await,
            None => Ok(token.subject),
        }
    }
}

/// Reads a time in whole seconds, or with a fraction, which is left out (RFC 7519 section 2).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the bounds are checked"
)]
fn seconds(value: &Value) -> Option<Timestamp> {
    let number = value.as_f64()?;
    let fits = number.is_finite() && (0.0..9_007_199_254_740_992.0).contains(&number);
    fits.then(|| Timestamp::from_secs(number as u64))
}

impl fmt::Debug for MovingGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MovingGuard(until {:?})", self.rules.until)
    }
}

impl fmt::Debug for MovingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MovingKey([redacted])")
    }
}

/// A token of the former system whose signature, times and kind were checked.
#[derive(Clone)]
pub struct FormerToken {
    subject: String,
    claims: Map<String, Value>,
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
    hash: [u8; 32],
}

impl FormerToken {
    /// Returns the subject in the former system.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns a claim.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// Returns when it was issued, if it has the claim.
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// Returns when it expires.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns the hash by which the store remembers that it was taken.
    pub(crate) const fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

impl fmt::Debug for FormerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormerToken")
    }
}
