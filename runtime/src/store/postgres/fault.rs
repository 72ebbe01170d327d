//! The reasons why an operation has no answer.

use std::borrow::Cow;

use crate::store::record::StoreError;
use crate::store::shared::operation::Cause;

/// The reason why an operation has no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// An error of the server, or of the connection to it.
    Database(sqlx::Error),
    /// Anything else.
    Other(Cause),
}

impl Fault {
    /// Returns whether it is a deadlock or a serialization failure: the server rolled back, and
    /// another try may succeed.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self.code().as_deref(), Some("40001" | "40P01"))
    }

    /// Returns whether the connection cannot be used any more: the server is gone or stopping, its
    /// answers cannot be understood, or it takes no writes, which another connection may do.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(_)) => self.code().is_none_or(|code| {
                code.starts_with("57P") || code.starts_with("08") || code == READ_ONLY
            }),
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => {
                true
            }
            Self::Database(_) | Self::Other(_) => false,
        }
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code(),
            _ => None,
        }
    }

    /// Returns the error of the server or the library.
    pub(super) fn into_source(self) -> Cause {
        match self {
            Self::Database(error) => error.into(),
            Self::Other(error) => error,
        }
    }
}

/// `read_only_sql_transaction`: a standby, or a server that is set to read-only.
const READ_ONLY: &str = "25006";

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<&'static str> for Fault {
    fn from(what: &'static str) -> Self {
        Self::Other(what.into())
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self::Other(what.into())
    }
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self::Other(cause)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}
