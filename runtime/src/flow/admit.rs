//! Opens a session for a user whom a handler of the application signed in.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::device::Client;
use crate::error::{Code, Refusal, SignInStep};
use crate::session::{AnyClaims, Issued};
use crate::store::Authenticated;
use crate::throttle::Account;

use super::Flows;
use super::open::{Authentic, Opening, Stay, Transaction};
use super::step::Stage;

/// The time at which a request of a handler began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// The time by the store's clock, or the changes of the subject that the handler itself made
    /// since.
    pub(crate) authenticated: Authenticated,
    /// The time by this machine's clock.
    pub(crate) at: Timestamp,
}

/// The session that a handler asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The way in which the user was authenticated (the claim `acr`).
    pub(crate) acr: Option<String>,
    /// The time of the authentication, if it was before the request.
    pub(crate) auth_time: Option<Timestamp>,
    /// The time for which the session is remembered.
    pub(crate) stay: Stay,
}

impl Flows {
    /// Returns when a request begins.
    pub(crate) fn begin_request(&self) -> Begun {
        let (authenticated, at) = self.begin();
        Begun { authenticated, at }
    }

    /// Opens a session, and marks the client's device as known to the identifier that was counted,
    /// if one was.
    pub(crate) async fn admit(
        &self,
        claims: &dyn AnyClaims,
        client: &Client,
        begun: Begun,
        wish: &Wish,
        counted: Option<&str>,
        transaction: Option<Transaction>,
    ) -> Result<Issued, Refusal> {
        let auth_time = match wish.auth_time {
            Some(at) => self.check_auth_time(at, begun.at)?,
            None => begun.at,
        };
        let login = Authentic {
            claims,
            client,
            authenticated: begun.authenticated,
            auth_time,
            acr: wish.acr.as_deref(),
            stay: wish.stay,
            step: None,
        };
        let issued = match self.open_in(&login, transaction).await? {
            Opening::Open(issued) => *issued,
            // The handler's data may be old, and only the handler can read it again.
            Opening::Again(_) => return Err(Code::Unavailable.into()),
        };
        let subject = claims.subject();
        let account = counted.map_or(Account::Subject(&subject), Account::Identifier);
        self.remember(account, client).await;
        Ok(issued)
    }

    /// Keeps a step for a user whom a handler has not signed in yet; returns the refusal with its
    /// token.
    pub(crate) async fn ask_for_step(
        &self,
        step: SignInStep,
        client: &Client,
        begun: Begun,
        counted: Option<String>,
    ) -> Refusal {
        let Begun { authenticated, at } = begun;
        let stage = Stage::new(counted, (authenticated, at), None, client);
        match self.offer(step, stage, authenticated).await {
            Err(refusal) => refusal,
            // The handler's data may be old, and only the handler can read it again.
            Ok(_) => Code::Unavailable.into(),
        }
    }

    /// Refuses a time of authentication that lies in the future, or so far back that a session
    /// opened then would be over. A time that is ahead by no more than clocks may differ is set to
    /// `now`.
    fn check_auth_time(&self, at: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
        let settings = &self.engine.settings;
        if at > now.plus(settings.leeway) {
            tracing::warn!("a sign-in was refused: its time of authentication lies in the future");
            return Err(Code::InvalidCredentials.into());
        }
        let oldest: Duration = settings.session.absolute;
        if now.since(at) > oldest {
            return Err(Refusal::step_up(Some(oldest.as_secs()), &[]));
        }
        Ok(at.min(now))
    }
}
