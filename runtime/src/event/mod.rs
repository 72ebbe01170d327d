//! Events: what happened, reported after the commit to the log and to handlers.

mod emitter;
mod hourly;
mod json;
#[cfg(feature = "metrics")]
mod metric;
#[cfg(test)]
mod tests;
#[cfg(feature = "webhook")]
mod webhook;

pub use emitter::{Emitter, Events, Next};
pub(crate) use hourly::Hourly;
#[cfg(feature = "metrics")]
pub(crate) use metric::{Meter, Reading};
#[cfg(feature = "webhook")]
pub use webhook::{Deliveries, Webhook};

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Code;
use crate::id::{SessionId, TokenId};
use crate::realm::RealmName;

/// A decision or a change, reported after it is durable: what happened, for which subject, in which
/// session, from which address.
///
/// No event holds a password, a token, a key or the text that a client typed as its identifier.
/// `Display` writes one line, in which texts of others are quoted and their line breaks escaped; the
/// time is that of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The kind of event.
    pub kind: EventKind,
    /// The time at which it happened, by the clock of its gate. The emitter sets it, so every
    /// handler sees one, however long the event waited in a queue.
    pub at: Option<Timestamp>,
    /// The realm of the gate that reports it; `None` in the default realm.
    pub realm: Option<RealmName>,
    /// The subject that it is about, as in the claim `sub`, if that is known.
    pub subject: Option<String>,
    /// The session that it is about.
    pub sid: Option<SessionId>,
    /// The peer's address, where a request led to it and the address is known.
    pub ip: Option<IpAddr>,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A session was opened.
    SignedIn,
    /// A sign-in was refused, with this code. The event names the subject where it is known whose
    /// it is: at a further step, at the device limit, where the password of a
    /// [`Stored::of`](crate::password::Stored::of) was wrong, and where the backend said so with
    /// [`Refusal::about`](crate::error::Refusal::about). An identifier without an account is never
    /// in it.
    SignInRefused(Code),
    /// A sign-in needs a further step.
    StepRequired {
        /// The kind of step, as the backend names it: `totp`.
        kind: String,
    },
    /// A user authenticated again.
    Reauthenticated,
    /// A second authentication was refused, with this code.
    ReauthenticationRefused(Code),
    /// A refresh was answered with tokens.
    Refreshed(Refreshed),
    /// A refresh was refused.
    RefreshRefused(RefreshRefusal),
    /// A refresh token that had been replaced was presented: two parties hold it, and the session
    /// is over.
    RefreshReuse {
        /// The time since the predecessor of the current token was replaced.
        age: Duration,
        /// The number of generations by which the token is behind.
        generation_gap: u32,
        /// `true` if the client, the transport or the device id differs from those of the last
        /// rotation.
        context_differs: bool,
    },
    /// A genuine refresh token is ahead of the store: the store seems to have been restored from an
    /// older copy.
    StoreRollbackSuspected,
    /// A session was signed out.
    SignedOut,
    /// A user signed out everywhere.
    SignedOutEverywhere,
    /// Something was revoked.
    Revoked {
        /// The kind of thing that was revoked.
        target: RevokedTarget,
        /// The number of live sessions that ended.
        sessions: u64,
        /// The reason, as stores keep it: `requested`, `device_limit` …
        reason: &'static str,
    },
    /// A request with credentials was refused, with this code.
    AccessRefused(Code),
    /// An action token was made.
    ActionTokenIssued {
        /// The purpose of the token.
        purpose: &'static str,
    },
    /// An action token was consumed.
    ActionTokenConsumed {
        /// The purpose of the token.
        purpose: &'static str,
    },
    /// A text was presented that is not an action token of this purpose, or is no longer valid.
    ActionTokenRefused {
        /// The purpose of the token.
        purpose: &'static str,
    },
    /// A token was used from another device or network than its session was opened from.
    BindingMismatch {
        /// The kind of token.
        token: BoundToken,
        /// The property that is different.
        to: BoundTo,
        /// `true` if the request was refused.
        enforced: bool,
    },
    /// Cookies are on, and an origin that uses them is not secure: browsers will not store them.
    InsecureOrigin,
    /// A token was not issued, because no verifier would accept it with these claims: at most once
    /// an hour a subject.
    IssueRefused {
        /// The name of the claim at fault; never its value.
        claim: String,
    },
    /// A callback of the backend returned another user than the one that it was asked for, and the
    /// request was refused: at most once an hour a subject.
    OtherSubject {
        /// The callback: `refresh`, `step`.
        callback: &'static str,
    },
    /// A stored password hash cannot be read, so that its owner cannot sign in: at most once an
    /// hour a subject.
    PasswordHashUnreadable,
    /// Cookies are on, and the refresh cookie has a name that a page of a sibling subdomain can
    /// set: `cookies.refresh` is `path`.
    RefreshCookiePlantable,
    /// A refresh cookie with the former name was accepted, although `cookies.refresh` is `host`.
    FormerRefreshCookie,
    /// Someone changed something through the routes of [`Gate::admin_router`]: the subject and the
    /// session are those that it was done to.
    ///
    /// [`Gate::admin_router`]: crate::gate::Gate::admin_router
    Administered {
        /// The act: `rotate_keys`, `retire_key`, `pause`, `resume`, `end_session`, `end_sessions` or
        /// `revoke_token`.
        act: &'static str,
        /// The subject of the caller.
        by: String,
        /// The realm of the caller, which may be another one than that of the gate; `None` in the
        /// default realm, and for a caller whom another issuer knows.
        by_realm: Option<RealmName>,
        /// The name of the key that was retired.
        key: Option<String>,
    },
    /// Issuing and verifying were stopped.
    Paused,
    /// Issuing and verifying were resumed.
    Resumed,
    /// The store's clock and this machine's differ by more than the leeway.
    ClockOffset {
        /// The difference.
        offset: Duration,
        /// The clock that is ahead.
        ahead: Ahead,
    },
    /// This node's view of the revocations is older than `revocation.stale_limit`.
    ViewStale {
        /// The age of the view.
        age: Duration,
    },
    /// This node counts as many addresses or identifiers in one budget as `throttle.keys` allows.
    /// Reported again after an hour.
    ThrottleFull {
        /// The budget, as its setting is named: `identifier`.
        budget: &'static str,
        /// `true` if every counter is used up, so that new addresses or identifiers share a
        /// budget for each network; `false` if new ones replace those that have used least.
        is_shared: bool,
    },
    /// A guard refused a token of another issuer, or there is no guard for its issuer: at most once
    /// a second a guard. `GuardHealth::refused` counts them all, and a debug line has the details.
    ForeignTokenRefused {
        /// The name of the guard; `None` if no guard is for the token's issuer.
        guard: Option<String>,
        /// The reason, as `TokenFault` is named in logs: `audience`.
        reason: &'static str,
    },
    /// A request with credentials was accepted: one in so many of them, where `events.accepted` asks
    /// for it.
    AccessAccepted {
        /// The number of accepted requests of which this is one.
        one_in: u32,
    },
    /// A token was signed from the command line, for no request of a user.
    TokenMinted {
        /// The id of the token, by which it is revoked.
        jti: TokenId,
    },
    /// A token was entered in the registry by [`Gate::register`](crate::gate::Gate::register). Those
    /// of a sign-in or a refresh are entered with it, and have its event.
    TokenRegistered {
        /// The id of the token.
        jti: TokenId,
        /// The id of the token below which it was entered.
        parent: Option<TokenId>,
    },
    /// What a session remembers of its device was replaced, by
    /// [`SessionList::attach`](crate::gate::SessionList::attach).
    DeviceAttached,
    /// A background task of the gate panicked, for instance in the store, and is started again.
    /// Reported once; a later panic is reported again after the task has run for a while.
    TaskPanicked {
        /// The task: `follow_log`, `purge`, `compare_clocks`, `reload_keys`, `confirm` or
        /// `archive`.
        task: &'static str,
    },
}

