//! The description of a verified token.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::binding::TokenBinding;
use super::common_names::TokenNames;
#[cfg(test)]
use super::expect::Expect;
use super::expect::bounded;
use super::subject::SubjectText;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::realm::RealmName;

/// The description of a verified token, apart from the user's claims.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    pub(super) names: Arc<TokenNames>,
    /// The client, where it is not the expected one.
    pub(super) client_id: Option<Box<str>>,
    pub(super) subject: SubjectText,
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
    pub(super) live_at: LiveAt,
}

/// The version of the view of the revocations by which the token was last found valid; 0 before it
/// was looked up. Only the view compares it.
#[derive(Debug, Default)]
pub(super) struct LiveAt(AtomicU64);

impl Clone for LiveAt {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// The part of the description that only a token of another issuer has.
#[derive(Clone, Debug)]
pub(super) struct ForeignToken {
    /// The guard that verified the token.
    pub(super) guard: Arc<str>,
    /// The token's `iss`, where it is not the issuer's first spelling.
    pub(super) alias: Option<Arc<str>>,
    /// The expected audience of the token.
    pub(super) audience: Arc<str>,
    /// The token's `jti`.
    pub(super) id: Option<Box<str>>,
    pub(super) nonce: Option<Box<str>>,
}

impl TokenInfo {
    /// Returns whether a token that was valid before is still valid by its times.
    pub(super) fn is_timely(
        &self,
        leeway: Duration,
        (now, latest): (Timestamp, Timestamp),
    ) -> bool {
        let leeway = bounded(leeway);
        let begun = now.plus(leeway);
        let starts_late =
            self.not_before.is_some_and(|start| start > begun) || self.issued_at > begun;
        !starts_late && latest < self.expires_at.plus(leeway)
    }

    /// Returns whether the token was valid by this version of the view.
    pub(crate) fn was_live_at(&self, version: u64) -> bool {
        self.live_at.0.load(Ordering::Relaxed) == version
    }

    /// Notes that the token is valid by this version of the view.
    pub(crate) fn note_live_at(&self, version: u64) {
        self.live_at.0.store(version, Ordering::Relaxed);
    }

    /// Makes the description of a token, for tests of code that reads it.
    #[cfg(test)]
    pub(crate) fn of(
        (subject, client, kid): (&str, &str, &str),
        (jti, sid): (TokenId, SessionId),
        expires_at: Timestamp,
    ) -> Self {
        let expect = Expect {
            issuer: "https://a.example".into(),
            audience: "api".into(),
            realm: None,
            client_id: client.into(),
            leeway: std::time::Duration::ZERO,
            max_lifetime: std::time::Duration::MAX,
            allow_expired: false,
        };
        Self {
            names: Arc::new(TokenNames::new(
                &expect,
                Arc::clone(&expect.issuer),
                &expect.audience,
                &kid.into(),
            )),
            client_id: None,
            subject: subject.into(),
            acr: None,
            jti,
            session: Some((sid, 0)),
            user_epoch: 0,
            issued_at: Timestamp::default(),
            expires_at,
            not_before: None,
            auth_time: None,
            binding: None,
            foreign: None,
            live_at: LiveAt::default(),
        }
    }

    /// Returns the issuer: `iss`, as the token spells it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        let alias = self
            .foreign
            .as_ref()
            .and_then(|foreign| foreign.alias.as_deref());
        alias.unwrap_or(&self.names.issuer)
    }

    /// Returns the expected audience that the token names.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.names.audience
    }

    /// Returns the realm: `rlm`; `None` in the default realm, and for tokens of other issuers that
    /// have none.
    #[must_use]
    pub fn realm(&self) -> Option<&RealmName> {
        self.names.realm.as_ref()
    }

    /// Returns the subject: the text of `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the bytes of the subject, for looking it up.
    pub(crate) fn subject_bytes(&self) -> &[u8] {
        self.subject.as_bytes()
    }

    /// Returns the client to which the token was issued: `client_id`. For a token of another issuer
    /// this is its `client_id` or `azp`, empty if it has neither.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or(&self.names.client_id)
    }

    /// Returns issuer and subject, which together identify the user. Subjects of different issuers
    /// may have the same name, and an email address is not an identity (OpenID Connect Core section
    /// 5.7). Of an issuer with aliases it is the first spelling.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.names.issuer, &self.subject)
    }

    /// Returns the name of the guard that verified the token; `None` for a token of the gate's own.
    #[must_use]
    pub fn guard(&self) -> Option<&str> {
        self.foreign.as_ref().map(|foreign| &*foreign.guard)
    }

    /// Returns the `jti` of another issuer's token, as the token has it. `None` for a token of the
    /// gate's own, whose id is [`jti`](Self::jti).
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.foreign.as_ref()?.id.as_deref()
    }

    /// Returns the value that binds an ID token to the request that asked for it: `nonce` (OpenID
    /// Connect Core section 2).
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.foreign.as_ref()?.nonce.as_deref()
    }

    /// Returns the token's id: `jti`. For a token of another issuer it is half a SHA-256 of the
    /// issuer and of its `jti`, or of its text where it has none.
    #[must_use]
    pub fn jti(&self) -> TokenId {
        self.jti
    }

    /// Returns the session: `sid`; `None` if the token was issued without one.
    #[must_use]
    pub fn sid(&self) -> Option<SessionId> {
        self.session.map(|(sid, _)| sid)
    }

    /// Returns the session's generation when the token was issued: `gen`; `None` if it was
    /// issued without a session.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.session.map(|(_, generation)| generation)
    }

    /// Returns the epoch when the token was issued: `uep`; 0 for a token of another issuer. The
    /// token is no longer valid once the epoch of its subject, of its client or of all is above it.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.user_epoch
    }

    /// Returns when the user last authenticated: `auth_time`, in whole seconds.
    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.auth_time
    }

    /// Returns the way in which the user authenticated: `acr`.
    #[must_use]
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// Returns the binding of the token: `bnd`.
    pub(crate) fn binding(&self) -> Option<TokenBinding> {
        self.binding
    }

    /// Returns when the token was issued: `iat`, in whole seconds.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// Returns when the token expires: `exp`, in whole seconds.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns the id of the key that signed the token.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.names.kid
    }
}
