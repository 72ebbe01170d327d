//! Further steps of a sign-in: keeps the step that a backend asks for, hands out a token for it,
//! takes the answer.
//!
//! A step is used up by the operation that it was asked for: the session that opens takes it. While
//! an answer is checked the step is held, so that a client cannot guess several times at once. A
//! refusal that changes nothing releases it.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::{Client, Device};
use crate::error::{AuthError, Causes, Code, Refusal, SignInStep, StepOffer};
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::secret::{fill_random, sha256};
use crate::session::Issued;
use crate::store::{Authenticated, Before, OnceKey, OnceValue, SubjectState};
use crate::throttle::{Account, StepAttempt};

use super::answer::StepAnswer;
use super::open::{Authentic, Opening, Stay};
use super::{BoxedClaims, Flows};

/// The progress of a sign-in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stage {
    /// The identifier under which the attempt was counted.
    pub(super) identifier: Option<String>,
    /// The time at which the first step began, by this machine's clock.
    pub(super) started_at: Timestamp,
    /// The same time by the store's clock, with which changes of the subject are compared.
    since: Timestamp,
    /// The time of the subject's last change before the first step was done. A session opens only
    /// while it is still the last. Earlier releases compare `since` instead.
    #[serde(default)]
    changed_at: Option<Timestamp>,
    /// The session that it renews; `None` if it opens one.
    pub(super) renews: Option<SessionId>,
    /// The device of its first step.
    device: Device,
}

impl Stage {
    /// Makes the stage of a sign-in that begins.
    pub(super) fn new(
        identifier: Option<String>,
        (since, started_at): (Authenticated, Timestamp),
        renews: Option<SessionId>,
        client: &Client,
    ) -> Self {
        let device = Device::new(client.device.name.clone(), client.device.id.clone());
        let (Authenticated::Since(since) | Authenticated::After(since)) = since;
        Self {
            identifier,
            started_at,
            since,
            changed_at: None,
            renews,
            device,
        }
    }

    /// Returns the account under which the devices of this sign-in are known.
    fn account<'a>(&'a self, subject: &'a str) -> Account<'a> {
        match &self.identifier {
            Some(identifier) => Account::Identifier(identifier),
            None => Account::Subject(subject),
        }
    }

    /// Returns the client of a step. Properties of the device that its request does not name are
    /// those of the first step.
    fn client(&self, client: &Client) -> Client {
        let mut client = client.clone();
        let Device { name, id, .. } = &self.device;
        client.device.name = client.device.name.or_else(|| name.clone());
        client.device.id = client.device.id.or_else(|| id.clone());
        client
    }
}

/// A step that waits for its answer, as the store keeps it.
#[derive(Serialize, Deserialize)]
struct PendingStep {
    stage: Stage,
    subject: String,
    /// The subject's mark when the first step was done; `None` in a release before marks.
    #[serde(default)]
    mark: Option<u64>,
    kind: String,
    acr: Option<String>,
    challenge: Option<Value>,
    note: Option<String>,
    /// The number of wrong answers that are still allowed.
    tries: u8,
    until: Timestamp,
}

/// A sign-in whose last step is done.
pub(super) struct Stepped {
    pub(super) claims: BoxedClaims,
    pub(super) acr: Option<String>,
    pub(super) stage: Stage,
    /// The step, which the next operation takes.
    pub(super) key: OnceKey,
}

impl Flows {
    /// Continues a sign-in that needs a further step: see `Gate::sign_in_step`.
    pub(crate) async fn sign_in_step(
        &self,
        token: &str,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        self.engine.refuse_while_paused()?;
        let stepped = self
            .step(token, None, answer, client)
            .await
            .map_err(|refusal| self.report_refused(refusal, client))?;
        let client = stepped.stage.client(client);
        let Stage {
            since, changed_at, ..
        } = stepped.stage;
        let login = Authentic {
            claims: &*stepped.claims,
            client: &client,
            authenticated: changed_at.map_or(Authenticated::Since(since), Authenticated::After),
            auth_time: stepped.stage.started_at,
            acr: stepped.acr.as_deref(),
            stay: Stay::Long,
            step: Some(stepped.key.clone()),
        };
        match self.open(&login).await {
            Ok(Opening::Open(issued)) => {
                self.remember(stepped.stage.account(&stepped.claims.subject()), &client)
                    .await;
                Ok(*issued)
            }
            // The account changed since the password was checked, and the password is not here to
            // be checked again.
            Ok(Opening::Again(_)) => {
                let refusal = Refusal::new(Code::InvalidCredentials);
                let refusal = refusal.about(stepped.claims.subject());
                Err(self.report_refused(refusal, &client))
            }
            Err(refusal) => {
                self.let_go(&stepped.key).await;
                Err(refusal)
            }
        }
    }

