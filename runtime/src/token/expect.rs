//! The requirements of a verifier on every token.

use std::sync::Arc;
use std::time::Duration;

use crate::realm::RealmName;

/// The requirements of a verifier on every token.
#[derive(Clone, Debug)]
pub struct Expect {
    /// `iss`, byte for byte.
    pub issuer: Arc<str>,
    /// `aud`, or one of several.
    pub audience: Arc<str>,
    /// `rlm`: the realm. A token of another realm is refused, and so is one with a realm where
    /// `None` is expected.
    pub realm: Option<RealmName>,
    /// The `client_id` that most tokens have; another is not refused.
    pub client_id: Arc<str>,
    /// The time by which clocks may differ; more than 120 s count as 120 s.
    pub leeway: Duration,
    /// The longest `exp − iat`.
    pub max_lifetime: Duration,
    /// `true` if an expired token is accepted, as for signing out.
    pub allow_expired: bool,
}

impl Expect {
    /// Returns the time by which clocks may differ, within the bound (R45).
    pub(super) fn bounded_leeway(&self) -> Duration {
        bounded(self.leeway)
    }
}

/// Returns a leeway within the bound (R45).
pub(super) fn bounded(leeway: Duration) -> Duration {
    leeway.min(MAX_LEEWAY)
}

/// The most that clocks may differ (R45).
const MAX_LEEWAY: Duration = Duration::from_secs(120);
