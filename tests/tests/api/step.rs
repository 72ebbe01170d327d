//! Further steps of a sign-in: what the client gets, how often it may answer, and what the session
//! says of it.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tollgate::clock::Timestamp;
use tollgate::event::{EventKind, Events};
use tollgate::prelude::*;
use tollgate::settings::{Allowance, ThrottleSettings};
use tollgate::store::{Before, OnceValue, SessionStore as _};
use tollgate_tests::{Act, Answer, AppBuilder, Hook, OtherStore, PASSWORD, Tokens};

use crate::openapi::assert_fits;

const TWO_FACTORS: &str = "urn:example:two-factors";

#[derive(Clone, JwtClaims)]
struct Member {
    #[claim(sub)]
    id: u64,
}

/// Those who used a second factor.
#[derive(Policy)]
#[policy(acr = "urn:example:two-factors")]
struct Strong;

/// Those who used it within the last five minutes.
#[derive(Policy)]
#[policy(acr = "urn:example:two-factors", max_age = "5m")]
struct StrongAndFresh;

/// Ada has a second factor; Grace has none; Eve has two more.
#[auth_backend(email, user = Member)]
#[derive(Clone, Default)]
struct Members {
    is_down: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    logins: Arc<AtomicU64>,
    /// Runs after a password was looked at, before the answer.
    in_login: Hook,
    /// Runs while an answer to a step is looked at.
    in_step: Hook,
    used: Arc<Mutex<HashMap<String, String>>>,
}

const ADA: u64 = 1;
const EVE: u64 = 3;

impl Authenticate for Members {
    async fn authenticate(&self, login: EmailLogin, _: &Client) -> Result<Member, AuthError> {
        let id = ["ada@example.com", "grace@example.com", "eve@example.com"]
            .iter()
            .position(|known| *known == login.email);
        let id = id
            .filter(|_| login.password.expose() == PASSWORD)
            .ok_or(AuthError::Invalid)? as u64
            + 1;
        if id == 2 {
            return Ok(Member { id });
        }
        self.logins.fetch_add(1, Ordering::SeqCst);
        self.in_login.run().await;
        let mut step = SignInStep::new(id, if id == EVE { "email" } else { "totp" });
        step.acr = (id == ADA).then(|| TWO_FACTORS.to_owned());
        step.note = Some("a secret note".to_owned());
        step.challenge = (id == EVE).then(|| json!({ "sent_to": "e**@example.com" }));
        Err(step.into())
    }

    async fn step(
        &self,
        step: &SignInStep,
        answer: &StepAnswer,
        _: &Client,
    ) -> Result<Member, AuthError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(AuthError::unavailable("the table is down"));
        }
        self.answers.fetch_add(1, Ordering::SeqCst);
        self.in_step.run().await;
        assert!(step.kind == "key" || step.note.as_deref() == Some("a secret note"));
        let code = answer.code().ok_or(AuthError::Invalid)?;
        let last = self
            .used
            .lock()
            .unwrap()
            .insert(step.subject.clone(), code.to_owned());
        if !code.starts_with("right") || last.as_deref() == Some(code) {
            return Err(AuthError::Invalid);
        }
        if code == "right, and Grace's" {
            return Ok(Member { id: 2 });
        }
        if code == "right, and more of Grace" {
            return Err(SignInStep::new(2_u64, "key").into());
        }
        if step.kind == "email" {
            let mut next = SignInStep::new(EVE, "key");
            next.acr = Some(TWO_FACTORS.to_owned());
            return Err(AuthError::More(Box::new(next)));
        }
        Ok(Member {
            id: step.subject.parse()?,
        })
    }
}

impl Refresh for Members {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<Member, AuthError> {
        Ok(Member { id: *id })
    }
}

/// An application whose users sign in by steps.
struct App(tollgate_tests::App<Members>);

