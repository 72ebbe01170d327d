//! What a client may ask of a gate with a token in hand: to go out, to revoke it, to be told about
//! it, to prove again who it is.

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::session::Occasion;
use crate::store::{RevokeReason, Session, Target};
use crate::token::{JwtClaims, RefreshToken, TokenInfo, Verified};

use super::step::{Stage, StepAnswer};
use super::{AuthBackend, ClaimsOf, Gate, SignIn as _};

/// A token that counts.
pub(crate) struct About {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) expires_at: Timestamp,
}

/// With what the caller of a session proves again who they are.
pub(crate) enum Renewal<L> {
    /// A login.
    Login(L),
    /// The token of a step, and the answer to it.
    Step(Zeroizing<String>, StepAnswer),
}

impl<B: AuthBackend> Gate<B> {
    /// Ends the session of an access token, expired or not; of one without a session, the token.
    pub(crate) async fn sign_out_bearer(&self, token: &str) -> Result<(), Refusal> {
        let engine = &self.running().engine;
        let verified: Verified<ClaimsOf<B>> = engine.recognise(token)?;
        let info = verified.token();
        let target = info
            .sid()
            .map_or(Target::Token(info.jti()), Target::Session);
        engine
            .revoke_for_client(target, RevokeReason::SignOut)
            .await?;
        let event = Event::new(EventKind::SignedOut).subject(info.subject());
        engine.events.emit(&match info.sid() {
            Some(sid) => event.sid(sid),
            None => event,
        });
        Ok(())
    }

    /// Ends the session of a refresh token, of whichever genuine generation.
    pub(crate) async fn sign_out_refresh(&self, token: &str) -> Result<(), Refusal> {
        let session = self.genuine(token).await?.ok_or(Code::InvalidGrant)?;
        let engine = &self.running().engine;
        engine
            .revoke_for_client(Target::Session(session.sid), RevokeReason::SignOut)
            .await?;
        engine.events.emit(
            &Event::new(EventKind::SignedOut)
                .subject(session.subject)
                .sid(session.sid),
        );
        Ok(())
    }

    /// The session of an access token, expired or not.
    pub(crate) fn session_of_bearer(&self, token: &str) -> Option<SessionId> {
        self.running()
            .engine
            .recognise::<ClaimsOf<B>>(token)
            .ok()?
            .token()
            .sid()
    }

    /// The session of a refresh token, of whichever genuine generation.
    pub(crate) async fn session_of_refresh(
        &self,
        token: &str,
    ) -> Result<Option<SessionId>, Refusal> {
        Ok(self.genuine(token).await?.map(|session| session.sid))
    }

    /// RFC 7009: a refresh token ends its session; an access token dies alone, or with
    /// `affect_tree` takes its session along and what the registry has below its tokens. What is
    /// unknown or has run out is left alone, and that is a success.
    pub(crate) async fn revoke_presented(
        &self,
        token: &str,
        affect_tree: bool,
    ) -> Result<(), Refusal> {
        let engine = &self.running().engine;
        let target = if let Ok(verified) = engine.recognise_unexpired::<ClaimsOf<B>>(token) {
            match verified.token().sid() {
                Some(sid) if affect_tree => Target::Session(sid),
                None if affect_tree => Target::Tree(verified.token().jti()),
                _ => Target::Token(verified.token().jti()),
            }
        } else if let Some(session) = self.genuine(token).await? {
            Target::Session(session.sid)
        } else {
            return Ok(());
        };
        let session = if let Target::Session(sid) = target {
            Some(sid)
        } else {
            None
        };
        engine
            .revoke_for_client(target, RevokeReason::Requested)
            .await?;
        match session {
            Some(sid) if affect_tree => engine.revoke_below(sid).await,
            _ => Ok(()),
        }
    }

    /// Says what a token is, if it counts.
    pub(crate) async fn describe(&self, token: &str) -> Result<About, Refusal> {
        let engine = &self.running().engine;
        if RefreshToken::parse(&engine.ring.set(), token).is_ok() {
            return self.describe_refresh(token).await;
        }
        let verified: Verified<ClaimsOf<B>> = engine.admit(token, Occasion::Question).await?;
        let info: &TokenInfo = verified.token();
        Ok(About {
            kind: "access",
            subject: info.subject().to_owned(),
            session_id: info.sid(),
            expires_at: info.expires_at(),
        })
    }

