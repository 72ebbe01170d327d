//! A caller whom a layer of pages could not renew, so that no extractor takes them for a stranger.

use http::request::Parts;

use super::credential::Taken;
use super::handed::HandedCaller;
use super::presented::Kept;
use crate::error::{Code, Refusal};
use crate::gate::Running;

/// The refusal of a request whose caller is not known: a handler that asks for a caller answers it,
/// and every other handler runs.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "cookies"),
    allow(dead_code, reason = "only pages are renewed by the server")
)]
pub(in crate::http) struct Undecided {
    /// The address of the gate.
    gate: usize,
    code: Code,
    /// The number of seconds after which to try again.
    retry: Option<u64>,
    /// `true` if the request is for a page that the browser prefetches.
    is_prefetch: bool,
}

impl Undecided {
    /// Describes a renewal that was refused, with the seconds after which to try again.
    #[cfg(feature = "cookies")]
    pub(in crate::http) fn refused(gate: &Running, (code, retry): (Code, Option<u64>)) -> Self {
        Self {
            gate: address(gate),
            code,
            retry,
            is_prefetch: false,
        }
    }

    /// Describes a prefetch, which renews nothing.
    #[cfg(feature = "cookies")]
    pub(in crate::http) fn prefetch(gate: &Running) -> Self {
        Self {
            is_prefetch: true,
            ..Self::refused(gate, (Code::Unavailable, None))
        }
    }

    /// Keeps it for the extractors.
    #[cfg(feature = "cookies")]
    pub(in crate::http) fn keep(self, parts: &mut Parts) {
        Kept::of(&mut parts.extensions).undecided.push(self);
    }

    /// Returns the refusal of a request whose cookies this gate could not judge.
    pub(super) fn of(parts: &Parts, gate: &Running) -> Option<Self> {
        if !gate.has_pages() {
            return None;
        }
        let undecided = &parts.extensions.get::<Kept>()?.undecided;
        let found = undecided.iter().find(|known| known.gate == address(gate))?;
        HandedCaller::of(parts, gate).is_none().then_some(*found)
    }

    /// Refuses a request whose cookies this gate could not judge, if they are all that counts.
    pub(super) fn refuse(parts: &Parts, gate: &Running, taken: Taken) -> Result<(), Refusal> {
        match Self::of(parts, gate) {
            Some(undecided) if taken.takes_cookie_alone(parts, gate)? => Err(undecided.refusal()),
            _ => Ok(()),
        }
    }

    /// Returns the refusal of a handler that asks for the caller.
    pub(in crate::http) fn refusal(self) -> Refusal {
        let refusal = match self.retry.map(std::time::Duration::from_secs) {
            Some(left) if self.code == Code::Unavailable => Refusal::retry_after(left),
            Some(left) if self.code == Code::TooManyRequests => Refusal::too_many(left),
            _ => Refusal::new(self.code),
        };
        if self.is_prefetch {
            refusal.expected()
        } else {
            refusal
        }
    }
}

fn address(gate: &Running) -> usize {
    std::ptr::from_ref(gate).addr()
}
