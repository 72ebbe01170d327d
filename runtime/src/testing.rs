//! For tests of applications: a gate in memory whose clock a test moves, and callers without a
//! sign-in.

use crate::clock::{Clock, Timestamp};
use crate::device::Client;
use crate::error::{Error, Refusal};
use crate::gate::{AuthBackend, Gate, GateBuilder, Given};
use crate::keys::{Algorithm, KeyRing};
use crate::settings::ThrottleSettings;
use crate::store::MemoryStore;

#[cfg(feature = "axum")]
pub use crate::http::kit::{TestCaller, auth};

/// The start of a test's clock: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A builder that has all its required parts.
pub type ReadyBuilder<B> = GateBuilder<B, Given, Given, Given, Given>;

/// Gives a builder all that a test needs: issuer and audience, fresh keys and a store in memory,
/// and a clock that stands at [`START`] until the test moves it, for the gate and for the keys.
/// Nothing is throttled, so that tests can sign in as often as they need: a test of the throttle
/// calls `.throttle(…)` afterwards.
///
/// A second gate of the same application shares all of it:
/// `Desk.gate().share(&shop).realm("staff").audience("https://staff.example.com").build()`.
///
/// ```
/// # use tollgate::prelude::*;
/// # #[derive(Clone, JwtClaims)]
/// # struct User { #[claim(sub)] id: u64 }
/// # #[auth_backend(email, user = User)]
/// # struct Accounts;
/// # impl Authenticate for Accounts {
/// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
/// #         Ok(User { id: 7 })
/// #     }
/// # }
/// # impl Refresh for Accounts {
/// #     async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
/// #         Ok(User { id: *id })
/// #     }
/// # }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let (builder, clock) = tollgate::testing::ready(Accounts.gate())?;
/// let gate = builder.build().await?;
/// let bearer = tollgate::testing::bearer(&gate, User { id: 7 }).await?;
/// clock.advance(std::time::Duration::from_secs(3600));
/// // `bearer` has expired.
/// # drop(bearer);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The operating system gives no random bytes.
pub fn ready<B: AuthBackend>(builder: GateBuilder<B>) -> Result<(ReadyBuilder<B>, Clock), Error> {
    let clock = Clock::manual(START);
    let builder = builder
        .issuer("https://accounts.example.com")
        .audience("https://api.example.com")
        .keys(KeyRing::generate_by(Algorithm::EdDSA, clock.clone())?)
        .store(MemoryStore::new())
        .throttle(ThrottleSettings::off())
        .clock(clock.clone());
    Ok((builder, clock))
}

/// Opens a session for a user, and returns the value of the `Authorization` header for it.
///
/// # Errors
/// As [`Gate::sign_in`].
pub async fn bearer<B: AuthBackend>(gate: &Gate<B>, user: B::User) -> Result<String, Refusal> {
    let issued = gate.sign_in(user, &Client::unknown()).await?;
    Ok(format!("Bearer {}", issued.access_token))
}

/// Returns the value of the `Cookie` header of a browser in which this user is signed in.
///
/// # Errors
/// As [`Gate::sign_in`]; 500 where the gate has no cookies (`cookies.path`).
#[cfg(feature = "cookies")]
pub async fn cookies<B: AuthBackend>(gate: &Gate<B>, user: B::User) -> Result<String, Refusal> {
    if gate.running().settings().cookies.path.is_none() {
        return Err(Refusal::internal(
            "the gate has no cookies: `cookies.path` is not set",
        ));
    }
    let names = &gate.running().cookies;
    let issued = gate.sign_in(user, &Client::unknown()).await?;
    Ok(format!(
        "{}={}; {}={}",
        names.access,
        issued.access_token,
        names.refresh,
        issued.refresh_token.expose()
    ))
}
