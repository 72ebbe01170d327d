//! Rotations: the conditional writes of a refresh.

use super::token::TokenRecord;
use crate::clock::Timestamp;
use crate::id::SessionId;

/// A conditional write of a refresh.
#[derive(Clone, Debug)]
pub struct RotationWrite {
    /// The session.
    pub sid: SessionId,
    /// What is to happen, and under which condition.
    pub step: RotationStep,
    /// Rows for the registry, written in the same step, if it happens.
    pub tokens: Vec<TokenRecord>,
    /// Where set, tokens of earlier generations die with this step: the log gets `sid → min_gen`
    /// (the new generation) until then. A [`RotationStep::Remint`] always sets it; with a [`RotationStep::Hold`],
    /// which brings no generation, it means nothing.
    pub log_until: Option<Timestamp>,
}

/// The three things that may happen to a session in a refresh. Each requires that the session is
/// live.
#[derive(Clone, Debug)]
pub enum RotationStep {
    /// Row 6: requires `generation` and `current` as read. Sets generation + 1, previous :=
    /// current, current := `successor`, rotated_at := superseded_at := now, confirmed := false,
    /// `sealed`, `context`, last_seen_at := now, idle_exp := min(`idle_exp`, abs_exp).
    Advance {
        /// The generation as read.
        generation: u32,
        /// The current hash as read.
        current: [u8; 32],
        /// The successor's hash.
        successor: [u8; 32],
        /// The successor, sealed.
        sealed: Vec<u8>,
        /// The context of this request.
        context: [u8; 32],
        /// The idle expiry that the rotation brings.
        idle_exp: Timestamp,
    },
    /// Row 8: requires `generation` as read and the session unconfirmed. Sets generation + 1,
    /// current := `successor`, rotated_at := last_seen_at := now, `sealed`; previous,
    /// superseded_at, context and idle_exp stay. The context was compared by the caller.
    Remint {
        /// The generation as read.
        generation: u32,
        /// The new successor's hash.
        successor: [u8; 32],
        /// The new successor, sealed.
        sealed: Vec<u8>,
    },
    /// Rows 5 and 7, which write nothing: requires `generation` as read.
    Hold {
        /// The generation as read.
        generation: u32,
    },
}

/// How a rotation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The condition held, and the step is done.
    Done,
    /// The condition did not hold; nothing was written.
    Lost,
}
