//! Keys outside of this process: in a KMS, an HSM or another process. Only the signature travels.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::public::PublicKey;

/// Signs with a key that this process does not have.
///
/// Only for keys outside of this process: a key in memory signs without waiting. The gate asks for
/// the signature before it writes anything, waits until the ring's time limit, and verifies the
/// answer; if one of these fails, the client sees 503 and nothing has changed.
///
/// ```
/// use tollgate::keys::{KeyRing, PublicKey, Signer, SignerError};
/// # use tollgate::{error::Error, secret::Secret};
///
/// struct Vault {/* a client of your KMS */}
///
/// impl Signer for Vault {
///     async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
///         // Ask it for a signature over `message`: for ES256 and ES384 as `r‖s`, not in DER.
/// #       let _ = message;
/// #       Err("there is no vault".into())
///     }
/// }
///
/// # fn ring(public: PublicKey, refresh_secret: Secret) -> Result<KeyRing, Error> {
/// KeyRing::from_signer(public, Vault {})?.refresh_secret(refresh_secret)
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` signs nothing",
    label = "this is no `Signer`",
    note = "`impl Signer for {Self}` with `async fn sign(&self, message: &[u8]) -> \
            Result<Vec<u8>, SignerError>`"
)]
pub trait Signer: Send + Sync + 'static {
    /// Signs the message, in the form of the ring's algorithm (RFC 7518 section 3).
    fn sign(&self, message: &[u8]) -> impl Future<Output = Result<Vec<u8>, SignerError>> + Send;
}

/// The reason why there is no signature. Errors and texts convert with `?` and `.into()`.
pub type SignerError = Box<dyn std::error::Error + Send + Sync>;

/// The trait with boxed futures.
trait BoxedSigner: Send + Sync {
    fn sign<'a>(
        &'a self,
        message: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;
}

impl<S: Signer> BoxedSigner for S {
    fn sign<'a>(
        &'a self,
        message: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>> {
        Box::pin(Signer::sign(self, message))
    }
}

/// A signer, the key that verifies its signatures, and its time limit.
pub(in crate::keys) struct RemoteKey {
    signer: Box<dyn BoxedSigner>,
    public: PublicKey,
    limit: Duration,
}

impl RemoteKey {
    pub(in crate::keys) fn new(signer: impl Signer, public: PublicKey, limit: Duration) -> Self {
        Self {
            signer: Box::new(signer),
            public,
            limit,
        }
    }

    pub(in crate::keys) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Asks for a signature, waits until the limit, and verifies the answer.
    pub(in crate::keys) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let asked = tokio::time::timeout(self.limit, self.signer.sign(message)).await;
        let signature = asked
            .map_err(|_| format!("the signer took longer than {} ms", self.limit.as_millis()))??;
        if self.public.verify(message, &signature) {
            Ok(signature)
        } else {
            Err("the signer returned a signature that is not one of its public key".into())
        }
    }
}

impl fmt::Debug for RemoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteKey({:?})", self.public)
    }
}

/// The time that a signer has by default.
pub(in crate::keys) const LIMIT: Duration = Duration::from_secs(2);
