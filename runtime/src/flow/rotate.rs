//! Rotates a session whose refresh the table allows: the compare-and-swap, and the tokens that are
//! handed out after it (rotation.md section 3).

use std::net::IpAddr;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind, Refreshed};
use crate::id::{SessionId, TokenId};
use crate::secret::{fill_random, sha256};
use crate::session::{AnyClaims, Issued, Presented, Row, decide, may_remint};
use crate::settings::OnRefresh;
use crate::store::{Fact, LastSeen, LogEntry, Rotated, RotationStep, RotationWrite, Session};
use crate::token::{self, Parsed, RefreshToken};

use super::Flows;
use super::open::idle;

/// A refresh that the table allows, with the data for its next steps.
pub(super) struct Grant<'a> {
    pub(super) token: &'a Parsed,
    pub(super) text: &'a str,
    pub(super) session: Session,
    pub(super) row: Row,
    pub(super) context: [u8; 32],
    pub(super) ip: Option<IpAddr>,
    pub(super) jti: TokenId,
    /// The address and the user agent that the rotation records, if they changed.
    pub(super) last_seen: Option<LastSeen>,
}

impl Flows {
    /// Returns the row of the table for a presented token.
    pub(super) fn row_of(
        &self,
        session: &Session,
        token: &Parsed,
        context: [u8; 32],
        now: Timestamp,
    ) -> Row {
        let presented = Presented {
            generation: token.generation,
            hash: token.hash(),
            retired: token.retired,
            client_id: &self.engine.settings.client_id,
            context,
        };
        decide(session, &presented, &self.engine.settings.refresh, now)
    }

    /// Compares and swaps. If that fails, it reads a second time, and then never revokes, re-mints
    /// or takes a later epoch.
    pub(super) async fn swap(
        &self,
        grant: &Grant<'_>,
        claims: &dyn AnyClaims,
    ) -> Result<Issued, Refusal> {
        let engine = &*self.engine;
        let (issued_at, now) = (engine.clock.now(), engine.time.now());
        let session = &grant.session;
        let mut secret = Zeroizing::new([0; 16]);
        fill_random(&mut *secret).map_err(Refusal::unavailable)?;
        let next = session
            .generation
            .checked_add(1)
            .ok_or(Code::InvalidGrant)?;
        let idle_exp = now
            .plus(idle(session.is_brief, &engine.settings.session))
            .min(session.abs_exp);
        let generation = if matches!(grant.row, Row::Rotate | Row::Remint) {
            next
        } else {
            session.generation
        };
        // It is signed before anything is written, so that nothing is rotated when no token can
        // carry the claims, or the signer cannot be reached.
        let signed = self.sign(grant, claims, generation, issued_at).await?;
        let tokens = engine.registry.rows(
            &session.into(),
            (grant.jti, generation),
            issued_at,
            signed.1,
        );
        let (step, log_until) = match grant.row {
            Row::Rotate => {
                let sealed = seal(
                    &grant.token.secret,
                    session.sid,
                    session.generation,
                    next,
                    &secret,
                )?;
                let revoke = engine.settings.access.on_refresh == OnRefresh::Revoke;
                let step = RotationStep::Advance {
                    generation: session.generation,
                    current: session.current,
                    successor: sha256(&*secret),
                    sealed,
                    context: grant.context,
                    idle_exp,
                };
                (step, revoke.then(|| engine.log_until(now)))
            }
            Row::Remint if may_remint(session, &engine.settings.refresh, now) => {
                let sealed = seal(
                    &grant.token.secret,
                    session.sid,
                    grant.token.generation,
                    next,
                    &secret,
                )?;
                let step = RotationStep::Remint {
                    generation: session.generation,
                    successor: sha256(&*secret),
                    sealed,
                };
                (step, Some(engine.log_until(now)))
            }
            Row::Remint => return Err(Code::Unavailable.into()),
            Row::Slide => {
                let step = RotationStep::Slide {
                    generation: session.generation,
                    current: session.current,
                    idle_exp,
                };
                (step, None)
            }
            _ => (
                RotationStep::Hold {
                    generation: session.generation,
                },
                None,
            ),
        };
        let rotation = RotationWrite {
            sid: session.sid,
            step,
            tokens,
            log_until,
            last_seen: grant.last_seen.clone(),
        };
        match engine
            .store
            .rotate(rotation, now)
            .await
            .map_err(Refusal::unavailable)?
        {
            Rotated::Done => {}
            Rotated::Lost => return self.second_reading(grant, claims).await,
        }
        if let Some(until) = log_until {
            engine.apply(LogEntry {
                fact: Fact::Generation(session.sid, next),
                until,
            });
        }
        let ended = self.end_below(session.sid, generation).await;
        ended.map_err(Refusal::unavailable)?;
        match grant.row {
            Row::Rotate => {
                let refresh = engine.issuer.mint(session.sid, next, &secret);
                Ok(self.answer(
                    grant,
                    signed,
                    Refreshed::Rotated,
                    refresh,
                    idle_exp,
                    issued_at,
                ))
            }
            Row::Remint => {
                let refresh = engine.issuer.mint(session.sid, next, &secret);
                Ok(self.answer(
                    grant,
                    signed,
                    Refreshed::Reminted,
                    refresh,
                    session.idle_exp,
                    issued_at,
                ))
            }
            Row::Slide => {
                let refresh = RefreshToken::from_presented(grant.text);
                let how = Refreshed::Extended;
                Ok(self.answer(grant, signed, how, refresh, idle_exp, issued_at))
            }
            _ => self.hand_out(grant, session, grant.row, signed, issued_at),
        }
    }

