//! Several guards behind one type: the choice of the guard, the checks of every token, the cache of
//! verified tokens.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::refused::Refused;
use super::table::{Claimed, GuardTable, NamedGuard, OtherIssuer};
use super::{Context, GuardHealth, JwtGuard, Wanted};
use crate::clock::{Clock, Timestamp};
use crate::error::{AuthError, BoxError, Code, Error, ErrorKind, Refusal};
use crate::event::Emitter;
use crate::keys::{Algorithm, AlgorithmFamily};
use crate::secret::sha256;
use crate::store::Store;
use crate::token::{
    ClaimSet, Fault, JwtClaims, Remember, Sealed, Spelling, TokenFault, TokenInfo, Verified,
    VerifiedCache, quoted,
};
#[cfg(feature = "axum")]
use crate::token::{Limits, Origin};

/// Guards by name and by issuer, behind one type. Cheap to clone.
///
/// A token is verified by the guard whose issuer is the token's `iss`, byte for byte; if that guard
/// refuses it, no other one is asked. Of several guards for the realms of one issuer it is the one
/// of the token's `rlm`. All guards of one router read the same claims.
pub struct GuardRouter<U: JwtClaims>(pub(super) Arc<RouterState<U>>);

/// The state that the clones of a router share.
pub(super) struct RouterState<U: JwtClaims> {
    pub(super) table: ArcSwap<GuardTable<U>>,
    /// The number of the next guard; locked while the table is changed.
    pub(super) next: Mutex<u64>,
    pub(super) others: Vec<OtherIssuer>,
    /// The refused tokens that no guard is for.
    pub(super) unknown: Refused,
    pub(super) events: Emitter,
    pub(super) store: Option<Store>,
    pub(super) clock: Clock,
    pub(super) verified: VerifiedCache,
}

/// The guard that judges a token, the parsed token, and the spelling of its issuer.
type Chosen<'a, U> = (Arc<NamedGuard<U>>, Sealed<'a>, Spelling);

/// A token that was verified, and the guard that verified it.
type Judged<U> = (Arc<NamedGuard<U>>, Verified<<U as JwtClaims>::Claims>);

/// The reason why a token was not verified.
enum Denied {
    /// It is not valid.
    Token(Fault),
    /// The guard or the store could not decide.
    Undecided(Refusal),
}

impl<U: JwtClaims> GuardRouter<U> {
    /// Verifies a token by the guard of its issuer.
    ///
    /// # Errors
    /// [`Code::InvalidToken`], [`Code::TokenExpired`]; [`Code::Unavailable`] if the keys or the
    /// store could not be read.
    pub async fn verify(
        &self,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        self.authenticate(token, context, None).await
    }

    /// Verifies a token by the guard of this name, whatever issuer the token claims.
    ///
    /// # Errors
    /// As [`verify`](Self::verify). A token is invalid where there is no guard of this name.
    pub async fn verify_by(
        &self,
        name: &str,
        token: &str,
        context: &Context<'_>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let verified = self.authenticate(token, context, Some(name)).await?;
        // The cache may hold the result of another guard.
        if verified.token().guard() == Some(name) {
            Ok(verified)
        } else {
            Err(Code::InvalidToken.into())
        }
    }

    /// Adds a guard while tokens are verified.
    ///
    /// # Errors
    /// As [`build`](super::GuardRouterBuilder::build): another guard has the name, or the issuer by
    /// one of its spellings, or the gate beside them has it, or the issuer lacks something. Nothing
    /// was added.
    pub fn add(
        &self,
        name: impl Into<String>,
        guard: impl JwtGuard<User = U>,
    ) -> Result<(), Error> {
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.0.table.load_full();
        let new = NamedGuard::new(name.into().into(), *next, Box::new(guard));
        let problems = table.problems(&new, &self.0.others);
        if !problems.is_empty() {
            return Err(Error::new(ErrorKind::Usage, problems.join("; ")));
        }
        *next += 1;
        let mut guards = table.guards.clone();
        guards.push(Arc::new(new));
        self.0.table.store(Arc::new(GuardTable::new(guards)));
        Ok(())
    }

