//! An event as JSON: stable names, and nothing that a token or a password could be read from.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Ahead, BoundTo, BoundToken, Event, EventKind, Outcome};
use super::{RefreshRefusal, Refreshed, RevokedTarget};

impl Event {
    /// Returns the event as a JSON object: `event`, `outcome`, `at` (a time of RFC 3339, in UTC with
    /// milliseconds), and where they are known `realm`, `subject`, `session_id` and `ip`, then what
    /// the kind of event has to say. Spans are in milliseconds. The names do not change; further
    /// members may come.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        add("event", self.kind.name().into());
        add("outcome", self.kind.outcome().as_str().into());
        if let Some(at) = self.at {
            add("at", at.rfc3339_millis().into());
        }
        if let Some(realm) = &self.realm {
            add("realm", realm.as_str().into());
        }
        if let Some(subject) = &self.subject {
            add("subject", subject.as_str().into());
        }
        if let Some(sid) = &self.sid {
            add("session_id", sid.to_string().into());
        }
        if let Some(ip) = &self.ip {
            add("ip", ip.to_string().into());
        }
        if let Value::Object(details) = self.kind.details() {
            for (name, value) in details {
                add(&name, value);
            }
        }
        members
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl EventKind {
    /// Returns what only this kind of event has to say.
    fn details(&self) -> Value {
        match self {
            Self::SignInRefused(code)
            | Self::ReauthenticationRefused(code)
            | Self::AccessRefused(code) => json!({ "code": code.as_str() }),
            Self::StepRequired { kind } => json!({ "kind": kind }),
            Self::Refreshed(how) => json!({ "how": how.as_str() }),
            Self::RefreshRefused(why) => json!({ "why": why.as_str() }),
            Self::RefreshReuse {
                age,
                generation_gap,
                context_differs,
            } => json!({
                "age_ms": millis(*age),
                "generation_gap": generation_gap,
                "context_differs": context_differs,
            }),
            Self::Revoked {
                target,
                sessions,
                reason,
            } => json!({ "target": target.as_str(), "sessions": sessions, "reason": reason }),
            Self::ActionTokenIssued { purpose }
            | Self::ActionTokenConsumed { purpose }
            | Self::ActionTokenRefused { purpose } => json!({ "purpose": purpose }),
            Self::BindingMismatch {
                token,
                to,
                enforced,
            } => json!({
                "token": match token {
                    BoundToken::Access => "access",
                    BoundToken::Refresh => "refresh",
                },
                "to": match to {
                    BoundTo::Device => "device",
                    BoundTo::Network => "network",
                },
                "enforced": enforced,
            }),
            Self::IssueRefused { claim } => json!({ "claim": claim }),
            Self::OtherSubject { callback } => json!({ "callback": callback }),
            Self::ClockOffset { offset, ahead } => json!({
                "offset_ms": millis(*offset),
                "ahead": match ahead {
                    Ahead::Store => "store",
                    Ahead::Machine => "machine",
                },
            }),
            Self::ViewStale { age } => json!({ "age_ms": millis(*age) }),
            Self::ThrottleFull { budget, is_shared } => {
                json!({ "budget": budget, "is_shared": is_shared })
            }
            Self::ForeignTokenRefused { guard, reason } => {
                json!({ "guard": guard, "reason": reason })
            }
            Self::Administered {
                act,
                by,
                by_realm,
                key,
            } => {
                let by_realm = by_realm.as_ref().map(|realm| ("by_realm", realm.as_str()));
                let key = key.as_ref().map(|key| ("key", key.as_str()));
                let members = [("act", *act), ("by", by)].into_iter();
                members
                    .chain(by_realm)
                    .chain(key)
                    .map(|(name, value)| (name.to_owned(), Value::from(value)))
                    .collect()
            }
            Self::AccessAccepted { one_in } => json!({ "one_in": one_in }),
            Self::TokenMinted { jti } => json!({ "jti": jti.to_string() }),
            Self::TokenRegistered { jti, parent } => json!({
                "jti": jti.to_string(),
                "parent": parent.map(|parent| parent.to_string()),
            }),
            Self::TaskPanicked { task } => json!({ "task": task }),
            Self::SignedIn
            | Self::Reauthenticated
            | Self::StoreRollbackSuspected
            | Self::SignedOut
            | Self::SignedOutEverywhere
            | Self::DeviceAttached
            | Self::InsecureOrigin
            | Self::PasswordHashUnreadable
            | Self::RefreshCookiePlantable
            | Self::FormerRefreshCookie
            | Self::Paused
            | Self::Resumed => Value::Null,
        }
    }
}

impl Outcome {
    /// Returns the name in JSON and in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Alarm => "alarm",
        }
    }
}

impl Refreshed {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Held => "held",
            Self::Repeated => "repeated",
            Self::Reminted => "reminted",
            Self::Extended => "extended",
        }
    }
}

impl RefreshRefusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Ended => "ended",
            Self::Forged => "forged",
            Self::OtherClient => "other_client",
            Self::AccountClosed => "account_closed",
            Self::TooLate => "too_late",
            Self::TooOften => "too_often",
            Self::Unavailable => "unavailable",
        }
    }
}

impl RevokedTarget {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AccessOf => "access_of",
            Self::RefreshOf => "refresh_of",
            Self::Subject => "subject",
            Self::Others => "others",
            Self::Session => "session",
            Self::Token => "token",
            Self::Tree => "tree",
            Self::Client => "client",
            Self::Key => "key",
            Self::Everything => "everything",
        }
    }
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
