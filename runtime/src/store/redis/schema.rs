//! The deployment as a whole: founded, founded again after a loss, checked.

use redis::Value;

use super::link::LinkError;
use super::open::RedisStore;
use super::reply::ReplyRow;
use super::script::{Call, FOUND, HEALTH};
use super::{reply, server};
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::store::record::StoreHealth;
use crate::store::shared::operation::Cause;

/// The layout of the keys that this version reads and writes.
const SCHEMA: u64 = 1;

impl RedisStore {
    /// Checks that the server never evicts keys, and founds the deployment if it does not exist.
    pub(super) async fn ensure_founded(&self, now: Timestamp) -> Result<(), Cause> {
        let about = self.server.link.ask(&redis::cmd("INFO")).await;
        server::check_eviction(&self.server.link, about).await?;
        match self.namespace.deployment.load_full() {
            Some(known) => self.found_again(&known, now).await.map(drop),
            None => self.found("", now).await.map(drop),
        }
    }

    /// Reads which deployment is there, if this handle does not know it yet. Founds none.
    pub(super) async fn learn(&self) -> Result<(), Cause> {
        if self.namespace.deployment.load().is_some() {
            return Ok(());
        }
        let mut id = redis::cmd("HGET");
        id.arg(format!("{}deployment", self.namespace.prefix))
            .arg("id");
        let id = self.server.link.ask(&id).await?;
        if !matches!(id, Value::Nil) {
            let id = std::sync::Arc::new(reply::text(id)?);
            self.namespace.deployment.store(Some(id));
        }
        Ok(())
    }

    /// Founds the deployment again where it was lost. If the one that this handle knew is still
    /// there, it stays.
    pub(super) async fn found_again(&self, known: &str, now: Timestamp) -> Result<String, Cause> {
        let found = self.found(known, now).await?;
        if found != known {
            tracing::error!(
                store = ?self,
                "the deployment that was in Redis is gone: all sessions are over, and access tokens \
                 issued before are refused"
            );
        }
        Ok(found)
    }

    async fn found(&self, lost: &str, now: Timestamp) -> Result<String, Cause> {
        let id = SessionId::random()?.to_string();
        let prefix = self.namespace.prefix.as_str();
        // Other scripts get the id that they expect at this place; this one alone gets the id for
        // the new deployment.
        let call = Call::of(&FOUND)
            .key("log")
            .key("lasting")
            .number(SCHEMA)
            .time(now)
            .word(lost)
            .nonce()?
            .word(self.default_prefix());
        let answer =
            self.server
                .link
                .run(&call, &id, prefix)
                .await
                .map_err(|problem| match problem {
                    LinkError::Failed(error) if error.to_string().contains("TGNEWER") => format!(
                        "the deployment in Redis (`{prefix}`) was written by a newer version"
                    )
                    .into(),
                    LinkError::Failed(error) => error,
                    LinkError::Lost => "there is no deployment".into(),
                })?;
        let found = reply::text(answer)?;
        self.namespace
            .deployment
            .store(Some(std::sync::Arc::new(found.clone())));
        Ok(found)
    }

    /// Reads the server's clock (`TIME`): seconds, and microseconds.
    pub(super) async fn clock(&self) -> Result<Option<Timestamp>, Cause> {
        let mut answer = reply::list(self.server.link.ask(&redis::cmd("TIME")).await?)?.into_iter();
        let (seconds, micros) = (
            answer.next().unwrap_or(Value::Nil),
            answer.next().unwrap_or(Value::Nil),
        );
        let millis = reply::number(seconds)?
            .saturating_mul(1000)
            .saturating_add(reply::number(micros)? / 1000);
        Ok(Some(Timestamp::from_millis(millis)))
    }
}

pub(super) fn health(now: Timestamp) -> Result<Call, Cause> {
    Ok(Call::at(&HEALTH, now)?.key("live"))
}

pub(super) fn healthy(answer: Value) -> Result<StoreHealth, Cause> {
    let mut answer = ReplyRow::of(answer)?;
    let has_live_sessions = reply::done(answer.next())?;
    let older_since = reply::number(answer.next())?;
    Ok(StoreHealth {
        has_live_sessions,
        older_since: (older_since > 0).then(|| Timestamp::from_millis(older_since)),
    })
}
