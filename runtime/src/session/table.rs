//! The decision table of a refresh: the meaning of a presented token for the row that it names.
//! Reads nothing, writes nothing.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::secret::same;
use crate::settings::{RefreshPolicy, RefreshSettings};
use crate::store::Session;

/// The presented token of a refresh, after its MAC was checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presented<'a> {
    pub(crate) generation: u32,
    /// SHA-256 of the secret.
    pub(crate) hash: [u8; 32],
    /// `true` if its MAC key is retired: then only a hash may decide.
    pub(crate) retired: bool,
    pub(crate) client_id: &'a str,
    pub(crate) context: [u8; 32],
}

/// The rows of the table; the first that matches counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// 1: revoked or expired.
    Over,
    /// 2: a generation that the store has never seen.
    Rollback,
    /// 3: the generation is current, the secret is not.
    Mismatch,
    /// 4, where the current token was presented: it is for another client.
    OtherClient,
    /// 5: current, and rotated a moment ago.
    Keep,
    /// 6: current.
    Rotate,
    /// Current, under the policy that never rotates.
    Slide,
    /// 7: the predecessor, a moment after it was replaced.
    Replay,
    /// 7b: the predecessor, after the time in which its successor is handed out, and before the
    /// time from which it counts as reuse.
    Wait(Duration),
    /// 8: the predecessor, whose successor was never used.
    Remint,
    /// 9: anything else.
    Reuse,
    /// Anything else under a retired MAC key.
    Powerless,
}

/// Finds the row for a presented token.
pub(crate) fn decide(
    row: &Session,
    token: &Presented<'_>,
    settings: &RefreshSettings,
    now: Timestamp,
) -> Row {
    if !row.is_live(now) {
        return Row::Over;
    }
    if token.generation > row.generation {
        // The holder of a retired key must not be able to raise an alarm either.
        return if token.retired {
            Row::Powerless
        } else {
            Row::Rollback
        };
    }
    let is_current = token.generation == row.generation;
    if is_current && !same(&token.hash, &row.current) {
        return Row::Mismatch;
    }
    let punish = if token.retired {
        Row::Powerless
    } else {
        Row::Reuse
    };
    if token.client_id != row.client_id {
        return if is_current { Row::OtherClient } else { punish };
    }
    let windows = Windows::of(settings);
    let since_rotation = row.rotated_at.map(|at| now.since(at));
    let within = |span: Option<Duration>| {
        since_rotation
            .zip(span)
            .is_some_and(|(age, span)| age <= span)
    };
    if is_current && settings.policy == RefreshPolicy::Fixed {
        return Row::Slide;
    }
    if is_current {
        let just_rotated = row.previous.is_some() && within(windows.quiet());
        return if just_rotated { Row::Keep } else { Row::Rotate };
    }
    let is_predecessor = row
        .previous
        .as_ref()
        .is_some_and(|p| p.generation == token.generation && same(&token.hash, &p.hash));
    if !is_predecessor || row.context != Some(token.context) {
        return punish;
    }
    if within(windows.concurrent) {
        return Row::Replay;
    }
    if let (true, Some(quiet), Some(age)) =
        (within(windows.quiet()), windows.quiet(), since_rotation)
    {
        return Row::Wait(quiet.saturating_sub(age));
    }
    if !row.confirmed && may_remint(row, settings, now) {
        return Row::Remint;
    }
    punish
}

/// Returns whether a successor that was never used may be made again (P10).
pub(crate) fn may_remint(row: &Session, settings: &RefreshSettings, now: Timestamp) -> bool {
    let lost = Windows::of(settings).lost;
    matches!((row.superseded_at, lost), (Some(at), Some(lost)) if now.since(at) <= lost)
}

/// The windows that a policy leaves open.
struct Windows {
    /// The window for concurrent requests, `W_c`.
    concurrent: Option<Duration>,
    /// The window for a lost answer, `W_l`.
    lost: Option<Duration>,
}

impl Windows {
    fn of(settings: &RefreshSettings) -> Self {
        let concurrent = (!settings.window.is_zero()).then_some(settings.window);
        match settings.policy {
            RefreshPolicy::Strict | RefreshPolicy::Fixed => Self {
                concurrent: None,
                lost: None,
            },
            RefreshPolicy::Window => Self {
                concurrent,
                lost: None,
            },
            RefreshPolicy::ConfirmAware => Self {
                concurrent,
                lost: Some(settings.lost_response_window),
            },
        }
    }

    /// Returns twice `W_c`: during that time the current token stays as it is and the predecessor
    /// waits.
    fn quiet(&self) -> Option<Duration> {
        self.concurrent.map(|window| window.saturating_mul(2))
    }
}
