//! Makes the tokens of a client: an access token, a refresh token, and the times at which they end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::Device;
use crate::error::{Error, ErrorKind, Refusal};
use crate::event::{Emitter, Event, EventKind, Hourly};
use crate::id::{SessionId, TokenId};
use crate::keys::{KeyRing, SigningKey};
use crate::realm::RealmName;
use crate::settings::Settings;
use crate::store::Session;
use crate::token::{
    self, BadRefreshToken, ClaimFault, ClaimSet, Envelope, IssueError, Parsed, RefreshToken, Stamp,
    StoreTooLong, TokenBinding,
};

use super::binding::bind;
use super::clock::StoreClock;

/// Tokens for a client. `Debug` shows no part of them.
#[non_exhaustive]
pub struct Issued {
    /// The access token: a signed JWT (RFC 9068).
    pub access_token: String,
    /// The refresh token: opaque.
    pub refresh_token: RefreshToken,
    /// The time at which the access token expires.
    pub access_expires_at: Timestamp,
    /// The time at which the refresh token expires, unless it is used before.
    pub refresh_expires_at: Timestamp,
    /// The time at which they were issued, by the gate's clock.
    pub issued_at: Timestamp,
    /// The session to which they belong.
    pub session_id: SessionId,
    /// `true` if the client has to store the refresh token: it is another one than before, or it
    /// expires later (the policy `fixed`).
    pub is_fresh: bool,
    /// `true` if the session is not to be remembered: its cookies end when the browser is
    /// closed.
    pub is_brief: bool,
    /// The members that the backend adds to the answer.
    pub(crate) own: Option<OwnMembers>,
}

/// The members that a backend adds to an answer.
pub(crate) type OwnMembers = serde_json::Map<String, serde_json::Value>;

impl Issued {
    /// Returns how long the access token lives, in whole seconds, rounded up: `expires_in` (RFC
    /// 6749 section 5.1).
    #[must_use]
    pub fn expires_in(&self) -> u64 {
        secs(self.access_expires_at.since(self.issued_at))
    }

    /// Returns how long the refresh token stays valid without use, in whole seconds.
    #[must_use]
    pub fn refresh_expires_in(&self) -> u64 {
        secs(self.refresh_expires_at.since(self.issued_at))
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued")
            .field("session_id", &self.session_id)
            .field("access_expires_at", &self.access_expires_at)
            .field("refresh_expires_at", &self.refresh_expires_at)
            .finish_non_exhaustive()
    }
}

/// The longest token that fits into a cookie: browsers accept 4096 bytes with its name and
/// attributes (RFC 6265 section 6.1, R107).
const MAX_IN_COOKIE: usize = 4096 - 256;

/// Returns whole seconds, rounded up: the token's own expiry was rounded down.
pub(crate) fn secs(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// The data that is signed in an access token.
pub(crate) struct SignedAccess<'a> {
    pub(crate) jti: TokenId,
    pub(crate) session: Option<SessionPart>,
    pub(crate) user_epoch: u64,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) acr: Option<&'a str>,
    pub(crate) binding: Option<TokenBinding>,
    pub(crate) lifetime: Duration,
    /// The latest time at which the token may expire.
    pub(crate) not_after: Timestamp,
}

/// A generation of a session.
#[derive(Clone, Copy)]
pub(crate) struct SessionPart {
    pub(crate) sid: SessionId,
    pub(crate) generation: u32,
}

/// The claims of a user without their type, so that the issuer of tokens is compiled once.
pub(crate) trait AnyClaims: Send + Sync {
    /// Returns the subject as a token contains it.
    fn subject(&self) -> String;

    /// Writes header and claims of a token: see [`token::draft`].
    fn draft(
        &self,
        key: &SigningKey,
        stamp: &Stamp<'_>,
        envelope: Envelope,
    ) -> Result<(String, usize), IssueError>;

    /// Writes the claims in the form that a session keeps: see [`token::write_stored`].
    fn to_stored(&self) -> Result<Vec<u8>, StoreTooLong>;

