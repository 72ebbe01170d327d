//! Realms: each in a namespace of the rows; a few rows beside the namespaces are for all of them.

use std::borrow::Cow;
use std::sync::Arc;

use super::log;
use super::row::{ReadRows, RowValue, Rows};
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{Fact, RealmClaim, RealmIdentity, RealmRecord};
use crate::store::shared::fact::KEY;
use crate::store::shared::operation::Cause;
use crate::store::shared::realm::RealmRow;

/// The namespace of a realm: that of the default realm is `Namespace::default()`. Cheap to clone;
/// a store's handle holds one.
#[derive(Clone, Debug, Default)]
pub struct Namespace(Option<Arc<str>>);

impl Namespace {
    /// Returns the namespace of a realm.
    #[must_use]
    pub fn of(realm: &RealmName) -> Self {
        Self(Some(format!("@{realm}/").into()))
    }

    /// Returns the rows of the namespace among all rows of the store.
    pub fn rows<R>(&self, rows: R) -> RealmRows<R> {
        RealmRows {
            rows,
            namespace: self.clone(),
        }
    }

    fn prefix(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns the key of a row among all rows.
    fn place<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match &self.0 {
            Some(prefix) => Cow::Owned(format!("{prefix}{key}")),
            None => Cow::Borrowed(key),
        }
    }
}

/// The rows of one realm, as a transaction sees and changes them. Made by [`Namespace::rows`].
#[derive(Debug)]
pub struct RealmRows<R> {
    rows: R,
    namespace: Namespace,
}

impl<R> RealmRows<R> {
    /// Returns the rows of the default realm.
    pub(super) fn shared(&self) -> &R {
        &self.rows
    }

    /// Returns the rows of the default realm, to change them.
    pub(super) const fn shared_mut(&mut self) -> &mut R {
        &mut self.rows
    }
}

impl<R: ReadRows> ReadRows for RealmRows<R> {
    fn get<V: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, V)>, Cause> {
        self.rows.get(&self.namespace.place(key))
    }

    fn scan<V: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        mut visit: impl FnMut(&str, &V),
    ) -> Result<(), Cause> {
        let (prefix, from) = (self.namespace.place(prefix), self.namespace.place(from));
        let length = self.namespace.prefix().len();
        self.rows.scan(&prefix, &from, |key, row| {
            visit(key.get(length..).unwrap_or_default(), row);
        })
    }

    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause> {
        let mut keys = self.rows.ended(&self.namespace.place(prefix), before)?;
        let length = self.namespace.prefix().len();
        keys.iter_mut().for_each(|key| drop(key.drain(..length)));
        Ok(keys)
    }
}

impl<R: Rows> Rows for RealmRows<R> {
    fn put<V: RowValue>(&mut self, key: &str, end: Timestamp, row: V) -> Result<(), Cause> {
        self.rows.put(&self.namespace.place(key), end, row)
    }

    fn remove(&mut self, key: &str) -> Result<(), Cause> {
        self.rows.remove(&self.namespace.place(key))
    }
}

impl<R: ReadRows> ReadRows for &mut R {
    fn get<V: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, V)>, Cause> {
        (**self).get(key)
    }

    fn scan<V: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        visit: impl FnMut(&str, &V),
    ) -> Result<(), Cause> {
        (**self).scan(prefix, from, visit)
    }

    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause> {
        (**self).ended(prefix, before)
    }
}

impl<R: ReadRows> ReadRows for &R {
    fn get<V: RowValue>(&self, key: &str) -> Result<Option<(Timestamp, V)>, Cause> {
        (**self).get(key)
    }

    fn scan<V: RowValue>(
        &self,
        prefix: &str,
        from: &str,
        visit: impl FnMut(&str, &V),
    ) -> Result<(), Cause> {
        (**self).scan(prefix, from, visit)
    }

    fn ended(&self, prefix: &str, before: Timestamp) -> Result<Vec<String>, Cause> {
        (**self).ended(prefix, before)
    }
}

impl<R: Rows> Rows for &mut R {
    fn put<V: RowValue>(&mut self, key: &str, end: Timestamp, row: V) -> Result<(), Cause> {
        (**self).put(key, end, row)
    }

    fn remove(&mut self, key: &str) -> Result<(), Cause> {
        (**self).remove(key)
    }
}

/// Makes the namespace of a realm, if it does not exist. It begins with the keys that are no longer
/// valid.
///
/// # Errors
/// The engine failed.
pub fn migrate<R: Rows>(rows: &mut RealmRows<R>) -> Result<(), Cause> {
    let Some(prefix) = rows.namespace.0.clone() else {
        return Ok(());
    };
    let place = format!("{NAMESPACES}{prefix}");
    if rows.shared().get::<()>(&place)?.is_some() {
        return Ok(());
    }
    rows.shared_mut().put(&place, Timestamp::MAX, ())?;
    let ended = format!("lasting/{KEY}/");
    let mut keys = Vec::new();
    rows.shared().scan(&ended, &ended, |key, _: &(u64, u64)| {
        keys.push(key.get(ended.len()..).unwrap_or_default().to_owned());
    })?;
    for key in keys {
        log::write(rows, Fact::Key(key), Timestamp::MAX)?;
    }
    Ok(())
}

/// Records in every other namespace that a key is no longer valid.
pub(super) fn end_key_elsewhere<R: Rows>(
    rows: &mut RealmRows<R>,
    key: &str,
    until: Timestamp,
) -> Result<(), Cause> {
    let mut namespaces = vec![Namespace::default()];
    rows.shared()
        .scan(NAMESPACES, NAMESPACES, |place, (): &()| {
            namespaces.push(Namespace(place.strip_prefix(NAMESPACES).map(Arc::from)));
        })?;
    for namespace in namespaces {
        if namespace.0 != rows.namespace.0 {
            let mut elsewhere = namespace.rows(rows.shared_mut());
            log::write(&mut elsewhere, Fact::Key(key.to_owned()), until)?;
        }
    }
    Ok(())
}

/// Lists the realms that were claimed.
///
/// # Errors
/// The engine failed, or a row has a name that is not valid for a realm.
pub fn realms<R: ReadRows>(rows: &RealmRows<R>) -> Result<Vec<RealmRecord>, Cause> {
    let mut realms = Vec::new();
    rows.shared()
        .scan(REALMS, REALMS, |place, row: &RealmRow| {
            let name = place.strip_prefix(REALMS).unwrap_or_default();
            realms.push(row.clone().record(name));
        })?;
    realms.into_iter().collect()
}

/// Writes the record of a realm, if [`RealmRecord::claim`] allows it.
///
/// # Errors
/// As [`realms`].
pub fn claim_realm<R: Rows>(
    rows: &mut RealmRows<R>,
    expected: Option<&RealmIdentity>,
    new: RealmRecord,
    now: Timestamp,
) -> Result<RealmClaim, Cause> {
    let claim = RealmRecord::claim(&realms(rows)?, expected, new, now);
    if let RealmClaim::Claimed(record) = &claim {
        let name = record.name.as_ref().map_or("", RealmName::as_str);
        let place = format!("{REALMS}{name}");
        let row = RealmRow::of(record);
        rows.shared_mut().put(&place, Timestamp::MAX, row)?;
    }
    Ok(claim)
}

const NAMESPACES: &str = "namespace/";
const REALMS: &str = "realm/";