    /// Removes a guard while tokens are verified, and returns whether there was one of this name.
    /// From then on the tokens of its issuer are refused, those that are remembered included.
    pub fn remove(&self, name: &str) -> bool {
        let _changing = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.0.table.load_full();
        let is_kept = |entry: &&Arc<NamedGuard<U>>| *entry.name != *name;
        let guards: Vec<_> = table.guards.iter().filter(is_kept).cloned().collect();
        let is_removed = guards.len() < table.guards.len();
        self.0.table.store(Arc::new(GuardTable::new(guards)));
        is_removed
    }

    /// Returns the names of the guards, in their order.
    pub fn names(&self) -> impl Iterator<Item = String> + use<U> {
        let names: Vec<_> = self
            .0
            .table
            .load()
            .guards
            .iter()
            .map(|entry| entry.name.to_string())
            .collect();
        names.into_iter()
    }

    /// Returns the issuers of the guards, in their order: of each the first spelling.
    pub fn issuers(&self) -> impl Iterator<Item = String> + use<U> {
        let table = self.0.table.load();
        let issuers = table
            .guards
            .iter()
            .map(|entry| entry.expected.base.issuer.to_string());
        issuers.collect::<Vec<_>>().into_iter()
    }

    /// Returns whether one of the guards is for tokens of this issuer and realm.
    #[cfg(feature = "axum")]
    pub(crate) fn are_for(&self, origin: &Origin) -> bool {
        let table = self.0.table.load();
        table
            .guards
            .iter()
            .any(|entry| entry.expected.is_for(origin))
    }

    /// Returns the size up to which one of the guards reads tokens.
    #[cfg(feature = "axum")]
    pub(crate) fn limits(&self) -> Limits {
        self.0.table.load().limits
    }

    /// Reports the state of each guard, without asking any issuer.
    #[must_use]
    pub fn health(&self) -> Vec<GuardHealth> {
        let now = self.0.clock.now();
        let of = |entry: &Arc<NamedGuard<U>>| {
            let keys = entry.guard.health(now);
            GuardHealth {
                name: entry.name.to_string(),
                issuer: entry.expected.base.issuer.to_string(),
                is_well: keys.problem.is_none() && keys.keys != Some(0),
                keys,
                refused: entry.refused.counts(),
            }
        };
        self.0.table.load().guards.iter().map(of).collect()
    }

    /// Returns how many tokens were refused that no guard is for, by reason; reasons without a
    /// token are left out. Tokens that a guard refused are counted by [`health`](Self::health).
    #[must_use]
    pub fn refused(&self) -> Vec<(TokenFault, u64)> {
        self.0.unknown.counts()
    }

