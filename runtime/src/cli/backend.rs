//! The backend of a process that has no users: it signs nobody in, and knows tokens by their
//! subject alone.

use serde::de::{IgnoredAny, MapAccess};
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::device::Client;
use crate::error::{AuthError, Malformed, Refusal, SignInStep};
use crate::flow::{
    Backend, BoxedClaims, BoxedLogin, Callback, LoginMember, StepAnswer, TokenClaims,
};
use crate::session::{Admission, Expiry};
use crate::token::{ClaimSet, TokenInfo, Verified};

/// A backend without users.
pub(super) struct NoUsers;

impl NoUsers {
    fn nobody<'a, T>() -> Callback<'a, T>
    where
        T: Send + 'a,
    {
        let refused = AuthError::unavailable("the command line signs nobody in");
        Box::pin(std::future::ready(Err(refused)))
    }
}

impl Backend for NoUsers {
    fn keeps_claims(&self) -> bool {
        false
    }

    fn parse_login(&self, _: &[u8]) -> Result<BoxedLogin, Malformed> {
        Ok(Box::new(()))
    }

    fn identifier(&self, _: &BoxedLogin) -> Option<String> {
        None
    }

    fn sign_in<'a>(&'a self, _: BoxedLogin, _: &'a Client) -> Callback<'a, BoxedClaims> {
        Self::nobody()
    }

    fn step<'a>(
        &'a self,
        _: &'a SignInStep,
        _: &'a StepAnswer,
        _: &'a Client,
    ) -> Callback<'a, BoxedClaims> {
        Self::nobody()
    }

    fn renew<'a>(
        &'a self,
        _: &'a str,
        _: Option<Vec<u8>>,
        _: &'a Client,
    ) -> Callback<'a, BoxedClaims> {
        Self::nobody()
    }

    fn recognise(
        &self,
        admission: &Admission,
        token: &str,
        expiry: Expiry,
    ) -> Result<TokenInfo, Refusal> {
        let verified: Verified<GivenClaims> = admission.recognise(token, expiry)?;
        Ok(verified.token().clone())
    }

    fn recognise_claims(&self, admission: &Admission, token: &str) -> Result<TokenClaims, Refusal> {
        Ok(TokenClaims {
            token: self.recognise(admission, token, Expiry::Counts)?,
            claims: None,
        })
    }

    fn login_members(&self) -> Option<Vec<LoginMember>> {
        None
    }
}

/// Claims that were given on the command line. Read from a token, they are the subject alone.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenClaims {
    pub(super) subject: String,
    pub(super) claims: Map<String, Value>,
}

impl serde::Serialize for GivenClaims {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.claims.serialize(serializer)
    }
}

impl ClaimSet for GivenClaims {
    type Subject = String;
    type Draft = ();

    fn subject(&self) -> &String {
        &self.subject
    }

    fn parse_subject(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.claims
            .iter()
            .try_for_each(|(name, value)| map.serialize_entry(name, value))
    }

    fn place(_: &str) -> Option<usize> {
        None
    }

    fn read<'de, A: MapAccess<'de>>((): &mut (), _: usize, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }

    fn finish((): (), subject: String) -> Result<Self, &'static str> {
        Ok(Self {
            subject,
            claims: Map::new(),
        })
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn has_scope(&self, _: &str) -> bool {
        false
    }
}
