//! Rotations: the conditional writes of a refresh.

use super::session::LastSeen;
use super::token::TokenRecord;
use crate::clock::Timestamp;
use crate::id::SessionId;

/// A conditional write of a refresh.
#[derive(Clone, Debug)]
pub struct RotationWrite {
    /// The id of the session.
    pub sid: SessionId,
    /// The step, with its conditions.
    pub step: RotationStep,
    /// The rows for the registry, written in the same step if it succeeds.
    pub tokens: Vec<TokenRecord>,
    /// If set, tokens of earlier generations are revoked by this step: until this time, the log has
    /// `sid → min_gen` (the new generation). A [`RotationStep::Remint`] always sets it; with a
    /// [`RotationStep::Hold`] or a [`RotationStep::Slide`], which bring no generation, it has no
    /// effect.
    pub log_until: Option<Timestamp>,
    /// The new [`Session::last_seen`](super::Session::last_seen), written in the same step; `None`
    /// leaves it as it is. A [`RotationStep::Hold`] writes nothing.
    pub last_seen: Option<LastSeen>,
}

/// The four things that may happen to a session in a refresh. Each requires that the session is
/// live.
#[derive(Clone, Debug)]
pub enum RotationStep {
    /// Row 6: requires `generation` and `current` as read. Sets generation + 1, previous :=
    /// current, current := `successor`, rotated_at := superseded_at := now, confirmed := false,
    /// `sealed`, `context`, last_seen_at := now, idle_exp := min(`idle_exp`, abs_exp).
    Advance {
        /// The generation as read.
        generation: u32,
        /// The hash of the current token as read.
        current: [u8; 32],
        /// The hash of the successor.
        successor: [u8; 32],
        /// The sealed successor.
        sealed: Vec<u8>,
        /// The context of the request.
        context: [u8; 32],
        /// The new idle expiry.
        idle_exp: Timestamp,
    },
    /// Row 8: requires `generation` as read and the session unconfirmed. Sets generation + 1,
    /// current := `successor`, rotated_at := last_seen_at := now, `sealed`; previous,
    /// superseded_at, context and idle_exp stay. The context was compared by the caller.
    Remint {
        /// The generation as read.
        generation: u32,
        /// The hash of the new successor.
        successor: [u8; 32],
        /// The sealed new successor.
        sealed: Vec<u8>,
    },
    /// Rows 5 and 7, which write nothing: requires `generation` as read.
    Hold {
        /// The generation as read.
        generation: u32,
    },
    /// A refresh under the policy that never rotates: requires `generation` and `current` as read.
    /// Sets last_seen_at := now, idle_exp := min(`idle_exp`, abs_exp), and nothing else.
    Slide {
        /// The generation as read.
        generation: u32,
        /// The hash of the current token as read.
        current: [u8; 32],
        /// The new idle expiry.
        idle_exp: Timestamp,
    },
}

/// The answer to a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The conditions held, and the step is done.
    Done,
    /// A condition did not hold, and nothing was written.
    Lost,
}
