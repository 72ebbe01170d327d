//! Issuers: what is expected of the tokens of one issuer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::keys::{Algorithm, AlgorithmFamily};
use crate::realm::RealmName;
use crate::secret::{hex, same, sha256};
use crate::token::{Expect, Expected, TokenKind};

/// An issuer, and what is expected of its tokens.
///
/// It is strict where nothing else is said: access tokens as RFC 9068 has them, for one of the
/// audiences that were named, signed with RS256 or ES256, alive for a day at most.
///
/// ```
/// use std::time::Duration;
/// use tollgate::guard::{Issuer, TokenKind};
/// use tollgate::keys::Algorithm;
///
/// let issuer = Issuer::new("https://accounts.example.com")
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::EdDSA])
///     .accept(TokenKind::AccessToken)
///     .max_lifetime(Duration::from_secs(600));
/// assert_eq!(issuer.name(), "https://accounts.example.com");
/// ```
#[derive(Clone, Debug)]
pub struct Issuer {
    name: Arc<str>,
    audiences: Vec<Arc<str>>,
    algorithms: Vec<Algorithm>,
    kind: TokenKind,
    leeway: Duration,
    max_lifetime: Duration,
    nonce: Nonce,
    realm: Option<Box<str>>,
}

/// How an ID token carries the `nonce` that the client asked with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nonce {
    /// As it was sent (OpenID Connect Core section 3.1.3.7).
    #[default]
    AsSent,
    /// The client sent its SHA-256 in hexadecimal, as Apple and Firebase do, and keeps the value to
    /// itself: the token alone cannot be exchanged.
    Sha256,
}

impl Issuer {
    /// Describes the issuer of this name: its `iss`, byte for byte, a slash at the end included.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into().into(),
            audiences: Vec::new(),
            algorithms: vec![Algorithm::RS256, Algorithm::ES256],
            kind: TokenKind::AccessToken,
            leeway: Duration::from_secs(30),
            max_lifetime: Duration::from_secs(24 * 60 * 60),
            nonce: Nonce::AsSent,
            realm: None,
        }
    }

    /// Accepts tokens of this realm, where the issuer is another deployment of tollgate: those with
    /// this name in the claim `rlm`. Without it a token with `rlm` is refused.
    #[must_use]
    pub fn realm(mut self, name: impl AsRef<str>) -> Self {
        self.realm = Some(name.as_ref().into());
        self
    }

    /// Accepts tokens for this audience: of an access token the name of this service, of an ID
    /// token the client's id. Said twice, it accepts both.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into().into());
        self
    }

    /// Accepts these algorithms and no other: RS256 and ES256 by default (R18). A key that names no
    /// algorithm gets the one of these that fits it, never what a token says (R21).
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts this kind of token: [`TokenKind::AccessToken`] by default.
    #[must_use]
    pub fn accept(mut self, kind: TokenKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets how far the issuer's clock may differ: 30 s by default, at most 120 s.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the longest `exp − iat`: a day by default.
    #[must_use]
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// Sets how the issuer's ID tokens carry a `nonce`: [`Nonce::AsSent`] by default.
    #[must_use]
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = nonce;
        self
    }

    /// Returns whether the client sent the value that the token is bound to, or nothing where the
    /// token is bound to nothing.
    pub(super) fn is_bound_to(&self, nonce: Option<&str>, sent: Option<&str>) -> bool {
        match (nonce, sent, self.nonce) {
            (None, None, _) => true,
            (Some(nonce), Some(sent), Nonce::AsSent) => same(nonce.as_bytes(), sent.as_bytes()),
            (Some(nonce), Some(sent), Nonce::Sha256) => {
                same(nonce.as_bytes(), hex(&sha256(sent.as_bytes())).as_bytes())
            }
            (Some(_), None, _) | (None, Some(_), _) => false,
        }
    }

    /// Returns the name of the issuer: `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the algorithms that are accepted.
    #[must_use]
    pub fn allowed(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Returns the kind of token that is accepted.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Returns all that keeps the issuer from being used.
    pub(super) fn problems(&self) -> Vec<&'static str> {
        let is_hmac = |algorithm: &Algorithm| algorithm.family() == AlgorithmFamily::Hmac;
        let wrong = [
            (self.name.is_empty(), "its issuer has no name"),
            (
                self.audiences.is_empty(),
                "it has no audience: say for whom its tokens are, with `.audience(\"…\")`",
            ),
            (
                self.audiences.iter().any(|audience| audience.is_empty()),
                "one of its audiences is empty",
            ),
            (self.algorithms.is_empty(), "it accepts no algorithm"),
            (
                self.realm
                    .as_deref()
                    .is_some_and(|name| RealmName::parse(name).is_err()),
                "its realm is no name of a realm",
            ),
            (
                self.algorithms.iter().any(is_hmac),
                "it accepts HMAC, whose keys are secret: whoever verifies such a token can make \
                 one, so use a public key",
            ),
            (self.leeway > MAX_LEEWAY, "its leeway is above 120 s"),
            (
                self.max_lifetime.is_zero(),
                "its tokens may not live at all: `max_lifetime` is zero",
            ),
        ];
        wrong
            .into_iter()
            .filter_map(|(is_wrong, why)| is_wrong.then_some(why))
            .collect()
    }

    /// Returns the same as the verifier reads it.
    pub(super) fn expected(&self, guard: &Arc<str>) -> Expected {
        Expected {
            guard: Arc::clone(guard),
            base: Expect {
                issuer: Arc::clone(&self.name),
                audience: self.audiences.first().cloned().unwrap_or_default(),
                realm: self
                    .realm
                    .as_deref()
                    .and_then(|name| RealmName::parse(name).ok()),
                client_id: Arc::default(),
                leeway: self.leeway,
                max_lifetime: self.max_lifetime,
                allow_expired: false,
            },
            audiences: self.audiences.clone().into(),
            kind: self.kind,
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// R45.
const MAX_LEEWAY: Duration = Duration::from_secs(120);
