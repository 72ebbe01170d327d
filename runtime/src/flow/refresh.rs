//! Refreshes a session: reads it, decides about the token by the table, asks the backend
//! (rotation.md section 3, order of a refresh).

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::device::{Client, Transport};
use crate::error::{AuthError, Code, Refusal};
use crate::event::{Event, EventKind, RefreshRefusal};
use crate::id::TokenId;
use crate::session::{Issued, Place, Row, last_seen};
use crate::store::{RevokeReason, Session, Target};
use crate::token::Parsed;

use super::rotate::{Grant, about};
use super::{BoxedClaims, Flows};

impl Flows {
    /// Exchanges a refresh token: see `Gate::refresh`.
    pub(crate) async fn refresh(&self, text: &str, client: &Client) -> Result<Issued, Refusal> {
        self.count_refresh(client)?;
        let engine = &*self.engine;
        engine.refuse_while_paused()?;
        let ip = client.ip;
        let Ok(token) = engine.issuer.parse(text) else {
            return Err(self.refused(RefreshRefusal::NotOurs, None, ip));
        };
        let now = engine.time.now();
        let session = engine.store.session(token.sid, now).await;
        let Some(session) = session.map_err(Refusal::unavailable)? else {
            return Err(self.refused(RefreshRefusal::Ended, None, ip));
        };
        let device_id = device_id_of(client, &session);
        let context = context_of(client, device_id, &engine.settings.client_id);
        let row = self.judge(&session, &token, context, ip, now).await?;
        let place = Place { device_id, ip };
        engine.bindings.check_refresh(&session, place)?;
        let claims = self.renew(&session, client).await?;
        let jti = TokenId::random().map_err(Refusal::unavailable)?;
        let last_seen = last_seen(&session, client, engine.settings.session.history);
        let grant = Grant {
            token: &token,
            text,
            session,
            row,
            context,
            ip,
            jti,
            last_seen,
        };
        let mut issued = self.swap(&grant, &*claims).await?;
        issued.own = claims.own_members().cloned();
        Ok(issued)
    }

    /// Asks the backend for the claims as they are today. If the account is closed, the session
    /// ends; an answer about another account changes nothing.
    async fn renew(&self, session: &Session, client: &Client) -> Result<BoxedClaims, Refusal> {
        let kept = self.engine.issuer.kept_claims(session);
        match self.backend.renew(&session.subject, kept, client).await {
            Ok(claims) if claims.subject() == session.subject => Ok(claims),
            Ok(_) => Err(self.engine.other_subject("refresh", &session.subject)),
            Err(
                error @ (AuthError::More(_) | AuthError::Unavailable(_) | AuthError::Refused(_)),
            ) => Err(error.into_refusal(Code::InvalidGrant)),
            Err(AuthError::Disabled | AuthError::Gone | AuthError::Invalid) => {
                let (reason, why) = (RevokeReason::AccountClosed, RefreshRefusal::AccountClosed);
                Err(self.end(session, reason, why, client.ip).await)
            }
        }
    }

    /// Refuses rows 1 to 4, 7b and 9 of the table; returns the others.
    async fn judge(
        &self,
        session: &Session,
        token: &Parsed,
        context: [u8; 32],
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Row, Refusal> {
        let row = self.row_of(session, token, context, now);
        let refused = |why| -> Result<Row, Refusal> { Err(self.refused(why, Some(session), ip)) };
        match row {
            Row::Over => refused(RefreshRefusal::Ended),
            Row::Powerless => refused(RefreshRefusal::NotOurs),
            Row::Mismatch => refused(RefreshRefusal::Forged),
            Row::OtherClient => refused(RefreshRefusal::OtherClient),
            Row::Rollback => {
                self.engine
                    .events
                    .emit(&about(EventKind::StoreRollbackSuspected, session, ip));
                Err(Code::InvalidGrant.into())
            }
            Row::Wait(left) => {
                drop(refused(RefreshRefusal::TooLate));
                Err(Refusal::retry_after(left))
            }
            Row::Replay
                if !self
                    .engine
                    .replays
                    .admit(session.sid, session.generation, now) =>
            {
                drop(refused(RefreshRefusal::TooOften));
                Err(Code::TooManyRequests.into())
            }
            Row::Reuse => {
                let target = Target::Session(session.sid);
                let ended = self.engine.revoke(target, RevokeReason::Reuse).await;
                ended.map_err(Refusal::unavailable)?;
                let kind = EventKind::RefreshReuse {
                    age: now.since(session.superseded_at.unwrap_or(session.created_at)),
                    generation_gap: session.generation.saturating_sub(token.generation),
                    context_differs: session.context.is_some_and(|known| known != context),
                };
                self.engine.events.emit(&about(kind, session, ip));
                Err(Code::InvalidGrant.into())
            }
            Row::Keep | Row::Rotate | Row::Slide | Row::Replay | Row::Remint => Ok(row),
        }
    }

    /// Reports that a refresh was refused. Returns a refusal that does not tell the client why.
    fn refused(
        &self,
        why: RefreshRefusal,
        session: Option<&Session>,
        ip: Option<IpAddr>,
    ) -> Refusal {
        let kind = EventKind::RefreshRefused(why);
        self.engine.events.emit(&session.map_or_else(
            || Event::new(kind.clone()).ip(ip),
            |session| about(kind.clone(), session, ip),
        ));
        Code::InvalidGrant.into()
    }

    /// Ends a session, durably, before the refusal is answered (R67). Returns that refusal.
    async fn end(
        &self,
        session: &Session,
        reason: RevokeReason,
        why: RefreshRefusal,
        ip: Option<IpAddr>,
    ) -> Refusal {
        match self
            .engine
            .revoke(Target::Session(session.sid), reason)
            .await
        {
            Ok(_) => self.refused(why, Some(session), ip),
            Err(error) => Refusal::unavailable(error),
        }
    }
}

/// Returns the device id of the client that refreshes. The cookies of one browser belong to one
/// device, whether or not the page that sends the request names an id.
fn device_id_of<'a>(client: &'a Client, session: &'a Session) -> Option<&'a str> {
    let device = match client.transport {
        Transport::Bearer => &client.device,
        Transport::Cookie => &session.device,
    };
    device.id.as_deref()
}

/// Returns the digest of the client's properties that accompany a refresh token (rotation.md
/// section 2). Addresses and user agents are left out, because answers get lost exactly when
/// networks change.
fn context_of(client: &Client, device_id: Option<&str>, client_id: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    let transport = match client.transport {
        Transport::Bearer => "body",
        Transport::Cookie => "cookie",
    };
    for part in [client_id, transport, device_id.unwrap_or_default()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