    /// Finds the claim that prevented the issue of a token.
    fn fault(&self, error: &IssueError) -> ClaimFault;

    /// Finds the longest claim.
    fn longest(&self) -> ClaimFault;

    /// Returns the members that the backend adds to the answer for this user.
    fn own_members(&self) -> Option<&OwnMembers> {
        None
    }
}

/// Claims, and the members that the backend adds to the answer for their user.
pub(crate) struct Accompanied {
    pub(crate) claims: Box<dyn AnyClaims>,
    pub(crate) members: OwnMembers,
}

impl AnyClaims for Accompanied {
    fn subject(&self) -> String {
        self.claims.subject()
    }

    fn draft(
        &self,
        key: &SigningKey,
        stamp: &Stamp<'_>,
        envelope: Envelope,
    ) -> Result<(String, usize), IssueError> {
        self.claims.draft(key, stamp, envelope)
    }

    fn to_stored(&self) -> Result<Vec<u8>, StoreTooLong> {
        self.claims.to_stored()
    }

    fn fault(&self, error: &IssueError) -> ClaimFault {
        self.claims.fault(error)
    }

    fn longest(&self) -> ClaimFault {
        self.claims.longest()
    }

    fn own_members(&self) -> Option<&OwnMembers> {
        Some(&self.members)
    }
}

impl<C: ClaimSet> AnyClaims for C {
    fn subject(&self) -> String {
        ClaimSet::subject(self).to_string()
    }

    fn draft(
        &self,
        key: &SigningKey,
        stamp: &Stamp<'_>,
        envelope: Envelope,
    ) -> Result<(String, usize), IssueError> {
        token::draft(key, stamp, self, envelope)
    }

    fn to_stored(&self) -> Result<Vec<u8>, StoreTooLong> {
        token::write_stored(self)
    }

    fn fault(&self, error: &IssueError) -> ClaimFault {
        ClaimFault::find(self, error)
    }

    fn longest(&self) -> ClaimFault {
        ClaimFault::too_long(self)
    }
}

/// Signs access tokens, makes refresh tokens, and seals values that only their holders may open.
#[derive(Debug)]
pub(crate) struct TokenIssuer {
    settings: Arc<Settings>,
    ring: KeyRing,
    realm: Option<RealmName>,
    time: Arc<StoreClock>,
    envelope: Envelope,
    events: Emitter,
    reports: Arc<Hourly>,
}

impl TokenIssuer {
    pub(super) fn new(
        (settings, realm): (&Arc<Settings>, Option<&RealmName>),
        ring: &KeyRing,
        time: &Arc<StoreClock>,
        envelope: Envelope,
        (events, reports): (&Emitter, &Arc<Hourly>),
    ) -> Self {
        Self {
            settings: Arc::clone(settings),
            ring: ring.clone(),
            realm: realm.cloned(),
            time: Arc::clone(time),
            envelope,
            events: events.clone(),
            reports: Arc::clone(reports),
        }
    }

