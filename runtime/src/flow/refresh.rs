//! Refreshes a session: read, ask the backend, compare and swap (ROTATION 3, order of a refresh).

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::{Client, Transport};
use crate::error::{AuthError, Code, Refusal};
use crate::event::{Event, EventKind, RefreshRefusal, Refreshed};
use crate::id::TokenId;
#[cfg(feature = "axum")]
use crate::secret::same;
use crate::secret::{fill_random, sha256};
use crate::session::{AnyClaims, Issued, Place, Presented, Row, decide, may_remint};
use crate::settings::OnRefresh;
use crate::store::{
    Fact, LogEntry, RevokeReason, Rotated, RotationStep, RotationWrite, Session, Target,
};
use crate::token::{self, Parsed, RefreshToken};

use super::{BoxedClaims, Flows};

/// A refresh that the table lets through, and what it needs to go on.
struct Grant<'a> {
    token: &'a Parsed,
    text: &'a str,
    session: Session,
    row: Row,
    context: [u8; 32],
    ip: Option<IpAddr>,
    jti: TokenId,
}

impl Flows {
    /// Exchanges a refresh token: see `Gate::refresh`.
    pub(crate) async fn refresh(&self, text: &str, client: &Client) -> Result<Issued, Refusal> {
        self.count_refresh(client)?;
        let engine = &*self.engine;
        engine.refuse_while_paused()?;
        let ip = client.ip;
        let Ok(token) = RefreshToken::parse(&engine.ring.set(), text) else {
            return Err(self.refused(RefreshRefusal::NotOurs, None, ip));
        };
        let context = context_of(client, &engine.settings.client_id);
        let now = engine.time.now();
        let session = engine.store.session(token.sid, now).await;
        let Some(session) = session.map_err(Refusal::unavailable)? else {
            return Err(self.refused(RefreshRefusal::Ended, None, ip));
        };
        let row = self.judge(&session, &token, context, ip, now).await?;
        let place = Place {
            device_id: client.device.id.as_deref(),
            ip,
        };
        engine.bindings.check_refresh(&session, place)?;
        let claims = self.renew(&session, client).await?;
        let jti = TokenId::random().map_err(Refusal::unavailable)?;
        let grant = Grant {
            token: &token,
            text,
            session,
            row,
            context,
            ip,
            jti,
        };
        self.swap(&grant, &*claims).await
    }

    /// Asks the backend for the claims as they are today. An account that is closed ends the
    /// session.
    async fn renew(&self, session: &Session, client: &Client) -> Result<BoxedClaims, Refusal> {
        let kept = self.engine.issuer.kept_claims(session);
        match self.backend.renew(&session.subject, kept, client).await {
            Ok(claims) => Ok(claims),
            Err(AuthError::Unavailable(source)) => Err(Refusal::unavailable(source)),
            Err(AuthError::More(_)) => Err(Refusal::unavailable(
                "the backend asked for a step, and a refresh has none",
            )),
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
            Row::Keep | Row::Rotate | Row::Replay | Row::Remint => Ok(row),
        }
    }

    /// Tells that a refresh was refused. Answers the refusal that says no more than that.
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

    fn row_of(&self, session: &Session, token: &Parsed, context: [u8; 32], now: Timestamp) -> Row {
        let presented = Presented {
            generation: token.generation,
            hash: token.hash(),
            retired: token.retired,
            client_id: &self.engine.settings.client_id,
            context,
        };
        decide(session, &presented, &self.engine.settings.refresh, now)
    }

    /// Ends a session, durably, before the refusal is answered (R67). Answers that refusal.
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

    /// The compare-and-swap, and wissued_at it fails the second reading, which never revokes, re-mints
    /// or takes a later epoch.
    async fn swap(&self, grant: &Grant<'_>, claims: &dyn AnyClaims) -> Result<Issued, Refusal> {
        let engine = &*self.engine;
        let (issued_at, now) = (engine.clock.now(), engine.time.now());
        let session = &grant.session;
        let mut secret = Zeroizing::new([0; 16]);
        fill_random(&mut *secret).map_err(Refusal::unavailable)?;
        let next = session
            .generation
            .checked_add(1)
            .ok_or(Code::InvalidGrant)?;
        let idle_exp = now.plus(engine.settings.session.idle).min(session.abs_exp);
        let generation = if matches!(grant.row, Row::Rotate | Row::Remint) {
            next
        } else {
            session.generation
        };
        // Before anything is written, so that claims which no token can carry, and a signer that is
        // away, rotate nothing.
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

    /// Rows 5 and 7: what tissued_at is already, with a fresh access token.
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
            // Whoever presents the successor has received it.
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

    /// Signs the access token of the answer, with the epoch that the first reading saw.
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
        }
    }

    /// Returns the session of a refresh token that this deployment made. Under a retired key its
    /// hash must match too (ROTATION 1).
    #[cfg(feature = "axum")]
    pub(super) async fn session_of(&self, text: &str) -> Result<Option<Session>, Refusal> {
        let engine = &*self.engine;
        let Ok(parsed) = RefreshToken::parse(&engine.ring.set(), text) else {
            return Ok(None);
        };
        let session = engine.store.session(parsed.sid, engine.time.now()).await;
        Ok(session
            .map_err(Refusal::unavailable)?
            .filter(|session| session.client_id == engine.settings.client_id)
            .filter(|session| is_genuine(&parsed, session)))
    }
}

/// Returns whether a presented token was made for this session. An older generation cannot be told
/// by its hash: its MAC has to do. A current generation with another secret is a forgery.
#[cfg(feature = "axum")]
fn is_genuine(parsed: &Parsed, session: &Session) -> bool {
    let hash = parsed.hash();
    let is_current = session.generation == parsed.generation && same(&session.current, &hash);
    let is_previous = session
        .previous
        .as_ref()
        .is_some_and(|p| p.generation == parsed.generation && same(&p.hash, &hash));
    let is_older = !parsed.retired && parsed.generation < session.generation;
    is_current || is_previous || is_older
}

/// Returns the digest of what a refresh brings along beside its token (ROTATION 2). Addresses and
/// user agents are no part of it: answers get lost exactly when networks change.
fn context_of(client: &Client, client_id: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    let transport = match client.transport {
        Transport::Bearer => "body",
        Transport::Cookie => "cookie",
    };
    let device_id = client.device.id.as_deref().unwrap_or_default();
    for part in [client_id, transport, device_id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Returns an event about a session.
fn about(kind: EventKind, session: &Session, ip: Option<IpAddr>) -> Event {
    Event::new(kind)
        .subject(session.subject.clone())
        .sid(session.sid)
        .ip(ip)
}

/// Seals the secret of a successor for the holder of its predecessor (ROTATION 2).
fn seal(
    key: &[u8; 16],
    sid: crate::id::SessionId,
    from: u32,
    to: u32,
    secret: &[u8; 16],
) -> Result<Vec<u8>, Refusal> {
    token::seal_successor(key, sid, from, to, secret).map_err(Refusal::unavailable)
}
