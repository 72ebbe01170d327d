//! The limit of sessions of a subject, under a hundred sign-ins at once, on every store.

use http::StatusCode;
use serde_json::json;
use tollgate::prelude::*;
use tollgate::settings::OnLimit;
use tollgate::store::{PostgresStore, SqliteStore, Store};
use tollgate_tests::support::{postgres, redis};
use tollgate_tests::{App, PASSWORD};

const LIMIT: usize = 5;

/// R99: exactly as many sessions as there may be, in whatever order the requests come.
async fn race(store: Store) {
    for (on_limit, email) in [
        (OnLimit::Deny, "ada@example.com"),
        (OnLimit::EvictOldest, "grace@example.com"),
    ] {
        let mut settings = Settings::default();
        settings.session.device_limit = Some(5);
        settings.session.on_limit = on_limit;
        // The second gate has a ring of its own on the same store.
        settings.keys.accept_new = true;
        let app = App::on(store.clone(), settings).await;
        let attempts: Vec<_> = (0..100)
            .map(|_| {
                let app = app.clone();
                let body = json!({ "email": email, "password": PASSWORD });
                tokio::spawn(async move { app.post("/auth/signin", body).await })
            })
            .collect();
        let mut opened = Vec::new();
        for attempt in attempts {
            let answer = attempt.await.unwrap();
            match answer.status {
                StatusCode::OK => opened.push(answer.tokens()),
                _ => answer.assert_problem(403, "forbidden"),
            }
        }
        let living = app
            .gate
            .sessions()
            .of(app.accounts.id_of(email))
            .await
            .unwrap();
        assert_eq!(
            (living.len(), opened.len()),
            (
                LIMIT,
                if on_limit == OnLimit::Deny {
                    LIMIT
                } else {
                    100
                }
            ),
            "{on_limit:?}"
        );
        let mut admitted = 0;
        for tokens in &opened {
            let answer = app.get("/me", &tokens.access).await;
            let lives = living
                .iter()
                .any(|session| session.session_id.to_string() == tokens.session);
            assert_eq!(
                answer.status,
                if lives {
                    StatusCode::OK
                } else {
                    StatusCode::UNAUTHORIZED
                }
            );
            admitted += usize::from(lives);
        }
        assert_eq!(admitted, LIMIT);
        // One that ends makes room for one.
        let lives = |tokens: &&tollgate_tests::Tokens| {
            living
                .iter()
                .any(|one| one.session_id.to_string() == tokens.session)
        };
        let ending = opened.iter().find(lives).unwrap();
        app.post("/auth/signout", json!({ "refresh_token": ending.refresh }))
            .await;
        app.sign_in(email).await;
        assert_eq!(
            app.gate
                .sessions()
                .of(app.accounts.id_of(email))
                .await
                .unwrap()
                .len(),
            LIMIT
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r99_the_limit_is_exact_in_memory() {
    race(MemoryStore::new().into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r99_the_limit_is_exact_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    race(
        SqliteStore::open(folder.path().join("tollgate.db"))
            .await
            .unwrap()
            .into(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r99_the_limit_is_exact_on_redis() {
    let Some(store) = redis::store().await else {
        return;
    };
    race(store.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r99_the_limit_is_exact_on_postgresql() {
    let Some(server) = postgres::Server::shared() else {
        return;
    };
    let database = server.database().await;
    let long = std::time::Duration::from_secs(30);
    let options = PostgresStore::options(&database.url)
        .acquire_timeout(long)
        .lock_timeout(long)
        .statement_timeout(long);
    race(options.connect().await.unwrap().into()).await;
}