    /// Returns the data for an access token of a stored session, at a generation.
    pub(crate) fn access_of<'a>(
        &self,
        session: &'a Session,
        jti: TokenId,
        generation: u32,
    ) -> SignedAccess<'a> {
        let sid = session.sid;
        SignedAccess {
            jti,
            session: Some(SessionPart { sid, generation }),
            user_epoch: session.epoch,
            auth_time: Some(session.auth_time),
            acr: session.acr.as_deref(),
            binding: self.bind(sid, &session.device),
            lifetime: self.settings.access.ttl,
            not_after: self.time.to_local(session.abs_exp),
        }
    }

    /// Returns the binding of the access tokens of a session on this device.
    pub(crate) fn bind(&self, sid: SessionId, device: &Device) -> Option<TokenBinding> {
        bind(&self.settings, sid, device)
    }

    /// Signs an access token; returns it with its expiry. Where the key is outside of this process
    /// it asks the signer, and may fail.
    pub(crate) async fn sign(
        &self,
        access: &SignedAccess<'_>,
        claims: &dyn AnyClaims,
        now: Timestamp,
    ) -> Result<(String, Timestamp), Refusal> {
        let (key, expires_at) = (self.ring.signing(), expiry(access, now));
        let draft = self.draft(&key, access, claims, now)?;
        let text = token::complete(&key, draft)
            .await
            .map_err(Refusal::unavailable)?;
        let text = match self.envelope {
            Envelope::Open => text,
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => {
                token::encrypt(&self.ring.set(), text, &self.stamp(access, now), now)
                    .map_err(Refusal::unavailable)?
            }
        };
        Ok((text, expires_at))
    }

    /// Refuses claims that no token can carry; returns when the token would expire. Signs nothing.
    pub(crate) fn try_draft(
        &self,
        access: &SignedAccess<'_>,
        claims: &dyn AnyClaims,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        self.draft(&self.ring.signing(), access, claims, now)
            .map(|_| expiry(access, now))
    }

    fn draft(
        &self,
        key: &SigningKey,
        access: &SignedAccess<'_>,
        claims: &dyn AnyClaims,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let drafted = claims.draft(key, &self.stamp(access, now), self.envelope);
        let (draft, len) = drafted.map_err(|error| match error {
            IssueError::Signer(_) => Refusal::unavailable(error),
            _ => self.refuse(claims, claims.fault(&error)),
        })?;
        if self.settings.cookies.path.is_some() && len > MAX_IN_COOKIE {
            return Err(self.refuse(claims, claims.longest()));
        }
        Ok(draft)
    }

    /// Refuses to issue because of a claim, and reports that once an hour a subject. Trying again
    /// would not help, so the client is not asked to.
    fn refuse(&self, claims: &dyn AnyClaims, fault: ClaimFault) -> Refusal {
        let subject = claims.subject();
        if self.reports.admits("issue", &subject, self.time.now()) {
            let claim = fault.claim().to_owned();
            let event = Event::new(EventKind::IssueRefused { claim }).subject(subject);
            self.events.emit(&event);
        }
        Refusal::internal(fault)
    }

    fn stamp<'a>(&'a self, access: &SignedAccess<'a>, now: Timestamp) -> Stamp<'a> {
        Stamp {
            issuer: self.settings.issuer.as_deref().unwrap_or_default(),
            audience: self.settings.audience.as_deref().unwrap_or_default(),
            client_id: &self.settings.client_id,
            realm: self.realm.as_ref().map(RealmName::as_str),
            issued_at: now,
            expires_at: expiry(access, now),
            jti: access.jti,
            sid: access.session.map(|part| part.sid),
            generation: access.session.map(|part| part.generation),
            user_epoch: access.user_epoch,
            auth_time: access.auth_time,
            acr: access.acr,
            binding: access.binding,
        }
    }

    /// Returns whether the key that signs is in another process or machine.
    pub(crate) fn signs_elsewhere(&self) -> bool {
        self.ring.signing().is_elsewhere()
    }

    /// Makes the refresh token of a generation.
    pub(crate) fn mint(&self, sid: SessionId, generation: u32, secret: &[u8; 16]) -> RefreshToken {
        RefreshToken::mint(
            &self.ring.set(),
            self.realm.as_ref(),
            sid,
            generation,
            secret,
        )
    }

    /// Reads a refresh token of this realm.
    pub(crate) fn parse(&self, text: &str) -> Result<Parsed, BadRefreshToken> {
        RefreshToken::parse(&self.ring.set(), self.realm.as_ref(), text)
    }

    /// Returns the claims in the form that a session keeps: sealed where its tokens are encrypted,
    /// so that the store cannot read them either.
    pub(crate) fn hide_claims(
        &self,
        sid: SessionId,
        claims: &dyn AnyClaims,
    ) -> Result<Vec<u8>, Refusal> {
        let claims = claims
            .to_stored()
            .map_err(|_| self.refuse(claims, claims.longest()))?;
        match self.envelope {
            Envelope::Open => {
                let _ = sid;
                Ok(claims)
            }
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => self
                .ring
                .set()
                .seal(&context(self.realm.as_ref(), sid), &claims)
                .map_err(Refusal::unavailable),
        }
    }

    /// Returns the claims that a session keeps, as they were written; `None` if it keeps none,
    /// or this ring cannot read them.
    pub(crate) fn kept_claims(&self, session: &Session) -> Option<Vec<u8>> {
        let kept = session.claims.as_deref()?;
        match self.envelope {
            Envelope::Open => Some(kept.to_vec()),
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => self
                .ring
                .set()
                .open(&context(self.realm.as_ref(), session.sid), kept),
        }
    }

    /// Signs the token of the self-test, which belongs to no user.
    pub(super) async fn sign_self_test(&self, now: Timestamp) -> Result<String, Error> {
        let access = SignedAccess {
            jti: TokenId::random()?,
            session: None,
            user_epoch: 0,
            auth_time: None,
            acr: None,
            binding: None,
            lifetime: self.settings.access.ttl,
            not_after: Timestamp::MAX,
        };
        let signed = self.sign(&access, &Nobody, now).await;
        signed.map(|(text, _)| text).map_err(self_test_failed)
    }
}

