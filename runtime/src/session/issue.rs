//! Puts together what a client gets: an access token, a refresh token, and when they end.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Refusal};
use crate::id::{SessionId, TokenId};
use crate::keys::SigningKey;
use crate::token::{self, ClaimSet, Envelope, RefreshToken, Stamp, TokenBinding};

use super::Engine;

/// Tokens for a client. Nothing of them is shown by `Debug`.
#[non_exhaustive]
pub struct Issued {
    /// The access token: a signed JWT (RFC 9068).
    pub access_token: String,
    /// The refresh token: opaque.
    pub refresh_token: RefreshToken,
    /// When the access token runs out.
    pub access_expires_at: Timestamp,
    /// When the refresh token runs out, unless it is used before.
    pub refresh_expires_at: Timestamp,
    /// When they were issued, by the gate's clock.
    pub issued_at: Timestamp,
    /// The session they belong to.
    pub session_id: SessionId,
    /// Whether the refresh token is another one than the client had.
    pub is_fresh: bool,
}

impl Issued {
    /// How long the access token lives, in whole seconds, rounded up: `expires_in` (RFC 6749
    /// section 5.1).
    #[must_use]
    pub fn expires_in(&self) -> u64 {
        secs(self.access_expires_at.since(self.issued_at))
    }

    /// How long the refresh token may lie unused, in whole seconds.
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

/// The longest token that a cookie carries: browsers take 4096 bytes with its name and attributes
/// (RFC 6265 section 6.1, R107).
const MAX_IN_COOKIE: usize = 4096 - 256;

/// Whole seconds, rounded up: the token's own expiry was rounded down.
fn secs(span: Duration) -> u64 {
    u64::try_from(span.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// What an access token is made for.
pub(super) struct SignedAccess<'a> {
    pub(super) jti: TokenId,
    pub(super) session: Option<SessionPart>,
    pub(super) epoch: u64,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) acr: Option<&'a str>,
    pub(super) binding: Option<TokenBinding>,
    pub(super) lifetime: Duration,
    /// Never later than this.
    pub(super) not_after: Timestamp,
}

/// Which generation of which session.
#[derive(Clone, Copy)]
pub(super) struct SessionPart {
    pub(super) sid: SessionId,
    pub(super) generation: u32,
}

impl Engine {
    /// Signs an access token; answers it with its expiry. Where the key lives elsewhere this takes
    /// a journey, and may fail.
    pub(super) async fn sign_access<C: ClaimSet>(
        &self,
        access: &SignedAccess<'_>,
        claims: &C,
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
                token::encrypt(&self.ring.set(), text, now).map_err(Refusal::unavailable)?
            }
        };
        Ok((text, expires_at))
    }

    /// Whether these claims can be put into a token at all, and until when that would live. Signs
    /// nothing.
    pub(super) fn try_draft<C: ClaimSet>(
        &self,
        access: &SignedAccess<'_>,
        claims: &C,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        self.draft(&self.ring.signing(), access, claims, now)
            .map(|_| expiry(access, now))
    }

    fn draft<C: ClaimSet>(
        &self,
        key: &SigningKey,
        access: &SignedAccess<'_>,
        claims: &C,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let (draft, len) = token::draft(key, &self.stamp(access, now), claims, self.envelope)
            .map_err(Refusal::unavailable)?;
        if self.settings.cookies.path.is_some() && len > MAX_IN_COOKIE {
            return Err(Refusal::unavailable(
                "the claims are too long: a token that travels in a cookie has at most 3840 bytes",
            ));
        }
        Ok(draft)
    }

    fn stamp<'a>(&'a self, access: &SignedAccess<'a>, now: Timestamp) -> Stamp<'a> {
        Stamp {
            issuer: &self.expect.issuer,
            audience: &self.expect.audience,
            client_id: &self.settings.client_id,
            issued_at: now,
            expires_at: expiry(access, now),
            jti: access.jti,
            sid: access.session.map(|part| part.sid),
            generation: access.session.map(|part| part.generation),
            epoch: access.epoch,
            auth_time: access.auth_time,
            acr: access.acr,
            binding: access.binding,
        }
    }

    /// Signs a token for a session. Answers it with its life in seconds, and the rows that go into
    /// the registry before it goes out.
    #[cfg(feature = "axum")]
    pub(crate) async fn sign_for<C: ClaimSet>(
        &self,
        session: &crate::store::Session,
        claims: &C,
    ) -> Result<((String, u64), Vec<crate::store::TokenRecord>), Refusal> {
        let now = self.clock.now();
        let access = SignedAccess {
            jti: TokenId::random().map_err(Refusal::unavailable)?,
            session: Some(SessionPart {
                sid: session.sid,
                generation: session.generation,
            }),
            epoch: session.epoch,
            auth_time: Some(session.auth_time),
            acr: session.acr.as_deref(),
            binding: self.binding(session.sid, &session.device),
            lifetime: self.settings.access.ttl,
            not_after: self.time.to_local(session.abs_exp),
        };
        let (text, expires_at) = self.sign_access(&access, claims, now).await?;
        let rows = self.rows(
            &session.into(),
            (access.jti, session.generation),
            now,
            expires_at,
        );
        Ok(((text, secs(expires_at.since(now))), rows))
    }

    /// Signs a token that belongs to no session.
    pub(crate) async fn issue_alone<C: ClaimSet>(
        &self,
        claims: &C,
        lifetime: Duration,
    ) -> Result<String, Error> {
        let most = self.settings.access.max_ttl();
        if lifetime > most || lifetime.as_secs() == 0 {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "a token's lifetime is between one second and `access.max_ttl` ({} s)",
                    most.as_secs()
                ),
            ));
        }
        self.refuse_while_paused()
            .map_err(|e| Error::new(ErrorKind::Usage, "the deployment is paused").because(e))?;
        let (now, subject) = (self.clock.now(), claims.subject().to_string());
        let epoch = self
            .store
            .epoch_of(subject, self.settings.client_id.clone())
            .await
            .map_err(|e| {
                Error::new(ErrorKind::Store, "the subject's epoch cannot be read").because(e)
            })?;
        let access = SignedAccess {
            jti: TokenId::random()?,
            session: None,
            epoch,
            auth_time: None,
            acr: None,
            binding: None,
            lifetime,
            not_after: Timestamp::MAX,
        };
        self.sign_access(&access, claims, now)
            .await
            .map(|(text, _)| text)
            .map_err(|e| Error::new(ErrorKind::Keys, "the token cannot be signed").because(e))
    }

    /// Signs a token and verifies it, so that a ring that cannot do both is found at the start.
    pub(crate) async fn self_test(&self) -> Result<(), Error> {
        let failed = |e: Refusal| {
            Error::new(
                ErrorKind::Keys,
                "a token signed with the ring does not verify with it",
            )
            .because(e)
        };
        let access = SignedAccess {
            jti: TokenId::random()?,
            session: None,
            epoch: 0,
            auth_time: None,
            acr: None,
            binding: None,
            lifetime: self.settings.access.ttl,
            not_after: Timestamp::MAX,
        };
        let (text, _) = self
            .sign_access(&access, &Nobody, self.clock.now())
            .await
            .map_err(failed)?;
        self.recognise::<Nobody>(&text).map(drop).map_err(failed)
    }
}

/// Whole seconds, so that the expiry in the token is the one that is answered.
fn expiry(access: &SignedAccess<'_>, now: Timestamp) -> Timestamp {
    Timestamp::from_secs(now.plus(access.lifetime).min(access.not_after).as_secs())
}

/// The claims of the token that a gate makes for its self-test.
#[derive(Clone, Debug)]
struct Nobody;

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
