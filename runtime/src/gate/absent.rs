//! The items that replace the parts of a gate whose feature is off: using one is an error that
//! names the feature.

#[cfg(not(feature = "password"))]
pub use self::passwords::Passwords;

#[cfg(not(feature = "jwe"))]
use super::{Encrypted, GateBuilder};
#[cfg(not(feature = "jwe"))]
use crate::error::absent::{NeedsJwe, Off};

#[cfg(not(feature = "jwe"))]
impl<B, I, A, K, S, E> GateBuilder<B, I, A, K, S, E> {
    #[doc(hidden)]
    pub fn encrypt(self, _: Encrypted) -> GateBuilder<B, I, A, K, S, Encrypted>
    where
        for<'a> Off: NeedsJwe,
    {
        unreachable!("nothing implements the bound")
    }
}

#[cfg(not(feature = "rate-limit"))]
impl<B: super::AuthBackend> super::Gate<B> {
    #[doc(hidden)]
    pub fn allow(
        &self,
        _name: &str,
        _whom: &str,
        _client: &crate::device::Client,
    ) -> std::future::Ready<Result<(), crate::error::Refusal>>
    where
        for<'a> crate::error::absent::Off: crate::error::absent::NeedsRateLimit,
    {
        unreachable!("nothing implements the bound")
    }
}

#[cfg(not(feature = "password"))]
impl<B, I, A, K, S, E> super::GateBuilder<B, I, A, K, S, E> {
    #[doc(hidden)]
    pub fn passwords<T>(self, _: &T) -> Self
    where
        for<'a> crate::error::absent::Off: crate::error::absent::NeedsPassword,
    {
        unreachable!("nothing implements the bound")
    }
}

#[cfg(not(feature = "password"))]
mod passwords {
    use std::future::{Ready, ready};

    use crate::error::AuthError;
    use crate::error::absent::{NeedsPassword, Off};
    use crate::secret::Password;

    #[doc(hidden)]
    #[derive(Clone, Debug)]
    pub enum Passwords {}

    impl Passwords {
        #[doc(hidden)]
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self
        where
            for<'a> Off: NeedsPassword,
        {
            unreachable!("nothing implements the bound")
        }

        #[doc(hidden)]
        pub fn hash(&self, _: &Password) -> Ready<Result<String, AuthError>> {
            ready(Err(AuthError::Invalid))
        }

        #[doc(hidden)]
        pub fn check<T>(&self, _: &Password, _: Option<&T>) -> Ready<Result<(), AuthError>> {
            ready(Err(AuthError::Invalid))
        }
    }

    impl Default for Passwords
    where
        for<'a> Off: NeedsPassword,
    {
        fn default() -> Self {
            Self::new()
        }
    }
}
