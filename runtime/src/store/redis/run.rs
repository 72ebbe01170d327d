//! Runs an operation: one call of a script, on the deployment that this handle knows.

use redis::Value;

use super::link::LinkError;
use super::open::RedisStore;
use super::script::Call;
use crate::store::record::StoreError;
use crate::store::shared::operation::{Cause, StoreOperation};

impl RedisStore {
    /// Runs a call and reads its answer.
    pub(super) async fn run<T>(
        &self,
        operation: StoreOperation,
        call: Result<Call, Cause>,
        read: impl FnOnce(Value) -> Result<T, Cause>,
    ) -> Result<T, StoreError> {
        let answer = async { read(self.answer(&call?).await?) };
        answer.await.map_err(|error| operation.failed(error))
    }

    /// Returns the answer of the script. If the deployment was lost, it is founded again first; the
    /// script that noticed it did nothing.
    pub(super) async fn answer(&self, call: &Call) -> Result<Value, Cause> {
        let known = self
            .namespace
            .deployment
            .load_full()
            .ok_or("this deployment was never migrated")?;
        let mut answer = self
            .server
            .link
            .run(call, &known, &self.namespace.prefix)
            .await;
        if let (Err(LinkError::Lost), Some(now)) = (&answer, call.now) {
            let found = self.found_again(&known, now).await?;
            answer = self
                .server
                .link
                .run(call, &found, &self.namespace.prefix)
                .await;
        }
        answer.map_err(|problem| match problem {
            LinkError::Lost => "the deployment was lost, and is being founded again".into(),
            LinkError::Failed(error) => error,
        })
    }
}
