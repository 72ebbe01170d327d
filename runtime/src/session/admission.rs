//! Decides whether an access token is valid: first by the token itself, then by the revocations
//! since.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Refusal};
use crate::keys::{AlgorithmFamily, KeyRing, KeySet};
use crate::realm::RealmName;
use crate::settings::{Consistency, OnStale, Settings};
use crate::token::{
    self, ClaimSet, Envelope, Expect, Minted, Remember, TokenInfo, Verified, VerifiedCache,
    VerifyError,
};

#[cfg(feature = "axum")]
use crate::token::Origin;

use super::binding::{Bindings, Place};
use super::clock::StoreClock;
use super::confirm::Confirmations;
use super::follow::Follower;
use super::issuer::{Nobody, self_test_failed};
use super::view::View;

/// The reason for verifying a token. A request that is admitted with a token of its client proves
/// that the client has the token. A [`Minted`] token proves nothing, and has no such reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    is_entry: bool,
}

impl Occasion {
    /// A question about the token, or a token that the server made for this request. Nothing
    /// changes.
    pub(crate) const QUESTION: Self = Self { is_entry: false };

    /// A request that is admitted with a token which its client sent.
    pub(crate) const fn entry<C>(_: &Verified<C>) -> Self {
        Self { is_entry: true }
    }

    /// The same for a token that was read from the request, and whose claims are not needed.
    #[cfg(feature = "axum")]
    pub(crate) const fn entry_of(_: &SentToken<'_>) -> Self {
        Self { is_entry: true }
    }
}

/// The text of a token that a client sent with its request.
#[cfg(feature = "axum")]
#[derive(Clone, Copy)]
pub(crate) struct SentToken<'r>(&'r str);

#[cfg(feature = "axum")]
impl<'r> SentToken<'r> {
    /// Takes a text that was read from a request.
    pub(crate) const fn new(text: &'r str) -> Self {
        Self(text)
    }

    /// Returns the text.
    pub(crate) const fn as_str(&self) -> &'r str {
        self.0
    }
}

/// The treatment of an expired token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// It is refused.
    Counts,
    /// It is accepted: for signing out.
    #[cfg(feature = "axum")]
    Ignored,
}

/// Decides about access tokens.
#[derive(Debug)]
pub(crate) struct Admission {
    settings: Arc<Settings>,
    ring: KeyRing,
    clock: Clock,
    /// The store's clock: a token has expired when either clock says so.
    time: Arc<StoreClock>,
    envelope: Envelope,
    expect: Expect,
    expect_expired: Expect,
    view: Arc<View>,
    follower: Arc<Follower>,
    bindings: Bindings,
    confirmations: Arc<Confirmations>,
    seen: VerifiedCache,
}

impl Admission {
    pub(super) fn new(
        (settings, realm): (&Arc<Settings>, Option<&RealmName>),
        ring: &KeyRing,
        clock: &Clock,
        (envelope, bindings): (Envelope, Bindings),
        (view, follower, time): (&Arc<View>, &Arc<Follower>, &Arc<StoreClock>),
        confirmations: &Arc<Confirmations>,
    ) -> Self {
        let expect = |allow_expired| Expect {
            issuer: settings.issuer.as_deref().unwrap_or_default().into(),
            audience: settings.audience.as_deref().unwrap_or_default().into(),
            realm: realm.cloned(),
            client_id: settings.client_id.as_str().into(),
            leeway: settings.leeway,
            max_lifetime: settings.access.max_ttl(),
            allow_expired,
        };
        Self {
            expect: expect(false),
            expect_expired: expect(true),
            settings: Arc::clone(settings),
            ring: ring.clone(),
            clock: clock.clone(),
            time: Arc::clone(time),
            envelope,
            view: Arc::clone(view),
            follower: Arc::clone(follower),
            bindings,
            confirmations: Arc::clone(confirmations),
            // An encrypted token is decrypted each time: the cache would hold its contents
            // unencrypted.
            seen: VerifiedCache::new(match envelope {
                Envelope::Open => settings.access.cache.into(),
                #[cfg(feature = "jwe")]
                Envelope::Encrypted => 0,
            }),
        }
    }

    /// Returns whether this gate is responsible for tokens of this issuer and realm.
    #[cfg(feature = "axum")]
    pub(crate) fn is_for(&self, origin: &Origin) -> bool {
        origin.is_expected(&self.expect)
    }

    /// Returns the time with which the times of tokens are compared.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Verifies an access token of a client against the keys, the clock and the revocations.
    pub(crate) async fn admit<C: ClaimSet>(&self, text: &str) -> Result<Verified<C>, Refusal> {
        let now = self.clock.now();
        let verified = self.verify(text, now)?;
        let occasion = Occasion::entry(&verified);
        self.admit_verified(verified.token(), occasion, now).await?;
        Ok(verified)
    }

    /// Verifies in the same way an access token that was issued for the request in hand. It
    /// confirms no refresh.
    pub(crate) async fn admit_minted<C: ClaimSet>(&self, text: &str) -> Result<Minted<C>, Refusal> {
        let now = self.clock.now();
        let verified = self.verify(text, now)?;
        self.admit_verified(verified.token(), Occasion::QUESTION, now)
            .await?;
        Ok(Minted::new(verified))
    }

