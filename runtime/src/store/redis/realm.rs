//! Realms: the prefix of each realm's keys, and the realms that were claimed.

use std::sync::{Arc, PoisonError};

use super::open::{RedisNamespace, RedisStore};
use super::reply;
use super::script::{CLAIM, Call, REALMS};
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{RealmClaim, RealmIdentity, RealmRecord};
use crate::store::shared::operation::Cause;
use crate::store::shared::realm::RealmRow;

impl RedisStore {
    /// Returns the handle of a realm. Its keys begin with `{tollgate}@staff:`: they have the
    /// deployment's slot, and differ from all keys of the default realm, which begin with
    /// `{tollgate}:`.
    pub(super) fn in_realm(&self, realm: &RealmName) -> Self {
        let realms = self.server.realms.lock();
        let mut realms = realms.unwrap_or_else(PoisonError::into_inner);
        let namespace = realms.entry(realm.clone()).or_insert_with(|| {
            let deployment = self.default_prefix().trim_end_matches(':');
            Arc::new(RedisNamespace::new(format!("{deployment}@{realm}:")))
        });
        Self {
            server: Arc::clone(&self.server),
            namespace: Arc::clone(namespace),
        }
    }

    /// Returns the handle of the default realm.
    pub(super) fn default_realm(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            namespace: Arc::clone(&self.server.default),
        }
    }

    pub(super) fn is_of_a_realm(&self) -> bool {
        !Arc::ptr_eq(&self.namespace, &self.server.default)
    }

    /// Returns the prefix of the keys of the default realm.
    pub(super) fn default_prefix(&self) -> &str {
        &self.server.default.prefix
    }

    /// Returns the realms that were claimed, and the number of claims so far.
    pub(super) async fn claimed(&self) -> Result<(Vec<RealmRecord>, u64), Cause> {
        let answer = self.answer(&Call::of(&REALMS).key("realms")).await?;
        let mut fields = reply::list(answer)?.into_iter();
        let (mut realms, mut version) = (Vec::new(), 0);
        while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
            match reply::text(field)?.strip_prefix(REALM) {
                Some(name) => {
                    let row: RealmRow = serde_json::from_slice(&reply::bytes(value)?)?;
                    realms.push(row.record(name)?);
                }
                None => version = reply::number(value)?,
            }
        }
        realms.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((realms, version))
    }

    /// Writes the record of a realm, if [`RealmRecord::claim`] allows it, and no other one was
    /// written since they were read.
    pub(super) async fn claim(
        &self,
        expected: Option<&RealmIdentity>,
        new: &RealmRecord,
        now: Timestamp,
    ) -> Result<RealmClaim, Cause> {
        for _ in 0..MAX_TRIES {
            let (realms, version) = self.claimed().await?;
            let claim = RealmRecord::claim(&realms, expected, new.clone(), now);
            let RealmClaim::Claimed(record) = &claim else {
                return Ok(claim);
            };
            let name = record.name.as_ref().map_or("", RealmName::as_str);
            let call = Call::made(&CLAIM, now)
                .key("realms")
                .number(version)
                .number(version.saturating_add(1))
                .word(format!("{REALM}{name}"))
                .word(serde_json::to_vec(&RealmRow::of(record))?);
            if reply::done(self.answer(&call).await?)? {
                return Ok(claim);
            }
        }
        Err("other realms are being opened without end".into())
    }
}

/// The prefix of the fields of realms; the field `version` counts the claims.
const REALM: &str = "realm:";
/// The number of times that a claim is tried; each other claim in between costs one.
const MAX_TRIES: u32 = 64;