    /// Passes the answer to a step to the backend: a step of a sign-in, or of the renewal of a
    /// session. The step is held from then on; the caller must take or release it.
    pub(super) async fn step(
        &self,
        token: &str,
        renews: Option<SessionId>,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Stepped, Refusal> {
        let key = OnceKey {
            kind: KIND.to_owned(),
            hash: sha256(token.as_bytes()),
        };
        let pending = self.pending(&key, renews).await?;
        let subject = pending.subject.clone();
        let stepped = self.answered(key, pending, answer, client).await;
        stepped.map_err(|refusal| refusal.about(subject))
    }

    async fn answered(
        &self,
        key: OnceKey,
        pending: PendingStep,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Stepped, Refusal> {
        self.hold(&key).await?;
        let attempt = StepAttempt {
            subject: &pending.subject,
            mark: pending.mark.unwrap_or_default(),
            account: pending.stage.account(&pending.subject),
        };
        let at_device = pending.stage.client(client);
        if let Err(refusal) = self.count_step(&attempt, &at_device).await {
            self.let_go(&key).await;
            return Err(refusal);
        }
        let step = pending.step();
        match self.backend.step(&step, answer, client).await {
            Ok(claims) if claims.subject() == pending.subject => Ok(Stepped {
                claims,
                acr: pending.acr,
                stage: pending.stage,
                key,
            }),
            Err(AuthError::More(next)) if next.subject == pending.subject => {
                let refusal = self.ask(*next, pending.stage, pending.mark).await;
                Err(self.replace(&key, refusal).await)
            }
            Ok(_) | Err(AuthError::More(_)) => {
                self.let_go(&key).await;
                Err(self.engine.other_subject("step", &pending.subject))
            }
            Err(AuthError::Unavailable(source)) => {
                self.let_go(&key).await;
                Err(Refusal::unavailable(source))
            }
            Err(AuthError::Invalid) if pending.tries > 1 => {
                let pending = PendingStep {
                    tries: pending.tries - 1,
                    ..pending
                };
                let refusal = self.hand_out_step(Code::InvalidCredentials, &pending).await;
                Err(self.replace(&key, refusal).await)
            }
            // A refusal that says that the answer is wrong uses up the token, as every wrong answer
            // does.
            Err(AuthError::Refused(refusal)) => Err(self.replace(&key, refusal).await),
            Err(_) => Err(self.replace(&key, Code::InvalidCredentials.into()).await),
        }
    }

    /// Reads the step that waits under a key.
    async fn pending(
        &self,
        key: &OnceKey,
        renews: Option<SessionId>,
    ) -> Result<PendingStep, Refusal> {
        let engine = &self.engine;
        let payload = engine
            .store
            .read_once(key.kind.clone(), key.hash, engine.time.now());
        let payload = payload.await.map_err(Refusal::unavailable)?;
        let pending: Option<PendingStep> = payload
            .as_deref()
            .and_then(|payload| serde_json::from_slice(payload).ok());
        let pending = pending.filter(|pending| pending.stage.renews == renews);
        let pending = pending.ok_or(Code::InvalidCredentials)?;
        if pending.mark.is_none() && self.were_all_ended(pending.stage.since).await? {
            return Err(Refusal::new(Code::InvalidCredentials).about(pending.subject));
        }
        Ok(pending)
    }

    /// Returns whether every session of several gates was ended at this time or after it. It ends
    /// the steps too; those of a release without marks do not notice by themselves.
    async fn were_all_ended(&self, since: Timestamp) -> Result<bool, Refusal> {
        let realms = self.engine.store.realms().await;
        let realms = realms.map_err(Refusal::unavailable)?;
        Ok(realms
            .iter()
            .any(|realm| realm.before == Some(Before::SeveralGates) && realm.first_opened >= since))
    }

    /// Holds a step while an answer to it is checked. If another answer is being checked, the
    /// client may try again later. A hold ends by itself, so that a store that fails locks no user
    /// out.
    async fn hold(&self, key: &OnceKey) -> Result<(), Refusal> {
        let engine = &self.engine;
        let now = engine.time.now();
        let hold = OnceValue {
            kind: HELD.to_owned(),
            hash: key.hash,
            payload: Vec::new(),
            until: now.plus(HOLD),
            bound: None,
        };
        let held = engine.store.put_once(hold, now).await;
        if held.map_err(Refusal::unavailable)? {
            return Ok(());
        }
        Err(Refusal::retry_after(Duration::from_secs(1)))
    }

    /// Releases a step that was not used.
    pub(super) async fn let_go(&self, key: &OnceKey) {
        let engine = &self.engine;
        let held = engine
            .store
            .take_once(HELD.to_owned(), key.hash, engine.time.now());
        if let Err(error) = held.await {
            let error = Causes(Some(&error));
            tracing::warn!(%error, "a step could not be released: its answers are 503 for a moment");
        }
    }

    /// Takes a step whose answer is refused. If the store fails, the step stays, and the client
    /// learns that nothing changed.
    async fn replace(&self, key: &OnceKey, refusal: Refusal) -> Refusal {
        let engine = &self.engine;
        if refusal.is_undecided() {
            self.let_go(key).await;
            return refusal;
        }
        let taken = engine
            .store
            .take_once(key.kind.clone(), key.hash, engine.time.now());
        match taken.await {
            Ok(Some(_)) => refusal,
            // The step ended meanwhile, or the subject's credentials changed.
            Ok(None) => Code::InvalidCredentials.into(),
            Err(error) => {
                self.let_go(key).await;
                Refusal::unavailable(error)
            }
        }
    }

    /// Keeps a step, and refuses with a token for it. `authenticated` is the state of the subject
    /// that the first step saw. If the subject changed since, it returns the new state instead, and
    /// the first step is repeated.
    pub(super) async fn offer(
        &self,
        step: SignInStep,
        mut stage: Stage,
        authenticated: Authenticated,
    ) -> Result<Authenticated, Refusal> {
        let SubjectState {
            mark, changed_at, ..
        } = self.state_of(&step.subject).await?;
        let has_moved = match stage.renews {
            None => authenticated.has_moved(changed_at),
            // The change did not end the session, so its user may just have made the change.
            Some(_) => changed_at > stage.since,
        };
        if has_moved {
            return Ok(Authenticated::After(changed_at));
        }
        stage.changed_at = Some(changed_at);
        Err(self.ask(step, stage, Some(mark)).await)
    }

    /// Keeps a step, and refuses with a token for it.
    async fn ask(&self, step: SignInStep, stage: Stage, mark: Option<u64>) -> Refusal {
        let engine = &self.engine;
        let SignInStep {
            subject,
            kind,
            acr,
            challenge,
            note,
        } = step;
        let event =
            Event::new(EventKind::StepRequired { kind: kind.clone() }).subject(subject.clone());
        let until = engine.time.now().plus(LIFETIME);
        let pending = PendingStep {
            stage,
            subject,
            mark,
            kind,
            acr,
            challenge,
            note,
            tries: TRIES,
            until,
        };
        let refusal = self
            .hand_out_step(Code::InsufficientUserAuthentication, &pending)
            .await;
        if refusal.step().is_some() {
            engine.events.emit(&event);
        }
        refusal
    }

    async fn hand_out_step(&self, code: Code, pending: &PendingStep) -> Refusal {
        let mut bytes = Zeroizing::new([0; 32]);
        if let Err(error) = fill_random(&mut *bytes) {
            return Refusal::unavailable(error);
        }
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode_to_string(*bytes));
        if let Err(refusal) = self.keep(sha256(token.as_bytes()), pending).await {
            return refusal;
        }
        let left = pending.until.since(self.engine.time.now()).as_secs();
        Refusal::new(code).with_step(StepOffer::new(
            token,
            pending.kind.clone(),
            left,
            pending.challenge.clone(),
        ))
    }

    async fn keep(&self, hash: [u8; 32], pending: &PendingStep) -> Result<(), Refusal> {
        let engine = &self.engine;
        let payload = serde_json::to_vec(pending).map_err(Refusal::unavailable)?;
        let value = OnceValue {
            kind: KIND.to_owned(),
            hash,
            payload,
            until: pending.until,
            bound: pending
                .mark
                .map(|mark| self.bound_to(&pending.subject, mark)),
        };
        engine
            .store
            .put_once(value, engine.time.now())
            .await
            .map(drop)
            .map_err(Refusal::unavailable)
    }
}

impl PendingStep {
    fn step(&self) -> SignInStep {
        let mut step = SignInStep::new(&self.subject, self.kind.clone());
        (step.acr, step.challenge, step.note) =
            (self.acr.clone(), self.challenge.clone(), self.note.clone());
        step
    }
}

/// The time that a client has for a step.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// The number of answers that one sign-in may give to a step.
const TRIES: u8 = 3;
/// The prefix of every token of a step, by which scanners for leaked secrets recognise it.
const PREFIX: &str = "tgs1_";
const KIND: &str = "step";
/// The kind of the value that marks a step as held; the step itself has its own kind.
const HELD: &str = "step_held";
/// The time for which a step is held at most.
const HOLD: Duration = Duration::from_secs(30);
