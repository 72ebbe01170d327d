//! The one place where the flows meet a backend's types: each callback is boxed once here, so that
//! everything behind it is compiled once and not once a backend.

use std::sync::Arc;

use crate::device::Client;
#[cfg(feature = "axum")]
use crate::error::Malformed;
use crate::error::{Refusal, SignInStep};
#[cfg(feature = "openapi")]
use crate::flow::{AnswerMembers, LoginMember};
use crate::flow::{Backend, BoxedClaims, BoxedLogin, Callback, wrong_login};
use crate::session::{Admission, Expiry};
#[cfg(feature = "axum")]
use crate::token::JwtClaims;
use crate::token::{TokenInfo, Verified};

use super::super::{ClaimsOf, StepAnswer};
use super::answer::accompanied;
#[cfg(feature = "axum")]
use super::parse_body;
use super::{AuthBackend, Renew as _, SignIn as _};

/// A backend with its types hidden.
pub(in crate::gate) struct Shell<B>(pub(in crate::gate) Arc<B>);

impl<B: AuthBackend> Backend for Shell<B> {
    fn keeps_claims(&self) -> bool {
        B::Renewal::STORED
    }

    #[cfg(feature = "axum")]
    fn parse_login(&self, body: &[u8]) -> Result<BoxedLogin, Malformed> {
        let login: B::Login = parse_body(body)?;
        Ok(Box::new(login))
    }

    fn identifier(&self, login: &BoxedLogin) -> Option<String> {
        B::Entry::identifier(&self.0, login.downcast_ref()?)
    }

    fn sign_in<'a>(&'a self, login: BoxedLogin, client: &'a Client) -> Callback<'a, BoxedClaims> {
        Box::pin(async move {
            let login: Box<B::Login> = login.downcast().map_err(|_| wrong_login())?;
            let user = B::Entry::sign_in(&self.0, *login, client).await?;
            accompanied::<B>(&self.0, &user, client)
        })
    }

    fn step<'a>(
        &'a self,
        step: &'a SignInStep,
        answer: &'a StepAnswer,
        client: &'a Client,
    ) -> Callback<'a, BoxedClaims> {
        Box::pin(async move {
            let user = B::Entry::step(&self.0, step, answer, client).await?;
            accompanied::<B>(&self.0, &user, client)
        })
    }

    fn renew<'a>(
        &'a self,
        subject: &'a str,
        stored: Option<Vec<u8>>,
        client: &'a Client,
    ) -> Callback<'a, BoxedClaims> {
        Box::pin(async move {
            let loaded = B::Renewal::renew(&self.0, subject, stored.as_deref(), client).await?;
            match loaded.user.filter(|_| B::Entry::ANSWERS_REFRESH) {
                Some(user) => accompanied::<B>(&self.0, &user, client),
                None => Ok(Box::new(loaded.claims) as BoxedClaims),
            }
        })
    }

    fn recognise(
        &self,
        admission: &Admission,
        token: &str,
        expiry: Expiry,
    ) -> Result<TokenInfo, Refusal> {
        let verified: Verified<ClaimsOf<B>> = admission.recognise(token, expiry)?;
        Ok(verified.token().clone())
    }

    #[cfg(feature = "axum")]
    fn recognise_claims(
        &self,
        admission: &Admission,
        token: &str,
    ) -> Result<crate::flow::TokenClaims, Refusal> {
        use std::any::TypeId;
        let verified: Verified<ClaimsOf<B>> = admission.recognise(token, Expiry::Counts)?;
        let is_open =
            TypeId::of::<<B::User as JwtClaims>::Secrecy>() == TypeId::of::<crate::token::Open>();
        let own = serde_json::to_value(verified.claims());
        Ok(crate::flow::TokenClaims {
            token: verified.token().clone(),
            claims: own.ok().filter(|_| is_open),
        })
    }

    #[cfg(feature = "openapi")]
    fn login_members(&self) -> Option<Vec<LoginMember>> {
        super::members::members::<B::Login>()
    }

    #[cfg(feature = "openapi")]
    fn answer_members(&self) -> Option<AnswerMembers> {
        let form = B::Entry::answer_form()?;
        Some(AnswerMembers {
            members: form.0.unwrap_or_default(),
            on_refresh: B::Entry::ANSWERS_REFRESH,
        })
    }
}