    async fn describe_refresh(&self, token: &str) -> Result<About, Refusal> {
        let engine = &self.running().engine;
        engine.refuse_while_paused()?;
        let parsed =
            RefreshToken::parse(&engine.ring.set(), token).map_err(|_| Code::InvalidToken)?;
        let now = engine.time.now();
        let session = engine
            .store
            .session(parsed.sid, now)
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        let is_current = session.is_live(now)
            && session.generation == parsed.generation
            && crate::secret::same(&session.current, &parsed.hash())
            && session.client_id == engine.settings.client_id;
        if !is_current {
            return Err(Code::InvalidToken.into());
        }
        Ok(About {
            kind: "refresh",
            session_id: Some(session.sid),
            expires_at: engine.time.to_local(session.idle_exp.min(session.abs_exp)),
            subject: session.subject,
        })
    }

    /// The session of a refresh token that this deployment made. Under a retired key its hash must
    /// say so too (ROTATION 1).
    async fn genuine(&self, token: &str) -> Result<Option<Session>, Refusal> {
        let engine = &self.running().engine;
        let Ok(parsed) = RefreshToken::parse(&engine.ring.set(), token) else {
            return Ok(None);
        };
        let session = engine
            .store
            .session(parsed.sid, engine.time.now())
            .await
            .map_err(Refusal::unavailable)?;
        Ok(session.filter(|session| {
            let hash = parsed.hash();
            let is_current = session.generation == parsed.generation
                && crate::secret::same(&session.current, &hash);
            let is_previous = session.previous.as_ref().is_some_and(|p| {
                p.generation == parsed.generation && crate::secret::same(&p.hash, &hash)
            });
            // An older one cannot be told by its hash: its MAC has to do. A current generation with
            // another secret is a forgery.
            let is_older = !parsed.retired && parsed.generation < session.generation;
            session.client_id == engine.settings.client_id
                && (is_current || is_previous || is_older)
        }))
    }

    /// Signs the subject of a session in again, and renews its `auth_time`. Answers an access token
    /// and its life in seconds.
    ///
    /// The epoch is read before the backend is asked, as in a refresh: a role that changes in
    /// between leaves a dead token. The generation is that of the caller's token: a later one would
    /// confirm a refresh whose answer may have been lost.
    pub(crate) async fn reauthenticate(
        &self,
        (sid, generation): (SessionId, u32),
        subject: &<B::User as JwtClaims>::Subject,
        proof: Renewal<B::Login>,
        client: &Client,
    ) -> Result<(String, u64), Refusal> {
        let engine = &self.running().engine;
        let before = engine.clock.now();
        let session = engine
            .store
            .session(sid, engine.time.now())
            .await
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        let tell = |refusal: &Refusal| {
            // That a step is needed was told already.
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
        let (user, acr, auth_time) = match proof {
            Renewal::Login(login) => {
                let identifier = B::Entry::identifier(self.backend(), &login);
                self.count_sign_in(identifier.as_deref(), client)
                    .await
                    .inspect_err(tell)?;
                let stage = Stage::new(identifier, self.begin(), Some(sid), client);
                let user = self
                    .authenticate(login, client, stage)
                    .await
                    .inspect_err(tell)?;
                (user, None, before)
            }
            Renewal::Step(token, answer) => {
                let stepped = self
                    .step(&token, Some(sid), &answer, client)
                    .await
                    .inspect_err(tell)?;
                (stepped.user, stepped.acr, stepped.stage.started_at)
            }
        };
        if user.subject().to_string() != subject.to_string()
            || session.subject != subject.to_string()
        {
            return Err(Code::InvalidCredentials.into()).inspect_err(tell);
        }
        // Signed before anything is written, so that claims which no token can carry change
        // nothing.
        let renewing = Session {
            generation,
            auth_time,
            acr: acr.clone(),
            ..session
        };
        let (signed, rows) = engine.sign_for(&renewing, &user.to_claims()).await?;
        let renewed = engine
            .store
            .reauthenticate(sid, auth_time, acr, engine.time.now())
            .await
            .map_err(Refusal::unavailable)?;
        let renewed = renewed.ok_or(Code::InvalidToken)?;
        engine.record(rows).await.map_err(Refusal::unavailable)?;
        engine.events.emit(
            &Event::new(EventKind::Reauthenticated)
                .subject(renewed.subject)
                .sid(sid)
                .ip(client.ip),
        );
        Ok(signed)
    }
}
