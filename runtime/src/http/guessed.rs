//! Names that users of the library may guess on a gate: each is an error that names the right one.

use std::future::Ready;

use tower_layer::Identity;

use crate::error::Refusal;
use crate::error::absent::{
    LayerOfGate, Off, SignInOfGate, SignOutOfGate, StartOfGate, VerifyOfGate,
};
use crate::gate::{AuthBackend, Gate, GateBuilder, Given};
use crate::session::Issued;
use crate::token::{JwtClaims, Verified};

impl<B: AuthBackend> Gate<B> {
    #[doc(hidden)]
    #[allow(clippy::new_ret_no_self)]
    pub fn new(_: B) -> GateBuilder<B, Given, Given, Given, Given>
    where
        for<'a> Off: StartOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn builder() -> GateBuilder<B, Given, Given, Given, Given>
    where
        for<'a> Off: StartOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn layer(&self) -> Identity
    where
        for<'a> Off: LayerOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn middleware(&self) -> Identity
    where
        for<'a> Off: LayerOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn login<T>(&self, _user_or_login: T) -> Ready<Result<Issued, Refusal>>
    where
        for<'a> Off: SignInOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn logout(&self) -> Ready<Result<(), Refusal>>
    where
        for<'a> Off: SignOutOfGate,
    {
        unreachable!("nothing implements the bound")
    }

    #[doc(hidden)]
    pub fn validate<T>(
        &self,
        _token: T,
    ) -> Ready<Result<Verified<<B::User as JwtClaims>::Claims>, Refusal>>
    where
        for<'a> Off: VerifyOfGate,
    {
        unreachable!("nothing implements the bound")
    }
}

#[cfg(not(feature = "openapi"))]
impl<B: AuthBackend> Gate<B> {
    #[doc(hidden)]
    pub fn openapi(&self) -> String
    where
        for<'a> Off: crate::error::absent::NeedsOpenapi,
    {
        unreachable!("nothing implements the bound")
    }
}
