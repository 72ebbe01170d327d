//! What a verified token says of itself.

use std::sync::Arc;

use super::binding::TokenBinding;
use super::expect::Expect;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};

/// What a verified token says of itself, apart from the user's claims.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    pub(super) issuer: Arc<str>,
    pub(super) audience: Arc<str>,
    pub(super) kid: Arc<str>,
    pub(super) client_id: TokenClient,
    pub(super) subject: Box<str>,
    pub(super) acr: Option<Box<str>>,
    pub(super) jti: TokenId,
    pub(super) session: Option<(SessionId, u32)>,
    pub(super) user_epoch: u64,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) binding: Option<TokenBinding>,
    pub(super) foreign: Option<Box<ForeignToken>>,
}

/// The part of the description that only a token of another issuer has.
#[derive(Clone, Debug)]
pub(super) struct ForeignToken {
    /// The guard that verified it.
    pub(super) guard: Arc<str>,
    /// Which of the expected audiences it is for.
    pub(super) audience: Arc<str>,
    /// Its `jti`.
    pub(super) id: Option<Box<str>>,
    pub(super) nonce: Option<Box<str>>,
}

/// The expected client is shared, another one is the token's own.
#[derive(Clone, Debug)]
pub(super) enum TokenClient {
    Expected(Arc<str>),
    Other(Box<str>),
}

impl TokenInfo {
    /// Whether its times hold still, as they did once.
    pub(super) fn is_timely(&self, expect: &Expect, now: Timestamp) -> bool {
        let leeway = expect.bounded_leeway();
        let latest = now.plus(leeway);
        let starts_late =
            self.not_before.is_some_and(|start| start > latest) || self.issued_at > latest;
        !starts_late && now < self.expires_at.plus(leeway)
    }

    /// Who issued it: `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The audience that the verifier expects, which the token names.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whose it is: the text of `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// To which client it was issued: `client_id`. Of a token of another issuer its `client_id` or
    /// `azp`, empty where it has neither.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match &self.client_id {
            TokenClient::Expected(id) => id,
            TokenClient::Other(id) => id,
        }
    }

    /// Who it is about, wherever it comes from: issuer and subject. Subjects of different issuers
    /// may have the same name, and an email address is nobody's identity (OpenID Connect Core
    /// section 5.7).
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.issuer, &self.subject)
    }

    /// The name of the guard that verified it; `None` for a token of the gate's own.
    #[must_use]
    pub fn guard(&self) -> Option<&str> {
        self.foreign.as_ref().map(|foreign| &*foreign.guard)
    }

    /// What another issuer calls its token, in its own words: `jti`. `None` for a token of the
    /// gate's own, whose id is [`jti`](Self::jti).
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.foreign.as_ref()?.id.as_deref()
    }

    /// The value that binds an ID token to the request that asked for it: `nonce` (OpenID Connect
    /// Core section 2).
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.foreign.as_ref()?.nonce.as_deref()
    }

    /// Its own id: `jti`. Of a token of another issuer it is half a SHA-256 of the issuer and of
    /// its `jti`, or of its text where it has none.
    #[must_use]
    pub fn jti(&self) -> TokenId {
        self.jti
    }

    /// Its session: `sid`; `None` where it was issued without one.
    #[must_use]
    pub fn sid(&self) -> Option<SessionId> {
        self.session.map(|(sid, _)| sid)
    }

    /// Its session's generation when it was issued: `gen`; `None` where it was issued without a
    /// session.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.session.map(|(_, generation)| generation)
    }

    /// The epoch when it was issued: `uep`; 0 for a token of another issuer. It is dead once its
    /// subject's, its client's or the global epoch is above.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.user_epoch
    }

    /// When its user last proved who they are: `auth_time`, in whole seconds.
    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// How its user proved it: `acr`.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// What it is bound to: `bnd`.
    pub(crate) fn binding(&self) -> Option<TokenBinding> {
        self.binding
    }

    /// When it was issued: `iat`, in whole seconds.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When its time is out: `exp`, in whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The id of the key that signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }
}
