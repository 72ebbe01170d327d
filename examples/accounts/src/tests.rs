//! The flows from outside, as an honest user and as strangers take them.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tollgate::password::Hashing;
use tollgate::prelude::*;
use totp_rs::{Builder, Secret as TotpSecret, Totp};
use tower::ServiceExt as _;

use crate::accounts::Accounts;
use crate::email::{Email, Emails};
use crate::flow::routes;

const ADA: &str = "ada@example.com";
const FIRST: &str = "correct horse battery staple";
const SECOND: &str = "another long and quiet sentence";

struct App {
    router: Router,
    accounts: Accounts,
    clock: tollgate::clock::Clock,
    _folder: tempfile::TempDir,
}

impl App {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let passwords = Passwords::with(Hashing::cheap_dangerous()).unwrap();
        let accounts = Accounts::open(&folder.path().join("app.db"), passwords, Emails::kept())
            .await
            .unwrap();
        let (builder, clock) = tollgate::testing::ready(accounts.clone().gate()).unwrap();
        let gate = builder.build().await.unwrap();
        Self {
            router: routes(&gate),
            accounts,
            clock,
            _folder: folder,
        }
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> StatusCode {
        self.call("POST", path, token, body).await.0
    }

    async fn get(&self, path: &str, token: &str) -> StatusCode {
        self.call("GET", path, Some(token), json!(null)).await.0
    }

