//! Sealing values that the application keeps, with the keys of the gate's ring.

use super::{AuthBackend, Gate};
use crate::error::Error;
use crate::realm::RealmName;
use crate::secret::Secret;

/// A purpose of sealed values. A value of one purpose never opens as one of another.
///
/// # Examples
/// ```
/// use tollgate::gate::SealPurpose;
///
/// /// The state that a browser brings back from another service.
/// struct OauthState;
///
/// impl SealPurpose for OauthState {
///     const NAME: &'static str = "oauth_state";
/// }
/// ```
pub trait SealPurpose: 'static {
    /// The name of the purpose, unique in a deployment: part of what each value is bound to.
    const NAME: &'static str;
}

impl<B: AuthBackend> Gate<B> {
    /// Seals bytes that only gates of this ring and realm can read, and that nobody can change
    /// unnoticed: AES-256-GCM with a random nonce and the number of the key. It reads no store.
    ///
    /// A sealed value can be read as long as the ring has its key. A ring that rotates drops a seal
    /// key `session.absolute` after the rotation that replaced it, so seal what lives no longer
    /// than a session, or open and seal again within that time. A ring of a configuration keeps
    /// the keys that the configuration has: see
    /// [`seal_secret`](crate::keys::ConfiguredRing::seal_secret).
    ///
    /// A value is bound to its purpose and not to its place. If two rows of a table must not be
    /// exchanged, put the id of the row into the bytes, and compare it after opening.
    ///
    /// # Errors
    /// The random source cannot be read.
    ///
    /// # Examples
    /// ```
    /// # use tollgate::error::Error;
    /// # use tollgate::gate::{AuthBackend, Gate, SealPurpose};
    /// # struct OauthState;
    /// # impl SealPurpose for OauthState { const NAME: &'static str = "oauth_state"; }
    /// # fn example<B: AuthBackend>(gate: &Gate<B>) -> Result<(), Error> {
    /// let sealed = gate.seal::<OauthState>(b"/cart")?;
    /// let opened = gate.unseal::<OauthState>(&sealed);
    /// assert_eq!(opened.as_ref().map(|plain| plain.expose()), Some(&b"/cart"[..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn seal<P: SealPurpose>(&self, plain: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
        let context = context(P::NAME, self.engine().realm.as_ref());
        self.engine().ring.set().seal(&context, plain.as_ref())
    }

    /// Opens bytes that [`seal`](Self::seal) sealed for the same purpose, in the same realm, under a
    /// key that the ring still has; `None` for everything else.
    #[must_use]
    pub fn unseal<P: SealPurpose>(&self, sealed: impl AsRef<[u8]>) -> Option<Secret> {
        let context = context(P::NAME, self.engine().realm.as_ref());
        let plain = self.engine().ring.set().open(&context, sealed.as_ref())?;
        Some(Secret::from_bytes(plain))
    }
}

/// Returns what a value is bound to. The purpose is preceded by its length, so that no two pairs of
/// purpose and realm have one context.
fn context(purpose: &str, realm: Option<&RealmName>) -> Vec<u8> {
    let length = (purpose.len() as u64).to_be_bytes();
    let realm = realm.map_or("", RealmName::as_str);
    let parts: [&[u8]; 4] = [
        b"tollgate/sealed/1",
        &length,
        purpose.as_bytes(),
        realm.as_bytes(),
    ];
    parts.concat()
}
