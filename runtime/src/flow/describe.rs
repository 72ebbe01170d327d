//! Describes a token: to a client that asks about it, and to services (RFC 7662).

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::error::{Code, Refusal};
use crate::id::SessionId;
use crate::secret::same;
use crate::session::{Expiry, Occasion};

use super::{Flows, TokenClaims};

/// A description of a token that is valid.
pub(crate) struct Description {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) session_id: Option<SessionId>,
    pub(crate) expires_at: Timestamp,
}

impl Flows {
    /// Describes a token, if it is valid. Changes nothing.
    pub(crate) async fn describe(&self, token: &str) -> Result<Description, Refusal> {
        let engine = &self.engine;
        if engine.issuer.parse(token).is_ok() {
            return self.describe_refresh(token).await;
        }
        let now = engine.admission.now();
        let info = self
            .backend
            .recognise(&engine.admission, token, Expiry::Counts)?;
        let admitted = engine
            .admission
            .admit_verified(&info, Occasion::QUESTION, now);
        admitted.await?;
        Ok(Description {
            kind: "access",
            subject: info.subject().to_owned(),
            session_id: info.sid(),
            expires_at: info.expires_at(),
        })
    }

    async fn describe_refresh(&self, token: &str) -> Result<Description, Refusal> {
        let engine = &self.engine;
        engine.refuse_while_paused()?;
        let parsed = engine.issuer.parse(token).map_err(|_| Code::InvalidToken)?;
        let now = engine.time.now();
        let session = engine.store.session(parsed.sid, now).await;
        let session = session
            .map_err(Refusal::unavailable)?
            .ok_or(Code::InvalidToken)?;
        let is_current = session.is_live(now)
            && session.generation == parsed.generation
            && same(&session.current, &parsed.hash())
            && session.client_id == engine.settings.client_id;
        if !is_current {
            return Err(Code::InvalidToken.into());
        }
        Ok(Description {
            kind: "refresh",
            session_id: Some(session.sid),
            expires_at: engine.time.to_local(session.idle_exp.min(session.abs_exp)),
            subject: session.subject,
        })
    }

    /// Returns what is known of a valid token, as RFC 7662 section 2.2 names it; `None` for every
    /// other text.
    pub(crate) async fn introspect(
        &self,
        token: &str,
    ) -> Result<Option<Map<String, Value>>, Refusal> {
        let outcome = if self.engine.issuer.parse(token).is_ok() {
            self.introspect_refresh(token).await
        } else {
            self.introspect_access(token).await
        };
        match outcome {
            Ok(members) => Ok(Some(members)),
            Err(refusal) if refusal.code() == Code::Unavailable => Err(refusal),
            // The client that asks learns no reason (section 2.2).
            Err(_) => Ok(None),
        }
    }

    async fn introspect_access(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let admission = &self.engine.admission;
        let now = admission.now();
        let TokenClaims {
            token: info,
            claims,
        } = self.backend.recognise_claims(admission, token)?;
        let admitted = admission.admit_verified(&info, Occasion::QUESTION, now);
        admitted.await?;
        let mut members = match claims {
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
            ("rlm", info.realm().map(|realm| json!(realm.as_str()))),
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
        let settings = &self.engine.settings;
        let said = json!({
            "active": true,
            "token_type": "refresh_token",
            "iss": settings.issuer,
            "sub": about.subject,
            "client_id": settings.client_id,
            "exp": about.expires_at.as_secs(),
        });
        let mut members = said.as_object().cloned().unwrap_or_default();
        if let Some(realm) = &self.engine.realm {
            members.insert("rlm".to_owned(), json!(realm.as_str()));
        }
        Ok(members)
    }
}
