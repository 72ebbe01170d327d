//! Makes and consumes action tokens: the flows of an account that begin with an email.

use std::time::Duration;

use crate::action::Kept;
use crate::error::{Code, Refusal};
use crate::event::{Event, EventKind};
use crate::store::{BoundMark, OnceValue, SubjectState};

use super::Flows;

/// A purpose without its type.
#[derive(Clone, Debug)]
pub(crate) struct AnyPurpose {
    pub(crate) name: &'static str,
    /// The kind under which the store keeps its tokens.
    pub(crate) kind: String,
    pub(crate) lifetime: Duration,
}

impl Flows {
    /// Keeps the hash of an action token for a subject.
    pub(crate) async fn keep_action(
        &self,
        purpose: AnyPurpose,
        hash: [u8; 32],
        subject: String,
        address: &str,
    ) -> Result<(), Refusal> {
        let engine = &self.engine;
        let now = engine.time.now();
        let state = self.state_of(&subject).await?;
        let kept = Kept {
            subject: subject.clone(),
            address: address.to_owned(),
            epoch: state.epoch,
            mark: Some(state.mark),
            issued_at: engine.clock.now(),
        };
        let value = OnceValue {
            kind: purpose.kind,
            hash,
            payload: serde_json::to_vec(&kept).map_err(Refusal::unavailable)?,
            until: now.plus(purpose.lifetime),
            bound: Some(self.bound_to(&subject, state.mark)),
        };
        let is_kept = engine.store.put_once(value, now).await;
        if !is_kept.map_err(Refusal::unavailable)? {
            return Err(Refusal::unavailable("an action token met another one"));
        }
        let kind = EventKind::ActionTokenIssued {
            purpose: purpose.name,
        };
        engine.events.emit(&Event::new(kind).subject(subject));
        Ok(())
    }

    /// Consumes an action token if its subject's mark has not changed since it was made, and
    /// returns what was kept with it: one operation of the store. Of several callers with one
    /// token, one succeeds.
    pub(crate) async fn take_action(
        &self,
        purpose: &AnyPurpose,
        hash: [u8; 32],
    ) -> Result<Kept, Refusal> {
        let engine = &self.engine;
        engine.refuse_while_paused()?;
        let taken = engine
            .store
            .take_once(purpose.kind.clone(), hash, engine.time.now());
        let payload = taken.await.map_err(Refusal::unavailable)?;
        payload
            .and_then(|payload| serde_json::from_slice(&payload).ok())
            .ok_or_else(|| self.refuse_action(purpose, None))
    }

    /// Reports that the token was consumed. A token of a release without marks is valid while the
    /// subject's epoch is the one that it was made with.
    pub(crate) async fn confirm_action(
        &self,
        purpose: &AnyPurpose,
        kept: &Kept,
    ) -> Result<(), Refusal> {
        if kept.mark.is_none() && self.state_of(&kept.subject).await?.epoch != kept.epoch {
            return Err(self.refuse_action(purpose, Some(kept.subject.clone())));
        }
        let kind = EventKind::ActionTokenConsumed {
            purpose: purpose.name,
        };
        let event = Event::new(kind).subject(kept.subject.clone());
        self.engine.events.emit(&event);
        Ok(())
    }

    /// Reports a token that is not valid; returns the refusal.
    pub(crate) fn refuse_action(&self, purpose: &AnyPurpose, subject: Option<String>) -> Refusal {
        let event = Event::new(EventKind::ActionTokenRefused {
            purpose: purpose.name,
        });
        self.engine.events.emit(&Event { subject, ..event });
        Code::InvalidToken.into()
    }

    /// Reads what the store knows of a subject.
    pub(super) async fn state_of(&self, subject: &str) -> Result<SubjectState, Refusal> {
        let engine = &self.engine;
        let client_id = engine.settings.client_id.clone();
        let state = engine.store.subject(subject.to_owned(), client_id);
        state.await.map_err(Refusal::unavailable)
    }

    /// Returns the binding of a value to a mark of a subject.
    pub(super) fn bound_to(&self, subject: &str, mark: u64) -> BoundMark {
        BoundMark {
            subject: subject.to_owned(),
            client_id: self.engine.settings.client_id.clone(),
            mark,
        }
    }
}
