//! Several guards behind one type: which one looks at a token, what all tokens are held against,
//! what is remembered.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, GuardHealth, Issuer, JwtGuard, KeyHealth, Wanted};
use crate::clock::{Clock, Timestamp};
use crate::error::{AuthError, Code, Error, ErrorKind, Refusal};
use crate::keys::{PublicKey, PublicKeySet};
use crate::secret::sha256;
use crate::store::Store;
use crate::token::{
    ClaimSet, Expected, JwtClaims, Sealed, TokenInfo, Verified, VerifiedCache, VerifyError,
};

/// Guards by name and by issuer, behind one type. Cheap to clone.
///
/// A token is looked at by the guard whose issuer its `iss` is, byte for byte, and by no other:
/// where that one refuses it, it is refused. All guards of one router read the same claims.
pub struct GuardRouter<U: JwtClaims>(Arc<Inner<U>>);

struct Inner<U: JwtClaims> {
    guards: Vec<Entry<U>>,
    store: Option<Store>,
    clock: Clock,
    seen: VerifiedCache,
}

struct Entry<U: JwtClaims> {
    name: Arc<str>,
    expected: Expected,
    guard: Box<dyn BoxedGuard<U>>,
}

impl<U: JwtClaims> GuardRouter<U> {
    /// A router without guards.
    pub fn builder() -> GuardRouterBuilder<U> {
        GuardRouterBuilder {
            guards: Vec::new(),
            others: Vec::new(),
            store: None,
            clock: Clock::system(),
            seen: CACHE_BYTES,
        }
    }

    /// A router with this guard alone.
    ///
    /// # Errors
    /// As [`GuardRouterBuilder::build`].
    pub fn alone(name: impl Into<String>, guard: impl JwtGuard<User = U>) -> Result<Self, Error> {
        Self::builder().guard(name, guard).build()
    }

    /// Verifies a token by the guard of its issuer.
    ///
    /// # Errors
    /// [`Code::InvalidToken`], [`Code::TokenExpired`]; [`Code::Unavailable`] where nobody could
    /// decide.
    pub async fn verify(
        &self,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        self.look(token, context, |sealed| {
            let issuer = sealed.claimed_issuer()?;
            self.0
                .guards
                .iter()
                .position(|entry| *entry.expected.base.issuer == *issuer)
        })
        .await
    }

    /// Verifies a token by the guard of this name, whatever issuer the token claims to be of.
    ///
    /// # Errors
    /// As [`verify`](Self::verify). A token is invalid where there is no guard of this name.
    pub async fn verify_by(
        &self,
        name: &str,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let by_name = self.0.guards.iter().position(|entry| *entry.name == *name);
        let verified = self.look(token, context, |_| by_name).await?;
        // What was remembered may be another guard's.
        if verified.token().guard() == Some(name) {
            Ok(verified)
        } else {
            Err(Code::InvalidToken.into())
        }
    }

