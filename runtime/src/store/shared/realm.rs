//! The row of a realm: serialised as one value, and as columns of an SQL database.

use serde::{Deserialize, Serialize};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use super::columns::Columns;
use super::operation::Cause;
use crate::clock::Timestamp;
use crate::realm::RealmName;
use crate::store::record::{Before, RealmIdentity, RealmRecord, ReplacedIdentity};

/// A realm's record without its name.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::store) struct RealmRow {
    identity: RealmIdentity,
    replaced: Option<ReplacedIdentity>,
    before: Option<Before>,
    first_opened: Timestamp,
    opened: Timestamp,
}

impl RealmRow {
    pub(in crate::store) fn of(record: &RealmRecord) -> Self {
        Self {
            identity: record.identity.clone(),
            replaced: record.replaced.clone(),
            before: record.before,
            first_opened: record.first_opened,
            opened: record.opened,
        }
    }

    pub(in crate::store) fn record(self, name: &str) -> Result<RealmRecord, Cause> {
        let name = (!name.is_empty()).then(|| RealmName::parse(name));
        Ok(RealmRecord {
            name: name.transpose()?,
            identity: self.identity,
            replaced: self.replaced,
            before: self.before,
            first_opened: self.first_opened,
            opened: self.opened,
        })
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Before {
    /// Returns the text that databases keep.
    pub(in crate::store) const fn as_column(self) -> &'static str {
        match self {
            Self::OneGate => "one_gate",
            Self::SeveralGates => "several_gates",
        }
    }

    fn from_column(text: &str) -> Result<Self, Cause> {
        match text {
            "one_gate" => Ok(Self::OneGate),
            "several_gates" => Ok(Self::SeveralGates),
            other => Err(format!("`{other}` says nothing about the sessions of before").into()),
        }
    }
}

/// The columns that [`realm`] reads, and the order in which they are written.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
macro_rules! realm_columns {
    () => {
        "name, issuer, audience, kind, first_opened, opened, replaced_issuer, replaced_audience, \
         replaced_kind, replaced_until, before"
    };
}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) use realm_columns;

/// Reads a realm from [`realm_columns!`].
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(in crate::store) fn realm(columns: &mut impl Columns) -> Result<RealmRecord, Cause> {
    let name = columns.text()?.filter(|name| !name.is_empty());
    let identity = identity(columns)?.ok_or("a realm has no identity")?;
    let (first_opened, opened) = (columns.time()?, columns.time()?);
    let (replaced, until) = (self::identity(columns)?, columns.time()?);
    let before = columns.text()?;
    Ok(RealmRecord {
        name: name.map(|name| RealmName::parse(&name)).transpose()?,
        identity,
        replaced: replaced
            .zip(until)
            .map(|(identity, until)| ReplacedIdentity { identity, until }),
        before: before
            .map(|before| Before::from_column(&before))
            .transpose()?,
        first_opened: first_opened.ok_or("a realm was never opened")?,
        opened: opened.ok_or("a realm was never opened")?,
    })
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn identity(columns: &mut impl Columns) -> Result<Option<RealmIdentity>, Cause> {
    let (issuer, audience, kind) = (columns.text()?, columns.text()?, columns.text()?);
    let identity = issuer.zip(audience).zip(kind);
    Ok(identity.map(|((issuer, audience), kind)| RealmIdentity {
        issuer,
        audience,
        kind,
    }))
}
