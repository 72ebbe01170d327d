//! Opens a session, so that an old password or an old role does not survive a change that is made
//! meanwhile (rotation.md section 3, order of a sign-in).

use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::{Client, Device};
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::{SessionId, TokenId};
use crate::secret::{fill_random, sha256};
use crate::session::{AnyClaims, Issued, Member, SessionPart, SignedAccess};
use crate::settings::SessionSettings;
use crate::store::{
    Authenticated, DeviceLimit, Fact, LogEntry, NewSession, OnceKey, Opened, RevokeReason, Target,
};

use super::Flows;

/// A user who was authenticated, and for whom a session is opened.
pub(super) struct Authentic<'a> {
    pub(super) claims: &'a dyn AnyClaims,
    pub(super) client: &'a Client,
    /// The state of the subject that the authentication saw.
    pub(super) authenticated: Authenticated,
    /// The time of the authentication.
    pub(super) auth_time: Timestamp,
    /// The way in which the user was authenticated, where it has a name (the claim `acr`).
    pub(super) acr: Option<&'a str>,
    /// The time for which the session is remembered.
    pub(super) stay: Stay,
    /// The step that was answered, which the session takes.
    pub(super) step: Option<OnceKey>,
}

/// The time for which a session is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stay {
    /// As long as `session.*` says.
    #[default]
    Long,
    /// Until the browser is closed, as `session.brief_idle` and `session.brief_absolute` say.
    #[cfg(feature = "axum")]
    Brief,
    /// At most so long.
    #[cfg(feature = "axum")]
    For(Duration),
}

impl Stay {
    #[cfg(feature = "axum")]
    fn is_brief(self) -> bool {
        self == Self::Brief
    }

    #[cfg(not(feature = "axum"))]
    fn is_brief(self) -> bool {
        false
    }

    /// Returns after how long the session ends in any case.
    fn absolute(self, settings: &SessionSettings) -> Duration {
        match self {
            Self::Long => settings.absolute,
            #[cfg(feature = "axum")]
            Self::Brief => settings.brief_absolute.min(settings.absolute),
            #[cfg(feature = "axum")]
            Self::For(span) => span.clamp(SHORTEST.min(settings.absolute), settings.absolute),
        }
    }
}

/// Returns after how long without a refresh a session ends.
pub(super) fn idle(is_brief: bool, settings: &SessionSettings) -> Duration {
    match is_brief {
        true => settings.brief_idle.min(settings.idle),
        false => settings.idle,
    }
}

/// The shortest time for which a session can be remembered.
#[cfg(feature = "axum")]
const SHORTEST: Duration = Duration::from_secs(60);

/// The result of an attempt to open a session.
pub(super) enum Opening {
    /// It is open.
    Open(Box<Issued>),
    /// The subject changed meanwhile: authenticate again, and expect this state.
    Again(Authenticated),
}

impl Flows {
    /// Checks that the claims can be issued, opens the session in place of those that the client
    /// presents, and issues its first tokens. If it is not opened, none of those ends.
    pub(super) async fn open(&self, login: &Authentic<'_>) -> Result<Opening, Refusal> {
        self.open_in(login, None).await
    }