/// Returns the error of a ring that cannot verify what it signs.
pub(super) fn self_test_failed(refusal: Refusal) -> Error {
    Error::new(
        ErrorKind::Keys,
        "a token signed with the ring does not verify with it",
    )
    .because(refusal)
}

/// Returns the context to which sealed claims are bound: their session, and their realm where it
/// has a name.
#[cfg(feature = "jwe")]
fn context(realm: Option<&RealmName>, sid: SessionId) -> Vec<u8> {
    let name = realm.map_or("", RealmName::as_str);
    let parts: [&[u8]; 3] = [b"tollgate/claims/1.......", sid.as_bytes(), name.as_bytes()];
    parts.concat()
}

/// Returns the expiry in whole seconds, so that the token and the answer have the same.
fn expiry(access: &SignedAccess<'_>, now: Timestamp) -> Timestamp {
    Timestamp::from_secs(now.plus(access.lifetime).min(access.not_after).as_secs())
}

/// The claims of the token that a gate makes for its self-test.
#[derive(Clone, Debug)]
pub(super) struct Nobody;

impl serde::Serialize for Nobody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_struct("Nobody")
    }
}

impl ClaimSet for Nobody {
    type Subject = String;
    type Draft = ();

    fn subject(&self) -> &String {
        static SUBJECT: std::sync::LazyLock<String> =
            std::sync::LazyLock::new(|| "nobody".to_owned());
        &SUBJECT
    }

    fn parse_subject(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn write<M: serde::ser::SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        Ok(())
    }

    fn place(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: serde::de::MapAccess<'de>>(
        (): &mut (),
        _: usize,
        map: &mut A,
    ) -> Result<(), A::Error> {
        map.next_value::<serde::de::IgnoredAny>().map(drop)
    }

    fn finish((): (), _: String) -> Result<Self, &'static str> {
        Ok(Self)
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}

#[cfg(all(test, feature = "jwe"))]
mod tests {
    use super::*;

    #[test]
    fn sealed_claims_open_for_their_session_and_realm_alone() {
        let refresh = crate::secret::Secret::from_bytes((100..132).collect::<Vec<u8>>());
        let signing = crate::secret::Secret::from_bytes((0..32).collect::<Vec<u8>>());
        let keys = KeyRing::from_secret(crate::keys::Algorithm::HS256, signing, refresh).unwrap();
        let keys = keys.set();
        let [staff, other] = ["staff", "other"].map(|name| RealmName::parse(name).unwrap());
        let [sid, another] = [1, 2].map(|byte| SessionId::from_bytes([byte; 16]));
        let contexts = [
            context(None, sid),
            context(None, another),
            context(Some(&staff), sid),
            context(Some(&other), sid),
        ];
        for (at, sealed_for) in contexts.iter().enumerate() {
            let sealed = keys.seal(sealed_for, b"{}").unwrap();
            for (other, opened_for) in contexts.iter().enumerate() {
                let opened = keys.open(opened_for, &sealed);
                assert_eq!(opened.is_some(), at == other, "{at} {other}");
            }
        }
    }
}
