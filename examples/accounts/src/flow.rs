//! The flows of an account over HTTP: sign-up, reset, change, second factor.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tollgate::action::{ActionToken, EmailVerification, PasswordReset};
use tollgate::gate::normalize_identifier;
use tollgate::prelude::*;
use tollgate::routing::{get, post};

use crate::accounts::{Accounts, Fresh, TwoFactors, User, UserClaims};
use crate::email::Email;

pub(crate) fn routes(gate: &Gate<Accounts>) -> Router {
    let app = ProtectedRouter::new()
        .route(
            "/me",
            get(async |user: Auth<User>| Json::<UserClaims>(user.into_claims())),
        )
        .route("/vault", get(async |_: Auth<User, TwoFactors>| "gold"))
        .route("/account/signup", post(sign_up))
        .route("/account/activate", post(activate))
        .route("/account/forgot", post(forgot))
        .route("/account/reset", post(reset))
        .route("/account/password", post(change))
        .route("/account/totp", post(propose))
        .route("/account/totp/confirm", post(confirm));
    gate.install(app).with_state(gate.clone())
}

type AppGate = State<Gate<Accounts>>;
type Flow = AuthFlow<Accounts>;

#[derive(Deserialize)]
struct Address {
    email: String,
}

/// Answers the same for every address, before anything is looked up: neither the words nor the time
/// tell who has an account.
async fn sign_up(
    _: Public,
    flow: Flow,
    Json(body): Json<Address>,
) -> Result<StatusCode, Rejection> {
    flow.allow("sign up", &body.email).await?;
    let (gate, email) = (flow.gate().clone(), normalize_identifier(&body.email));
    in_background(async move {
        let user = gate.backend().open_account(&email).await?;
        let (text, token) = if user.is_active() {
            (
                "You have an account already. To set another password, ask for a reset.",
                None,
            )
        } else {
            let token: ActionToken<EmailVerification> =
                gate.action_token(&user.id, &user.email).await?;
            ("Choose a password with:", Some(token.expose().to_owned()))
        };
        gate.backend().emails.send(Email {
            to: user.email,
            text,
            token,
        });
        Ok(())
    });
    Ok(StatusCode::ACCEPTED)
}

async fn forgot(_: Public, flow: Flow, Json(body): Json<Address>) -> Result<StatusCode, Rejection> {
    flow.allow("forgot", &body.email).await?;
    let (gate, email) = (flow.gate().clone(), normalize_identifier(&body.email));
    in_background(async move {
        if let Some(user) = gate
            .backend()
            .by_email(&email)
            .await?
            .filter(User::is_active)
        {
            // To the address that is stored, not to the one that was typed.
            let token: ActionToken<PasswordReset> =
                gate.action_token(&user.id, &user.email).await?;
            let token = Some(token.expose().to_owned());
            gate.backend().emails.send(Email {
                to: user.email,
                text: "Set another password with:",
                token,
            });
        }
        Ok(())
    });
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
#[serde(bound = "")]
struct Chosen<P: tollgate::action::ActionPurpose> {
    token: ActionToken<P>,
    password: Password,
}

/// The first password. It is looked at before the token is burnt, so that a short one costs no
/// email.
async fn activate(
    _: Public,
    flow: Flow,
    Json(body): Json<Chosen<EmailVerification>>,
) -> Result<StatusCode, Rejection> {
    flow.allow("activate", body.token.expose()).await?;
    let gate = flow.gate();
    let hash = gate.backend().passwords.set(&body.password, &[]).await?;
    let proof = body.token.consume(gate).await?;
    gate.backend().activate(&proof, &hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Another password without the old one. It signs nobody in, and everybody out.
async fn reset(
    _: Public,
    flow: Flow,
    Json(body): Json<Chosen<PasswordReset>>,
) -> Result<StatusCode, Rejection> {
    flow.allow("reset", body.token.expose()).await?;
    let gate = flow.gate();
    let hash = gate.backend().passwords.set(&body.password, &[]).await?;
    let proof = body.token.consume(gate).await?;
    gate.backend().reset(&proof, &hash).await?;
    gate.credentials_changed(proof.subject(), EndSessions::All)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Replacement {
    password: Password,
}

/// Sets another password for a user who just proved who they are. The other sessions end.
async fn change(
    user: Auth<User, Fresh>,
    State(gate): AppGate,
    Json(body): Json<Replacement>,
) -> Result<StatusCode, Rejection> {
    let hash = gate
        .backend()
        .passwords
        .set(&body.password, &[user.claims().email()])
        .await?;
    gate.backend().change(&user, &hash).await?;
    gate.credentials_changed(user.subject(), others(&user))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A secret for an authenticator. It counts once a code of it was right.
async fn propose(user: Auth<User, Fresh>, State(gate): AppGate) -> Result<Json<Value>, Rejection> {
    let totp = gate.backend().propose_totp(&user).await?;
    let url = totp.to_url()?;
    Ok(Json(
        json!({ "secret": totp.secret().to_base32(), "url": url }),
    ))
}

#[derive(Deserialize)]
struct TotpCode {
    code: String,
}

/// From here on a sign-in needs both factors; sessions that were opened with one end, but for this.
async fn confirm(
    user: Auth<User, Fresh>,
    flow: Flow,
    Json(body): Json<TotpCode>,
) -> Result<StatusCode, Rejection> {
    flow.allow("confirm", &user.subject().to_string()).await?;
    let gate = flow.gate();
    gate.backend().confirm_totp(&user, &body.code).await?;
    gate.credentials_changed(user.subject(), others(&user))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn others(user: &Auth<User, Fresh>) -> EndSessions {
    user.token()
        .sid()
        .map_or(EndSessions::All, |keep| EndSessions::Others { keep })
}

fn in_background(work: impl Future<Output = Result<(), AuthError>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = work.await {
            eprintln!("an email was not sent: {error:?}");
        }
    });
}