    /// Returns whether a token that these guards verified is bound to the value that its client
    /// sent with it.
    pub(crate) fn is_bound_to(&self, token: &TokenInfo, sent: Option<&str>) -> bool {
        let table = self.0.table.load();
        let entry = token.guard().and_then(|name| table.by_name(name));
        entry.is_some_and(|entry| entry.guard.issuer().is_bound_to(token.nonce(), sent))
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Verifies a token by the guard of this name, or otherwise that of its issuer, unless it is
    /// remembered.
    async fn authenticate(
        &self,
        token: &str,
        context: &Context<'_>,
        name: Option<&str>,
    ) -> Result<Verified<U::Claims>, Refusal> {
        let now = self.0.clock.now();
        let (entry, verified) = match self.find_remembered(token, now) {
            Some(found) => found,
            None => {
                let table = self.0.table.load_full();
                let (entry, sealed, spelling) = self.choose(&table, token, name, now)?;
                let verified = self
                    .verify_unseen(&entry, &sealed, &spelling, token, now)
                    .await;
                let verified = verified.map_err(|denied| self.refuse(&entry, denied, now))?;
                (entry, verified)
            }
        };
        let checked = async {
            let context = context.of(token);
            let check = entry.guard.verify_custom_claims(&verified, &context);
            within_deadline(check).await.map_err(|error| {
                refuse(
                    error,
                    TokenFault::Custom,
                    "the guard's own check refused it",
                )
            })?;
            self.consume_action(&entry, &verified, &context, now).await
        };
        match checked.await {
            Ok(()) => Ok(verified),
            Err(denied) => Err(self.refuse(&entry, denied, now)),
        }
    }

    /// Chooses the guard that judges a token; the error says that there is no such guard.
    fn choose<'a>(
        &self,
        table: &GuardTable<U>,
        token: &'a str,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<Chosen<'a, U>, Refusal> {
        let unknown = |fault: Fault| {
            self.0.unknown.report(None, &fault, &self.0.events, now);
            Refusal::new(Code::InvalidToken)
        };
        let sealed = Sealed::read(token, table.limits).map_err(unknown)?;
        let claimed = table.for_claimed(&sealed);
        let found = match (name, claimed) {
            (None, Claimed::Guard(entry, spelling)) => Ok((entry, spelling)),
            (Some(name), Claimed::Guard(entry, spelling)) if *entry.name == *name => {
                Ok((entry, spelling))
            }
            (_, Claimed::Nothing) => Err(Fault::new(
                TokenFault::Malformed,
                "its payload is not a JSON object with a text `iss`",
            )),
            (None, Claimed::Other(issuer)) => Err(of_unknown_issuer(table, &issuer)),
            (Some(name), Claimed::Guard(..) | Claimed::Other(_)) => {
                let fault = Fault::new(
                    TokenFault::Issuer,
                    "it is of another issuer than the guard that was asked for by name",
                );
                return Err(match table.by_name(name) {
                    Some(entry) => self.refuse(entry, Denied::Token(fault), now),
                    None => unknown(fault),
                });
            }
        };
        let (entry, spelling) = found.map_err(unknown)?;
        Ok((Arc::clone(entry), sealed, spelling))
    }

    /// Returns a token that was verified before and has not expired, if the keys of its guard are
    /// still the same.
    fn find_remembered(&self, token: &str, now: Timestamp) -> Option<Judged<U>> {
        let known = self.0.verified.get(token, (now, now), |guard| {
            let table = self.0.table.load();
            let entry = table.by_number(guard)?;
            Some((
                Arc::clone(entry),
                entry.guard.generation(now)?,
                entry.expected.base.leeway,
            ))
        });
        known.ok()
    }

    /// Verifies a token that is not remembered, and remembers it.
    async fn verify_unseen(
        &self,
        entry: &NamedGuard<U>,
        sealed: &Sealed<'_>,
        spelling: &Spelling,
        token: &str,
        now: Timestamp,
    ) -> Result<Verified<U::Claims>, Denied> {
        let NamedGuard {
            expected, guard, ..
        } = entry;
        sealed.check_size(expected.limits).map_err(Denied::Token)?;
        // This comes before the keys: a token that cannot be valid causes no fetch.
        let allowed = guard.issuer().allowed();
        let algorithm = allowed
            .iter()
            .find(|algorithm| algorithm.is_named(&sealed.algorithm));
        let Some(algorithm) = algorithm else {
            return Err(Denied::Token(of_algorithm(&sealed.algorithm, allowed)));
        };
        sealed.check_header(expected.kind).map_err(Denied::Token)?;
        // This comes before the keys, too: a token that is remembered under an older number is
        // verified again.
        let generation = guard.generation(now);
        let kid = sealed.kid.as_deref();
        let keys = guard
            .public_keys(Wanted { kid, now })
            .await
            .map_err(|error| refuse(error, TokenFault::Key, "the guard has no keys"))?;
        let candidates = keys.candidates(kid, *algorithm, expected.try_without_kid);
        if candidates.is_empty() {
            let named = kid.map_or_else(
                || String::from("the token names no `kid`, and not exactly one key fits it"),
                |kid| format!("the issuer has no key {} for {algorithm}", quoted(kid)),
            );
            return Err(Denied::Token(Fault::new(TokenFault::Key, named)));
        }
        let verified = sealed
            .verify::<U::Claims>(candidates, expected, spelling, now)
            .map_err(Denied::Token)?;
        if let Some(generation) = generation.filter(|_| !<U::Claims as ClaimSet>::ACTION_BOUND) {
            let owner = (entry.number, generation);
            let cache = &self.0.verified;
            let token = (token, cache.unknown(token));
            cache.put(token, &verified, owner, Remember::FirstSight, now);
        }
        Ok(verified)
    }

    /// Counts a refused token, and returns what its client is told.
    fn refuse(&self, entry: &NamedGuard<U>, denied: Denied, now: Timestamp) -> Refusal {
        match denied {
            Denied::Token(fault) => {
                entry
                    .refused
                    .report(Some(&entry.name), &fault, &self.0.events, now);
                Refusal::new(match fault.reason {
                    TokenFault::Expired => Code::TokenExpired,
                    _ => Code::InvalidToken,
                })
            }
            Denied::Undecided(refusal) => refusal,
        }
    }

    /// Consumes a token that is for one action: it is valid for that action only, and once.
    async fn consume_action(
        &self,
        entry: &NamedGuard<U>,
        verified: &Verified<U::Claims>,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<(), Denied> {
        let denied = |why: &str| Err(Denied::Token(Fault::new(TokenFault::Action, why)));
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
            _ => return denied("it is not for the action that was asked for"),
        }
        let token = verified.token();
        let Some(id) = token.external_id().filter(|id| !id.is_empty()) else {
            return denied("it has no `jti`, so that it could be used twice");
        };
        let undecided = |error: BoxError| Denied::Undecided(Refusal::unavailable(error));
        let store = self.0.store.as_ref();
        let store = store.ok_or_else(|| undecided("action-bound tokens need a store".into()))?;
        // The name is the same for every spelling of the issuer.
        let (issuer, _) = token.identity();
        let key = sha256(format!("tollgate/action/1\0{issuer}\0{id}").as_bytes());
        let until = token
            .expires_at()
            .plus(entry.expected.base.leeway)
            .plus(MARGIN);
        let is_first = store.consume_once(key, until, now).await;
        if is_first.map_err(|error| undecided(error.into()))? {
            Ok(())
        } else {
            denied("it was used before")
        }
    }
}

/// Waits for a guard's own check, up to the deadline. A check that answers at once needs no timer.
async fn within_deadline(
    check: impl Future<Output = Result<(), AuthError>>,
) -> Result<(), AuthError> {
    let mut check = pin!(check);
    let at_once = std::future::poll_fn(|cx| Poll::Ready(check.as_mut().poll(cx))).await;
    if let Poll::Ready(checked) = at_once {
        return checked;
    }
    tokio::time::timeout(DEADLINE, check)
        .await
        .unwrap_or_else(|_| {
            Err(AuthError::unavailable(
                "`verify_custom_claims` of a guard did not answer within two seconds",
            ))
        })
}

/// Makes the fault of a token whose issuer has no guard; it names the guard with the most similar
/// issuer.
fn of_unknown_issuer<U: JwtClaims>(table: &GuardTable<U>, issuer: &str) -> Fault {
    let common = |name: &str| {
        let pairs = name.bytes().zip(issuer.bytes());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    let known = table
        .guards
        .iter()
        .flat_map(|entry| entry.expected.spellings());
    let nearest = known.max_by_key(|name| common(name));
    let nearest = nearest.map_or_else(String::new, |name| {
        format!(
            "; the guard with the most similar name is for {}",
            quoted(name)
        )
    });
    Fault::new(
        TokenFault::Issuer,
        format!("no guard is for its issuer {}{nearest}", quoted(issuer)),
    )
}

/// Makes the fault of a token whose algorithm is not accepted.
fn of_algorithm(named: &str, allowed: &[Algorithm]) -> Fault {
    let is_hmac = named
        .parse::<Algorithm>()
        .is_ok_and(|algorithm| algorithm.family() == AlgorithmFamily::Hmac);
    let why = if is_hmac {
        String::from(
            ", whose key is a secret: each service that verifies such a token could make one, so \
             let the issuer sign with a private key",
        )
    } else {
        let allowed: Vec<_> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
        format!(", and the guard accepts {}", allowed.join(", "))
    };
    Fault::new(
        TokenFault::Algorithm,
        format!("it is signed with {}{why}", quoted(named)),
    )
}

/// Turns an error of a guard into the reason for not verifying the token.
fn refuse(error: AuthError, reason: TokenFault, why: &str) -> Denied {
    let refusal = error.into_refusal(Code::InvalidToken);
    match refusal.code() {
        Code::InvalidToken => Denied::Token(Fault::new(reason, why)),
        _ => Denied::Undecided(refusal),
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

/// The time that a guard's own check may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// The time for which a used token stays on record after it has expired.
const MARGIN: Duration = Duration::from_secs(60);
