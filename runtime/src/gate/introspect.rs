//! What a service is told about a token (RFC 7662).

use std::any::TypeId;

use serde_json::{Map, Value, json};

use super::{AuthBackend, ClaimsOf, Gate};
use crate::error::{Code, Refusal};
use crate::session::Occasion;
use crate::token::{JwtClaims, Open, RefreshToken, Verified};

impl<B: AuthBackend> Gate<B> {
    /// What is known of a token that counts, as RFC 7662 section 2.2 names it, with the user's own
    /// claims; `None` for every other one.
    ///
    /// It counts where a route of this gate would take it: signature, times, kind and revocations
    /// hold. Claims that are confidential are left out.
    ///
    /// # Errors
    /// [`Code::Unavailable`]: nobody could decide.
    pub async fn introspect(&self, token: &str) -> Result<Option<Map<String, Value>>, Refusal> {
        let outcome = if RefreshToken::parse(&self.running().engine.ring.set(), token).is_ok() {
            self.introspect_refresh(token).await
        } else {
            self.introspect_access(token).await
        };
        match outcome {
            Ok(members) => Ok(Some(members)),
            Err(refusal) if refusal.code() == Code::Unavailable => Err(refusal),
            // The asker learns no reason (section 2.2).
            Err(_) => Ok(None),
        }
    }

    async fn introspect_access(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let verified: Verified<ClaimsOf<B>> = self
            .running()
            .engine
            .admit(token, Occasion::Question)
            .await?;
        let info = verified.token();
        let is_open = TypeId::of::<<B::User as JwtClaims>::Secrecy>() == TypeId::of::<Open>();
        let own = serde_json::to_value(verified.claims())
            .ok()
            .filter(|_| is_open);
        let mut members = match own {
            Some(Value::Object(own)) => own,
            _ => Map::new(),
        };
        let said = json!({
            "active": true,
            "token_type": "Bearer",
            "iss": info.issuer(),
            "sub": info.subject(),
            "aud": info.audience(),
            "client_id": info.client_id(),
            "jti": info.jti(),
            "iat": info.issued_at().as_secs(),
            "exp": info.expires_at().as_secs(),
        });
        members.extend(said.as_object().cloned().unwrap_or_default());
        let optional = [
            ("sid", info.sid().map(|sid| json!(sid))),
            ("auth_time", info.auth_time().map(|at| json!(at.as_secs()))),
            ("acr", info.acr().map(|acr| json!(acr))),
        ];
        members.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        Ok(members)
    }

    async fn introspect_refresh(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let about = self.describe(token).await?;
        let settings = &self.running().engine.settings;
        let said = json!({
            "active": true,
            "token_type": "refresh_token",
            "iss": settings.issuer,
            "sub": about.subject,
            "client_id": settings.client_id,
            "exp": about.expires_at.as_secs(),
        });
        Ok(said.as_object().cloned().unwrap_or_default())
    }
}
