//! Access tokens from their text to a proof: the one place that makes a `Verified`.

use std::sync::Arc;
use std::time::Duration;

use super::binding::TokenBinding;
use super::claims::ClaimSet;
use super::compact::{self, Compact, decoded_room};
use super::decode::{Decoded, decode};
use super::header::find_key;
use crate::clock::Timestamp;
use crate::id::{SessionId, TokenId};
use crate::keys::{KeySet, KeyState, VerifyingKey};

/// What a verifier expects of every token.
#[derive(Clone, Debug)]
pub struct Expect {
    /// `iss`, byte for byte.
    pub issuer: Arc<str>,
    /// `aud`, or one of it.
    pub audience: Arc<str>,
    /// The `client_id` that most tokens have; another is not refused.
    pub client_id: Arc<str>,
    /// By how much clocks may differ; at most 120 s count.
    pub leeway: Duration,
    /// The longest `exp − iat`.
    pub max_lifetime: Duration,
    /// Whether a token whose time is out still counts, as for signing out.
    pub allow_expired: bool,
}

/// Claims whose signature, times, issuer and audience were checked.
///
/// Whether they were revoked is for the gate to say, which alone hands these out.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    held: Held<C>,
}

/// A token that is remembered is shared by all who send it again.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "what is not remembered is not put on the heap either"
)]
enum Held<C> {
    Own(Shared<C>),
    Shared(Arc<Shared<C>>),
}

/// Claims, and the rest.
#[derive(Clone, Debug)]
pub(super) struct Shared<C> {
    claims: C,
    token: TokenInfo,
}

impl<C> Shared<C> {
    pub(super) fn token(&self) -> &TokenInfo {
        &self.token
    }
}

/// What a verified token says of itself, apart from the user's claims.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    issuer: Arc<str>,
    audience: Arc<str>,
    kid: Arc<str>,
    client_id: Client,
    subject: Box<str>,
    acr: Option<Box<str>>,
    jti: TokenId,
    session: Option<(SessionId, u32)>,
    epoch: u64,
    issued_at: Timestamp,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    auth_time: Option<Timestamp>,
    binding: Option<TokenBinding>,
    foreign: Option<Box<Foreign>>,
}

/// What only a token of another issuer has.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
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
enum Client {
    Expected(Arc<str>),
    Other(Box<str>),
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is none of ours, not yet valid, for somebody else, or not an access token.
    Invalid,
    /// All about it is right but that its time is out.
    Expired,
}

/// Verifies an access token by the keys of a ring.
///
/// # Errors
/// See [`VerifyError`]. Nothing is read of the claims before the signature held.
pub fn verify<C: ClaimSet>(
    token: &str,
    keys: &KeySet,
    expect: &Expect,
    now: Timestamp,
) -> Result<Verified<C>, VerifyError> {
    let parts = Compact::split(token).ok_or(VerifyError::Invalid)?;
    let key = key_of(&parts, keys).ok_or(VerifyError::Invalid)?;
    check_signature(&parts, key).ok_or(VerifyError::Invalid)?;
    let decoded = decode_payload::<C>(parts.payload, expect).ok_or(VerifyError::Invalid)?;
    check_times(&decoded, expect, now)?;
    Ok(Verified::new(decoded, key, expect))
}

/// The key whose header the token has: byte for byte as issued, or else as its parsed header says.
fn key_of<'k>(parts: &Compact<'_>, keys: &'k KeySet) -> Option<&'k VerifyingKey> {
    let issued = keys
        .verifying()
        .iter()
        .find(|key| key.header() == parts.header);
    issued
        .or_else(|| find_key(parts.header, keys))
        .filter(|key| key.state() != KeyState::Retired)
}

fn check_signature(parts: &Compact<'_>, key: &VerifyingKey) -> Option<()> {
    let mut near = [0; SIGNATURE_NEAR];
    let mut far;
    let len = parts.signature.len();
    if len != (key.signature_len() * 4).div_ceil(3) {
        return None;
    }
    let room = if decoded_room(len) <= SIGNATURE_NEAR {
        near.as_mut_slice()
    } else {
        far = vec![0; decoded_room(len)];
        far.as_mut_slice()
    };
    let signature = compact::decode(parts.signature, room)?;
    key.verify(parts.signed.as_bytes(), signature).then_some(())
}

fn decode_payload<C: ClaimSet>(encoded: &str, expect: &Expect) -> Option<Decoded<C>> {
    let mut near = [0; BUFFER_LEN];
    let mut far;
    let room = if decoded_room(encoded.len()) <= BUFFER_LEN {
        near.as_mut_slice()
    } else {
        far = vec![0; decoded_room(encoded.len())];
        far.as_mut_slice()
    };
    decode(compact::decode(encoded, room)?, expect)
}

