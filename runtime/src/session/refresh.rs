//! Refreshes a session: read, ask the backend, compare and swap (ROTATION 3, order of a refresh).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::Transport;
use crate::error::{AuthError, Code, Refusal};
use crate::event::{Event, EventKind, RefreshRefusal, Refreshed};
use crate::id::{SessionId, TokenId};
use crate::secret::{fill_random, sha256};
use crate::settings::OnRefresh;
use crate::store::{
    Fact, LogEntry, RevokeReason, Rotated, RotationStep, RotationWrite, Session, Target,
};
use crate::token::{self, ClaimSet, Parsed, RefreshToken};

use super::binding::Place;
use super::issue::{SessionPart, SignedAccess};
use super::table::{Presented, Row, decide, may_remint};
use super::{Engine, Issued};

/// What a refresh brings along beside its token. Addresses and user agents are no part of it:
/// answers get lost exactly when networks change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefreshContext<'a> {
    /// The id that the client gave its device.
    pub(crate) device_id: Option<&'a str>,
    /// The client's address, for events and for binding.
    pub(crate) ip: Option<IpAddr>,
    /// How the token came.
    pub(crate) transport: Transport,
}

impl RefreshContext<'_> {
    fn digest(&self, client_id: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        let transport = match self.transport {
            Transport::Bearer => "body",
            Transport::Cookie => "cookie",
        };
        for part in [client_id, transport, self.device_id.unwrap_or_default()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

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

impl Engine {
    /// Exchanges a refresh token. `renew` brings the claims as they are today.
    pub(crate) async fn refresh<C, F, R>(
        &self,
        text: &str,
        context: RefreshContext<'_>,
        renew: F,
    ) -> Result<Issued, Refusal>
    where
        C: ClaimSet,
        F: FnOnce(Session) -> R,
        R: Future<Output = Result<C, AuthError>>,
    {
        self.refuse_while_paused()?;
        let (ip, place) = (
            context.ip,
            Place {
                device_id: context.device_id,
                ip: context.ip,
            },
        );
        let Ok(token) = RefreshToken::parse(&self.ring.set(), text) else {
            return Err(self.refused(RefreshRefusal::NotOurs, None, ip));
        };
        let context = context.digest(&self.settings.client_id);
        let now = self.time.now();
        let Some(session) = self
            .store
            .session(token.sid, now)
            .await
            .map_err(Refusal::unavailable)?
        else {
            return Err(self.refused(RefreshRefusal::Ended, None, ip));
        };
        let row = self.judge(&session, &token, context, ip, now).await?;
        self.check_refresh(&session, place)?;
        let claims = match renew(session.clone()).await {
            Ok(claims) => claims,
            Err(AuthError::Unavailable(source)) => return Err(Refusal::unavailable(source)),
            Err(AuthError::More(_)) => {
                return Err(Refusal::unavailable(
                    "the backend asked for a step, and a refresh has none",
                ));
            }
            Err(AuthError::Disabled | AuthError::Gone | AuthError::Invalid) => {
                return Err(self
                    .end(
                        &session,
                        RevokeReason::AccountClosed,
                        RefreshRefusal::AccountClosed,
                        ip,
                    )
                    .await);
            }
        };
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
        self.swap(&grant, &claims).await
    }

    /// Rows 1 to 4, 7b and 9 end here; the others go on.
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
                self.events
                    .emit(&about(EventKind::StoreRollbackSuspected, session, ip));
                Err(Code::InvalidGrant.into())
            }
            Row::Wait(left) => {
                drop(refused(RefreshRefusal::TooLate));
                Err(Refusal::retry_after(left))
            }
            Row::Replay if !self.replays.admit(session.sid, session.generation, now) => {
                drop(refused(RefreshRefusal::TooOften));
                Err(Code::TooManyRequests.into())
            }
            Row::Reuse => {
                self.revoke_target(Target::Session(session.sid), RevokeReason::Reuse)
                    .await
                    .map_err(Refusal::unavailable)?;
                let kind = EventKind::RefreshReuse {
                    age: now.since(session.superseded_at.unwrap_or(session.created_at)),
                    generation_gap: session.generation.saturating_sub(token.generation),
                    context_differs: session.context.is_some_and(|known| known != context),
                };
                self.events.emit(&about(kind, session, ip));
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
        self.events.emit(&session.map_or_else(
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
            client_id: &self.settings.client_id,
            context,
        };
        decide(session, &presented, &self.settings.refresh, now)
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
            .revoke_target(Target::Session(session.sid), reason)
            .await
        {
            Ok(_) => self.refused(why, Some(session), ip),
            Err(error) => Refusal::unavailable(error),
        }
    }

    /// The compare-and-swap, and where it fails the second reading, which never revokes, re-mints
    /// or takes a later epoch.
    async fn swap<C: ClaimSet>(&self, grant: &Grant<'_>, claims: &C) -> Result<Issued, Refusal> {
        let (here, now) = (self.clock.now(), self.time.now());
        let session = &grant.session;
        let mut secret = Zeroizing::new([0; 16]);
        fill_random(&mut *secret).map_err(Refusal::unavailable)?;
        let next = session
            .generation
            .checked_add(1)
            .ok_or(Code::InvalidGrant)?;
        let idle_exp = now.plus(self.settings.session.idle).min(session.abs_exp);
        let generation = if matches!(grant.row, Row::Rotate | Row::Remint) {
            next
        } else {
            session.generation
        };
        // Before anything is written, so that claims which no token can carry, and a signer that is
        // away, rotate nothing.
        let signed = self.sign(grant, claims, generation, here).await?;
        let tokens = self.rows(&session.into(), (grant.jti, generation), here, signed.1);
        let (step, log_until) = match grant.row {
            Row::Rotate => {
                let sealed = self.seal(
                    &grant.token.secret,
                    session.sid,
                    session.generation,
                    next,
                    &secret,
                )?;
                let revoke = self.settings.access.on_refresh == OnRefresh::Revoke;
                let step = RotationStep::Advance {
                    generation: session.generation,
                    current: session.current,
                    successor: sha256(&*secret),
                    sealed,
                    context: grant.context,
                    idle_exp,
                };
                (step, revoke.then(|| self.log_until(now)))
            }
            Row::Remint if may_remint(session, &self.settings.refresh, now) => {
                let sealed = self.seal(
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
                (step, Some(self.log_until(now)))
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
        match self
            .store
            .rotate(rotation, now)
            .await
            .map_err(Refusal::unavailable)?
        {
            Rotated::Done => {}
            Rotated::Lost => return self.second_reading(grant, claims).await,
        }
        if let Some(until) = log_until {
            self.apply(&[LogEntry {
                fact: Fact::Generation(session.sid, next),
                until,
            }]);
        }
        match grant.row {
            Row::Rotate => {
                let refresh = self.mint(session.sid, next, &secret);
                Ok(self.answer(grant, signed, Refreshed::Rotated, refresh, idle_exp, here))
            }
            Row::Remint => {
                let refresh = self.mint(session.sid, next, &secret);
                Ok(self.answer(
                    grant,
                    signed,
                    Refreshed::Reminted,
                    refresh,
                    session.idle_exp,
                    here,
                ))
            }
            _ => self.hand_out(grant, session, grant.row, signed, here),
        }
    }

    async fn second_reading<C: ClaimSet>(
        &self,
        grant: &Grant<'_>,
        claims: &C,
    ) -> Result<Issued, Refusal> {
        let (here, now) = (self.clock.now(), self.time.now());
        let session = self
            .store
            .session(grant.session.sid, now)
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidGrant)?;
        match self.row_of(&session, grant.token, grant.context, now) {
            Row::Over => Err(Code::InvalidGrant.into()),
            Row::Replay if !self.replays.admit(session.sid, session.generation, now) => {
                Err(Code::TooManyRequests.into())
            }
            row @ (Row::Keep | Row::Replay) => {
                let signed = self.sign(grant, claims, session.generation, here).await?;
                let tokens = self.rows(
                    &(&session).into(),
                    (grant.jti, session.generation),
                    here,
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
                    if self
                        .store
                        .rotate(rotation, now)
                        .await
                        .map_err(Refusal::unavailable)?
                        == Rotated::Lost
                    {
                        return Err(Code::Unavailable.into());
                    }
                }
                self.hand_out(grant, &session, row, signed, here)
            }
            _ => Err(Code::Unavailable.into()),
        }
    }

    /// Rows 5 and 7: what there is already, with a fresh access token.
    fn hand_out(
        &self,
        grant: &Grant<'_>,
        session: &Session,
        row: Row,
        signed: (String, Timestamp),
        now: Timestamp,
    ) -> Result<Issued, Refusal> {
        let (refresh, how) = if row == Row::Keep {
            // Whoever presents the successor has received it.
            self.confirmations.saw(session.sid, session.generation);
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
                self.mint(session.sid, session.generation, &secret),
                Refreshed::Repeated,
            )
        };
        Ok(self.answer(grant, signed, how, refresh, session.idle_exp, now))
    }

    /// The access token of the answer, with the epoch that the first reading saw.
    async fn sign<C: ClaimSet>(
        &self,
        grant: &Grant<'_>,
        claims: &C,
        generation: u32,
        now: Timestamp,
    ) -> Result<(String, Timestamp), Refusal> {
        let session = &grant.session;
        let access = SignedAccess {
            jti: grant.jti,
            session: Some(SessionPart {
                sid: session.sid,
                generation,
            }),
            epoch: session.epoch,
            auth_time: Some(session.auth_time),
            acr: session.acr.as_deref(),
            binding: self.binding(session.sid, &session.device),
            lifetime: self.settings.access.ttl,
            not_after: self.time.to_local(session.abs_exp),
        };
        self.sign_access(&access, claims, now).await
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
        self.events
            .emit(&about(EventKind::Refreshed(how), &grant.session, grant.ip));
        Issued {
            access_token,
            refresh_token,
            access_expires_at,
            refresh_expires_at: self.time.to_local(refresh_expires_at),
            issued_at: now,
            session_id: grant.session.sid,
            is_fresh: how != Refreshed::Held,
        }
    }

    fn mint(&self, sid: SessionId, generation: u32, secret: &[u8; 16]) -> RefreshToken {
        RefreshToken::mint(&self.ring.set(), sid, generation, secret)
    }

    fn seal(
        &self,
        key: &[u8; 16],
        sid: SessionId,
        from: u32,
        to: u32,
        secret: &[u8; 16],
    ) -> Result<Vec<u8>, Refusal> {
        token::seal_successor(key, sid, from, to, secret).map_err(Refusal::unavailable)
    }
}

/// An event about a session.
fn about(kind: EventKind, session: &Session, ip: Option<IpAddr>) -> Event {
    Event::new(kind)
        .subject(session.subject.clone())
        .sid(session.sid)
        .ip(ip)
}

/// How often each successor was handed out again: at most 256 times for one rotation on this node.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<HashMap<(SessionId, u32), (u32, Timestamp)>>);

impl Replays {
    fn admit(&self, sid: SessionId, generation: u32, now: Timestamp) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= REMEMBERED {
            counts.retain(|_, (_, since)| now.since(*since) <= LONGEST_WINDOW);
        }
        if counts.len() >= REMEMBERED {
            counts.clear();
        }
        let (count, _) = counts.entry((sid, generation)).or_insert((0, now));
        *count = count.saturating_add(1);
        *count <= MOST_REPLAYS
    }
}

const MOST_REPLAYS: u32 = 256;
const REMEMBERED: usize = 10_000;
const LONGEST_WINDOW: Duration = Duration::from_secs(60);