impl Deref for App {
    type Target = tollgate_tests::App<Members>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl App {
    async fn new() -> Self {
        Self::with(ThrottleSettings::off()).await
    }

    async fn with(throttle: ThrottleSettings) -> Self {
        Self::on(MemoryStore::new(), throttle).await
    }

    async fn on(store: impl Into<tollgate::store::Store>, throttle: ThrottleSettings) -> Self {
        Self(
            Self::builder()
                .store(store)
                .throttle(throttle)
                .build()
                .await,
        )
    }

    fn builder() -> AppBuilder<Members> {
        AppBuilder::of(Members::default(), |gate| {
            let app = Router::new()
                .route("/me", get(async |_: Auth<Member>| "in"))
                .route("/strong", get(async |_: Auth<Member, Strong>| "in"))
                .route("/fresh", get(async |_: Auth<Member, StrongAndFresh>| "in"));
            gate.install(app).with_state(gate.clone())
        })
    }

    async fn sign_in(&self, email: &str) -> Answer {
        let login = json!({ "email": email, "password": PASSWORD, "device_name": "a phone", "device_id": "0123456789abcdef" });
        self.post("/auth/signin", login).await
    }

    async fn answer(&self, token: &str, code: &str) -> Answer {
        self.post(
            "/auth/signin/step",
            json!({ "step_token": token, "code": code }),
        )
        .await
    }

    async fn strong(&self) -> Tokens {
        let token = step_token(&self.sign_in("ada@example.com").await);
        self.answer(
            &token,
            &format!("right at {}", self.clock.now().as_millis()),
        )
        .await
        .tokens()
    }

    async fn prove_again(&self, access: &str, body: Value) -> Answer {
        self.post_as("/auth/reauthenticate", access, Some(body))
            .await
    }
}

fn step_token(answer: &Answer) -> String {
    answer.json()["step_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no step: {}", answer.text))
        .to_owned()
}

#[tokio::test]
async fn the_password_alone_opens_no_session_and_the_answer_to_the_step_does() {
    let app = App::new().await;
    let asked = app.sign_in("ada@example.com").await;
    asked.assert_problem(401, "insufficient_user_authentication");
    let problem = asked.json();
    assert_eq!(
        (&problem["step"], &problem["expires_in"]),
        (&json!("totp"), &json!(300))
    );
    let document: Value = serde_json::from_str(&app.gate.openapi_json()).unwrap();
    let schema = &document["components"]["schemas"]["AuthProblem"];
    let with_challenge = app.sign_in("eve@example.com").await.json();
    assert!(with_challenge.get("challenge").is_some());
    for answer in [&problem, &with_challenge] {
        assert_fits(&document, schema, answer, "a step");
    }
    assert!(
        problem.get("challenge").is_none() && !asked.text.contains("note"),
        "{}",
        asked.text
    );
    assert!(app.gate.sessions().of(ADA).await.unwrap().is_empty());

    let answer = app.answer(&step_token(&asked), "right").await;
    let tokens = answer.tokens();
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(
        app.get("/strong", &tokens.access).await.status,
        StatusCode::OK
    );
    let session = &app.gate.sessions().of(ADA).await.unwrap()[0];
    assert_eq!(
        session.device.name.as_deref(),
        Some("a phone"),
        "the device is that of the first step"
    );
    // A refresh keeps what the session was opened with.
    app.clock.advance(Duration::from_secs(60));
    let refreshed = app.post(
        "/auth/refresh-access",
        json!({ "refresh_token": tokens.refresh, "device_id": "0123456789abcdef" }),
    );
    assert_eq!(
        app.get("/strong", &refreshed.await.tokens().access)
            .await
            .status,
        StatusCode::OK
    );
}

/// R128 for steps: a token counts once, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_token_of_a_step_counts_once_under_race() {
    let app = Arc::new(App::new().await);
    let token = step_token(&app.sign_in("ada@example.com").await);
    let mut attempts = Vec::new();
    for number in 0..64 {
        let (app, token) = (Arc::clone(&app), token.clone());
        attempts.push(tokio::spawn(async move {
            app.answer(&token, &format!("right {number}")).await.status
        }));
    }
    let mut opened = 0;
    for attempt in attempts {
        opened += u32::from(attempt.await.unwrap() == StatusCode::OK);
    }
    assert_eq!(opened, 1);
    assert_eq!(app.gate.sessions().of(ADA).await.unwrap().len(), 1);
    assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 1);
}

