//! Decides whether an access token counts: what it says by itself, then what has been revoked
//! since.

use jsonwebtoken::AlgorithmFamily;

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::keys::KeySet;
use crate::settings::{Consistency, OnStale};
use crate::token::{self, ClaimSet, Envelope, Expect, TokenInfo, Verified, VerifyError};

use super::Engine;
use super::binding::Place;

/// Why a token is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A request goes through with it: that its client has it is worth noticing.
    Entry,
    /// Somebody asks about it. Nothing changes.
    Question,
}

impl Engine {
    /// Verifies an access token against the keys, the clock and the revocations.
    pub(crate) async fn admit<C: ClaimSet>(
        &self,
        text: &str,
        purpose: Occasion,
    ) -> Result<Verified<C>, Refusal> {
        self.admit_from(
            text,
            purpose,
            self.settings.revocation.consistency,
            None::<fn() -> Place<'static>>,
        )
        .await
    }

    /// The same with another consistency than the gate's, and with what the token's use from this
    /// place means, where it is used from a place.
    pub(crate) async fn admit_from<'p, C: ClaimSet>(
        &self,
        text: &str,
        purpose: Occasion,
        consistency: Consistency,
        place: Option<impl FnOnce() -> Place<'p>>,
    ) -> Result<Verified<C>, Refusal> {
        let now = self.clock.now();
        let verified = self.verify(text, now)?;
        if self.must_ask(consistency, now) {
            self.ask(consistency, now).await?;
        }
        self.admit_known(verified.token(), purpose, place)?;
        Ok(verified)
    }

    /// Verifies a token of ours that may be past its time, whatever has been revoked: for signing
    /// out.
    pub(crate) fn recognise<C: ClaimSet>(&self, text: &str) -> Result<Verified<C>, Refusal> {
        self.read(
            text,
            &self.ring.set(),
            &self.expect_expired,
            self.clock.now(),
        )
    }

    /// Verifies a token of ours whose time is not out, whatever has been revoked: for revoking it.
    #[cfg(feature = "axum")]
    pub(crate) fn recognise_unexpired<C: ClaimSet>(
        &self,
        text: &str,
    ) -> Result<Verified<C>, Refusal> {
        self.verify(text, self.clock.now())
    }

    /// What the token says by itself. A signature that costs more than a look-up is verified once
    /// (R132); what may change beside the token is for whoever calls this.
    fn verify<C: ClaimSet>(&self, text: &str, now: Timestamp) -> Result<Verified<C>, Refusal> {
        let keys = self.ring.set();
        let is_costly = matches!(self.envelope, Envelope::Open)
            && keys.algorithm().family() != AlgorithmFamily::Hmac;
        let generation = keys.revision();
        if is_costly
            && let Some((_, verified)) = self
                .seen
                .get(text, now, |_| Some(((), generation, &self.expect)))
        {
            return Ok(verified);
        }
        let verified = self.read(text, &keys, &self.expect, now)?;
        if is_costly {
            self.seen.put(text, &verified, 0, generation);
        }
        Ok(verified)
    }

    /// Takes a token out of its envelope and verifies it. One in another envelope than this gate's
    /// is none.
    fn read<C: ClaimSet>(
        &self,
        text: &str,
        keys: &KeySet,
        expect: &Expect,
        now: Timestamp,
    ) -> Result<Verified<C>, Refusal> {
        let verified = match self.envelope {
            Envelope::Open => token::verify(text, keys, expect, now),
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => {
                let signed = token::decrypt(keys, text).ok_or(VerifyError::Invalid);
                signed.and_then(|signed| token::verify(&signed, keys, expect, now))
            }
        };
        verified.map_err(refuse)
    }

    /// What this node knows about it.
    fn admit_known<'p>(
        &self,
        token: &TokenInfo,
        purpose: Occasion,
        place: Option<impl FnOnce() -> Place<'p>>,
    ) -> Result<(), Refusal> {
        self.refuse_while_paused()?;
        if self.view.is_revoked(token) {
            return Err(Refusal::new(Code::InvalidToken));
        }
        if let Some(place) = place {
            self.check_access(token, place)?;
        }
        if let (Occasion::Entry, Some(sid), Some(generation)) =
            (purpose, token.sid(), token.generation())
        {
            self.confirmations.saw(sid, generation);
        }
        Ok(())
    }

    /// Whether the view alone may not decide.
    fn must_ask(&self, consistency: Consistency, now: Timestamp) -> bool {
        let age = self.view.age(now);
        let settings = &self.settings.revocation;
        let by_consistency = match consistency {
            Consistency::Eventual => false,
            Consistency::Bounded(limit) => age > limit,
            Consistency::Strict => true,
        };
        by_consistency || (settings.on_stale == OnStale::Check && age > settings.stale_limit)
    }

    /// Brings the view up to date, or refuses to decide.
    async fn ask(&self, consistency: Consistency, now: Timestamp) -> Result<(), Refusal> {
        let outcome = self.catch_up().await;
        // Somebody else may have got through while this attempt failed.
        if outcome.is_err() && !self.must_ask(consistency, now) {
            return Ok(());
        }
        outcome.map_err(Refusal::unavailable)
    }
}

fn refuse(error: VerifyError) -> Refusal {
    Refusal::new(match error {
        VerifyError::Expired => Code::TokenExpired,
        VerifyError::Invalid => Code::InvalidToken,
    })
}
