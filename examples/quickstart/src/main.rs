//! The quickstart: an axum program with users of its own, behind a gate.

mod accounts;
mod banner;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use accounts::{Accounts, Admin, User, UserClaims};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tollgate::prelude::*;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")
        .map_or(Ok(3000), |port| port.parse())
        .map_err(|_| "PORT must be a number up to 65535")?;
    let folder = PathBuf::from(
        env::var_os("DATA_DIR")
            .filter(|name| !name.is_empty())
            .unwrap_or("./quickstart-data".into()),
    );
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;

    let users = folder.join("app.db");
    let passwords = Passwords::new();
    let accounts = Accounts::open(&users, passwords.clone()).await;
    let accounts = accounts.map_err(|error| match error {
        AuthError::Unavailable(cause) => format!("`{}` cannot be used: {cause}", users.display()),
        refused => format!("`{}` cannot be used: {refused:?}", users.display()),
    })?;
    let mut settings = Settings::load()?;
    settings.issuer.get_or_insert(ISSUER.to_owned());
    settings.audience.get_or_insert("quickstart".to_owned());

    let ring = KeyRing::options(folder.join("keys")).settings(&settings.keys);
    let gate = accounts
        .gate()
        .settings(settings)
        .passwords(&passwords)
        .keys(ring.open().await?)
        .store(SqliteStore::open(folder.join("tollgate.db")).await?)
        .build()
        .await?;
    let app = Router::new()
        .route("/me", get(me))
        .route("/admin/report", get(report));
    let app = gate.install(app).with_state(gate.clone());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))?;
    let stopped = stopped()?;
    banner::print(listener.local_addr()?.port());
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await?;
    gate.shutdown().await?;
    Ok(())
}

/// The name of this issuer, which stays the same on another port: tokens and the store know it.
const ISSUER: &str = "http://127.0.0.1:3000";

/// Returns who is signed in: the claims of the token, without a look into the database.
async fn me(user: Auth<User>) -> Json<UserClaims> {
    Json(user.into_claims())
}

/// Administrators alone.
async fn report(admin: Auth<User, Admin>) -> String {
    format!("for {}: all is well\n", admin.claims().email())
}

/// Returns what waits for Ctrl-C, or for the signal with which a supervisor ends a process. It
/// listens from now on, so that no signal ends the process in another way.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