    /// The same in a transaction of the program, if there is one, which is committed before
    /// anything is signed.
    pub(super) async fn open_in(
        &self,
        login: &Authentic<'_>,
        transaction: Option<Transaction>,
    ) -> Result<Opening, Refusal> {
        self.engine.refuse_while_paused()?;
        let subject = login.claims.subject();
        let engine = &*self.engine;
        engine.bindings.require_bindable(login.client)?;
        let (issued_at, now) = (engine.clock.now(), engine.time.now());
        let sid = SessionId::random().map_err(Refusal::unavailable)?;
        let jti = TokenId::random().map_err(Refusal::unavailable)?;
        let mut secret = zeroize::Zeroizing::new([0; 16]);
        fill_random(&mut *secret).map_err(Refusal::unavailable)?;
        let (stay, settings) = (login.stay, &engine.settings.session);
        let abs_exp = now.plus(stay.absolute(settings));
        let idle_exp = now.plus(idle(stay.is_brief(), settings)).min(abs_exp);
        let claims = match self.backend.keeps_claims() {
            true => Some(engine.issuer.hide_claims(sid, login.claims)?),
            false => None,
        };
        let device = device_of(login.client);
        let binding = engine.issuer.bind(sid, &device);
        let access = |user_epoch| SignedAccess {
            jti,
            session: Some(SessionPart { sid, generation: 0 }),
            user_epoch,
            auth_time: Some(login.auth_time),
            acr: login.acr,
            binding,
            lifetime: engine.settings.access.ttl,
            not_after: engine.time.to_local(abs_exp),
        };
        // If no token can carry the claims, no session is opened and none ends. The epoch is not
        // known yet; this one has at least as many digits.
        let expires_at = engine
            .issuer
            .try_draft(&access(u64::MAX), login.claims, issued_at)?;
        // The same holds where the signer cannot be reached: it is asked for a token with the epoch
        // that the session will most likely have.
        let foresigned = self
            .foresign(&access, login.claims, &subject, issued_at)
            .await?;
        let member = Member {
            sid,
            subject: &subject,
            device: &device,
            created_at: now,
            abs_exp,
        };
        let tokens = engine
            .registry
            .rows(&member, (jti, 0), issued_at, expires_at);
        let new = NewSession {
            sid,
            subject: subject.clone(),
            client_id: engine.settings.client_id.clone(),
            device,
            current: sha256(&*secret),
            auth_time: login.auth_time,
            acr: login.acr.map(str::to_owned),
            claims,
            idle_exp,
            abs_exp,
            is_brief: stay.is_brief(),
            authenticated: login.authenticated,
            limit: engine.settings.session.device_limit.map(|max| DeviceLimit {
                max,
                on_limit: engine.settings.session.on_limit,
            }),
            log_until: engine.log_until(now),
            replaces: login.client.presented.clone(),
            tokens,
            takes: login.step.clone(),
        };
        let opened = match transaction {
            Some(transaction) => self.write_in(transaction, new, now).await?,
            None => {
                let opened = engine.store.open_session(new, now).await;
                opened.map_err(Refusal::unavailable)?
            }
        };
        let refused = |code| {
            let event = Event::new(EventKind::SignInRefused(code));
            let event = event.subject(subject.clone()).ip(login.client.ip);
            engine.events.emit(&event);
            Refusal::new(code)
        };
        let (epoch, evicted, replaced) = match opened {
            Opened::Open {
                epoch,
                evicted,
                replaced,
            } => (epoch, evicted, replaced),
            Opened::Reload { changed_at } => {
                return Ok(Opening::Again(Authenticated::After(changed_at)));
            }
            // Another answer to the step opened a session.
            Opened::Gone => return Err(refused(Code::InvalidCredentials)),
            Opened::LimitReached => return Err(refused(Code::Forbidden)),
        };
        // This node learns at once of the sessions that ended, before it reads the log.
        for (sid, revoked) in login.client.presented.iter().zip(&replaced) {
            engine.revoked(Target::Session(*sid), RevokeReason::SignOut, revoked);
        }
        for sid in evicted {
            engine.apply(LogEntry {
                fact: Fact::Session(sid),
                until: engine.log_until(now),
            });
        }
        let (access_token, access_expires_at) = match foresigned {
            Some((foreseen, signed)) if foreseen == epoch => signed,
            _ => {
                engine
                    .issuer
                    .sign(&access(epoch), login.claims, issued_at)
                    .await?
            }
        };
        engine.events.emit(
            &Event::new(EventKind::SignedIn)
                .subject(subject)
                .sid(sid)
                .ip(login.client.ip),
        );
        Ok(Opening::Open(Box::new(Issued {
            access_token,
            refresh_token: engine.issuer.mint(sid, 0, &secret),
            access_expires_at,
            refresh_expires_at: engine.time.to_local(idle_exp),
            issued_at,
            session_id: sid,
            is_fresh: true,
            is_brief: stay.is_brief(),
            own: login.claims.own_members().cloned(),
        })))
    }

    /// Writes the session in a transaction of the program, and commits it. If the session is not
    /// opened, nothing of the transaction is kept.
    #[cfg(feature = "postgres")]
    async fn write_in(
        &self,
        transaction: Transaction,
        new: NewSession,
        now: Timestamp,
    ) -> Result<Opened, Refusal> {
        let store = self.engine.store.postgres().ok_or_else(|| {
            Refusal::internal("`open_in` takes a transaction of PostgreSQL: the store is another")
        })?;
        let written = store.open_session_in(transaction, &new, now);
        written.await.map_err(Refusal::unavailable)
    }

    /// Without PostgreSQL there is no such transaction.
    #[cfg(not(feature = "postgres"))]
    #[allow(clippy::unused_async, reason = "stands for one that waits")]
    async fn write_in(
        &self,
        transaction: Transaction,
        _: NewSession,
        _: Timestamp,
    ) -> Result<Opened, Refusal> {
        match transaction {}
    }

    /// Asks the external signer for a token with the epoch that the store has at the moment.
    async fn foresign<'a>(
        &self,
        access: &impl Fn(u64) -> SignedAccess<'a>,
        claims: &dyn AnyClaims,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<(u64, (String, Timestamp))>, Refusal> {
        let engine = &*self.engine;
        if !engine.issuer.signs_elsewhere() {
            return Ok(None);
        }
        let epoch = engine
            .store
            .subject(subject.to_owned(), engine.settings.client_id.clone())
            .await
            .map_err(Refusal::unavailable)?
            .epoch;
        Ok(Some((
            epoch,
            engine.issuer.sign(&access(epoch), claims, now).await?,
        )))
    }
}

/// A transaction of the program, in the database of the store.
#[cfg(feature = "postgres")]
pub(crate) type Transaction = crate::store::ProgramTransaction<'static>;

/// A transaction of the program: there is no such thing here.
#[cfg(not(feature = "postgres"))]
#[derive(Debug)]
pub(crate) enum Transaction {}

/// Returns what a session remembers of the client that opened it.
fn device_of(client: &Client) -> Device {
    let mut device = client.device.clone();
    device.user_agent = device.user_agent.or_else(|| client.user_agent.clone());
    device.ip = device.ip.or_else(|| client.ip.map(|ip| ip.to_string()));
    device
}
