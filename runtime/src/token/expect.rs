//! What a verifier expects of every token.

use std::sync::Arc;
use std::time::Duration;

use crate::realm::RealmName;

/// What a verifier expects of every token.
#[derive(Clone, Debug)]
pub struct Expect {
    /// `iss`, byte for byte.
    pub issuer: Arc<str>,
    /// `aud`, or one of it.
    pub audience: Arc<str>,
    /// `rlm`: the realm. A token of another one does not count, nor one with a realm where `None`
    /// is expected.
    pub realm: Option<RealmName>,
    /// The `client_id` that most tokens have; another is not refused.
    pub client_id: Arc<str>,
    /// By how much clocks may differ; at most 120 s count.
    pub leeway: Duration,
    /// The longest `exp − iat`.
    pub max_lifetime: Duration,
    /// Whether an expired token still counts, as for signing out.
    pub allow_expired: bool,
}

impl Expect {
    /// Returns by how much clocks may differ, within the bound (R45).
    pub(super) fn bounded_leeway(&self) -> Duration {
        bounded(self.leeway)
    }
}

/// Returns a leeway within the bound (R45).
pub(super) fn bounded(leeway: Duration) -> Duration {
    leeway.min(MAX_LEEWAY)
}

/// R45.
const MAX_LEEWAY: Duration = Duration::from_secs(120);