/// The way in which a refresh was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refreshed {
    /// With a new refresh token.
    Rotated,
    /// With the refresh token that was presented, which was issued a moment ago.
    Held,
    /// With the successor that a concurrent request got.
    Repeated,
    /// With another successor, which replaces one that was never used.
    Reminted,
    /// With the refresh token that was presented, which the policy `fixed` keeps.
    Extended,
}

/// The reason why a refresh was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshRefusal {
    /// The gate did not issue it, or its key is retired.
    NotOurs,
    /// The session is unknown, over or past an expiry.
    Ended,
    /// The token has the current generation and another secret.
    Forged,
    /// Another client presented it.
    OtherClient,
    /// The account is disabled or gone; the session ended.
    AccountClosed,
    /// The token is too old to get its successor again, and too young to prove a theft.
    TooLate,
    /// It was presented too often.
    TooOften,
    /// The gate could not decide.
    Unavailable,
}

/// The kinds of thing that can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokedTarget {
    /// The access tokens of a subject.
    AccessOf,
    /// The sessions of a subject.
    RefreshOf,
    /// The access tokens and the sessions of a subject.
    Subject,
    /// The sessions of a subject but one.
    Others,
    /// A session.
    Session,
    /// A token.
    Token,
    /// A token with its descendants.
    Tree,
    /// All sessions and tokens of a client.
    Client,
    /// All tokens that a key signed.
    Key,
    /// All sessions and tokens.
    Everything,
}