/// R50.
#[tokio::test]
async fn r50_the_token_of_a_step_is_no_other_token() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    app.get("/me", &token)
        .await
        .assert_problem(401, "invalid_token");
    app.post("/auth/refresh-access", json!({ "refresh_token": token }))
        .await
        .assert_problem(401, "invalid_grant");
    app.post("/auth/verify", json!({ "token": token }))
        .await
        .assert_problem(401, "invalid_token");
    let action =
        tollgate::action::ActionToken::<tollgate::action::PasswordReset>::new(token.as_str());
    assert_eq!(
        action.consume(&app.gate).await.unwrap_err().code(),
        Code::InvalidToken
    );
    let grace = app.sign_in("grace@example.com").await.tokens();
    for foreign in [&grace.access, &grace.refresh] {
        app.answer(foreign, "right")
            .await
            .assert_problem(401, "invalid_credentials");
    }
    _ = app.answer(&token, "right").await.tokens();
}

#[tokio::test]
async fn a_wrong_answer_may_be_given_again_twice_and_then_the_password_is_asked_for() {
    let app = App::new().await;
    let mut token = step_token(&app.sign_in("ada@example.com").await);
    for _ in 0..2 {
        let wrong = app.answer(&token, "wrong").await;
        wrong.assert_problem(401, "invalid_credentials");
        let next = step_token(&wrong);
        // The one before is burnt.
        let old = app.answer(&token, "right").await;
        old.assert_problem(401, "invalid_credentials");
        assert!(old.json().get("step_token").is_none());
        token = next;
    }
    let last = app.answer(&token, "wrong").await;
    last.assert_problem(401, "invalid_credentials");
    assert!(last.json().get("step_token").is_none());
    assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_step_runs_out_after_five_minutes_and_a_wrong_answer_does_not_prolong_it() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    app.clock.advance(Duration::from_secs(200));
    let wrong = app.answer(&token, "wrong").await;
    assert_eq!(wrong.json()["expires_in"], 100);
    let token = step_token(&wrong);
    app.clock.advance(Duration::from_secs(100));
    app.answer(&token, "right")
        .await
        .assert_problem(401, "invalid_credentials");
}

/// A backend that cannot decide costs nobody the step.
#[tokio::test]
async fn a_backend_that_is_down_burns_nothing() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    app.gate.backend().is_down.store(true, Ordering::SeqCst);
    app.answer(&token, "right")
        .await
        .assert_problem(503, "unavailable");
    app.gate.backend().is_down.store(false, Ordering::SeqCst);
    _ = app.answer(&token, "right").await.tokens();
}

#[tokio::test]
async fn a_step_may_lead_to_another_one() {
    let app = App::new().await;
    let first = app.sign_in("eve@example.com").await;
    assert_eq!(
        first.json()["challenge"],
        json!({ "sent_to": "e**@example.com" })
    );
    let second = app.answer(&step_token(&first), "right one").await;
    second.assert_problem(401, "insufficient_user_authentication");
    assert_eq!(second.json()["step"], "key");
    let tokens = app.answer(&step_token(&second), "right two").await.tokens();
    assert_eq!(
        app.get("/strong", &tokens.access).await.status,
        StatusCode::OK
    );
}

/// rotation.md section 3: what was proved before "sign out everywhere" opens nothing afterwards.
#[tokio::test]
async fn a_password_that_changes_between_the_steps_ends_the_sign_in() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    app.clock.advance(Duration::from_secs(10));
    app.gate
        .credentials_changed(&ADA, EndSessions::All)
        .await
        .unwrap();
    app.clock.advance(Duration::from_secs(10));
    app.answer(&token, "right")
        .await
        .assert_problem(401, "invalid_credentials");
    assert!(app.gate.sessions().of(ADA).await.unwrap().is_empty());
}