    async fn second_reading(
        &self,
        grant: &Grant<'_>,
        claims: &dyn AnyClaims,
    ) -> Result<Issued, Refusal> {
        let engine = &*self.engine;
        let (issued_at, now) = (engine.clock.now(), engine.time.now());
        let session = engine
            .store
            .session(grant.session.sid, now)
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidGrant)?;
        match self.row_of(&session, grant.token, grant.context, now) {
            Row::Over => Err(Code::InvalidGrant.into()),
            Row::Replay
                if !self
                    .engine
                    .replays
                    .admit(session.sid, session.generation, now) =>
            {
                Err(Code::TooManyRequests.into())
            }
            row @ (Row::Keep | Row::Replay) => {
                let signed = self
                    .sign(grant, claims, session.generation, issued_at)
                    .await?;
                let tokens = engine.registry.rows(
                    &(&session).into(),
                    (grant.jti, session.generation),
                    issued_at,
                    signed.1,
                );
                if !tokens.is_empty() {
                    let step = RotationStep::Hold {
                        generation: session.generation,
                    };
                    let rotation = RotationWrite {
                        sid: session.sid,
                        step,
                        tokens,
                        log_until: None,
                        last_seen: None,
                    };
                    if engine
                        .store
                        .rotate(rotation, now)
                        .await
                        .map_err(Refusal::unavailable)?
                        == Rotated::Lost
                    {
                        return Err(Code::Unavailable.into());
                    }
                }
                self.hand_out(grant, &session, row, signed, issued_at)
            }
            _ => Err(Code::Unavailable.into()),
        }
    }

    /// Answers rows 5 and 7: returns the refresh token that exists already, with a fresh access
    /// token.
    fn hand_out(
        &self,
        grant: &Grant<'_>,
        session: &Session,
        row: Row,
        signed: (String, Timestamp),
        now: Timestamp,
    ) -> Result<Issued, Refusal> {
        let engine = &*self.engine;
        let (refresh, how) = if row == Row::Keep {
            // A client that presents the successor has received it.
            engine.confirmations.saw(session.sid, session.generation);
            (RefreshToken::from_presented(grant.text), Refreshed::Held)
        } else {
            let sealed = session.sealed_successor.as_deref().unwrap_or_default();
            let secret = token::open_successor(
                &grant.token.secret,
                session.sid,
                grant.token.generation,
                session.generation,
                sealed,
            )
            .ok_or(Code::Unavailable)?;
            (
                engine.issuer.mint(session.sid, session.generation, &secret),
                Refreshed::Repeated,
            )
        };
        Ok(self.answer(grant, signed, how, refresh, session.idle_exp, now))
    }

    /// Signs the access token of the answer, with the epoch that the first read returned.
    async fn sign(
        &self,
        grant: &Grant<'_>,
        claims: &dyn AnyClaims,
        generation: u32,
        now: Timestamp,
    ) -> Result<(String, Timestamp), Refusal> {
        let issuer = &self.engine.issuer;
        let access = issuer.access_of(&grant.session, grant.jti, generation);
        issuer.sign(&access, claims, now).await
    }

    fn answer(
        &self,
        grant: &Grant<'_>,
        (access_token, access_expires_at): (String, Timestamp),
        how: Refreshed,
        refresh_token: RefreshToken,
        refresh_expires_at: Timestamp,
        now: Timestamp,
    ) -> Issued {
        self.engine
            .events
            .emit(&about(EventKind::Refreshed(how), &grant.session, grant.ip));
        Issued {
            access_token,
            refresh_token,
            access_expires_at,
            refresh_expires_at: self.engine.time.to_local(refresh_expires_at),
            issued_at: now,
            session_id: grant.session.sid,
            is_fresh: how != Refreshed::Held,
            is_brief: grant.session.is_brief,
            own: None,
        }
    }
}

/// Returns an event about a session.
pub(super) fn about(kind: EventKind, session: &Session, ip: Option<IpAddr>) -> Event {
    Event::new(kind)
        .subject(session.subject.clone())
        .sid(session.sid)
        .ip(ip)
}

/// Seals the secret of a successor for the holder of its predecessor (rotation.md section 2).
fn seal(
    key: &[u8; 16],
    sid: SessionId,
    from: u32,
    to: u32,
    secret: &[u8; 16],
) -> Result<Vec<u8>, Refusal> {
    token::seal_successor(key, sid, from, to, secret).map_err(Refusal::unavailable)
}
