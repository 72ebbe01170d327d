//! The deployment as a whole: founded, founded again after a loss, checked, tidied.

use redis::Value;

use super::super::{Archived, StoreHealth};
use super::script::{ARCHIVE, Call, FOUND, HEALTH};
use super::{Outcome, Problem, RedisStore, open, reply};
use crate::clock::Timestamp;
use crate::id::SessionId;

/// The layout of the keys that this version reads and writes.
const SCHEMA: u64 = 1;

impl RedisStore {
    /// Checks that the server keeps what it is given, and founds the deployment where there is
    /// none.
    pub(super) async fn settle(&self, now: Timestamp) -> Outcome<()> {
        let about = self.0.link.ask(&redis::cmd("INFO")).await;
        open::check_eviction(&self.0.link, about).await?;
        match self.0.deployment.load_full() {
            Some(known) => self.found_again(&known, now).await.map(drop),
            None => self.found("", now).await.map(drop),
        }
    }

    /// Founds the deployment in the place of one that this handle knew. Where that one is still
    /// there, it stays.
    pub(super) async fn found_again(&self, known: &str, now: Timestamp) -> Outcome<String> {
        let found = self.found(known, now).await?;
        if found != known {
            tracing::error!(
                store = ?self,
                "the deployment that was in Redis is gone: all sessions are over, and access tokens issued before are refused"
            );
        }
        Ok(found)
    }

    async fn found(&self, lost: &str, now: Timestamp) -> Outcome<String> {
        let id = SessionId::random()?.to_string();
        let prefix = self.0.link.prefix();
        // This script alone gets the id that it may give where others get the one that they expect.
        let call = Call::of(&FOUND)
            .key("log")
            .key("lasting")
            .number(SCHEMA)
            .time(now)
            .word(lost)
            .nonce()?;
        let answer = self
            .0
            .link
            .run(&call, &id)
            .await
            .map_err(|problem| match problem {
                Problem::Failed(error) if error.to_string().contains("TGNEWER") => {
                    format!("the deployment in Redis (`{prefix}`) was written by a newer version")
                        .into()
                }
                Problem::Failed(error) => error,
                Problem::Lost => "there is no deployment".into(),
            })?;
        let found = reply::text(answer)?;
        self.0
            .deployment
            .store(Some(std::sync::Arc::new(found.clone())));
        Ok(found)
    }

    /// The server's clock (`TIME`): seconds, and microseconds.
    pub(super) async fn clock(&self) -> Outcome<Option<Timestamp>> {
        let mut answer = reply::list(self.0.link.ask(&redis::cmd("TIME")).await?)?.into_iter();
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

pub(super) fn health(now: Timestamp) -> Outcome<Call> {
    Ok(Call::at(&HEALTH, now)?.key("live"))
}

pub(super) fn has_live_sessions(answer: Value) -> Outcome<StoreHealth> {
    Ok(StoreHealth {
        has_live_sessions: reply::done(answer)?,
    })
}

pub(super) fn archive(before: Timestamp, limit: u32, now: Timestamp) -> Outcome<Call> {
    let call = Call::at(&ARCHIVE, now)?.time(before.min(now)).number(limit);
    Ok(["live", "over", "ending", "once", "budgets", "log"]
        .into_iter()
        .fold(call, Call::key))
}

pub(super) fn archived(answer: Value) -> Outcome<Archived> {
    let mut row = reply::Row::of(answer)?;
    Ok(Archived {
        sessions: reply::number(row.next())?,
        tokens: reply::number(row.next())?,
        others: reply::number(row.next())?,
        more: reply::done(row.next())?,
    })
}