/// Nor does one that is begun before a change that keeps another session.
#[tokio::test]
async fn a_change_that_keeps_a_session_ends_the_sign_ins_that_wait() {
    let app = App::new().await;
    let tokens = app.strong().await;
    let keep = app.gate.sessions().of(ADA).await.unwrap()[0].session_id;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let waiting = step_token(&app.sign_in("ada@example.com").await);
    let renewing = step_token(&app.prove_again(&tokens.access, login).await);
    app.clock.advance(Duration::from_secs(10));
    let others = EndSessions::Others { keep };
    app.gate.credentials_changed(&ADA, others).await.unwrap();
    app.answer(&waiting, "right")
        .await
        .assert_problem(401, "invalid_credentials");
    let proof = json!({ "step_token": renewing, "code": "right too" });
    app.prove_again(&tokens.access, proof)
        .await
        .assert_problem(401, "invalid_credentials");
    assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 1);
}

/// Right after a change of the password both factors are right, and the code is asked for once. The
/// password is checked twice, for the first time may have seen the old one.
#[tokio::test]
async fn a_sign_in_with_a_step_works_within_a_second_of_a_change() {
    for after in [0, 1, 999, 1000, 1001] {
        let app = App::new().await;
        app.clock.advance(Duration::from_secs(10));
        app.gate
            .credentials_changed(&ADA, EndSessions::All)
            .await
            .unwrap();
        app.clock.advance(Duration::from_millis(after));
        let before = app.gate.backend().logins.load(Ordering::SeqCst);
        let asked = app.sign_in("ada@example.com").await;
        asked.assert_problem(401, "insufficient_user_authentication");
        let logins = app.gate.backend().logins.load(Ordering::SeqCst) - before;
        assert_eq!(logins, if after <= 1000 { 2 } else { 1 }, "{after} ms");
        let opened = app.answer(&step_token(&asked), "right").await;
        assert_eq!(opened.status, StatusCode::OK, "{after} ms: {}", opened.text);
        assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 1);
        assert_eq!(app.gate.sessions().of(ADA).await.unwrap().len(), 1);
    }
}

/// The state of the subject at the first step has to hold to the last one, to the millisecond.
#[tokio::test]
async fn a_change_within_the_same_second_still_ends_a_sign_in_that_waits() {
    let app = App::new().await;
    app.clock.advance(Duration::from_secs(10));
    let change = async || {
        let changed = app.gate.credentials_changed(&ADA, EndSessions::All).await;
        changed.unwrap();
    };
    change().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    change().await;
    app.answer(&token, "right")
        .await
        .assert_problem(401, "invalid_credentials");
    assert!(app.gate.sessions().of(ADA).await.unwrap().is_empty());
}

/// An old password that was checked while it was changed is checked again, and a subject that goes
/// on changing is 503.
#[tokio::test]
async fn a_password_that_changes_during_the_first_step_is_checked_again() {
    let app = App::new().await;
    app.clock.advance(Duration::from_secs(10));
    let (gate, changes) = (app.gate.clone(), Arc::new(AtomicU64::new(1)));
    let left = Arc::clone(&changes);
    app.gate.backend().in_login.set(move || {
        let (gate, left) = (gate.clone(), Arc::clone(&left));
        async move {
            let less = |left: u64| left.checked_sub(1);
            let more = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
            if more.is_ok() {
                let changed = gate.credentials_changed(&ADA, EndSessions::All).await;
                changed.unwrap();
            }
        }
    });
    let token = step_token(&app.sign_in("ada@example.com").await);
    assert_eq!(app.gate.backend().logins.load(Ordering::SeqCst), 2);
    _ = app.answer(&token, "right").await.tokens();
    changes.store(9, Ordering::SeqCst);
    app.sign_in("ada@example.com")
        .await
        .assert_problem(503, "unavailable");
    assert_eq!(app.gate.backend().logins.load(Ordering::SeqCst), 4);
}

