//! The effect of each operation on the row of a session, for stores that read and write rows as a
//! whole.
//!
//! A database changes single columns in one conditional statement instead.

use crate::clock::Timestamp;
use crate::store::record::{NewSession, Predecessor, RevokeReason, Rotated, RotationStep, Session};

impl Session {
    /// Makes the row of a session that is opened at `now`: at generation 0, unconfirmed and without
    /// a predecessor. Its [`epoch`](Self::epoch) is 0, because a store fills it in when it reads a
    /// row.
    pub(crate) fn opened(new: &NewSession, now: Timestamp) -> Self {
        Self {
            sid: new.sid,
            subject: new.subject.clone(),
            client_id: new.client_id.clone(),
            device: new.device.clone(),
            generation: 0,
            current: new.current,
            previous: None,
            rotated_at: None,
            superseded_at: None,
            sealed_successor: None,
            confirmed: false,
            context: None,
            auth_time: new.auth_time,
            acr: new.acr.clone(),
            claims: new.claims.clone(),
            created_at: now,
            last_seen_at: now,
            last_seen: None,
            idle_exp: new.idle_exp,
            abs_exp: new.abs_exp,
            is_brief: new.is_brief,
            revoked: None,
            epoch: 0,
        }
    }

    /// Rotates the row if the session is live and the conditions of the step hold, and otherwise
    /// leaves it as it is.
    ///
    /// Reading the row, rotating it and writing it must be one transaction: of several rotations of
    /// one generation the conditions may hold for exactly one.
    pub(in crate::store) fn rotate(&mut self, step: RotationStep, now: Timestamp) -> Rotated {
        let (RotationStep::Advance { generation, .. }
        | RotationStep::Remint { generation, .. }
        | RotationStep::Hold { generation }
        | RotationStep::Slide { generation, .. }) = step;
        if !self.is_live(now) || self.generation != generation {
            return Rotated::Lost;
        }
        if let RotationStep::Hold { .. } = step {
            return Rotated::Done;
        }
        if let RotationStep::Slide {
            current, idle_exp, ..
        } = step
        {
            if self.current != current {
                return Rotated::Lost;
            }
            self.idle_exp = idle_exp.min(self.abs_exp);
            self.last_seen_at = now;
            return Rotated::Done;
        }
        let Some(next) = generation.checked_add(1) else {
            return Rotated::Lost;
        };
        match step {
            RotationStep::Advance {
                current,
                successor,
                sealed,
                context,
                idle_exp,
                ..
            } if self.current == current => {
                self.previous = Some(Predecessor {
                    generation,
                    hash: current,
                });
                self.current = successor;
                self.sealed_successor = Some(sealed);
                self.superseded_at = Some(now);
                self.context = Some(context);
                self.confirmed = false;
                self.idle_exp = idle_exp.min(self.abs_exp);
            }
            RotationStep::Remint {
                successor, sealed, ..
            } if !self.confirmed => {
                self.current = successor;
                self.sealed_successor = Some(sealed);
            }
            _ => return Rotated::Lost,
        }
        self.generation = next;
        self.rotated_at = Some(now);
        self.last_seen_at = now;
        Rotated::Done
    }

    /// Ends the session if it had not ended before, expired or not, and returns whether it was
    /// live.
    ///
    /// An expired one ends too, because the clock of another node may be behind, and on that node
    /// the session is live.
    pub(in crate::store) fn end(&mut self, reason: RevokeReason, now: Timestamp) -> bool {
        let was_live = self.is_live(now);
        self.revoked.get_or_insert((now, reason));
        was_live
    }
}
