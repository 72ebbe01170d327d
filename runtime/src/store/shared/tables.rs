//! The tables of a realm: their names in the statements of an SQL database.

use std::borrow::Cow;
#[cfg(feature = "sqlite")]
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
#[cfg(feature = "sqlite")]
use std::sync::Mutex;
use std::sync::{Arc, PoisonError, RwLock};

use crate::realm::RealmName;

/// The names of a realm's tables, and the statements in which they replace those of the default
/// realm: `tg_session` is `tg_staff__session`, and so are indexes, sequences and channels. A `-` of
/// the realm becomes a `_`: no name of a realm contains a `_` or two `-` in a row, so no two names
/// are the same.
pub(in crate::store) struct RealmTables {
    realm: Option<RealmName>,
    /// The text that replaces `tg_`.
    prefix: String,
    /// Statements of this realm by those of the default realm. The values of a statement are never
    /// part of its text, so there are only as many as the program has statements.
    made: RwLock<HashMap<Box<str>, Arc<str>>>,
}

impl RealmTables {
    pub(in crate::store) fn of(realm: Option<&RealmName>) -> Self {
        let prefix = realm.map_or_else(
            || PREFIX.to_owned(),
            |realm| format!("{PREFIX}{}__", realm.as_str().replace('-', "_")),
        );
        Self {
            realm: realm.cloned(),
            prefix,
            made: RwLock::default(),
        }
    }

    /// Returns the realm, or `None` for the default one.
    pub(in crate::store) const fn realm(&self) -> Option<&RealmName> {
        self.realm.as_ref()
    }

    /// Returns the statement for this realm, or `None` if it is the same as the default realm's.
    pub(in crate::store) fn statement(&self, sql: &str) -> Option<Arc<str>> {
        if self.realm.is_none() || !sql.contains(PREFIX) {
            return None;
        }
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.get(sql) {
            return Some(Arc::clone(made));
        }
        drop(made);
        let renamed: Arc<str> = self.renamed(sql).into();
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        made.insert(sql.into(), Arc::clone(&renamed));
        Some(renamed)
    }

    /// Returns a text with the names of this realm, which is not cached.
    pub(in crate::store) fn renamed<'s>(&self, sql: &'s str) -> Cow<'s, str> {
        if self.realm.is_none() {
            return Cow::Borrowed(sql);
        }
        let mut renamed = String::with_capacity(sql.len() + 128);
        let mut rest = sql;
        while let Some(at) = rest.find(PREFIX) {
            let (before, name) = rest.split_at(at);
            let end = name.find(|c| !is_part_of_a_name(c)).unwrap_or(name.len());
            let (name, behind) = name.split_at(end);
            renamed.push_str(before);
            let begins = !before.ends_with(is_part_of_a_name);
            match name.strip_prefix(PREFIX) {
                Some(own) if begins && !SHARED.contains(&name) => {
                    renamed.push_str(&self.prefix);
                    renamed.push_str(own);
                }
                _ => renamed.push_str(name),
            }
            rest = behind;
        }
        renamed.push_str(rest);
        Cow::Owned(renamed)
    }
}

/// The tables of the realms that a store's handles were made for, so that each statement is made
/// once.
#[cfg(feature = "sqlite")]
#[derive(Debug, Default)]
pub(in crate::store) struct RealmTableCache(Mutex<BTreeMap<RealmName, Arc<RealmTables>>>);

#[cfg(feature = "sqlite")]
impl RealmTableCache {
    pub(in crate::store) fn of(&self, realm: &RealmName) -> Arc<RealmTables> {
        let mut realms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = realms
            .entry(realm.clone())
            .or_insert_with(|| Arc::new(RealmTables::of(Some(realm))));
        Arc::clone(tables)
    }
}

impl fmt::Debug for RealmTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RealmTables({})", self.prefix)
    }
}

const fn is_part_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

const PREFIX: &str = "tg_";
/// The tables that exist only once, beside the default realm's.
const SHARED: [&str; 3] = ["tg_key", "tg_realm", "tg_meta"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_but_the_shared_ones_is_the_realms() {
        let realm = RealmName::parse("eu-west").unwrap();
        let tables = RealmTables::of(Some(&realm));
        let sql = "SELECT xtg_a, 'tg_revocation' FROM tg_key JOIN tg_session s, tg_keys(tg_realm)";
        assert_eq!(
            tables.statement(sql).unwrap().as_ref(),
            "SELECT xtg_a, 'tg_eu_west__revocation' FROM tg_key JOIN tg_eu_west__session s, \
             tg_eu_west__keys(tg_realm)"
        );
        assert_eq!(tables.statement("BEGIN"), None);
        assert_eq!(RealmTables::of(None).statement(sql), None);
    }

    #[test]
    fn a_statement_is_made_once() {
        let tables = RealmTables::of(Some(&RealmName::parse("staff").unwrap()));
        let (first, second) = (
            tables.statement("DELETE FROM tg_once").unwrap(),
            tables.statement("DELETE FROM tg_once").unwrap(),
        );
        assert!(Arc::ptr_eq(&first, &second));
    }
}