/// "503: nothing changed": whichever operation of the store fails, the same token is answered when
/// the store is back.
#[tokio::test]
async fn a_store_that_fails_burns_no_step() {
    for (operation, code) in [
        ("read_once", "right and lost"),
        ("put_once", "right and lost"),
        ("open_session", "right and lost"),
        ("read_once", "wrong"),
        ("put_once", "wrong"),
        ("take_once", "wrong"),
    ] {
        let store = OtherStore::new();
        let app = App::on(store.clone(), ThrottleSettings::off()).await;
        let token = step_token(&app.sign_in("ada@example.com").await);
        store.on_each(move |name| match name == operation {
            true => Act::Fail,
            false => Act::Run,
        });
        let failed = app.answer(&token, code).await;
        failed.assert_problem(503, "unavailable");
        store.behave();
        if operation == "take_once" {
            // It could not be let go of either, and is held for half a minute at most.
            app.answer(&token, "right and early")
                .await
                .assert_problem(503, "unavailable");
            app.clock.advance(Duration::from_secs(30));
        }
        let opened = app.answer(&token, "right").await;
        assert_eq!(
            opened.status,
            StatusCode::OK,
            "{operation}: {}",
            opened.text
        );
        app.answer(&token, "right again")
            .await
            .assert_problem(401, "invalid_credentials");
        assert_eq!(app.gate.sessions().of(ADA).await.unwrap().len(), 1);
    }
}

/// The same where a session is renewed.
#[tokio::test]
async fn a_store_that_fails_burns_no_step_of_a_renewal() {
    let store = OtherStore::new();
    let app = App::on(store.clone(), ThrottleSettings::off()).await;
    let tokens = app.strong().await;
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let token = step_token(&app.prove_again(&tokens.access, login).await);
    store.on_each(|name| match name {
        "reauthenticate" => Act::Fail,
        _ => Act::Run,
    });
    let proof = |code: &str| json!({ "step_token": token, "code": code });
    app.prove_again(&tokens.access, proof("right and lost"))
        .await
        .assert_problem(503, "unavailable");
    store.behave();
    let proved = app.prove_again(&tokens.access, proof("right")).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.text);
    app.prove_again(&tokens.access, proof("right once more"))
        .await
        .assert_problem(401, "invalid_credentials");
}

/// While one answer is looked at, another one is no guess: the client may come again.
#[tokio::test]
async fn an_answer_that_comes_while_another_is_looked_at_is_not_asked_about() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    let (other, second) = (app.0.clone(), token.clone());
    let beside = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&beside);
    app.gate.backend().in_step.set(move || {
        let (app, token, slot) = (other.clone(), second.clone(), Arc::clone(&slot));
        async move {
            app.gate.backend().in_step.clear();
            let body = json!({ "step_token": token, "code": "right beside" });
            let answer = app.post("/auth/signin/step", body).await;
            *slot.lock().unwrap() = Some(answer);
        }
    });
    _ = app.answer(&token, "right").await.tokens();
    let beside = beside.lock().unwrap().take().unwrap();
    beside.assert_problem(503, "unavailable");
    assert_eq!(beside.headers["retry-after"], "1");
    assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 1);
}

/// R114 end to end: the policy says what is missing, the client proves it, and the session
/// remembers.
#[tokio::test]
async fn r114_a_second_authentication_with_a_step_raises_the_session() {
    let app = App::new().await;
    let tokens = app.strong().await;
    app.clock.advance(Duration::from_secs(301));
    let stale = app.get("/fresh", &tokens.access).await;
    stale.assert_problem(401, "insufficient_user_authentication");
    let challenge = stale.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("max_age=\"300\""), "{challenge}");
    assert_eq!(
        app.get("/strong", &tokens.access).await.status,
        StatusCode::OK
    );

    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let asked = app.prove_again(&tokens.access, login.clone()).await;
    asked.assert_problem(401, "insufficient_user_authentication");
    let token = step_token(&asked);
    // A step that renews a session opens none, and renews no other.
    app.answer(&token, "right")
        .await
        .assert_problem(401, "invalid_credentials");
    let token = step_token(&app.prove_again(&tokens.access, login.clone()).await);
    let grace = app.sign_in("grace@example.com").await.tokens();
    let elsewhere = app
        .prove_again(
            &grace.access,
            json!({ "step_token": token, "code": "right elsewhere" }),
        )
        .await;
    elsewhere.assert_problem(401, "invalid_credentials");
    app.get("/strong", &grace.access)
        .await
        .assert_problem(401, "insufficient_user_authentication");

    let token = step_token(&app.prove_again(&tokens.access, login).await);
    let proved = app
        .prove_again(
            &tokens.access,
            json!({ "step_token": token, "code": "right again" }),
        )
        .await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.text);
    let access = proved.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(app.get("/fresh", &access).await.status, StatusCode::OK);
    let refreshed = app.post(
        "/auth/refresh-access",
        json!({ "refresh_token": tokens.refresh, "device_id": "0123456789abcdef" }),
    );
    assert_eq!(
        app.get("/fresh", &refreshed.await.tokens().access)
            .await
            .status,
        StatusCode::OK
    );
}

