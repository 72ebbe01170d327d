//! One node: a program like any other, whose store and keys others have too.

use std::env;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tollgate::prelude::*;
use tollgate::store::{PostgresStore, RedisStore, Store};

use crate::accounts::{Accounts, User, UserClaims};
use crate::figures::Figures;

/// Serves until `stop` comes. It is told what it needs by the environment:
///
/// * `STORE_URL`: `postgres://…` or `redis://…`, the same for all nodes;
/// * `KEY_DIR`: the folder of the keys, the same for all nodes;
/// * `NODE`: a name, which every answer carries as `x-node`;
/// * `PORT`: where it listens, any free port where it is 0;
/// * `METRICS_PORT`: where Prometheus reads the figures, any free port where it is not set;
/// * `TOLLGATE_ISSUER`, `TOLLGATE_AUDIENCE` and whatever else tollgate's settings have, the same
///   for all nodes.
pub(crate) async fn run(
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("`{name}` is not set"));
    let port: u16 = variable("PORT")?
        .parse()
        .map_err(|_| "PORT must be a number up to 65535")?;
    let metrics_port: u16 = env::var("METRICS_PORT")
        .map_or(Ok(0), |port| port.parse())
        .map_err(|_| "METRICS_PORT must be a number up to 65535")?;
    let name = HeaderValue::from_str(&variable("NODE")?)?;
    // Before the gate, which describes its figures when it is built.
    let figures = Figures::install()?;
    let passwords = Passwords::new();
    let accounts = Accounts::new(passwords.clone())
        .await
        .map_err(|refused| format!("the users cannot be made: {refused:?}"))?;

    let gate = accounts
        .gate()
        .settings(Settings::load()?)
        .passwords(&passwords)
        .keys(KeyRing::open(variable("KEY_DIR")?).await?)
        .store(open(&variable("STORE_URL")?).await?)
        .build()
        .await?;
    let app = Router::new()
        .route("/me", get(me))
        .route("/health", get(health));
    let app = gate
        .install(app)
        .with_state(gate.clone())
        .layer(map_response(move |mut response: Response| {
            response.headers_mut().insert("x-node", name.clone());
            std::future::ready(response)
        }));

    // On a port of their own, which no proxy passes on: the figures show how many users sign in and
    // how many attempts fail.
    let metrics = Router::new().route("/metrics", get(async move || figures.render()));
    let metrics_listener = bind(metrics_port).await?;
    println!("metrics on http://{}", metrics_listener.local_addr()?);
    tokio::spawn(axum::serve(metrics_listener, metrics).into_future());

    let listener = bind(port).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop)
        .await?;
    gate.shutdown().await?;
    Ok(())
}

async fn bind(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))
}

/// The store that an address names.
async fn open(url: &str) -> Result<Store, tollgate::error::Error> {
    if url.starts_with("postgres") {
        Ok(PostgresStore::connect(url).await?.into())
    } else {
        Ok(RedisStore::connect(url).await?.into())
    }
}

/// Returns who is signed in. No node asks the store for this.
async fn me(user: Auth<User>) -> Json<UserClaims> {
    Json(user.into_claims())
}

/// Returns 204 where this node should get requests, and otherwise 503: for the load balancer.
async fn health(gate: axum::extract::State<Gate<Accounts>>) -> StatusCode {
    if gate.health().await.is_well {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
