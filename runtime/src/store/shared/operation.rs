//! The operations of a store, and the sentences with which errors begin when one of them fails.

use crate::store::record::StoreError;

/// An operation of [`SessionStore`](crate::store::SessionStore), for the error that is returned
/// when it fails.
///
/// ```
/// use tollgate::store::StoreOperation;
///
/// let error = StoreOperation::Revoke.failed("the disk is full");
/// assert_eq!(error.to_string(), "the store failed to record the revocation");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is named after its method")]
pub enum StoreOperation {
    Migrate,
    Health,
    Now,
    OpenSession,
    Session,
    Rotate,
    Confirm,
    Revoke,
    SessionsOf,
    Subject,
    RecordTokens,
    Tokens,
    LogSince,
    Changed,
    Archive,
    ConsumeOnce,
    PutOnce,
    TakeOnce,
    ReadOnce,
    Spend,
    Keys,
    SwapKeys,
    Reauthenticate,
    Attach,
    SetPaused,
    Realms,
    ClaimRealm,
}

impl StoreOperation {
    /// Returns the error of this operation, with the error of the store's library as its source.
    #[must_use]
    pub fn failed(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
        StoreError::new(self.failure()).because(cause)
    }

    /// Returns the sentence with which an error of this operation begins.
    #[must_use]
    pub const fn failure(self) -> &'static str {
        match self {
            Self::Migrate => "the store failed to prepare its tables",
            Self::Health => "the store failed to show that it can be written to",
            Self::Now => "the store failed to read its clock",
            Self::OpenSession => "the store failed to open the session",
            Self::Session => "the store failed to read the session",
            Self::Rotate => "the store failed to rotate the session",
            Self::Confirm => "the store failed to confirm the use of refresh tokens",
            Self::Revoke => "the store failed to record the revocation",
            Self::SessionsOf => "the store failed to list the sessions of the subject",
            Self::Subject => "the store failed to read the epoch of the subject",
            Self::RecordTokens => "the store failed to record the tokens",
            Self::Tokens => "the store failed to list the tokens",
            Self::LogSince => "the store failed to read the revocation log",
            Self::Changed => "the store failed to wait for the revocation log",
            Self::Archive => "the store failed to delete what has ended",
            Self::ConsumeOnce => "the store failed to consume the single-use key",
            Self::PutOnce => "the store failed to keep the single-use value",
            Self::TakeOnce => "the store failed to take the single-use value",
            Self::ReadOnce => "the store failed to read the single-use value",
            Self::Spend => "the store failed to spend from the budget",
            Self::Keys => "the store failed to read the key ring",
            Self::SwapKeys => "the store failed to replace the key ring",
            Self::Reauthenticate => "the store failed to record the authentication of the session",
            Self::Attach => "the store failed to record the device of the session",
            Self::SetPaused => "the store failed to pause or resume the deployment",
            Self::Realms => "the store failed to list its realms",
            Self::ClaimRealm => "the store failed to record the opening of the realm",
        }
    }
}

/// The reason why an operation failed: the error of a database or its library, or a text. An error
/// of a library becomes one by `?`.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