/// A token that may be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundToken {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// The properties to which a token may be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundTo {
    /// The id that the client gave its device.
    Device,
    /// The network of the sign-in: /24, or /56 of IPv6.
    Network,
}

/// The clock that is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// The store's.
    Store,
    /// This machine's.
    Machine,
}

/// The meaning of an event for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was allowed, or it succeeded.
    Done,
    /// It was refused.
    Refused,
    /// An operator should look at it. Logged as a warning, the others as information.
    Alarm,
}

impl Event {
    /// Makes an event of this kind; subject, session and address are not known.
    #[must_use]
    pub const fn new(kind: EventKind) -> Self {
        Self {
            kind,
            at: None,
            realm: None,
            subject: None,
            sid: None,
            ip: None,
        }
    }

    /// Sets the time at which it happened. By default it is that of the emitter's clock.
    #[must_use]
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Adds the subject that the event is about.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Adds the session that the event is about.
    #[must_use]
    pub const fn sid(mut self, sid: SessionId) -> Self {
        self.sid = Some(sid);
        self
    }

    /// Adds the address that the event came from.
    #[must_use]
    pub const fn ip(mut self, ip: Option<IpAddr>) -> Self {
        self.ip = ip;
        self
    }
}

/// Gives each kind its name and its outcome, from one table.
macro_rules! kinds {
    ($($pattern:pat => $name:literal, $outcome:ident;)*) => {
        #[allow(clippy::match_same_arms, reason = "the table has a row for each kind")]
        impl EventKind {
            /// The names, each with an outcome; a name with two outcomes is there twice.
            #[cfg(any(test, feature = "metrics", feature = "webhook"))]
            pub(crate) const NAMES: &[(&'static str, Outcome)] =
                &[$(($name, Outcome::$outcome)),*];

            /// Returns the name in logs: `refresh_reuse`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $($pattern => $name),*
                }
            }

            /// Returns what the event means to an operator.
            #[must_use]
            pub const fn outcome(&self) -> Outcome {
                match self {
                    $($pattern => Outcome::$outcome),*
                }
            }
        }
    };
}

