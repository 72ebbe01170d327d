//! A transaction of the program, in which a session is opened or ended together with its own rows.

use axum::routing::post;
use axum::{Extension, Router};
use http::{Request, StatusCode};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate::store::PostgresStore;
use tollgate_tests::support::postgres::{Database, Server};
use tollgate_tests::{Accounts, App};

struct Place {
    app: App,
    pool: PgPool,
    _database: Database,
}

/// Registers a user with an address and a friend, who must be there when the transaction ends.
async fn register(
    _: Public,
    flow: AuthFlow<Accounts>,
    Extension(pool): Extension<PgPool>,
    friend: String,
) -> Result<SignedIn, Rejection> {
    let mut transaction = pool.begin().await?;
    if friend == "serializable" {
        sqlx::query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query(
        "INSERT INTO app_users(email, friend) VALUES (gen_random_uuid()::text, nullif($1, ''))",
    )
    .bind(friend.trim_start_matches("serializable"))
    .execute(&mut *transaction)
    .await?;
    let user = flow.gate().backend().user("ada@example.com");
    let allowed = Allowed::uncounted("a test");
    flow.open_in(transaction, allowed, &user).await
}

impl Place {
    async fn new(settings: Settings) -> Option<Self> {
        let database = Server::shared()?.database().await;
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect(&database.url)
            .await
            .unwrap();
        sqlx::query(
            "CREATE TABLE app_users(email text PRIMARY KEY,
                 friend text REFERENCES app_users(email) DEFERRABLE INITIALLY DEFERRED)",
        )
        .execute(&pool)
        .await
        .unwrap();
        let options = pool.connect_options();
        let store = PostgresStore::from_options(&options).schema("auth");
        let app = App::on(store.connect().await.unwrap(), settings).await;
        let router = Router::new()
            .route("/register", post(register))
            .layer(Extension(pool.clone()))
            .with_state(app.gate.clone())
            .merge(tollgate_tests::routes(&app.gate));
        Some(Self {
            app: app.serving(router),
            pool,
            _database: database,
        })
    }

    async fn register(&self, friend: &str) -> tollgate_tests::Answer {
        let body = axum::body::Body::from(friend.to_owned());
        self.app
            .send(Request::post("/register").body(body).unwrap())
            .await
    }

    async fn users(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM app_users");
        count.fetch_one(&self.pool).await.unwrap()
    }

    async fn sessions(&self) -> usize {
        let ada = self.app.accounts.id_of("ada@example.com");
        self.app.gate.sessions().of(ada).await.unwrap().len()
    }

    async fn me(&self, token: &str) -> StatusCode {
        self.app.get("/me", token).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_and_their_first_session_are_written_together() {
    let Some(place) = Place::new(Settings::default()).await else {
        return;
    };
    let tokens = place.register("").await.tokens();
    assert_eq!((place.users().await, place.sessions().await), (1, 1));
    assert_eq!(place.me(&tokens.access).await, StatusCode::OK);
    place.app.wait(60);
    assert_eq!(
        place.app.refresh(&tokens.refresh).await.status,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_leaves_no_session_and_gives_no_token() {
    let Some(place) = Place::new(Settings::default()).await else {
        return;
    };
    let answer = place.register("nobody").await;
    answer.assert_problem(503, "unavailable");
    assert!(!answer.text.contains("token\""));
    assert_eq!((place.users().await, place.sessions().await), (0, 0));
    // A snapshot of before would not see what was revoked since.
    place
        .register("serializable")
        .await
        .assert_problem(503, "unavailable");
    assert_eq!((place.users().await, place.sessions().await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_opened_takes_the_transaction_along() {
    let mut settings = Settings::default();
    settings.session.device_limit = Some(1);
    settings.session.on_limit = OnLimit::Deny;
    let Some(place) = Place::new(settings).await else {
        return;
    };
    let _ = place.register("").await.tokens();
    place.register("").await.assert_problem(403, "forbidden");
    assert_eq!((place.users().await, place.sessions().await), (1, 1));
}

/// The session that the browser presents would fill the limit, and ends in the same transaction.
#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_that_it_replaces_end_in_the_same_transaction() {
    let mut settings = Settings::default();
    settings.session.device_limit = Some(1);
    settings.session.on_limit = OnLimit::Deny;
    settings.cookies.path = Some("/auth".to_owned());
    let Some(place) = Place::new(settings).await else {
        return;
    };
    let first = place.register("").await.tokens();
    let send = async |friend: &str| {
        let mut request = Request::post("/register")
            .header("cookie", format!("__Host-tollgate-access={}", first.access))
            .body(axum::body::Body::from(friend.to_owned()))
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        place.app.send(request).await
    };
    send("nobody").await.assert_problem(503, "unavailable");
    assert_eq!(
        place.me(&first.access).await,
        StatusCode::OK,
        "nothing was committed"
    );
    assert_eq!(send("").await.status, StatusCode::OK);
    assert_eq!(place.me(&first.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!((place.users().await, place.sessions().await), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_stands_and_falls_with_its_transaction() {
    let Some(place) = Place::new(Settings::default()).await else {
        return;
    };
    let gate = &place.app.gate;
    let ada = place.app.accounts.id_of("ada@example.com");
    let sign_in = async || place.app.sign_in("ada@example.com").await.access;
    let token = sign_in().await;

    let mut transaction = place.pool.begin().await.unwrap();
    let revoking = gate
        .revoke_in(&mut transaction, Revoke::subject(ada))
        .await
        .unwrap();
    // The names of the program mean its own tables again.
    sqlx::query("INSERT INTO app_users(email) VALUES ('x')")
        .execute(&mut *transaction)
        .await
        .unwrap();
    drop(revoking);
    transaction.rollback().await.unwrap();
    assert_eq!(place.me(&token).await, StatusCode::OK);
    assert_eq!(place.sessions().await, 1);

    let mut transaction = place.pool.begin().await.unwrap();
    let revoking = gate
        .revoke_in(&mut transaction, Revoke::subject(ada))
        .await
        .unwrap();
    assert_eq!(place.me(&token).await, StatusCode::OK, "not committed yet");
    transaction.commit().await.unwrap();
    let revoked = revoking.committed(gate).await;
    assert_eq!(revoked.sessions, 1);
    assert_eq!(place.me(&token).await, StatusCode::UNAUTHORIZED);

    // A dropped `Revoking` is learnt from the log.
    place.app.wait(5);
    let token = sign_in().await;
    let mut transaction = place.pool.begin().await.unwrap();
    drop(
        gate.revoke_in(&mut transaction, Revoke::subject(ada))
            .await
            .unwrap(),
    );
    transaction.commit().await.unwrap();
    let mut left = 1000;
    while place.me(&token).await == StatusCode::OK {
        left -= 1;
        assert!(left > 0, "the log does not tell of it");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_everybody_has_no_place_in_a_transaction() {
    let Some(place) = Place::new(Settings::default()).await else {
        return;
    };
    let mut transaction = place.pool.begin().await.unwrap();
    for revoke in [Revoke::everything(), Revoke::client("api")] {
        let refused = place.app.gate.revoke_in(&mut transaction, revoke).await;
        assert!(refused.is_err());
    }
    let other = App::new().await;
    let ada = other.accounts.id_of("ada@example.com");
    let refused = other
        .gate
        .revoke_in(&mut transaction, Revoke::subject(ada))
        .await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("transaction of PostgreSQL"), "{said}");
}
