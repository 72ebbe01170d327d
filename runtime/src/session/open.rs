//! Opens a session, so that neither an old password nor an old role survives what changed meanwhile
//! (ROTATION 3, order of a sign-in).

use crate::clock::Timestamp;
use crate::device::{Client, Device};
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::{SessionId, TokenId};
use crate::secret::{fill_random, sha256};
use crate::store::{Authenticated, DeviceLimit, NewSession, Opened, Session};
use crate::token::{self, ClaimSet, Envelope, RefreshToken};

use super::issue::{SessionPart, SignedAccess};
use super::registry::Member;
use super::{Engine, Issued};

/// A user who was authenticated, and is to get a session.
pub(crate) struct Login<'a, C> {
    pub(crate) claims: &'a C,
    pub(crate) client: &'a Client,
    /// Whether the claims are kept with the session.
    pub(crate) keep_claims: bool,
    /// What the authentication saw of the subject.
    pub(crate) authenticated: Authenticated,
    /// When the user proved who they are.
    pub(crate) auth_time: Timestamp,
    /// How they proved it, where that has a name.
    pub(crate) acr: Option<&'a str>,
}

/// How an attempt to open a session went.
pub(crate) enum Attempt {
    /// It is open.
    Open(Box<Issued>),
    /// The subject changed meanwhile: authenticate again, and expect this.
    Again(Authenticated),
}

impl Engine {
    /// Opens a session and issues its first tokens.
    pub(crate) async fn open<C: ClaimSet>(&self, login: &Login<'_, C>) -> Result<Attempt, Refusal> {
        self.refuse_while_paused()?;
        let subject = login.claims.subject().to_string();
        if subject.is_empty() {
            return Err(Refusal::unavailable(
                "the backend answered a user whose subject is empty",
            ));
        }
        self.require_bindable(login.client)?;
        let (here, now) = (self.clock.now(), self.time.now());
        let sid = SessionId::random().map_err(Refusal::unavailable)?;
        let jti = TokenId::random().map_err(Refusal::unavailable)?;
        let mut secret = zeroize::Zeroizing::new([0; 16]);
        fill_random(&mut *secret).map_err(Refusal::unavailable)?;
        let abs_exp = now.plus(self.settings.session.absolute);
        let idle_exp = now.plus(self.settings.session.idle).min(abs_exp);
        let claims = match login.keep_claims {
            true => Some(self.hide_claims(
                sid,
                token::write_stored(login.claims).map_err(Refusal::unavailable)?,
            )?),
            false => None,
        };
        let device = device_of(login.client);
        let binding = self.binding(sid, &device);
        let access = |epoch| SignedAccess {
            jti,
            session: Some(SessionPart { sid, generation: 0 }),
            epoch,
            auth_time: Some(login.auth_time),
            acr: login.acr,
            binding,
            lifetime: self.settings.access.ttl,
            not_after: self.time.to_local(abs_exp),
        };
        // Claims that no token can carry open no session and evict none. The epoch is not known
        // yet, and no longer than this one.
        let expires_at = self.try_draft(&access(u64::MAX), login.claims, here)?;
        // Nor does a signer that is away: it is asked for the epoch that the session will most
        // likely have.
        let foresigned = self.foresign(&access, login.claims, &subject, here).await?;
        let member = Member {
            sid,
            subject: &subject,
            device: &device,
            created_at: now,
            abs_exp,
        };
        let tokens = self.rows(&member, (jti, 0), here, expires_at);
        let new = NewSession {
            sid,
            subject: subject.clone(),
            client_id: self.settings.client_id.clone(),
            device,
            current: sha256(&*secret),
            auth_time: login.auth_time,
            acr: login.acr.map(str::to_owned),
            claims,
            idle_exp,
            abs_exp,
            authenticated: login.authenticated,
            limit: self.settings.session.device_limit.map(|max| DeviceLimit {
                max,
                on_limit: self.settings.session.on_limit,
            }),
            log_until: self.log_until(now),
            tokens,
        };
        let (epoch, evicted) = match self
            .store
            .open_session(new, now)
            .await
            .map_err(Refusal::unavailable)?
        {
            Opened::Open { epoch, evicted } => (epoch, evicted),
            Opened::Reload { changed_at } => {
                return Ok(Attempt::Again(Authenticated::After(changed_at)));
            }
            Opened::LimitReached => {
                let kind = EventKind::SignInRefused(Code::Forbidden);
                self.events
                    .emit(&Event::new(kind).subject(subject).ip(login.client.ip));
                return Err(Refusal::new(Code::Forbidden));
            }
        };
        self.evict(&evicted, now);
        let (access_token, access_expires_at) = match foresigned {
            Some((foreseen, signed)) if foreseen == epoch => signed,
            _ => self.sign_access(&access(epoch), login.claims, here).await?,
        };
        self.events.emit(
            &Event::new(EventKind::SignedIn)
                .subject(subject)
                .sid(sid)
                .ip(login.client.ip),
        );
        Ok(Attempt::Open(Box::new(Issued {
            access_token,
            refresh_token: RefreshToken::mint(&self.ring.set(), sid, 0, &secret),
            access_expires_at,
            refresh_expires_at: self.time.to_local(idle_exp),
            issued_at: here,
            session_id: sid,
            is_fresh: true,
        })))
    }

