//! Signs the subject of a session in again, and renews its `auth_time`.

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::TokenId;
use crate::session::secs;
use crate::store::{OnceKey, Session};
use crate::token::TokenInfo;

use super::answer::StepAnswer;
use super::sign_in::Authentication;
use super::step::Stage;
use super::{BoxedClaims, BoxedLogin, Flows};

/// The credential with which the user of a session authenticates again.
pub(crate) enum Evidence {
    /// A login.
    Login(BoxedLogin),
    /// The token of a step, and the answer to it.
    Step(Zeroizing<String>, StepAnswer),
}

/// A fresh authentication of a session's user.
struct Proven {
    claims: BoxedClaims,
    acr: Option<String>,
    auth_time: Timestamp,
    /// The step that was answered, if there was one.
    step: Option<OnceKey>,
}

/// An access token for a session that goes on.
pub(crate) struct Renewed {
    pub(crate) access_token: String,
    /// The remaining lifetime, in whole seconds.
    pub(crate) expires_in: u64,
    pub(crate) session_id: crate::id::SessionId,
    /// `true` if the session ends with the browser.
    pub(crate) is_brief: bool,
}

impl Flows {
    /// Authenticates the subject of a session again; returns an access token.
    ///
    /// The epoch is read before the backend is asked, as in a refresh: if a role changes in
    /// between, the token is revoked from the start. The generation is that of the caller's token:
    /// a later one would confirm a refresh whose answer may have been lost.
    pub(crate) async fn reauthenticate(
        &self,
        caller: &TokenInfo,
        proof: Evidence,
        client: &Client,
    ) -> Result<Renewed, Refusal> {
        let (sid, generation) = caller
            .sid()
            .zip(caller.generation())
            .ok_or(Code::InvalidToken)?;
        let engine = &*self.engine;
        let before = engine.clock.now();
        let session = engine.store.session(sid, engine.time.now()).await;
        let mut session = session
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        session.generation = generation;
        let subject = session.subject.clone();
        let report = |refusal: &Refusal| {
            // The step that is needed was reported already.
            if refusal.step().is_some() && refusal.code() == Code::InsufficientUserAuthentication {
                return;
            }
            let kind = EventKind::ReauthenticationRefused(refusal.code());
            engine.events.emit(
                &Event::new(kind)
                    .subject(subject.clone())
                    .sid(sid)
                    .ip(client.ip),
            );
        };
        // The device of a session is the one that it was opened on.
        let mut at_device = client.clone();
        at_device.device.id = at_device.device.id.or_else(|| session.device.id.clone());
        let mut step = None;
        let (claims, acr, auth_time) = match proof {
            Evidence::Login(login) => {
                let identifier = self.backend.identifier(&login);
                self.count_sign_in(identifier.as_deref(), &at_device)
                    .await
                    .inspect_err(report)?;
                let (since, started_at) = self.begin();
                let stage = Stage::new(identifier, (since, started_at), Some(sid), &at_device);
                let authenticated = self.authenticate(login, client, stage, since).await;
                match authenticated.inspect_err(report)? {
                    Authentication::Done(claims) => (claims, None, before),
                    // The login was read from the request, and cannot be checked again.
                    Authentication::Again(_) => return Err(Code::Unavailable.into()),
                }
            }
            Evidence::Step(token, answer) => {
                let stepped = self
                    .step(&token, Some(sid), &answer, client)
                    .await
                    .inspect_err(report)?;
                step = Some(stepped.key);
                (stepped.claims, stepped.acr, stepped.stage.started_at)
            }
        };
        let proven = Proven {
            claims,
            acr,
            auth_time,
            step: step.clone(),
        };
        let renewed = self.renew_session(caller, session, proven, client).await;
        if let (Err(_), Some(step)) = (&renewed, &step) {
            self.let_go(step).await;
        }
        renewed.inspect_err(report)
    }

    /// Writes a fresh authentication into a session, and signs an access token for it.
    async fn renew_session(
        &self,
        caller: &TokenInfo,
        session: Session,
        proven: Proven,
        client: &Client,
    ) -> Result<Renewed, Refusal> {
        let engine = &*self.engine;
        let Proven {
            claims,
            acr,
            auth_time,
            step,
        } = proven;
        let (sid, generation) = (session.sid, session.generation);
        let subject = claims.subject();
        if subject != caller.subject() || session.subject != caller.subject() {
            return Err(Code::InvalidCredentials.into());
        }
        // It is signed before anything is written, so that claims which no token can carry change
        // nothing. For the same reason the registry lists the token before it is handed out.
        let renewing = Session {
            auth_time,
            acr: acr.clone(),
            ..session
        };
        let now = engine.clock.now();
        let jti = TokenId::random().map_err(Refusal::unavailable)?;
        let access = engine.issuer.access_of(&renewing, jti, generation);
        let (access_token, expires_at) = engine.issuer.sign(&access, &*claims, now).await?;
        let rows = engine
            .registry
            .rows(&(&renewing).into(), (jti, generation), now, expires_at);
        let recorded = engine.registry.record(rows).await;
        recorded.map_err(Refusal::unavailable)?;
        let renewed = engine
            .store
            .reauthenticate(sid, auth_time, acr, step, engine.time.now())
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        engine.events.emit(
            &Event::new(EventKind::Reauthenticated)
                .subject(renewed.subject)
                .sid(sid)
                .ip(client.ip),
        );
        Ok(Renewed {
            access_token,
            expires_in: secs(expires_at.since(now)),
            session_id: sid,
            is_brief: renewing.is_brief,
        })
    }
}
