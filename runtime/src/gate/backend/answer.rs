//! Members that a backend adds to the answers with tokens.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::members::members;
use super::{AuthBackend, Renew as _, RouteConfig, SignIn};
use crate::device::Client;
use crate::error::{AuthError, Refusal, SignInStep};
use crate::flow::{BoxedClaims, LoginMember, StepAnswer};
use crate::session::{Accompanied, OwnMembers};
use crate::token::JwtClaims as _;

/// Adds members to the body that answers a sign-in, and if asked for to that of a refresh:
/// `answer = Welcome` in `#[auth_backend(…)]`.
///
/// `M` is a struct that derives `Serialize`, and `Deserialize`, by which the gate knows its members
/// before the first sign-in: they are in the OpenAPI document, and a member that the gate has
/// itself, such as `access_token` or `expires_in`, keeps it from starting.
///
/// With cookies the members are in the body all the same. A form of [`Gate::pages`] is answered
/// without a body, and a renewed authentication with the access token alone.
///
/// [`Gate::pages`]: crate::gate::Gate::pages
///
/// # Examples
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tollgate::gate::Answer;
/// # use tollgate::prelude::*;
/// #[derive(Clone, JwtClaims)]
/// struct User {
///     #[claim(sub)]
///     id: u64,
///     name: String,
///     #[claim(skip)]
///     has_chosen_a_plan: bool,
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Welcome {
///     name: String,
///     has_chosen_a_plan: bool,
/// }
///
/// #[auth_backend(email, user = User, answer = Welcome)]
/// struct Accounts;
///
/// impl Answer<Welcome> for Accounts {
///     fn answer(&self, user: &User, _: &Client) -> Welcome {
///         Welcome { name: user.name.clone(), has_chosen_a_plan: user.has_chosen_a_plan }
///     }
/// }
/// # impl Authenticate for Accounts {
/// #     async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
/// #         Err(AuthError::Invalid)
/// #     }
/// # }
/// # impl Refresh for Accounts {
/// #     async fn refresh(&self, _: &u64, _: &Client) -> Result<User, AuthError> {
/// #         Err(AuthError::Gone)
/// #     }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it adds to the answer of a sign-in",
    label = "`Answer<{M}>` is missing for `{Self}`",
    note = "write `impl Answer<{M}> for {Self}` with `fn answer(&self, user: &Self::User, client: \
            &Client) -> {M}`"
)]
pub trait Answer<M>: AuthBackend {
    /// `true` if the answers of a refresh and of an exchange have the members too. A backend
    /// with `refresh(from = stored)` loads no user for a refresh, so its gate does not start then.
    const ON_REFRESH: bool = false;

    /// Returns the members for a user who signed in.
    fn answer(&self, user: &Self::User, client: &Client) -> M;
}

/// The users sign in by `E`, and their answers have the members of `M`.
#[derive(Clone, Copy, Debug)]
pub struct Answering<E, M>(PhantomData<fn() -> (E, M)>);

impl<B, E, M> SignIn<B> for Answering<E, M>
where
    B: Answer<M>,
    E: SignIn<B>,
    M: Serialize + DeserializeOwned + 'static,
{
    const ANSWERS_REFRESH: bool = B::ON_REFRESH;

    async fn sign_in(backend: &B, login: B::Login, client: &Client) -> Result<B::User, AuthError> {
        E::sign_in(backend, login, client).await
    }

    async fn step(
        backend: &B,
        step: &SignInStep,
        answer: &StepAnswer,
        client: &Client,
    ) -> Result<B::User, AuthError> {
        E::step(backend, step, answer, client).await
    }

    fn identifier(backend: &B, login: &B::Login) -> Option<String> {
        E::identifier(backend, login)
    }

    fn own_members(backend: &B, user: &B::User, client: &Client) -> Option<AddedMembers> {
        let value = serde_json::to_value(backend.answer(user, client));
        Some(AddedMembers(value.map_err(|error| error.to_string())))
    }

    fn answer_form() -> Option<AnswerForm> {
        Some(AnswerForm(members::<M>()))
    }
}

/// The value that a backend adds, or the reason why it cannot be written as JSON.
#[derive(Debug)]
pub struct AddedMembers(Result<Value, String>);

/// The members that a backend adds; `None` if serde does not reveal them.
#[derive(Debug)]
pub struct AnswerForm(pub(crate) Option<Vec<LoginMember>>);

/// Returns the claims of a user for a sign-in, with the members that the backend adds to the
/// answer.
///
/// # Errors
/// [`AuthError::Refused`] with 500: the members are no JSON object, or one of them is the gate's.
pub(crate) fn accompanied<B: AuthBackend>(
    backend: &B,
    user: &B::User,
    client: &Client,
) -> Result<BoxedClaims, AuthError> {
    let claims: BoxedClaims = Box::new(user.to_claims());
    let Some(AddedMembers(value)) = B::Entry::own_members(backend, user, client) else {
        return Ok(claims);
    };
    let members = value.and_then(|value| own(value, &B::ROUTES));
    let members = members.map_err(|why| {
        AuthError::Refused(Refusal::internal(format!(
            "the answer of the backend cannot be sent: {why}"
        )))
    })?;
    Ok(Box::new(Accompanied { claims, members }))
}

/// Returns the members of an object that has none of the gate's.
fn own(value: Value, routes: &RouteConfig) -> Result<OwnMembers, String> {
    let Value::Object(members) = value else {
        return Err("it is no JSON object: return a struct with named fields".to_owned());
    };
    match members.keys().find(|name| is_ours(name, routes)) {
        Some(name) => Err(taken(name)),
        None => Ok(members),
    }
}

fn taken(name: &str) -> String {
    format!("`{name}` is a member of the gate's own: rename the field, as with `#[serde(rename)]`")
}

/// Returns whether an answer with tokens has a member of this name without the backend's doing.
pub(crate) fn is_ours(name: &str, routes: &RouteConfig) -> bool {
    [routes.access_token, routes.refresh_token].contains(&name) || OURS.contains(&name)
}

/// The members of the answer beside the tokens.
const OURS: [&str; 4] = [
    "token_type",
    "expires_in",
    "refresh_expires_in",
    "session_id",
];

/// Refuses an answer that could never be sent.
pub(in crate::gate) fn check_answer<B: AuthBackend>() -> Result<(), String> {
    let Some(AnswerForm(form)) = B::Entry::answer_form() else {
        return Ok(());
    };
    if B::Entry::ANSWERS_REFRESH && B::Renewal::STORED {
        return Err(
            "`Answer::ON_REFRESH` needs a user, and with `refresh(from = stored)` none is loaded: \
             leave one of both out"
                .to_owned(),
        );
    }
    let members = form.unwrap_or_default();
    match members
        .iter()
        .find(|member| is_ours(member.name, &B::ROUTES))
    {
        Some(member) => Err(format!(
            "`answer` of the backend cannot be sent: {}",
            taken(member.name)
        )),
        None => Ok(()),
    }
}