/// R114: what the challenge of a policy on `acr` says.
#[tokio::test]
async fn r114_a_policy_on_acr_names_what_it_wants() {
    let app = App::new().await;
    let grace = app.sign_in("grace@example.com").await.tokens();
    let refused = app.get("/strong", &grace.access).await;
    refused.assert_problem(401, "insufficient_user_authentication");
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains(&format!("acr_values=\"{TWO_FACTORS}\"")),
        "{challenge}"
    );
}

/// R124 for codes: an attacker who has the password guesses no more codes than the budget has, over
/// all sign-ins.
#[tokio::test]
async fn answers_to_steps_have_a_budget_of_their_own() {
    let mut throttle = ThrottleSettings::off();
    throttle.step = Allowance::per(4, Duration::from_secs(900));
    let app = App::with(throttle).await;
    for number in 0..4 {
        let token = step_token(&app.sign_in("ada@example.com").await);
        app.answer(&token, &format!("guess {number}"))
            .await
            .assert_problem(401, "invalid_credentials");
    }
    let token = step_token(&app.sign_in("ada@example.com").await);
    let refused = app.answer(&token, "right").await;
    refused.assert_problem(429, "too_many_requests");
    assert_eq!(refused.headers["retry-after"], "225");
    assert_eq!(app.gate.backend().answers.load(Ordering::SeqCst), 4);
    app.clock.advance(Duration::from_secs(225));
    _ = app.answer(&token, "right").await.tokens();
}

/// R124: a stranger who knows the password uses up what strangers have. The owner's known device
/// answers, a new one waits, and after each change of the password it does not.
#[tokio::test]
async fn r124_a_stranger_who_knows_the_password_does_not_lock_out_a_known_device() {
    let mut throttle = ThrottleSettings::off();
    throttle.step = Allowance::per(4, Duration::from_secs(900));
    let app = App::with(throttle).await;
    let step_on = async |device: &str| {
        let login =
            json!({ "email": "ada@example.com", "password": PASSWORD, "device_id": device });
        step_token(&app.post("/auth/signin", login).await)
    };
    let (own, new) = ("the owner's own device", "a device never seen before");
    let tokens = app.answer(&step_on(own).await, "right 0").await.tokens();
    let use_up = async || {
        for number in 0..8 {
            let token = step_on(&format!("the device of a stranger, {number}")).await;
            app.answer(&token, "wrong").await;
        }
    };
    use_up().await;
    app.answer(&step_on(new).await, "right 1")
        .await
        .assert_problem(429, "too_many_requests");
    _ = app.answer(&step_on(own).await, "right 2").await.tokens();

    // So does a session that was opened on the known device and proves its user again.
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    let token = step_token(&app.prove_again(&tokens.access, login).await);
    let proof = json!({ "step_token": token, "code": "right 3" });
    let proved = app.prove_again(&tokens.access, proof).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.text);

    // A known device that is stolen has a budget of its own, and no more.
    for _ in 0..8 {
        app.answer(&step_on(own).await, "wrong").await;
    }
    app.answer(&step_on(own).await, "right 4")
        .await
        .assert_problem(429, "too_many_requests");

    let keep = app.gate.sessions().of(ADA).await.unwrap()[0].session_id;
    for (number, sessions) in [EndSessions::Others { keep }, EndSessions::All]
        .into_iter()
        .enumerate()
    {
        app.clock.advance(Duration::from_secs(2));
        app.gate.credentials_changed(&ADA, sessions).await.unwrap();
        app.clock.advance(Duration::from_secs(2));
        let code = format!("right after change {number}");
        _ = app.answer(&step_on(new).await, &code).await.tokens();
        use_up().await;
        app.answer(&step_on("another new device").await, "right 5")
            .await
            .assert_problem(429, "too_many_requests");
    }
}

