//! Every issued token verifies: claims that no verifier would take are refused, permanently, and
//! change nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::error::{Code, ErrorKind};
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::settings::Settings;
use tollgate_tests::{Answer, App, AppBuilder, PASSWORD, request};

/// A user with claims of every shape.
#[derive(Clone, Debug, JwtClaims)]
struct Holder {
    #[claim(sub)]
    id: String,
    data: Option<Value>,
    weight: f64,
    maybe: Option<f64>,
    odd: Odd,
}

/// A claim that does not read back everything that it writes.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Odd(String);

impl From<Odd> for String {
    fn from(odd: Odd) -> Self {
        odd.0
    }
}

impl TryFrom<String> for Odd {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Some(Self(text))
            .filter(|odd| odd.0 != "unreadable")
            .ok_or("unreadable")
    }
}

/// Everyone is the holder that a test has put here.
#[auth_backend(email, user = Holder)]
#[derive(Clone)]
struct Holders(Arc<Mutex<Holder>>);

impl Authenticate for Holders {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Holder, AuthError> {
        if login.email == "step@example.com" {
            return Err(SignInStep::new("ada", "totp").into());
        }
        Ok(self.0.lock().unwrap().clone())
    }

    async fn step(&self, _: &SignInStep, _: &StepAnswer, _: &Client) -> Result<Holder, AuthError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

impl Refresh for Holders {
    async fn refresh(&self, _: &String, _: &Client) -> Result<Holder, AuthError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

impl Holders {
    fn put(&self, holder: Holder) {
        *self.0.lock().unwrap() = holder;
    }
}

fn good() -> Holder {
    Holder {
        id: "ada".into(),
        data: None,
        weight: 1.5,
        maybe: None,
        odd: Odd("fine".into()),
    }
}

fn with(data: Value) -> Holder {
    Holder {
        data: Some(data),
        ..good()
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, level| match level % 2 {
        0 => json!([value]),
        _ => json!({ "a": value }),
    })
}

fn wide(members: usize) -> Value {
    let members = (0..members).map(|n| (n.to_string(), json!(n)));
    Value::Object(members.collect())
}

/// Holders that no token can carry, with the claim at fault.
fn bad() -> Vec<(Holder, &'static str)> {
    let id = |id: String| Holder { id, ..good() };
    let mut all = vec![
        (with(nested(16)), "data"),
        (with(nested(200)), "data"),
        (with(wide(250)), "data"),
        (with(json!("x".repeat(9000))), "data"),
        (id(String::new()), "sub"),
        (id("x".repeat(2000)), "sub"),
        (id("a\0b".into()), "sub"),
    ];
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let (weight, maybe) = (number, Some(number));
        all.push((Holder { weight, ..good() }, "weight"));
        all.push((Holder { maybe, ..good() }, "maybe"));
    }
    let odd = Odd("unreadable".into());
    all.push((Holder { odd, ..good() }, "odd"));
    all
}

async fn app_with(settings: Settings) -> App<Holders> {
    let holders = Holders(Arc::new(Mutex::new(good())));
    let routes = |gate: &Gate<Holders>| {
        let me = get(async |auth: Auth<Holder>| auth.subject().clone());
        let app = Router::new()
            .route("/me", me)
            .route("/current", get(async |_: Current<Holders>| "in"));
        gate.install(app).with_state(gate.clone())
    };
    let app = AppBuilder::of(holders, routes).settings(settings);
    app.build().await
}

async fn app() -> App<Holders> {
    app_with(Settings::default()).await
}

async fn sign_in(app: &App<Holders>) -> Answer {
    app.try_sign_in("ada@example.com", PASSWORD).await
}

fn refused(answer: &Answer, about: &str) {
    answer.assert_problem(500, "internal_error");
    assert!(!answer.headers.contains_key("retry-after"), "{about}");
}

/// The claims that events named as the reason why nothing was issued.
fn named(app: &App<Holders>) -> Vec<(String, String)> {
    let heard = app.heard().into_iter();
    let named = heard.filter_map(|event| match event.kind {
        EventKind::IssueRefused { claim } => Some((claim, event.subject.unwrap_or_default())),
        _ => None,
    });
    named.collect()
}

#[tokio::test]
async fn claims_that_no_verifier_takes_open_no_session_and_are_named() {
    for (holder, claim) in bad() {
        let app = app().await;
        app.accounts.put(holder.clone());
        refused(&sign_in(&app).await, claim);
        assert_eq!(named(&app), [(claim.to_owned(), holder.id.clone())]);
        let sessions = app.gate.sessions().of(&holder.id).await.unwrap();
        assert!(sessions.is_empty(), "{claim}");
        let direct = app.gate.sign_in(holder.clone(), &Client::unknown()).await;
        assert_eq!(direct.unwrap_err().code(), Code::InternalError);
        let alone = app.gate.issue(&holder, Duration::from_secs(60)).await;
        let error = alone.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let refusal = std::error::Error::source(&error).unwrap();
        let cause = refusal.source().unwrap().to_string();
        assert!(cause.contains(&format!("`{claim}`")), "{cause}");
        assert!(!cause.contains("unreadable") && !cause.contains("xxx"));
    }
}

#[tokio::test]
async fn what_is_refused_is_reported_once_an_hour_a_subject() {
    let app = app().await;
    app.accounts.put(with(nested(16)));
    for _ in 0..3 {
        refused(&sign_in(&app).await, "data");
    }
    assert_eq!(named(&app).len(), 1);
    app.wait(60 * 60);
    refused(&sign_in(&app).await, "data");
    assert_eq!(named(&app).len(), 1);
    app.accounts.put(Holder {
        id: "grace".into(),
        ..with(nested(16))
    });
    refused(&sign_in(&app).await, "data");
    assert_eq!(named(&app), [("data".to_owned(), "grace".to_owned())]);
}

#[tokio::test]
async fn a_refresh_with_such_claims_rotates_nothing_and_the_session_stays() {
    for (holder, claim) in bad() {
        if holder.id != good().id {
            continue;
        }
        let app = app().await;
        let tokens = sign_in(&app).await.tokens();
        app.accounts.put(holder);
        for _ in 0..2 {
            refused(&app.refresh(&tokens.refresh).await, claim);
            app.wait(120);
        }
        let login = json!({ "email": "ada@example.com", "password": PASSWORD });
        let again = app.post_as("/auth/reauthenticate", &tokens.access, Some(login));
        refused(&again.await, claim);
        assert_eq!(app.get("/me", &tokens.access).await.status, StatusCode::OK);
        app.accounts.put(good());
        let renewed = app.refresh(&tokens.refresh).await.tokens();
        assert_ne!(renewed.refresh, tokens.refresh);
        assert_eq!(app.get("/me", &renewed.access).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_step_with_such_claims_opens_no_session() {
    let app = app().await;
    let offer = app.try_sign_in("step@example.com", PASSWORD).await;
    let token = offer.json()["step_token"].as_str().unwrap().to_owned();
    app.accounts.put(with(wide(250)));
    let body = json!({ "step_token": token, "code": "1" });
    refused(&app.post("/auth/signin/step", body).await, "data");
    assert!(app.gate.sessions().of("ada").await.unwrap().is_empty());
}

/// A callback is asked for one subject.
#[tokio::test]
async fn a_callback_that_answers_another_user_changes_nothing_and_is_reported() {
    let other = || Holder {
        id: "eve".into(),
        ..good()
    };
    let others = |app: &App<Holders>| {
        let heard = app.heard().into_iter();
        let others = heard.filter_map(|event| match event.kind {
            EventKind::OtherSubject { callback } => Some((callback, event.subject.unwrap())),
            _ => None,
        });
        others.collect::<Vec<_>>()
    };
    let app = app().await;
    let tokens = sign_in(&app).await.tokens();
    app.accounts.put(other());
    for _ in 0..2 {
        refused(&app.refresh(&tokens.refresh).await, "refresh");
        refused(&app.get("/current", &tokens.access).await, "current");
        app.wait(60);
    }
    assert_eq!(others(&app), [("refresh", "ada".to_owned())]);
    assert!(app.gate.sessions().of("eve").await.unwrap().is_empty());
    assert_eq!(app.get("/me", &tokens.access).await.text, "ada");

    let offer = app.try_sign_in("step@example.com", PASSWORD).await;
    let body = json!({ "step_token": offer.json()["step_token"], "code": "1" });
    refused(&app.post("/auth/signin/step", body).await, "step");
    assert_eq!(others(&app), [("step", "ada".to_owned())]);
    assert!(app.gate.sessions().of("eve").await.unwrap().is_empty());

    app.accounts.put(good());
    let _ = app.refresh(&tokens.refresh).await.tokens();
}

/// A cookie holds less than a header, and the session that the browser had stays.
#[tokio::test]
async fn claims_that_are_too_long_for_a_cookie_are_refused_for_good() {
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".into());
    let app = app_with(settings).await;
    let mut longest = 0;
    for len in (2000..3000).step_by(7) {
        app.accounts.put(with(json!("x".repeat(len))));
        match sign_in(&app).await {
            answer if answer.status == StatusCode::OK => longest = len,
            answer => {
                refused(&answer, "data");
                break;
            }
        }
    }
    assert!((2001..2990).contains(&longest), "{longest}");
    assert_eq!(named(&app), [("data".to_owned(), "ada".to_owned())]);

    // A browser that has a session already signs in again.
    let in_browser = |cookie: &str| {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD });
        let mut request = request(Method::POST, "/auth/signin", None, Some(body));
        let headers = request.headers_mut();
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        headers.insert("cookie", cookie.parse().unwrap());
        app.send(request)
    };
    app.accounts.put(good());
    let signed_in = in_browser("a=b").await;
    let cookies = signed_in.headers.get_all("set-cookie").iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let jar = cookies.collect::<Vec<_>>().join("; ");
    assert!(jar.contains("access="), "{jar}");
    let sessions = app.gate.sessions().of("ada").await.unwrap();
    app.accounts.put(with(json!("x".repeat(3500))));
    refused(&in_browser(&jar).await, "data");
    let left = app.gate.sessions().of("ada").await.unwrap();
    assert_eq!(left.len(), sessions.len(), "nothing was ended for it");
    app.accounts.put(good());
    in_browser(&jar).await;
    let left = app.gate.sessions().of("ada").await.unwrap();
    assert_eq!(left.len(), sessions.len(), "one took the place of one");
}

/// Claims that a session keeps.
#[derive(Clone, Debug, JwtClaims)]
struct Kept {
    #[claim(sub)]
    id: u64,
    #[claim(confidential)]
    data: Value,
}

#[auth_backend(username, user = Kept, refresh(from = stored))]
struct Keeper;

impl Authenticate for Keeper {
    async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<Kept, AuthError> {
        Err(AuthError::Invalid)
    }
}

async fn keeper() -> Gate<Keeper> {
    let (builder, _) = tollgate::testing::ready(Keeper.gate()).unwrap();
    let builder = builder.encrypt(Encrypted::A256Gcm);
    builder.build().await.unwrap()
}

#[tokio::test]
async fn encrypted_tokens_and_kept_claims_have_the_same_limits() {
    let gate = keeper().await;
    let with = |data| Kept { id: 7, data };
    for data in [
        nested(16),
        wide(250),
        json!("x".repeat(4090)),
        json!("x".repeat(4200)),
        json!("x".repeat(9000)),
    ] {
        let tried = gate.sign_in(with(data), &Client::unknown()).await;
        assert_eq!(tried.unwrap_err().code(), Code::InternalError);
    }
    assert!(gate.sessions().of(7).await.unwrap().is_empty());
    for data in [nested(15), wide(200), json!("x".repeat(3000))] {
        let issued = gate
            .sign_in(with(data.clone()), &Client::unknown())
            .await
            .unwrap();
        gate.verify(&issued.access_token).await.unwrap();
        let again = gate
            .refresh(issued.refresh_token.expose(), &Client::unknown())
            .await
            .unwrap();
        let verified = gate.verify(&again.access_token).await.unwrap();
        assert_eq!(verified.claims().data(), &data);
    }
}

/// Values around every limit, so that some are on either side of it.
fn values() -> impl Iterator<Item = Value> {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(0.1),
    ];
    let texts = [
        "",
        "\0",
        "\u{1f980}",
        "\\\"",
        "{\"a\":1}",
        "[[[[[[[[[[[[[[[[[[",
    ];
    let texts = texts.into_iter().map(Value::from);
    let lengths = (1..80).map(|step| json!("x".repeat(step * 110)));
    let escaped = (1..40).map(|step| json!("\u{1}".repeat(step * 40)));
    let lists = (1..40).map(|step| json!(vec![vec![1; step]; step]));
    let objects = (1..30).map(|step| json!({ "a": wide(step * 4), "b": wide(step * 5) }));
    (0..24)
        .map(nested)
        .chain((220..260).map(wide))
        .chain(numbers)
        .chain(texts)
        .chain(lengths)
        .chain(escaped)
        .chain(lists)
        .chain(objects)
}

/// The property: whatever is issued verifies, with the same claims, whichever way it is read and in
/// whichever envelope it travels.
#[tokio::test]
async fn everything_that_is_issued_verifies() {
    let plain = app().await.gate;
    let mut settings = Settings::default();
    settings.cookies.path = Some("/auth".into());
    let in_cookies = app_with(settings).await.gate;
    let encrypted = keeper().await;
    let (mut issued, mut refused) = (0, 0);
    for data in values() {
        for gate in [&plain, &in_cookies] {
            match gate.sign_in(with(data.clone()), &Client::unknown()).await {
                Ok(tokens) => {
                    let verified = gate.verify(&tokens.access_token).await.unwrap();
                    assert_eq!(
                        verified.claims().data(),
                        &Some(data.clone()).filter(|v| !v.is_null())
                    );
                    issued += 1;
                }
                Err(refusal) => {
                    assert_eq!(refusal.code(), Code::InternalError);
                    refused += 1;
                }
            }
            if let Ok(text) = gate
                .issue(&with(data.clone()), Duration::from_secs(60))
                .await
            {
                gate.verify(&text).await.unwrap();
            }
        }
        let kept = Kept { id: 7, data };
        match encrypted.sign_in(kept, &Client::unknown()).await {
            Ok(tokens) => drop(encrypted.verify(&tokens.access_token).await.unwrap()),
            Err(refusal) => assert_eq!(refusal.code(), Code::InternalError),
        }
    }
    assert!(issued > 100 && refused > 50, "{issued} {refused}");
}