/// RFC 7519 sections 4.1.4 to 4.1.6. What is wrong for ever comes before what was right once.
pub(super) fn check_times<C>(
    token: &Decoded<C>,
    expect: &Expect,
    now: Timestamp,
) -> Result<(), VerifyError> {
    let leeway = expect.leeway.min(MAX_LEEWAY);
    let latest = now.plus(leeway);
    let starts_late = token
        .not_before
        .is_some_and(|start| Timestamp::from_secs(start) > latest);
    let lifetime = Duration::from_secs(token.expires.saturating_sub(token.issued));
    if starts_late || Timestamp::from_secs(token.issued) > latest || lifetime > expect.max_lifetime
    {
        return Err(VerifyError::Invalid);
    }
    if expect.allow_expired || now < Timestamp::from_secs(token.expires).plus(leeway) {
        Ok(())
    } else {
        Err(VerifyError::Expired)
    }
}

impl<C> Verified<C> {
    fn new(decoded: Decoded<C>, key: &VerifyingKey, expect: &Expect) -> Self {
        Self::made(decoded, key.kid(), expect, None)
    }

    /// The claims of another issuer's token, once everything held: for
    /// [`external`](super::external) alone.
    pub(super) fn foreign(
        decoded: Decoded<C>,
        foreign: Foreign,
        kid: &Arc<str>,
        expect: &Expect,
    ) -> Self {
        Self::made(decoded, kid, expect, Some(Box::new(foreign)))
    }

    fn made(
        decoded: Decoded<C>,
        kid: &Arc<str>,
        expect: &Expect,
        foreign: Option<Box<Foreign>>,
    ) -> Self {
        let token = TokenInfo {
            issuer: Arc::clone(&expect.issuer),
            audience: Arc::clone(
                foreign
                    .as_ref()
                    .map_or(&expect.audience, |foreign| &foreign.audience),
            ),
            kid: Arc::clone(kid),
            client_id: decoded.client_id.map_or_else(
                || Client::Expected(Arc::clone(&expect.client_id)),
                Client::Other,
            ),
            subject: decoded.subject,
            acr: decoded.acr,
            jti: decoded.jti,
            session: decoded.session,
            epoch: decoded.epoch,
            issued_at: Timestamp::from_secs(decoded.issued),
            expires_at: Timestamp::from_secs(decoded.expires),
            not_before: decoded.not_before.map(Timestamp::from_secs),
            auth_time: decoded.auth_time.map(Timestamp::from_secs),
            foreign,
            binding: decoded.binding,
        };
        Self {
            held: Held::Own(Shared {
                claims: decoded.claims,
                token,
            }),
        }
    }

    /// What is remembered, once more.
    pub(super) fn shared(shared: Arc<Shared<C>>) -> Self {
        Self {
            held: Held::Shared(shared),
        }
    }

    /// To be remembered.
    pub(super) fn to_shared(&self) -> Arc<Shared<C>>
    where
        C: Clone,
    {
        match &self.held {
            Held::Own(own) => Arc::new(own.clone()),
            Held::Shared(shared) => Arc::clone(shared),
        }
    }

    fn held(&self) -> &Shared<C> {
        match &self.held {
            Held::Own(own) => own,
            Held::Shared(shared) => shared,
        }
    }

    /// What the token says of the user.
    #[must_use]
    pub fn claims(&self) -> &C {
        &self.held().claims
    }

    /// What the token says of the user, without the rest.
    #[must_use]
    pub fn into_claims(self) -> C
    where
        C: Clone,
    {
        match self.held {
            Held::Own(own) => own.claims,
            Held::Shared(shared) => Arc::try_unwrap(shared)
                .map_or_else(|shared| shared.claims.clone(), |own| own.claims),
        }
    }

    /// What the token says of itself.
    #[must_use]
    pub fn token(&self) -> &TokenInfo {
        &self.held().token
    }
}

impl TokenInfo {
    /// Whether its times hold still, as they did once.
    pub(super) fn is_timely(&self, expect: &Expect, now: Timestamp) -> bool {
        let leeway = expect.leeway.min(MAX_LEEWAY);
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
            Client::Expected(id) => id,
            Client::Other(id) => id,
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
        self.epoch
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

/// R45.
const MAX_LEEWAY: Duration = Duration::from_secs(120);
/// Signatures up to this size, all but RSA's, are decoded on the stack.
const SIGNATURE_NEAR: usize = 100;
/// Payloads up to this size are decoded on the stack.
const BUFFER_LEN: usize = 1024;