/// R124: a code that is guessed slowly is guessed a hundred times, and three times a day after
/// that.
#[tokio::test]
async fn r124_answers_to_steps_are_limited_in_the_long_run() {
    let mut throttle = ThrottleSettings::off();
    throttle.step_long = ThrottleSettings::default().step_long;
    let app = App::with(throttle).await;
    for number in 0..300 {
        let token = step_token(&app.sign_in("ada@example.com").await);
        app.answer(&token, &format!("guess {number}")).await;
        app.clock.advance(Duration::from_secs(120));
    }
    // Ten hours: a hundred at once, and one more every 7.2 hours.
    let guesses = app.gate.backend().answers.load(Ordering::SeqCst);
    assert_eq!(guesses, 101);
}

/// R129: a sign-in with a step is two events, and neither holds a token, a code or a note.
#[tokio::test]
async fn r129_a_step_is_told_of() {
    let app = App::new().await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    let wrong = app.answer(&token, "wrong code").await;
    _ = app.answer(&step_token(&wrong), "right code").await.tokens();
    let heard = app.heard();
    let kinds: Vec<_> = heard.iter().map(|event| event.kind.clone()).collect();
    let step = EventKind::StepRequired {
        kind: "totp".to_owned(),
    };
    assert_eq!(
        kinds,
        [
            step,
            EventKind::SignInRefused(Code::InvalidCredentials),
            EventKind::SignedIn
        ]
    );
    // Whose step it was is known; the client did not learn it.
    for event in &heard {
        assert_eq!(event.subject.as_deref(), Some("1"));
    }
    assert!(!wrong.text.contains("subject"), "{}", wrong.text);
    for event in &heard {
        let line = event.to_string();
        assert!(
            !["note", "code\"", "tgs1_", "right", "wrong"]
                .iter()
                .any(|word| line.contains(word)),
            "{line}"
        );
    }
}

#[tokio::test]
async fn malformed_answers_are_malformed_requests() {
    let app = App::new().await;
    for body in [
        json!({}),
        json!({ "code": "1" }),
        json!({ "step_token": 1, "code": "1" }),
        json!([]),
        json!("x"),
    ] {
        app.post("/auth/signin/step", body)
            .await
            .assert_problem(400, "invalid_request");
    }
    let token = step_token(&app.sign_in("ada@example.com").await);
    let without = app
        .post("/auth/signin/step", json!({ "step_token": token }))
        .await;
    without.assert_problem(401, "invalid_credentials");
    _ = app.answer(&step_token(&without), "right").await.tokens();
}

/// A backend that answers another user than the step was for opens nobody's session.
#[tokio::test]
async fn a_step_lets_in_nobody_but_the_one_it_was_for() {
    for code in ["right, and Grace's", "right, and more of Grace"] {
        let app = App::new().await;
        let token = step_token(&app.sign_in("ada@example.com").await);
        let answer = app.answer(&token, code).await;
        assert!(!answer.status.is_success(), "{}", answer.text);
        assert!(answer.json().get("step_token").is_none(), "{}", answer.text);
        for id in [ADA, 2, EVE] {
            assert!(app.gate.sessions().of(id).await.unwrap().is_empty());
        }
    }
}

/// The hash under which the store keeps a step.
fn kept_under(token: &str) -> [u8; 32] {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    hash.as_ref().try_into().unwrap()
}

/// A step that was taken while its answer was looked at, as by another node.
#[tokio::test]
async fn an_answer_that_comes_second_is_told_of() {
    let store = MemoryStore::new();
    let app = App::on(store.clone(), ThrottleSettings::off()).await;
    let token = step_token(&app.sign_in("ada@example.com").await);
    let (hash, now) = (kept_under(&token), app.clock.now());
    app.gate.backend().in_step.set(move || {
        let store = store.clone();
        async move {
            let taken = store.take_once("step".to_owned(), hash, now).await;
            assert!(taken.unwrap().is_some());
        }
    });
    drop(app.heard());
    let second = app.answer(&token, "right").await;
    second.assert_problem(401, "invalid_credentials");
    let heard = app.heard();
    let kinds: Vec<_> = heard.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, [EventKind::SignInRefused(Code::InvalidCredentials)]);
    assert_eq!(heard[0].subject.as_deref(), Some("1"));
}

