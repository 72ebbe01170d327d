//! Signs the subject of a session in again, and renews its `auth_time`.

use zeroize::Zeroizing;

use crate::device::Client;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::TokenId;
use crate::session::secs;
use crate::store::Session;
use crate::token::TokenInfo;

use super::answer::StepAnswer;
use super::step::Stage;
use super::{BoxedLogin, Flows};

/// What the caller of a session proves again who they are with.
pub(crate) enum Evidence {
    /// A login.
    Login(BoxedLogin),
    /// The token of a step, and the answer to it.
    Step(Zeroizing<String>, StepAnswer),
}

/// An access token for a session that goes on.
pub(crate) struct Renewed {
    pub(crate) access_token: String,
    /// In whole seconds.
    pub(crate) expires_in: u64,
    pub(crate) session_id: crate::id::SessionId,
    /// Whether the session is not to be remembered.
    pub(crate) is_brief: bool,
}

impl Flows {
    /// Authenticates the subject of a session again; answers an access token.
    ///
    /// The epoch is read before the backend is asked, as in a refresh: a role that changes in
    /// between leaves a dead token. The generation is that of the caller's token: a later one would
    /// confirm a refresh whose answer may have been lost.
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
        let session = session
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        let report = |refusal: &Refusal| {
            // That a step is needed was reported already.
            if refusal.step().is_some() && refusal.code() == Code::InsufficientUserAuthentication {
                return;
            }
            let kind = EventKind::ReauthenticationRefused(refusal.code());
            engine.events.emit(
                &Event::new(kind)
                    .subject(session.subject.clone())
                    .sid(sid)
                    .ip(client.ip),
            );
        };
        // The device of a session is the one that it was opened on.
        let mut at_device = client.clone();
        at_device.device.id = at_device.device.id.or_else(|| session.device.id.clone());
        let (claims, acr, auth_time) = match proof {
            Evidence::Login(login) => {
                let identifier = self.backend.identifier(&login);
                self.count_sign_in(identifier.as_deref(), &at_device)
                    .await
                    .inspect_err(report)?;
                let stage = Stage::new(identifier, self.begin(), Some(sid), &at_device);
                let claims = self
                    .authenticate(login, client, stage)
                    .await
                    .inspect_err(report)?;
                (claims, None, before)
            }
            Evidence::Step(token, answer) => {
                let stepped = self
                    .step(&token, Some(sid), &answer, client)
                    .await
                    .inspect_err(report)?;
                (stepped.claims, stepped.acr, stepped.stage.started_at)
            }
        };
        let subject = claims.subject();
        if subject != caller.subject() || session.subject != caller.subject() {
            return Err(Code::InvalidCredentials.into()).inspect_err(report);
        }
        // Signed before anything is written, so that claims which no token can carry change
        // nothing.
        let renewing = Session {
            generation,
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
        let renewed = engine
            .store
            .reauthenticate(sid, auth_time, acr, engine.time.now())
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        let recorded = engine.registry.record(rows).await;
        recorded.map_err(Refusal::unavailable)?;
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
