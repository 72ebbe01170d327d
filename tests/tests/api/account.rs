//! Changes of an account that an application reports: which sessions and tokens end, and which go
//! on.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use tollgate::event::EventKind;
use tollgate::prelude::*;
use tollgate::routing::post;
use tollgate_tests::{Accounts, App, PASSWORD, Role, Tokens, User};

const ADA: &str = "ada@example.com";

/// Returns which parts of a session still work: its access token, its refresh token.
async fn alive(app: &App, tokens: &Tokens) -> (bool, bool) {
    let access = app.get("/me", &tokens.access).await.status;
    (
        access == StatusCode::OK,
        app.post("/auth/verify", json!({ "token": tokens.refresh }))
            .await
            .status
            == StatusCode::OK,
    )
}

const BOTH: (bool, bool) = (true, true);
const NONE: (bool, bool) = (false, false);

/// R92.
#[tokio::test]
async fn a_new_password_ends_every_session_or_every_other_one() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    let (mine, stolen) = (app.sign_in(ADA).await, app.sign_in(ADA).await);
    // One that has rotated, so that its first access token is older than its session's generation.
    let rotated = app.sign_in(ADA).await;
    app.wait(60);
    let rotated_on = app.refresh(&rotated.refresh).await.tokens();
    let grace = app.sign_in("grace@example.com").await;
    let keep = mine.session.parse().unwrap();

    let revoked = app
        .gate
        .credentials_changed(&ada, EndSessions::Others { keep })
        .await
        .unwrap();
    assert_eq!(revoked.sessions, 2);
    for (tokens, expected) in [
        (&mine, BOTH),
        (&stolen, NONE),
        (&rotated, NONE),
        (&rotated_on, NONE),
        (&grace, BOTH),
    ] {
        assert_eq!(alive(&app, tokens).await, expected);
    }
    app.wait(60);
    let mine = app.refresh(&mine.refresh).await.tokens();
    assert_eq!(alive(&app, &mine).await, BOTH, "the kept session goes on");
    app.refresh(&stolen.refresh)
        .await
        .assert_problem(401, "invalid_grant");

    let by_hand = app
        .gate
        .issue(&app.accounts.user(ADA), Duration::from_secs(60))
        .await
        .unwrap();
    let revoked = app
        .gate
        .credentials_changed(&ada, EndSessions::All)
        .await
        .unwrap();
    assert_eq!(revoked.sessions, 1);
    for (tokens, expected) in [(&mine, NONE), (&grace, BOTH)] {
        assert_eq!(alive(&app, tokens).await, expected);
    }
    app.get("/me", &by_hand)
        .await
        .assert_problem(401, "invalid_token");
    app.wait(2);
    assert_eq!(
        alive(&app, &app.sign_in(ADA).await).await,
        BOTH,
        "who knows the new password gets in"
    );
}

/// R92: to keep the session of somebody else keeps nothing.
#[tokio::test]
async fn a_session_of_another_user_is_not_one_to_keep() {
    let app = App::new().await;
    let (ada, grace) = (
        app.sign_in(ADA).await,
        app.sign_in("grace@example.com").await,
    );
    let keep = grace.session.parse().unwrap();
    app.gate
        .credentials_changed(&app.accounts.id_of(ADA), EndSessions::Others { keep })
        .await
        .unwrap();
    assert_eq!(
        (alive(&app, &ada).await, alive(&app, &grace).await),
        (NONE, BOTH)
    );
}

/// R92, rotation.md section 3: a sign-in that checked the old password before the change opens no
/// session after it.
#[tokio::test]
async fn a_sign_in_with_the_old_password_under_way_gets_no_session() {
    for end_all in [true, false] {
        let app = App::new().await;
        let ada = app.accounts.id_of(ADA);
        let mine = app.sign_in(ADA).await;
        app.wait(60);
        let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
        let keep: SessionId = mine.session.parse().unwrap();
        app.accounts.in_authenticate.set(move || {
            let (gate, accounts) = (gate.clone(), accounts.clone());
            async move {
                accounts.set_password(ADA, "another one");
                let sessions = if end_all {
                    EndSessions::All
                } else {
                    EndSessions::Others { keep }
                };
                gate.credentials_changed(&ada, sessions).await.unwrap();
                accounts.in_authenticate.clear();
            }
        });
        let answer = app
            .post(
                "/auth/signin",
                json!({ "email": ADA, "password": PASSWORD }),
            )
            .await;
        answer.assert_problem(401, "invalid_credentials");
        let left = app.gate.sessions().of(ada).await.unwrap();
        assert_eq!(
            left.iter()
                .map(|session| session.session_id)
                .collect::<Vec<_>>(),
            if end_all { vec![] } else { vec![keep] }
        );
    }
}

/// R92: a refresh of another session that is under way while the password changes brings nothing.
#[tokio::test]
async fn a_refresh_of_another_session_under_way_brings_nothing() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    let (mine, stolen) = (app.sign_in(ADA).await, app.sign_in(ADA).await);
    app.wait(60);
    let (gate, accounts, keep) = (
        app.gate.clone(),
        app.accounts.clone(),
        mine.session.parse().unwrap(),
    );
    app.accounts.in_refresh.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            accounts.in_refresh.clear();
            gate.credentials_changed(&ada, EndSessions::Others { keep })
                .await
                .unwrap();
        }
    });
    app.refresh(&stolen.refresh)
        .await
        .assert_problem(401, "invalid_grant");
    assert_eq!(alive(&app, &mine).await, BOTH);
}