    /// Checks a token whose signature and times were verified, with the gate's consistency and
    /// without its device and network.
    pub(crate) async fn admit_verified(
        &self,
        token: &TokenInfo,
        occasion: Occasion,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let consistency = self.settings.revocation.consistency;
        if self.must_ask(consistency, now) {
            self.ask(consistency, now).await?;
        }
        self.admit_known(token, occasion, None::<fn() -> Place<'static>>)
    }

    /// Verifies a token of this gate. Revocations are not looked at.
    pub(crate) fn recognise<C: ClaimSet>(
        &self,
        text: &str,
        expiry: Expiry,
    ) -> Result<Verified<C>, Refusal> {
        let now = self.clock.now();
        match expiry {
            Expiry::Counts => self.verify(text, now),
            #[cfg(feature = "axum")]
            Expiry::Ignored => self.read(text, &self.ring.set(), &self.expect_expired, now),
        }
    }

    /// Verifies the token of the self-test.
    pub(super) fn verify_self_test(&self, text: &str) -> Result<(), Error> {
        let read = self.read::<Nobody>(
            text,
            &self.ring.set(),
            &self.expect_expired,
            self.clock.now(),
        );
        read.map(drop).map_err(self_test_failed)
    }

    /// Verifies the token itself. A remembered token is not verified again (R132); [`admit_known`]
    /// decides about all that may change outside of the token.
    ///
    /// [`admit_known`]: Self::admit_known
    pub(crate) fn verify<C: ClaimSet>(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Verified<C>, Refusal> {
        let keys = self.ring.set();
        let generation = keys.revision();
        let known = self.seen.get(text, (now, self.time.later(now)), |_| {
            Some(((), generation, self.expect.leeway))
        });
        let unknown = match known {
            Ok((_, verified)) => return Ok(verified),
            Err(unknown) => unknown,
        };
        let verified = self.read(text, &keys, &self.expect, now)?;
        let remember = match keys.algorithm().family() {
            AlgorithmFamily::Hmac => Remember::SecondSight,
            _ => Remember::FirstSight,
        };
        let owner = (0, generation);
        let token = (text, unknown);
        self.seen.put(token, &verified, owner, remember, now);
        Ok(verified)
    }

    /// Decrypts a token, if this gate encrypts, and verifies it. A token that is encrypted
    /// differently from this gate's is refused.
    fn read<C: ClaimSet>(
        &self,
        text: &str,
        keys: &KeySet,
        expect: &Expect,
        now: Timestamp,
    ) -> Result<Verified<C>, Refusal> {
        let now = (now, self.time.later(now));
        let verified = match self.envelope {
            Envelope::Open => token::verify_at(text, keys, expect, now),
            #[cfg(feature = "jwe")]
            Envelope::Encrypted => {
                let signed = token::decrypt(keys, text, expect).ok_or(VerifyError::Invalid);
                signed.and_then(|signed| token::verify_at(&signed, keys, expect, now))
            }
        };
        verified.map_err(refuse)
    }

    /// Refuses a token that this node knows to be revoked, or that is used on another device or
    /// network than it is bound to.
    pub(crate) fn admit_known<'p>(
        &self,
        token: &TokenInfo,
        occasion: Occasion,
        place: Option<impl FnOnce() -> Place<'p>>,
    ) -> Result<(), Refusal> {
        self.view.refuse_while_paused()?;
        if self.view.is_revoked(token) {
            return Err(Refusal::new(Code::InvalidToken));
        }
        if let Some(place) = place {
            self.bindings.check_access(token, place)?;
        }
        if let (true, Some(sid), Some(generation)) =
            (occasion.is_entry, token.sid(), token.generation())
        {
            self.confirmations.saw(sid, generation);
        }
        Ok(())
    }

    /// Returns whether this node knows that a token is revoked.
    #[cfg(feature = "cookies")]
    pub(crate) fn is_revoked(&self, token: &TokenInfo) -> bool {
        self.view.is_revoked(token)
    }

    /// Returns whether the view alone must not decide.
    pub(crate) fn must_ask(&self, consistency: Consistency, now: Timestamp) -> bool {
        let age = self.view.age(now);
        let settings = &self.settings.revocation;
        let by_consistency = match consistency {
            Consistency::Eventual => false,
            Consistency::Bounded(limit) => age > limit,
            Consistency::Strict => true,
        };
        by_consistency || (settings.on_stale == OnStale::Check && age > settings.stale_limit)
    }

    /// Refuses where this machine's clock and the store's differ by more than the leeway.
    pub(super) fn refuse_while_off(&self) -> Result<(), Refusal> {
        if self.time.is_off(self.settings.leeway) {
            return Err(Refusal::unavailable(
                "this machine's clock and the store's differ by more than `leeway`",
            ));
        }
        Ok(())
    }

    /// Brings the view up to date, or refuses to decide. On a node whose clock is off, a strict
    /// decision is refused: the node might accept a token that has expired elsewhere, and whose
    /// revocation is forgotten.
    pub(crate) async fn ask(
        &self,
        consistency: Consistency,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if matches!(consistency, Consistency::Strict) {
            self.refuse_while_off()?;
        }
        let outcome = self.follower.catch_up().await;
        // Another caller's attempt may have succeeded while this one failed.
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
