//! Signs out: with an access token, a refresh token, the cookies of a browser, or everywhere.

use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::session::Expiry;
use crate::store::{RevokeReason, Target};

use super::Flows;

impl Flows {
    /// Ends the session of an access token, expired or not. A token without a session is revoked
    /// itself.
    pub(crate) async fn sign_out_bearer(&self, token: &str) -> Result<(), Refusal> {
        let engine = &self.engine;
        let info = self
            .backend
            .recognise(&engine.admission, token, Expiry::Ignored)?;
        match info.sid() {
            Some(sid) => self.end_for_client(Target::Session(sid)).await?,
            None => {
                let ended = engine.revoke_token(&info, RevokeReason::SignOut).await;
                ended.map_err(Refusal::unavailable)?;
            }
        }
        let event = Event::new(EventKind::SignedOut).subject(info.subject());
        engine.events.emit(&match info.sid() {
            Some(sid) => event.sid(sid),
            None => event,
        });
        Ok(())
    }

    /// Ends the session of a refresh token of any genuine generation.
    pub(crate) async fn sign_out_refresh(&self, token: &str) -> Result<(), Refusal> {
        let session = self.session_of(token).await?.ok_or(Code::InvalidGrant)?;
        self.end_for_client(Target::Session(session.sid)).await?;
        self.engine.events.emit(
            &Event::new(EventKind::SignedOut)
                .subject(session.subject)
                .sid(session.sid),
        );
        Ok(())
    }

    /// Ends the sessions that a browser presented.
    pub(crate) async fn sign_out_sessions(&self, sessions: &[SessionId]) -> Result<(), Refusal> {
        for sid in sessions {
            self.end_for_client(Target::Session(*sid)).await?;
            let event = Event::new(EventKind::SignedOut).sid(*sid);
            self.engine.events.emit(&event);
        }
        Ok(())
    }

    /// Ends every session of a subject.
    pub(crate) async fn sign_out_all(&self, subject: &str) -> Result<(), Refusal> {
        let target = Target::Subject(subject.to_owned());
        let ended = self.engine.revoke(target, RevokeReason::SignOutAll).await;
        ended.map_err(Refusal::unavailable)?;
        let event = Event::new(EventKind::SignedOutEverywhere).subject(subject);
        self.engine.events.emit(&event);
        Ok(())
    }

    /// Ends one live session of a subject. The session of another subject is not found (R94).
    pub(crate) async fn end_session(&self, sid: SessionId, subject: &str) -> Result<(), Refusal> {
        let engine = &self.engine;
        let now = engine.time.now();
        let session = engine.store.session(sid, now).await;
        session
            .map_err(Refusal::unavailable)?
            .filter(|session| session.is_live(now) && session.subject == subject)
            .ok_or(Code::NotFound)?;
        self.end_for_client(Target::Session(sid)).await
    }

    async fn end_for_client(&self, target: Target) -> Result<(), Refusal> {
        let ended = self.engine.revoke(target, RevokeReason::SignOut).await;
        ended.map(drop).map_err(Refusal::unavailable)
    }
}