    /// The names of the guards, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.guards.iter().map(|entry| &*entry.name)
    }

    /// The issuers of the guards, in their order.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0
            .guards
            .iter()
            .map(|entry| &*entry.expected.base.issuer)
    }

    /// How each guard is doing. Asks nobody.
    #[must_use]
    pub fn health(&self) -> Vec<GuardHealth> {
        let now = self.0.clock.now();
        let of = |entry: &Entry<U>| {
            let keys = entry.guard.health(now);
            GuardHealth {
                name: entry.name.to_string(),
                issuer: entry.expected.base.issuer.to_string(),
                is_well: keys.problem.is_none() && keys.keys != Some(0),
                keys,
            }
        };
        self.0.guards.iter().map(of).collect()
    }

    /// Whether a token that these guards verified is bound to what its client sent along.
    pub(crate) fn is_bound_to(&self, token: &TokenInfo, sent: Option<&str>) -> bool {
        let entry = self
            .0
            .guards
            .iter()
            .find(|entry| token.guard() == Some(&*entry.name));
        entry.is_some_and(|entry| entry.guard.issuer().is_bound_to(token.nonce(), sent))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    async fn look(
        &self,
        token: &str,
        context: &Context<'_>,
        which: impl FnOnce(&Sealed<'_>) -> Option<usize>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let now = self.0.clock.now();
        let (entry, verified) = match self.remembered(token, now) {
            Some(found) => found,
            None => self.judge(token, now, which).await?,
        };
        entry
            .guard
            .verify_custom_claims(&verified, context)
            .map_err(refuse)?;
        self.use_up(entry, &verified, context, now).await?;
        Ok(verified)
    }

    /// A token that was verified before, whose keys are the same and whose time is not out.
    fn remembered(&self, token: &str, now: Timestamp) -> Option<(&Entry<U>, Verified<U::Claims>)> {
        self.0.seen.get(token, now, |guard| {
            let entry = self.0.guards.get(usize::try_from(guard).ok()?)?;
            Some((entry, entry.guard.generation(now)?, &entry.expected.base))
        })
    }

    async fn judge(
        &self,
        token: &str,
        now: Timestamp,
        which: impl FnOnce(&Sealed<'_>) -> Option<usize>,
    ) -> Result<(&Entry<U>, Verified<U::Claims>), Refusal> {
        let sealed = Sealed::read(token).ok_or(Code::InvalidToken)?;
        let at = which(&sealed).ok_or(Code::InvalidToken)?;
        let entry = self.0.guards.get(at).ok_or(Code::InvalidToken)?;
        // Before the keys: a token that cannot count makes nobody ask for any.
        let allowed = entry.guard.issuer().allowed();
        if !allowed
            .iter()
            .any(|algorithm| *sealed.algorithm == *format!("{algorithm:?}"))
            || !sealed.may_be(entry.expected.kind)
        {
            return Err(Code::InvalidToken.into());
        }
        // Before the keys too: what is remembered under an old number is verified again.
        let generation = entry.guard.generation(now);
        let keys = entry
            .guard
            .public_keys(Wanted {
                kid: sealed.kid.as_deref(),
                now,
            })
            .await
            .map_err(refuse)?;
        let key = find(&keys, &sealed).ok_or(Code::InvalidToken)?;
        let kid = Arc::from(key.kid().unwrap_or_default());
        let verified: Verified<U::Claims> = sealed
            .verify(key, &kid, &entry.expected, now)
            .map_err(|error| match error {
                VerifyError::Expired => Code::TokenExpired,
                VerifyError::Invalid => Code::InvalidToken,
            })?;
        if let Some(generation) = generation.filter(|_| !<U::Claims as ClaimSet>::ACTION_BOUND) {
            self.0.seen.put(token, &verified, at as u64, generation);
        }
        Ok((entry, verified))
    }

    /// A token for one action is good for that one, and once.
    async fn use_up(
        &self,
        entry: &Entry<U>,
        verified: &Verified<U::Claims>,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let action = verified
            .claims()
            .action()
            .filter(|action| !action.is_empty());
        match (
            <U::Claims as ClaimSet>::ACTION_BOUND,
            action,
            context.action,
        ) {
            (false, _, None) => return Ok(()),
            (true, Some(bound), Some(wanted)) if bound == wanted => {}
            _ => return Err(Code::InvalidToken.into()),
        }
        let token = verified.token();
        let id = token
            .external_id()
            .filter(|id| !id.is_empty())
            .ok_or(Code::InvalidToken)?;
        let store = self
            .0
            .store
            .as_ref()
            .ok_or_else(|| Refusal::unavailable("action-bound tokens need a store"))?;
        let key = sha256(format!("tollgate/action/1\0{}\0{id}", token.issuer()).as_bytes());
        let until = token
            .expires_at()
            .plus(entry.expected.base.leeway)
            .plus(MARGIN);
        let is_first = store
            .consume_once(key, until, now)
            .await
            .map_err(Refusal::unavailable)?;
        if is_first {
            Ok(())
        } else {
            Err(Code::InvalidToken.into())
        }
    }
}

/// The key of a token: by its `kid`, or the only one there is where one of both has none.
fn find<'k>(keys: &'k PublicKeySet, sealed: &Sealed<'_>) -> Option<&'k PublicKey> {
    let by_name = |kid: &str| {
        let mut named = keys.keys().iter().filter(|key| key.kid() == Some(kid));
        named.find(|key| is_for(key, sealed))
    };
    let key = match (&sealed.kid, keys.keys()) {
        (Some(kid), [only]) if only.kid().is_none_or(|name| *name == **kid) => Some(only),
        (Some(kid), _) => by_name(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    key.filter(|key| is_for(key, sealed))
}

/// The algorithm is the key's. The header may only agree, to the letter (R10, R18, R21).
fn is_for(key: &PublicKey, sealed: &Sealed<'_>) -> bool {
    *sealed.algorithm == *format!("{:?}", key.algorithm())
}

fn refuse(error: AuthError) -> Refusal {
    match error {
        AuthError::Unavailable(source) => Refusal::unavailable(source),
        AuthError::More(_) => {
            Refusal::unavailable("the backend asked for a step, and a token has none")
        }
        AuthError::Invalid | AuthError::Disabled | AuthError::Gone => Code::InvalidToken.into(),
    }
}

impl<U: JwtClaims> Clone for GuardRouter<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<U: JwtClaims> fmt::Debug for GuardRouter<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Collects the guards of a [`GuardRouter`].
#[must_use = "nothing is guarded until `build()`"]
pub struct GuardRouterBuilder<U: JwtClaims> {
    guards: Vec<(Arc<str>, Box<dyn BoxedGuard<U>>)>,
    others: Vec<String>,
    store: Option<Store>,
    clock: Clock,
    seen: u64,
}

impl<U: JwtClaims> GuardRouterBuilder<U> {
    /// Adds a guard by a name of your own, which its tokens are told by:
    /// [`TokenInfo::guard`](crate::token::TokenInfo::guard).
    pub fn guard(mut self, name: impl Into<String>, guard: impl JwtGuard<User = U>) -> Self {
        self.guards.push((name.into().into(), Box::new(guard)));
        self
    }

    /// No guard may have this issuer, for its tokens are somebody else's to verify.
    pub fn not(mut self, issuer: impl Into<String>) -> Self {
        self.others.push(issuer.into());
        self
    }

    /// Where tokens for one action are noted, so that each is good for once.
    pub fn store(mut self, store: impl Into<Store>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// The clock: a manual one for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many bytes of verified tokens are remembered: 8 MiB unless said, nothing where it is 0.
    pub fn remember(mut self, bytes: u64) -> Self {
        self.seen = bytes;
        self
    }

    /// Puts the router together.
    ///
    /// # Errors
    /// There is no guard; two have one name or one issuer, or the issuer of the gate beside them;
    /// an issuer lacks something, such as an audience; tokens are bound to actions, and there is no
    /// store. All at once.
    pub fn build(self) -> Result<GuardRouter<U>, Error> {
        let Self {
            guards,
            others,
            store,
            clock,
            seen,
        } = self;
        let mut problems = Vec::new();
        if guards.is_empty() {
            problems.push(String::from(
                "the router has no guard: add one with `.guard(\"name\", …)`",
            ));
        }
        if <U::Claims as ClaimSet>::ACTION_BOUND && store.is_none() {
            problems.push(String::from(
                "its tokens are bound to one action each, so they count once: say where that is \
                 noted, with `.store(…)`",
            ));
        }
        for (at, (name, guard)) in guards.iter().enumerate() {
            let issuer = guard.issuer();
            problems.extend(
                issuer
                    .problems()
                    .into_iter()
                    .map(|why| format!("guard `{name}`: {why}")),
            );
            for (other, twin) in guards.iter().take(at) {
                if other == name {
                    problems.push(format!("two guards are called `{name}`"));
                }
                if twin.issuer().name() == issuer.name() {
                    problems.push(format!(
                        "guards `{other}` and `{name}` both are for the issuer `{issuer}`"
                    ));
                }
            }
            if others.iter().any(|other| other == issuer.name()) {
                problems.push(format!(
                    "guard `{name}` is for the issuer `{issuer}`, whose tokens the gate itself \
                     verifies"
                ));
            }
        }
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::Usage, problems.join("; ")));
        }
        let entry = |(name, guard): (Arc<str>, Box<dyn BoxedGuard<U>>)| Entry {
            expected: guard.issuer().expected(&name),
            name,
            guard,
        };
        let guards = guards.into_iter().map(entry).collect();
        Ok(GuardRouter(Arc::new(Inner {
            guards,
            store,
            clock,
            seen: VerifiedCache::new(seen),
        })))
    }
}

impl<U: JwtClaims> fmt::Debug for GuardRouterBuilder<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardRouterBuilder")
    }
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Arc<PublicKeySet>, AuthError>> + Send + 'a>>;

/// The private twin of [`JwtGuard`], whose futures are boxed.
trait BoxedGuard<U: JwtClaims>: Send + Sync {
    fn issuer(&self) -> &Issuer;
    fn public_keys<'a>(&'a self, wanted: Wanted<'a>) -> Asked<'a>;
    fn verify_custom_claims(
        &self,
        token: &Verified<U::Claims>,
        context: &Context<'_>,
    ) -> Result<(), AuthError>;
    fn generation(&self, now: Timestamp) -> Option<u64>;
    fn health(&self, now: Timestamp) -> KeyHealth;
}

impl<G: JwtGuard> BoxedGuard<G::User> for G {
    fn issuer(&self) -> &Issuer {
        JwtGuard::issuer(self)
    }

    fn public_keys<'a>(&'a self, wanted: Wanted<'a>) -> Asked<'a> {
        Box::pin(JwtGuard::public_keys(self, wanted))
    }

    fn verify_custom_claims(
        &self,
        token: &Verified<<G::User as JwtClaims>::Claims>,
        context: &Context<'_>,
    ) -> Result<(), AuthError> {
        JwtGuard::verify_custom_claims(self, token, context)
    }

    fn generation(&self, now: Timestamp) -> Option<u64> {
        JwtGuard::generation(self, now)
    }

    fn health(&self, now: Timestamp) -> KeyHealth {
        JwtGuard::health(self, now)
    }
}

/// R132.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// A used token stays noted a little longer than it lives.
const MARGIN: Duration = Duration::from_secs(60);