kinds! {
    EventKind::SignedIn => "signed_in", Done;
    EventKind::SignInRefused(_) => "sign_in_refused", Refused;
    EventKind::StepRequired { .. } => "step_required", Done;
    EventKind::Reauthenticated => "reauthenticated", Done;
    EventKind::ReauthenticationRefused(_) => "reauthentication_refused", Refused;
    EventKind::Refreshed(_) => "refreshed", Done;
    EventKind::RefreshRefused(_) => "refresh_refused", Refused;
    EventKind::RefreshReuse { .. } => "refresh_reuse", Alarm;
    EventKind::StoreRollbackSuspected => "store_rollback_suspected", Alarm;
    EventKind::SignedOut => "signed_out", Done;
    EventKind::SignedOutEverywhere => "signed_out_everywhere", Done;
    EventKind::Revoked { .. } => "revoked", Done;
    EventKind::AccessRefused(_) => "access_refused", Refused;
    EventKind::ActionTokenIssued { .. } => "action_token_issued", Done;
    EventKind::ActionTokenConsumed { .. } => "action_token_consumed", Done;
    EventKind::ActionTokenRefused { .. } => "action_token_refused", Refused;
    EventKind::BindingMismatch { enforced: false, .. } => "binding_mismatch", Done;
    EventKind::BindingMismatch { enforced: true, .. } => "binding_mismatch", Refused;
    EventKind::InsecureOrigin => "insecure_origin", Alarm;
    EventKind::IssueRefused { .. } => "issue_refused", Alarm;
    EventKind::OtherSubject { .. } => "other_subject", Alarm;
    EventKind::PasswordHashUnreadable => "password_hash_unreadable", Alarm;
    EventKind::RefreshCookiePlantable => "refresh_cookie_plantable", Alarm;
    EventKind::FormerRefreshCookie => "former_refresh_cookie", Done;
    EventKind::Administered { .. } => "administered", Done;
    EventKind::Paused => "paused", Alarm;
    EventKind::Resumed => "resumed", Done;
    EventKind::ClockOffset { .. } => "clock_offset", Alarm;
    EventKind::ViewStale { .. } => "view_stale", Alarm;
    EventKind::ThrottleFull { .. } => "throttle_full", Alarm;
    EventKind::ForeignTokenRefused { .. } => "foreign_token_refused", Refused;
    EventKind::AccessAccepted { .. } => "access_accepted", Done;
    EventKind::TokenMinted { .. } => "token_minted", Done;
    EventKind::TokenRegistered { .. } => "token_registered", Done;
    EventKind::DeviceAttached => "device_attached", Done;
    EventKind::TaskPanicked { .. } => "task_panicked", Alarm;
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outcome={:?}", self.kind.name(), self.kind.outcome())?;
        if let Some(realm) = &self.realm {
            write!(f, " realm={realm}")?;
        }
        if let Some(subject) = &self.subject {
            write!(f, " subject={subject:?}")?;
        }
        if let Some(sid) = &self.sid {
            write!(f, " sid={sid}")?;
        }
        if let Some(ip) = &self.ip {
            write!(f, " ip={ip}")?;
        }
        match &self.kind {
            EventKind::SignInRefused(code)
            | EventKind::ReauthenticationRefused(code)
            | EventKind::AccessRefused(code) => {
                write!(f, " code={}", code.as_str())
            }
            EventKind::ActionTokenIssued { purpose }
            | EventKind::ActionTokenConsumed { purpose }
            | EventKind::ActionTokenRefused { purpose } => write!(f, " purpose={purpose:?}"),
            EventKind::Administered {
                act,
                by,
                by_realm,
                key,
            } => {
                write!(f, " act={act} by={by:?}")?;
                if let Some(realm) = by_realm {
                    write!(f, " by_realm={realm}")?;
                }
                match key {
                    Some(key) => write!(f, " key={key:?}"),
                    None => Ok(()),
                }
            }
            EventKind::StepRequired { kind } => write!(f, " kind={kind:?}"),
            EventKind::IssueRefused { claim } => write!(f, " claim={claim:?}"),
            EventKind::OtherSubject { callback } => write!(f, " callback={callback:?}"),
            EventKind::Refreshed(how) => write!(f, " how={how:?}"),
            EventKind::RefreshRefused(why) => write!(f, " why={why:?}"),
            EventKind::RefreshReuse {
                age,
                generation_gap,
                context_differs,
            } => {
                let age = age.as_millis();
                write!(
                    f,
                    " age_ms={age} generation_gap={generation_gap} \
                     context_differs={context_differs}"
                )
            }
            EventKind::Revoked {
                target,
                sessions,
                reason,
            } => {
                write!(
                    f,
                    " target={target:?} sessions={sessions} reason={reason:?}"
                )
            }
            EventKind::ClockOffset { offset, ahead } => {
                write!(f, " offset_ms={} ahead={ahead:?}", offset.as_millis())
            }
            EventKind::ViewStale { age } => write!(f, " age_ms={}", age.as_millis()),
            EventKind::ThrottleFull { budget, is_shared } => {
                write!(f, " budget={budget} is_shared={is_shared}")
            }
            EventKind::AccessAccepted { one_in } => write!(f, " one_in={one_in}"),
            EventKind::TokenMinted { jti } => write!(f, " jti={jti}"),
            EventKind::TokenRegistered { jti, parent } => {
                write!(f, " jti={jti}")?;
                match parent {
                    Some(parent) => write!(f, " parent={parent}"),
                    None => Ok(()),
                }
            }
            EventKind::TaskPanicked { task } => write!(f, " task={task}"),
            EventKind::ForeignTokenRefused { guard, reason } => {
                let guard = guard.as_deref().unwrap_or_default();
                write!(f, " guard={guard:?} reason={reason}")
            }
            EventKind::BindingMismatch {
                token,
                to,
                enforced,
            } => write!(f, " token={token:?} to={to:?} enforced={enforced}"),
            EventKind::SignedIn
            | EventKind::InsecureOrigin
            | EventKind::PasswordHashUnreadable
            | EventKind::RefreshCookiePlantable
            | EventKind::FormerRefreshCookie
            | EventKind::Reauthenticated
            | EventKind::StoreRollbackSuspected
            | EventKind::SignedOut
            | EventKind::SignedOutEverywhere
            | EventKind::DeviceAttached
            | EventKind::Paused
            | EventKind::Resumed => Ok(()),
        }
    }
}
