//! Opens a session, so that neither an old password nor an old role survives what changed meanwhile (ROTATION 3, order of a sign-in).

use crate::clock::Timestamp;
use crate::device::{Client, Device};
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::{SessionId, TokenId};
use crate::secret::{fill_random, sha256};
use crate::store::{Authenticated, DeviceLimit, NewSession, Opened};
use crate::token::{self, ClaimSet, RefreshToken};

use super::issue::{Access, SessionPart};
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
            return Err(Refusal::unavailable("the backend answered a user whose subject is empty"));
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
            true => Some(token::write_stored(login.claims).map_err(Refusal::unavailable)?),
            false => None,
        };
        let device = device_of(login.client);
        let bond = self.bond(sid, &device);
        let access = |epoch| Access {
            jti,
            session: Some(SessionPart { sid, generation: 0 }),
            epoch,
            auth_time: Some(login.auth_time),
            acr: login.acr,
            bond,
            lifetime: self.settings.access.ttl,
            not_after: self.time.here(abs_exp),
        };
        // Claims that no token can carry open no session and evict none. The epoch is not known yet, and no longer than this one.
        let (_, expires_at) = self.sign_access(&access(u64::MAX), login.claims, here)?;
        let member = Member { sid, subject: &subject, device: &device, created_at: now, abs_exp };
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
            limit: self.settings.session.device_limit.map(|max| DeviceLimit { max, on_limit: self.settings.session.on_limit }),
            log_until: self.log_until(now),
            tokens,
        };
        let (epoch, evicted) = match self.store.open_session(new, now).await.map_err(Refusal::unavailable)? {
            Opened::Open { epoch, evicted } => (epoch, evicted),
            Opened::Reload { changed_at } => return Ok(Attempt::Again(Authenticated::After(changed_at))),
            Opened::LimitReached => {
                let kind = EventKind::SignInRefused(Code::Forbidden);
                self.events.emit(&Event::new(kind).subject(subject).ip(login.client.ip));
                return Err(Refusal::new(Code::Forbidden));
            }
        };
        self.evict(&evicted, now);
        let (access_token, access_expires_at) = self.sign_access(&access(epoch), login.claims, here)?;
        self.events.emit(&Event::new(EventKind::SignedIn).subject(subject).sid(sid).ip(login.client.ip));
        Ok(Attempt::Open(Box::new(Issued {
            access_token,
            refresh_token: RefreshToken::mint(&self.ring.set(), sid, 0, &secret),
            access_expires_at,
            refresh_expires_at: self.time.here(idle_exp),
            issued_at: here,
            session_id: sid,
            is_fresh: true,
        })))
    }

    /// This node need not wait for the log to know of the sessions it evicted.
    fn evict(&self, evicted: &[SessionId], now: Timestamp) {
        use crate::store::{Fact, LogEntry};
        for sid in evicted {
            self.apply(&[LogEntry { fact: Fact::Session(*sid), until: self.log_until(now) }]);
        }
    }
}

/// What a session remembers of the client that opened it.
fn device_of(client: &Client) -> Device {
    let mut device = client.device.clone();
    device.user_agent = device.user_agent.or_else(|| client.user_agent.clone());
    device.ip = device.ip.or_else(|| client.ip.map(|ip| ip.to_string()));
    device
}