    /// Asks for an email, and waits for it.
    async fn email(&self, path: &str, email: &str) -> Email {
        assert_eq!(
            self.post(path, None, json!({ "email": email })).await,
            StatusCode::ACCEPTED
        );
        for _ in 0..500 {
            if let Some(sent) = self.accounts.emails.take().pop() {
                return sent;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no email to {email}");
    }

    async fn no_email(&self, path: &str, email: &str) {
        assert_eq!(
            self.post(path, None, json!({ "email": email })).await,
            StatusCode::ACCEPTED
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(self.accounts.emails.take().is_empty());
    }

    async fn signed_up(&self) {
        let token = self.email("/account/signup", ADA).await.token.unwrap();
        let body = json!({ "token": token, "password": FIRST });
        assert_eq!(
            self.post("/account/activate", None, body).await,
            StatusCode::NO_CONTENT
        );
    }

    async fn sign_in(&self, password: &str) -> (StatusCode, Value) {
        self.call(
            "POST",
            "/auth/signin",
            None,
            json!({ "email": ADA, "password": password }),
        )
        .await
    }

    async fn tokens(&self, password: &str) -> String {
        let (status, body) = self.sign_in(password).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        self.clock.advance(Duration::from_secs(2));
        body["access_token"].as_str().unwrap().to_owned()
    }
}

/// R119: a known address and an unknown one get the same answer, and only the email differs.
#[tokio::test]
async fn r119_sign_up_and_forgot_say_nothing_about_who_has_an_account() {
    let app = App::new().await;
    app.signed_up().await;
    let again = app.email("/account/signup", " ADA@example.com. ").await;
    assert_eq!(
        (again.to.as_str(), again.token),
        (ADA, None),
        "one account, and an email without a token"
    );
    app.no_email("/account/forgot", "nobody@example.com").await;
    assert!(app.email("/account/forgot", ADA).await.token.is_some());
    // An account whose address was not proved has nothing to reset.
    let _unread = app.email("/account/signup", "grace@example.com").await;
    app.no_email("/account/forgot", "grace@example.com").await;
    let login = json!({ "email": "grace@example.com", "password": "" });
    assert_eq!(
        app.post("/auth/signin", None, login).await,
        StatusCode::UNAUTHORIZED
    );
}

/// R128: a stranger who opens an account for somebody else's address cannot set its password.
#[tokio::test]
async fn r128_the_password_is_chosen_by_the_reader_of_the_email() {
    let app = App::new().await;
    let stranger = json!({ "email": ADA, "password": "the password of a stranger" });
    assert_eq!(
        app.post("/account/signup", None, stranger).await,
        StatusCode::ACCEPTED
    );
    let sent = app.email("/account/signup", ADA).await;
    let choose = |password: &str| json!({ "token": sent.token, "password": password });
    // A password that cannot be set costs no email.
    assert_eq!(
        app.post("/account/activate", None, choose("short")).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        app.post("/account/activate", None, choose(FIRST)).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        app.post("/account/activate", None, choose(SECOND)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        app.sign_in("the password of a stranger").await.0,
        StatusCode::UNAUTHORIZED
    );
    _ = app.tokens(FIRST).await;
}

/// R92, R128: a reset works once, ends every session, and an email for one thing does not do
/// another.
#[tokio::test]
async fn r128_a_reset_ends_every_session_and_signs_nobody_in() {
    let app = App::new().await;
    app.signed_up().await;
    let before = app.tokens(FIRST).await;
    let reset = app.email("/account/forgot", ADA).await.token.unwrap();
    let older = app.email("/account/forgot", ADA).await.token.unwrap();
    let choose = |token: &str| json!({ "token": token, "password": SECOND });
    assert_eq!(
        app.post("/account/activate", None, choose(&reset)).await,
        StatusCode::UNAUTHORIZED
    );
    let (status, body) = app
        .call("POST", "/account/reset", None, choose(&reset))
        .await;
    assert_eq!((status, body), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(app.get("/me", &before).await, StatusCode::UNAUTHORIZED);
    for token in [&reset, &older, &before] {
        assert_eq!(
            app.post("/account/reset", None, choose(token)).await,
            StatusCode::UNAUTHORIZED,
            "{token}"
        );
    }
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.sign_in(FIRST).await.0, StatusCode::UNAUTHORIZED);
    _ = app.tokens(SECOND).await;
}

/// The stored hash is weaker than what is set today, so that each sign-in hashes the password
/// again. A reset that comes between the check and the write wins.
#[tokio::test]
async fn a_rehash_of_the_old_password_does_not_undo_a_reset() {
    let app = App::new().await;
    app.signed_up().await;
    let mut raised = app.accounts.clone();
    let mut hashing = Hashing::cheap_dangerous();
    hashing.memory_kib *= 2;
    raised.passwords = Passwords::with(hashing).unwrap();
    let check = async |password: &str| {
        let user = raised.by_email(ADA).await.unwrap().unwrap();
        let checked = raised.check(&Password::new(password), Some(&user)).await;
        (user, checked.unwrap())
    };

    let (user, checked) = check(FIRST).await;
    assert!(checked.rehash.is_some());
    let token = app.email("/account/forgot", ADA).await.token.unwrap();
    let reset = json!({ "token": token, "password": SECOND });
    assert_eq!(
        app.post("/account/reset", None, reset).await,
        StatusCode::NO_CONTENT
    );
    raised.keep_rehash(&user, &checked).await.unwrap();
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.sign_in(FIRST).await.0, StatusCode::UNAUTHORIZED);
    _ = app.tokens(SECOND).await;

    let (user, checked) = check(SECOND).await;
    raised.keep_rehash(&user, &checked).await.unwrap();
    assert!(check(SECOND).await.1.rehash.is_none(), "it was kept");
    _ = app.tokens(SECOND).await;
}

/// R126: a session that is a while old does not change the password; a fresh one does, and the
/// other sessions end.
#[tokio::test]
async fn r126_a_change_needs_a_fresh_authentication() {
    let app = App::new().await;
    app.signed_up().await;
    let (here, elsewhere) = (app.tokens(FIRST).await, app.tokens(FIRST).await);
    app.clock.advance(Duration::from_secs(400));
    let change = json!({ "password": SECOND });
    assert_eq!(
        app.post("/account/password", Some(&here), change.clone())
            .await,
        StatusCode::UNAUTHORIZED
    );
    let wrong = json!({ "email": ADA, "password": "wrong" });
    assert_eq!(
        app.post("/auth/reauthenticate", Some(&here), wrong).await,
        StatusCode::UNAUTHORIZED
    );
    let (_, proved) = app
        .call(
            "POST",
            "/auth/reauthenticate",
            Some(&here),
            json!({ "email": ADA, "password": FIRST }),
        )
        .await;
    let here = proved["access_token"].as_str().unwrap();
    assert_eq!(
        app.post(
            "/account/password",
            Some(here),
            json!({ "password": "short" })
        )
        .await,
        StatusCode::BAD_REQUEST
    );
    let named = json!({ "password": "ada@example.com" });
    assert_eq!(
        app.post("/account/password", Some(here), named).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        app.post("/account/password", Some(here), change).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(app.get("/me", here).await, StatusCode::OK);
    assert_eq!(app.get("/me", &elsewhere).await, StatusCode::UNAUTHORIZED);
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.sign_in(FIRST).await.0, StatusCode::UNAUTHORIZED);
    _ = app.tokens(SECOND).await;
}

fn code(totp: &Totp, steps_later: u64) -> String {
    let step = totp.next_step_current() - 30 + 30 * steps_later;
    totp.generate(step).to_string()
}

/// R114, R128: from its first code on the second factor is asked for, by a reset too, and a code
/// counts once.
#[tokio::test]
async fn r128_a_second_factor_is_asked_for_whatever_became_of_the_password() {
    let app = App::new().await;
    app.signed_up().await;
    let session = app.tokens(FIRST).await;
    assert_eq!(app.get("/vault", &session).await, StatusCode::UNAUTHORIZED);
    let (_, proposed) = app
        .call("POST", "/account/totp", Some(&session), json!(null))
        .await;
    assert!(
        proposed["url"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/"),
        "{proposed}"
    );
    let secret = TotpSecret::try_from_base32(proposed["secret"].as_str().unwrap()).unwrap();
    let totp = Builder::new()
        .with_secret(secret)
        .with_account_name(ADA)
        .build()
        .unwrap();
    assert_eq!(
        app.post(
            "/account/totp/confirm",
            Some(&session),
            json!({ "code": "000000" })
        )
        .await,
        StatusCode::UNAUTHORIZED
    );
    _ = app.tokens(FIRST).await;
    let used = code(&totp, 0);
    assert_eq!(
        app.post(
            "/account/totp/confirm",
            Some(&session),
            json!({ "code": used })
        )
        .await,
        StatusCode::NO_CONTENT
    );

    // The password alone is no longer enough, also after a reset.
    let reset = app.email("/account/forgot", ADA).await.token.unwrap();
    let body = json!({ "token": reset, "password": SECOND });
    assert_eq!(
        app.post("/account/reset", None, body).await,
        StatusCode::NO_CONTENT
    );
    app.clock.advance(Duration::from_secs(2));
    let (status, asked) = app.sign_in(SECOND).await;
    assert_eq!(
        (status, &asked["step"]),
        (StatusCode::UNAUTHORIZED, &json!("totp"))
    );

    let (status, refused) = app
        .call(
            "POST",
            "/auth/signin/step",
            None,
            json!({ "step_token": asked["step_token"], "code": used }),
        )
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_credentials")),
        "it was used"
    );
    let answer = json!({ "step_token": refused["step_token"], "code": code(&totp, 1) });
    let (status, tokens) = app.call("POST", "/auth/signin/step", None, answer).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(
        app.get("/vault", tokens["access_token"].as_str().unwrap())
            .await,
        StatusCode::OK
    );
}

/// Two windows set up a factor: the code of the first is checked, and the second proposes its factor
/// before the first one's is turned on.
#[tokio::test]
async fn a_factor_whose_code_was_not_checked_is_not_turned_on() {
    let app = App::new().await;
    app.signed_up().await;
    let session = app.tokens(FIRST).await;
    let propose = async || {
        let (_, proposed) = app
            .call("POST", "/account/totp", Some(&session), json!(null))
            .await;
        let secret = TotpSecret::try_from_base32(proposed["secret"].as_str().unwrap()).unwrap();
        Builder::new()
            .with_secret(secret)
            .with_account_name(ADA)
            .build()
            .unwrap()
    };
    let (checked, other) = (propose().await, propose().await);
    let id = app.accounts.by_email(ADA).await.unwrap().unwrap().id;
    assert!(matches!(
        app.accounts.turn_on(&id, &checked, 1).await,
        Err(AuthError::Invalid)
    ));
    // The password alone is still enough.
    _ = app.tokens(FIRST).await;
    app.accounts.turn_on(&id, &other, 1).await.unwrap();
    assert_eq!(app.sign_in(FIRST).await.1["step"], "totp");
}

/// R117: whatever is wrong, it is one hash and the same bytes.
#[tokio::test]
async fn r117_every_way_not_to_come_in_costs_one_hash_and_looks_the_same() {
    let app = App::new().await;
    app.signed_up().await;
    _ = app.email("/account/signup", "unread@example.com").await;
    let mut answers = Vec::new();
    for (email, password) in [
        (ADA, "wrong"),
        (ADA, "\u{441}orrect horse battery staple"),
        ("nobody@example.com", FIRST),
        ("unread@example.com", ""),
        ("\u{430}da@example.com", FIRST),
        (ADA, FIRST),
    ] {
        if (email, password) == (ADA, FIRST) {
            app.accounts.disable(ADA).await;
        }
        let before = app.accounts.passwords.evaluations();
        answers.push(
            app.call(
                "POST",
                "/auth/signin",
                None,
                json!({ "email": email, "password": password }),
            )
            .await,
        );
        assert_eq!(app.accounts.passwords.evaluations() - before, 1, "{email}");
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}
