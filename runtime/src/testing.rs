//! For tests of applications: a gate in memory whose clock a test moves, and tokens without a
//! sign-in.

use crate::clock::{Clock, Timestamp};
use crate::device::Client;
use crate::error::{Error, Refusal};
use crate::gate::{AuthBackend, Gate, GateBuilder, Given};
use crate::keys::{Algorithm, KeyRing};
use crate::settings::ThrottleSettings;
use crate::store::MemoryStore;

/// Where a test's clock starts: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// A builder to which nothing is missing.
pub type ReadyBuilder<B> = GateBuilder<B, Given, Given, Given, Given>;

/// Gives a builder all that a test needs: issuer and audience, fresh keys and a store in memory,
/// and a clock that stands at [`START`] until the test moves it. Nothing is throttled, so that
/// tests sign in as often as they like: a test of the throttle says `.throttle(…)` afterwards.
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
        .keys(KeyRing::generate(Algorithm::EdDSA)?)
        .store(MemoryStore::new())
        .throttle(ThrottleSettings::off())
        .clock(clock.clone());
    Ok((builder, clock))
}

/// Opens a session for a user, and answers the value of the `Authorization` header that goes with
/// it.
///
/// # Errors
/// As [`Gate::sign_in`].
pub async fn bearer<B: AuthBackend>(gate: &Gate<B>, user: B::User) -> Result<String, Refusal> {
    let issued = gate.sign_in(user, &Client::unknown()).await?;
    Ok(format!("Bearer {}", issued.access_token))
}
