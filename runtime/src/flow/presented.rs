//! Finds the session of a presented token, whether or not the token is still valid.

use crate::error::Refusal;
use crate::id::SessionId;
use crate::secret::same;
use crate::session::Expiry;
use crate::store::Session;
use crate::token::Parsed;

use super::Flows;

impl Flows {
    /// Returns the session of an access token, expired or not.
    pub(crate) fn session_of_bearer(&self, token: &str) -> Option<SessionId> {
        let admission = &self.engine.admission;
        let info = self.backend.recognise(admission, token, Expiry::Ignored);
        info.ok()?.sid()
    }

    /// Returns the session of a refresh token of any genuine generation.
    pub(crate) async fn session_of_refresh(
        &self,
        token: &str,
    ) -> Result<Option<SessionId>, Refusal> {
        Ok(self.session_of(token).await?.map(|session| session.sid))
    }

    /// Returns the session of a refresh token that this deployment made. If its key is retired, its
    /// hash must match too (rotation.md section 1).
    pub(super) async fn session_of(&self, text: &str) -> Result<Option<Session>, Refusal> {
        let engine = &*self.engine;
        let Ok(parsed) = engine.issuer.parse(text) else {
            return Ok(None);
        };
        let session = engine.store.session(parsed.sid, engine.time.now()).await;
        Ok(session
            .map_err(Refusal::unavailable)?
            .filter(|session| session.client_id == engine.settings.client_id)
            .filter(|session| is_genuine(&parsed, session)))
    }
}

/// Returns whether a presented token was made for this session. The hash of an older generation is
/// not kept, so its MAC decides. A token of the current generation with another secret is a
/// forgery.
fn is_genuine(parsed: &Parsed, session: &Session) -> bool {
    let hash = parsed.hash();
    let is_current = session.generation == parsed.generation && same(&session.current, &hash);
    let is_previous = session
        .previous
        .as_ref()
        .is_some_and(|p| p.generation == parsed.generation && same(&p.hash, &hash));
    let is_older = !parsed.retired && parsed.generation < session.generation;
    is_current || is_previous || is_older
}