#[tokio::test]
async fn new_roles_count_at_once_or_with_the_next_refresh() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    let (tokens, grace) = (
        app.sign_in(ADA).await,
        app.sign_in("grace@example.com").await,
    );

    app.accounts.set_roles(ADA, vec![Role::Editor]);
    app.gate
        .claims_changed(&ada, Access::UntilExpiry)
        .await
        .unwrap();
    assert_eq!(
        app.get("/admin", &tokens.access).await.status,
        StatusCode::OK,
        "the old role, until it runs out"
    );
    app.wait(60);
    let refreshed = app.refresh(&tokens.refresh).await.tokens();
    app.get("/admin", &refreshed.access)
        .await
        .assert_problem(403, "forbidden");

    app.accounts.set_roles(ADA, vec![Role::Admin]);
    let revoked = app
        .gate
        .claims_changed(&ada, Access::RefreshNow)
        .await
        .unwrap();
    assert_eq!(revoked.sessions, 0, "nobody is signed out");
    assert_eq!(
        (alive(&app, &refreshed).await, alive(&app, &grace).await),
        ((false, true), BOTH)
    );
    app.wait(60);
    let refreshed = app.refresh(&refreshed.refresh).await.tokens();
    assert_eq!(
        app.get("/admin", &refreshed.access).await.status,
        StatusCode::OK
    );
}

/// rotation.md section 3: a refresh that loaded the old roles before the change makes a token that
/// is dead already.
#[tokio::test]
async fn a_refresh_with_the_old_roles_under_way_makes_a_dead_token() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    let tokens = app.sign_in(ADA).await;
    app.wait(60);
    let (gate, accounts) = (app.gate.clone(), app.accounts.clone());
    app.accounts.in_refresh.set(move || {
        let (gate, accounts) = (gate.clone(), accounts.clone());
        async move {
            accounts.in_refresh.clear();
            accounts.set_roles(ADA, vec![]);
            gate.claims_changed(&ada, Access::RefreshNow).await.unwrap();
        }
    });
    let late = app.refresh(&tokens.refresh).await.tokens();
    app.get("/admin", &late.access)
        .await
        .assert_problem(401, "invalid_token");
    app.wait(60);
    let next = app.refresh(&late.refresh).await.tokens();
    app.get("/admin", &next.access)
        .await
        .assert_problem(403, "forbidden");
}

/// A backend that refreshes from stored claims, over the users of the other one.
#[auth_backend(email, user = User, refresh(from = stored))]
#[derive(Clone)]
struct Stored(Accounts);

impl Authenticate for Stored {
    async fn authenticate(&self, login: EmailLogin, client: &Client) -> Result<User, AuthError> {
        self.0.authenticate(login, client).await
    }
}

/// No session may bring the old roles back: with stored claims they end, whatever becomes of the
/// access tokens.
#[tokio::test]
async fn sessions_that_remember_the_old_roles_end_with_them() {
    for (access, expected) in [
        (Access::RefreshNow, NONE),
        (Access::UntilExpiry, (true, false)),
    ] {
        let accounts = Accounts::seeded();
        let (gate, clock) = tollgate::testing::ready(Stored(accounts.clone()).gate()).unwrap();
        let gate = gate.build().await.unwrap();
        let client = Client::unknown();
        let (user, ada) = (accounts.user(ADA), accounts.id_of(ADA));
        let issued = gate.sign_in(user, &client).await.unwrap();
        let token = issued.refresh_token.expose().to_owned();
        clock.advance(Duration::from_secs(60));
        let issued = gate.refresh(&token, &client).await.unwrap();
        accounts.set_roles(ADA, vec![]);

        let revoked = gate.claims_changed(&ada, access).await.unwrap();
        assert_eq!(revoked.sessions, 1, "{access:?}");
        clock.advance(Duration::from_secs(60));
        let refreshed = gate.refresh(issued.refresh_token.expose(), &client).await;
        assert_eq!(
            (
                gate.verify(&issued.access_token).await.is_ok(),
                refreshed.is_ok()
            ),
            expected,
            "{access:?}"
        );
    }
}

/// R129.
#[tokio::test]
async fn the_event_says_why_sessions_ended() {
    let app = App::new().await;
    let ada = app.accounts.id_of(ADA);
    app.gate
        .credentials_changed(&ada, EndSessions::All)
        .await
        .unwrap();
    app.gate
        .claims_changed(&ada, Access::RefreshNow)
        .await
        .unwrap();
    let reasons: Vec<_> = app
        .heard()
        .iter()
        .map(|event| match &event.kind {
            EventKind::Revoked { reason, .. } => (event.subject.clone(), *reason),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        reasons,
        [
            (Some(ada.to_string()), "password_changed"),
            (Some(ada.to_string()), "roles_changed")
        ]
    );
}

/// The flow of a user's own handler, over HTTP: the caller's session goes on, and no other one.
#[tokio::test]
async fn a_handler_changes_the_password_and_keeps_its_caller_signed_in() {
    async fn change(
        user: Auth<User>,
        State(gate): State<Gate<Accounts>>,
        password: String,
    ) -> Result<StatusCode, StatusCode> {
        gate.backend().set_password(ADA, &password);
        let end = user
            .token()
            .sid()
            .map_or(EndSessions::All, |keep| EndSessions::Others { keep });
        gate.credentials_changed(user.subject(), end)
            .await
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        Ok(StatusCode::NO_CONTENT)
    }
    let app = App::new().await;
    let router = Router::new()
        .route("/me", get(async |_: Auth<User>| "me"))
        .merge(ProtectedRouter::new().route("/password", post(change)));
    let app = app.serving(app.gate.install(router).with_state(app.gate.clone()));
    let (mine, other) = (app.sign_in(ADA).await, app.sign_in(ADA).await);
    assert_eq!(
        app.post_as("/password", &mine.access, Some(json!("another one")))
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        (alive(&app, &mine).await, alive(&app, &other).await),
        (BOTH, NONE)
    );
}