/// A release before wrote steps without a mark, which `Before::SeveralGates` ends all the same.
#[tokio::test]
async fn a_step_of_the_release_before_does_not_outlive_the_end_of_every_session() {
    for (several, is_after) in [(false, false), (true, false), (true, true)] {
        let store = MemoryStore::new();
        let app = App::on(store.clone(), ThrottleSettings::off()).await;
        // A live session, so that the first named realm has to say whose it is.
        let _ = app.sign_in("grace@example.com").await.tokens();
        let open = async || {
            let before = match several {
                true => Before::SeveralGates,
                false => Before::OneGate,
            };
            let desk = Members::default().gate().share(&app.gate).realm("staff");
            let desk = desk
                .audience("https://staff.example.com")
                .realm_before(before);
            drop(desk.build().await.unwrap());
        };
        if is_after {
            open().await;
            app.wait(2);
        }
        let token = step_token(&app.sign_in("ada@example.com").await);
        let (hash, now) = (kept_under(&token), app.clock.now());
        let kept = store.take_once("step".to_owned(), hash, now).await.unwrap();
        let mut kept: Value = serde_json::from_slice(&kept.unwrap()).unwrap();
        assert!(
            kept.as_object_mut()
                .unwrap()
                .remove("mark")
                .unwrap()
                .is_u64()
        );
        let unmarked = OnceValue {
            kind: "step".to_owned(),
            hash,
            payload: serde_json::to_vec(&kept).unwrap(),
            until: now.plus(Duration::from_secs(300)),
            bound: None,
        };
        assert!(store.put_once(unmarked, now).await.unwrap());
        if !is_after {
            open().await;
        }
        let answer = app.answer(&token, "right").await;
        if several && !is_after {
            answer.assert_problem(401, "invalid_credentials");
        } else {
            let _ = answer.tokens();
        }
        let of_grace = app.gate.sessions().of(2).await.unwrap();
        assert_eq!(of_grace.is_empty(), several);
    }
}

/// A handler that is slow hears when a sign-in happened, and not when its turn came; a sign-in with
/// a further step is one sign-in, at the time of the step's answer.
#[tokio::test]
async fn a_sign_in_touches_the_last_login_at_its_own_time() {
    let touched: Arc<Mutex<Vec<(String, Timestamp)>>> = Arc::default();
    let kept = Arc::clone(&touched);
    let (release, released) = tokio::sync::watch::channel(false);
    let events = Events::new().touch_last_login(8, move |subject, at| {
        let (kept, mut released) = (Arc::clone(&kept), released.clone());
        async move {
            released.wait_for(|released| *released).await.unwrap();
            kept.lock().unwrap().push((subject, at));
        }
    });
    let app = App::builder()
        .throttle(ThrottleSettings::off())
        .change(move |gate| gate.events(events));
    let app = App(app.build().await);
    let first = app.clock.now();
    assert_eq!(
        app.sign_in("grace@example.com").await.status,
        StatusCode::OK
    );
    app.wait(60);
    let token = step_token(&app.sign_in("ada@example.com").await);
    app.wait(60);
    let second = app.clock.now();
    _ = app.answer(&token, "right").await.tokens();
    app.wait(60);
    release.send(true).unwrap();
    let all = async {
        while touched.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), all).await;
    assert!(all.is_ok(), "two sign-ins: {touched:?}");
    assert_eq!(
        *touched.lock().unwrap(),
        [("2".to_owned(), first), ("1".to_owned(), second)]
    );
    let heard = app.heard().into_iter();
    let times = heard.filter(|event| event.kind == EventKind::SignedIn);
    let times: Vec<_> = times.map(|event| event.at).collect();
    assert_eq!(times, [Some(first), Some(second)]);
}
