//! Further steps of a sign-in: keeps what a backend asks for, hands out a token for it, takes the
//! answer.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::device::{Client, Device};
use crate::error::{AuthError, Code, Refusal, SignInStep, StepOffer};
use crate::event::{Event, EventKind};
use crate::id::SessionId;
use crate::secret::{fill_random, sha256};
use crate::session::Issued;
use crate::store::{Authenticated, OnceValue};
use crate::throttle::{Account, StepAttempt};

use super::answer::StepAnswer;
use super::open::{Authentic, Opening, Stay};
use super::{BoxedClaims, Flows};

/// How far a sign-in has come.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stage {
    /// What it was counted under.
    pub(super) identifier: Option<String>,
    /// When its first step began, by this machine's clock.
    pub(super) started_at: Timestamp,
    /// The same by the store's, against which changes of the subject are compared.
    since: Timestamp,
    /// The session that it renews; none where it opens one.
    pub(super) renews: Option<SessionId>,
    /// The device of its first step.
    device: Device,
}

impl Stage {
    /// A sign-in that begins.
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

    /// Returns the client of a step. What it does not say of its device is as in the first step.
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
    /// How often the subject's credentials had changed when the step was asked for.
    #[serde(default)]
    changes: u32,
    kind: String,
    acr: Option<String>,
    challenge: Option<Value>,
    note: Option<String>,
    /// How many answers may still be wrong.
    tries: u8,
    until: Timestamp,
}

/// A sign-in whose last step is done.
pub(super) struct Stepped {
    pub(super) claims: BoxedClaims,
    pub(super) acr: Option<String>,
    pub(super) stage: Stage,
}

impl Flows {
    /// Goes on with a sign-in that needs a further step: see `Gate::sign_in_step`.
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
        let authenticated = Authenticated::Since(stepped.stage.since);
        let login = Authentic {
            claims: &*stepped.claims,
            client: &client,
            authenticated,
            auth_time: stepped.stage.started_at,
            acr: stepped.acr.as_deref(),
            stay: Stay::Long,
        };
        match self.open(&login).await? {
            Opening::Open(issued) => {
                self.remember(stepped.stage.account(&stepped.claims.subject()), &client)
                    .await;
                Ok(*issued)
            }
            // The account changed since the password was looked at, which nobody can do again.
            Opening::Again(_) => Err(self.report_refused(Code::InvalidCredentials.into(), &client)),
        }
    }

    /// Takes the answer to a step, of a sign-in or of the renewal of a session.
    pub(super) async fn step(
        &self,
        token: &str,
        renews: Option<SessionId>,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<Stepped, Refusal> {
        let engine = &self.engine;
        let now = engine.time.now();
        let hash = sha256(token.as_bytes());
        let payload = engine
            .store
            .take_once(KIND.to_owned(), hash, now)
            .await
            .map_err(Refusal::unavailable)?;
        let pending: Option<PendingStep> = payload
            .as_deref()
            .and_then(|payload| serde_json::from_slice(payload).ok());
        let Some(pending) = pending.filter(|pending| pending.stage.renews == renews) else {
            return Err(Code::InvalidCredentials.into());
        };
        let attempt = StepAttempt {
            subject: &pending.subject,
            changes: pending.changes,
            account: pending.stage.account(&pending.subject),
        };
        let at_device = pending.stage.client(client);
        if let Err(refusal) = self.count_step(&attempt, &at_device).await {
            self.keep(hash, &pending).await?;
            return Err(refusal);
        }
        let step = pending.step();
        match self.backend.step(&step, answer, client).await {
            Ok(claims) if claims.subject() == pending.subject => Ok(Stepped {
                claims,
                acr: pending.acr,
                stage: pending.stage,
            }),
            Err(AuthError::More(next)) if next.subject == pending.subject => {
                Err(self.offer(*next, pending.stage).await)
            }
            Ok(_) | Err(AuthError::More(_)) => Err(engine.other_subject("step", &pending.subject)),
            Err(AuthError::Invalid) if pending.tries > 1 => {
                let pending = PendingStep {
                    tries: pending.tries - 1,
                    ..pending
                };
                Err(self.hand_out_step(Code::InvalidCredentials, &pending).await)
            }
            Err(AuthError::Unavailable(source)) => {
                self.keep(hash, &pending).await?;
                Err(Refusal::unavailable(source))
            }
            Err(AuthError::Refused(refusal)) => {
                // What says that the answer is wrong costs the token, as every wrong answer does.
                if refusal.is_undecided() {
                    self.keep(hash, &pending).await?;
                }
                Err(refusal)
            }
            Err(_) => Err(Code::InvalidCredentials.into()),
        }
    }

    /// Keeps a step, and refuses with a token for it.
    pub(super) async fn offer(&self, step: SignInStep, stage: Stage) -> Refusal {
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
        let changes = match self.changes(&subject).await {
            Ok(changes) => changes,
            Err(refusal) => return refusal,
        };
        let pending = PendingStep {
            stage,
            subject,
            changes,
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

/// How long a client may take for a step.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How many answers one sign-in may give to a step.
const TRIES: u8 = 3;
/// What every token of a step begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "tgs1_";
const KIND: &str = "step";
