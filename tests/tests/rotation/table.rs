//! The decision table of rotation.md section 3, written down once more from its text: the oracle of
//! these tests.

use tollgate::clock::Timestamp;
use tollgate::settings::RefreshPolicy;
use tollgate::store::Session;

use crate::world::Rules;

/// A refresh token as it is presented.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) generation: u32,
    pub(crate) hash: [u8; 32],
    pub(crate) is_retired: bool,
    pub(crate) client_id: &'static str,
    pub(crate) context: [u8; 32],
}

/// The number of the first row that matches; `none` is a 401 without effect under a retired key.
pub(crate) fn row(r: &Session, t: &Shown, rules: &Rules, now: Timestamp) -> &'static str {
    let now = now.as_millis();
    let ago = |at: Option<Timestamp>| at.map_or(u64::MAX, |at| now.saturating_sub(at.as_millis()));
    let (wc, wl) = (rules.window, rules.lost);
    let has_short_window =
        wc > 0 && !matches!(rules.policy, RefreshPolicy::Strict | RefreshPolicy::Fixed);
    let has_long_window = rules.policy == RefreshPolicy::ConfirmAware;
    let nine = if t.is_retired { "none" } else { "9" };

    if r.revoked.is_some() || now >= r.idle_exp.as_millis() || now >= r.abs_exp.as_millis() {
        return "1";
    }
    if t.generation > r.generation {
        return "2";
    }
    if t.generation == r.generation && t.hash != r.current {
        return "3";
    }
    let is_current = t.generation == r.generation;
    if t.client_id != r.client_id {
        return if is_current { "4" } else { nine };
    }
    if is_current && rules.policy == RefreshPolicy::Fixed {
        return "5, fixed";
    }
    if is_current && r.previous.is_some() && has_short_window && ago(r.rotated_at) <= 2 * wc {
        return "5";
    }
    if is_current {
        return "6";
    }
    let is_previous = r
        .previous
        .as_ref()
        .is_some_and(|prev| prev.generation == t.generation && prev.hash == t.hash);
    let is_same_context = r.context == Some(t.context);
    if is_previous && has_short_window && ago(r.rotated_at) <= wc && is_same_context {
        return "7";
    }
    if is_previous && has_short_window && ago(r.rotated_at) <= 2 * wc && is_same_context {
        return "7b";
    }
    if is_previous
        && has_long_window
        && !r.confirmed
        && ago(r.superseded_at) <= wl
        && is_same_context
    {
        return "8";
    }
    nine
}
