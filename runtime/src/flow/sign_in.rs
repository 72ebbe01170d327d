//! Signs in with credentials: counts the attempt, asks the backend for the user, opens a session.

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{AuthError, Code, Refusal};
use crate::event::{Event, EventKind};
use crate::session::{AnyClaims, Issued};
use crate::store::Authenticated;
use crate::throttle::Account;

use super::open::{Authentic, Opening, Stay};
use super::step::Stage;
use super::{BoxedClaims, BoxedLogin, Flows};

/// The answer of a backend about a login that it did not refuse.
pub(super) enum Authentication {
    /// The claims of the user.
    Done(BoxedClaims),
    /// A step is needed, and the subject changed meanwhile: authenticate again, and expect this
    /// state.
    Again(Authenticated),
}

/// A sign-in whose attempt was counted.
struct CountedAttempt {
    /// The identifier under which the attempt was counted.
    identifier: Option<String>,
}

impl Flows {
    /// Opens a session for a user whom the application authenticated itself.
    pub(crate) async fn sign_in(
        &self,
        claims: &dyn AnyClaims,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        let (authenticated, auth_time) = self.begin();
        let login = Authentic {
            claims,
            client,
            authenticated,
            auth_time,
            acr: None,
            stay: Stay::Long,
            step: None,
        };
        match self.open(&login).await? {
            Opening::Open(issued) => Ok(*issued),
            Opening::Again(_) => Err(Code::Unavailable.into()),
        }
    }

    /// Signs in with credentials. `login` is called for them once, and a second time where the
    /// subject changed meanwhile, so that an old password cannot open a session after it was
    /// changed.
    pub(crate) async fn sign_in_with(
        &self,
        mut login: impl FnMut() -> Result<BoxedLogin, Refusal>,
        client: &Client,
    ) -> Result<Issued, Refusal> {
        // A paused deployment must not reveal which password is right.
        self.engine.refuse_while_paused()?;
        let first = login()?;
        let attempt = self.count(self.backend.identifier(&first), client).await?;
        let expected = match self.try_sign_in(&attempt, first, None, client).await? {
            Opening::Open(issued) => return Ok(self.signed_in(&attempt, *issued, client).await),
            Opening::Again(expected) => expected,
        };
        let again = self.try_sign_in(&attempt, login()?, Some(expected), client);
        match again.await? {
            Opening::Open(issued) => Ok(self.signed_in(&attempt, *issued, client).await),
            Opening::Again(_) => Err(Code::Unavailable.into()),
        }
    }

    /// Counts the attempt, before the backend is asked.
    async fn count(
        &self,
        identifier: Option<String>,
        client: &Client,
    ) -> Result<CountedAttempt, Refusal> {
        let counted = self.count_sign_in(identifier.as_deref(), client).await;
        counted.map_err(|refusal| self.report_refused(refusal, client))?;
        Ok(CountedAttempt { identifier })
    }

    /// Asks the backend once and opens a session; `expected` is the state of the subject that the
    /// attempt before saw.
    async fn try_sign_in(
        &self,
        attempt: &CountedAttempt,
        login: BoxedLogin,
        expected: Option<Authenticated>,
        client: &Client,
    ) -> Result<Opening, Refusal> {
        let (since, started_at) = self.begin();
        let stage = Stage::new(
            attempt.identifier.clone(),
            (since, started_at),
            None,
            client,
        );
        let authenticated = expected.unwrap_or(since);
        let claims = match self.authenticate(login, client, stage, authenticated).await {
            Ok(Authentication::Done(claims)) => claims,
            Ok(Authentication::Again(expected)) => return Ok(Opening::Again(expected)),
            Err(refusal) => return Err(self.report_refused(refusal, client)),
        };
        let login = Authentic {
            claims: &*claims,
            client,
            authenticated,
            auth_time: started_at,
            acr: None,
            stay: Stay::Long,
            step: None,
        };
        self.open(&login).await
    }

    /// Marks the device of a client who signed in as known.
    async fn signed_in(&self, attempt: &CountedAttempt, issued: Issued, client: &Client) -> Issued {
        if let Some(identifier) = &attempt.identifier {
            self.remember(Account::Identifier(identifier), client).await;
        }
        issued
    }

    /// Asks the backend for the user of a login. The client learns no reason (R117). Where a step
    /// is needed, `authenticated` is the state of the subject that this authentication saw.
    pub(super) async fn authenticate(
        &self,
        login: BoxedLogin,
        client: &Client,
        stage: Stage,
        authenticated: Authenticated,
    ) -> Result<Authentication, Refusal> {
        let (answer, checked) = asked(self.backend.sign_in(login, client)).await;
        match answer {
            Ok(claims) => Ok(Authentication::Done(claims)),
            Err(AuthError::More(step)) => {
                let offered = self.offer(*step, stage, authenticated).await?;
                Ok(Authentication::Again(offered))
            }
            Err(error) => {
                let refusal = error.into_refusal(Code::InvalidCredentials);
                Err(match (refusal.subject(), checked) {
                    (None, Some(subject)) => refusal.about(subject),
                    _ => refusal,
                })
            }
        }
    }

    /// Reports that a sign-in was refused. A step that is needed was reported already.
    pub(super) fn report_refused(&self, refusal: Refusal, client: &Client) -> Refusal {
        if refusal.step().is_some() && refusal.code() == Code::InsufficientUserAuthentication {
            return refusal;
        }
        let event = Event::new(EventKind::SignInRefused(refusal.code())).ip(client.ip);
        let event = match refusal.subject() {
            Some(subject) => event.subject(subject),
            None => event,
        };
        self.engine.events.emit(&event);
        refusal
    }

    /// Returns the time at which a sign-in begins: by the store's clock, with which changes of the
    /// subject are compared, and by this machine's.
    pub(super) fn begin(&self) -> (Authenticated, Timestamp) {
        let engine = &self.engine;
        (Authenticated::Since(engine.time.now()), engine.clock.now())
    }
}

/// Runs a callback of the backend; answers with it whose password it found wrong.
#[cfg(feature = "password")]
use crate::password::asked;

/// Runs a callback of the backend, which has no passwords of ours.
#[cfg(not(feature = "password"))]
async fn asked<F: Future>(callback: F) -> (F::Output, Option<String>) {
    (callback.await, None)
}
