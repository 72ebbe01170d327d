//! The gate under simulation: real code over the store in memory, whose tasks do their work when
//! they are told to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tollgate::clock::{Clock, Timestamp};
use tollgate::event::{EventKind, Refreshed};
use tollgate::prelude::*;
use tollgate::settings::RefreshPolicy;

#[derive(Clone, JwtClaims)]
pub(crate) struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
pub(crate) struct Accounts;

impl Authenticate for Accounts {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

impl Refresh for Accounts {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

/// A gate with the default settings and a policy.
pub(crate) struct Deployment {
    gate: Gate<Accounts>,
    clock: Clock,
    /// The outcome of the last refresh.
    last: Arc<Mutex<Option<EventKind>>>,
}

/// The tokens that a client keeps.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// When the access token runs out.
    pub(crate) until: Timestamp,
}

impl Deployment {
    pub(crate) async fn new(policy: RefreshPolicy) -> Self {
        let clock = Clock::manual(Timestamp::from_secs(1_767_225_600));
        let ring = KeyRing::generate(Algorithm::HS256).expect("keys");
        let gate = Accounts
            .gate()
            .issuer("https://accounts.example.com")
            .audience("https://api.example.com")
            .keys(ring);
        let last: Arc<Mutex<Option<EventKind>>> = Arc::default();
        let heard = Arc::clone(&last);
        let gate = gate.on_event(move |event| {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.kind.clone());
        });
        let gate = gate
            .store(MemoryStore::new())
            .clock(clock.clone())
            .refresh_policy(policy)
            .build()
            .await
            .expect("a gate");
        let deployment = Self { gate, clock, last };
        deployment.settle().await;
        deployment
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass until then.
    pub(crate) fn until(&self, then: Timestamp) {
        self.clock.advance(then.since(self.now()));
    }

    pub(crate) async fn sign_in(&self, user: u64) -> Tokens {
        // Past the second in which a change of the subject would ask for another authentication.
        self.clock.advance(Duration::from_secs(2));
        tokens(
            &self
                .gate
                .sign_in(User { id: user }, &Client::unknown())
                .await
                .expect("a session"),
        )
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Tokens, Code> {
        self.gate
            .refresh(token, &Client::unknown())
            .await
            .map(|issued| tokens(&issued))
            .map_err(|refusal| refusal.code())
    }

    /// Returns whether a request with this access token is admitted. What it confirms is written at
    /// once.
    pub(crate) async fn admits(&self, access: &str) -> bool {
        let admitted = self.gate.verify(access).await.is_ok();
        self.settle().await;
        admitted
    }

    /// Returns whether the last refresh ended the session as a reuse.
    pub(crate) fn has_noticed(&self) -> bool {
        matches!(
            *self.last.lock().unwrap_or_else(PoisonError::into_inner),
            Some(EventKind::RefreshReuse { .. })
        )
    }

    /// Returns whether the last refresh made a successor again, so that the unused one before it no
    /// longer counts.
    pub(crate) fn has_reminted(&self) -> bool {
        matches!(
            *self.last.lock().unwrap_or_else(PoisonError::into_inner),
            Some(EventKind::Refreshed(Refreshed::Reminted))
        )
    }

    /// Stops the tasks where they run, and does their work.
    async fn settle(&self) {
        self.gate
            .shutdown()
            .await
            .expect("confirmations are written");
    }
}

fn tokens(issued: &Issued) -> Tokens {
    Tokens {
        access: issued.access_token.clone(),
        refresh: issued.refresh_token.expose().to_owned(),
        until: issued.access_expires_at,
    }
}