    /// What a session keeps of the claims: sealed where its tokens are, so that the store cannot
    /// read them either.
    fn hide_claims(&self, sid: SessionId, claims: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        match self.envelope {
            Envelope::Open => {
                let _ = sid;
                Ok(claims)
            }
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => self
                .ring
                .set()
                .seal(&context(sid), &claims)
                .map_err(Refusal::unavailable),
        }
    }

    /// The claims that a session keeps, as they were written; `None` where it keeps none that this
    /// ring can read.
    pub(crate) fn kept_claims(&self, session: &Session) -> Option<Vec<u8>> {
        let kept = session.claims.as_deref()?;
        match self.envelope {
            Envelope::Open => Some(kept.to_vec()),
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => self.ring.set().open(&context(session.sid), kept),
        }
    }

    /// Where the key lives elsewhere: the token for the epoch that the store has at the moment.
    async fn foresign<'a, C: ClaimSet>(
        &self,
        access: &impl Fn(u64) -> SignedAccess<'a>,
        claims: &C,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<(u64, (String, Timestamp))>, Refusal> {
        if !self.ring.signing().is_elsewhere() {
            return Ok(None);
        }
        let epoch = self
            .store
            .epoch_of(subject.to_owned(), self.settings.client_id.clone())
            .await
            .map_err(Refusal::unavailable)?;
        Ok(Some((
            epoch,
            self.sign_access(&access(epoch), claims, now).await?,
        )))
    }

    /// This node need not wait for the log to know of the sessions it evicted.
    fn evict(&self, evicted: &[SessionId], now: Timestamp) {
        use crate::store::{Fact, LogEntry};
        for sid in evicted {
            self.apply(&[LogEntry {
                fact: Fact::Session(*sid),
                until: self.log_until(now),
            }]);
        }
    }
}

/// What sealed claims are bound to: their session.
#[cfg(feature = "jwe")]
fn context(sid: SessionId) -> [u8; 40] {
    let mut context = *b"tollgate/claims/1.......................";
    for (to, from) in context.iter_mut().skip(24).zip(sid.as_bytes()) {
        *to = *from;
    }
    context
}

/// What a session remembers of the client that opened it.
fn device_of(client: &Client) -> Device {
    let mut device = client.device.clone();
    device.user_agent = device.user_agent.or_else(|| client.user_agent.clone());
    device.ip = device.ip.or_else(|| client.ip.map(|ip| ip.to_string()));
    device
}
