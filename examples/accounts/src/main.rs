//! Accounts from sign-up to the second factor: what an application writes beside the gate, and what
//! the gate does for it.

mod accounts;
mod email;
mod flow;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::{env, fs};

use accounts::Accounts;
use email::Emails;
use tokio::net::TcpListener;
use tollgate::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let folder = PathBuf::from(env::var_os("DATA_DIR").unwrap_or("./accounts-data".into()));
    fs::create_dir_all(&folder)?;
    let (file, passwords) = (folder.join("app.db"), Passwords::new());
    let accounts = Accounts::open(&file, passwords.clone(), Emails::printed()).await;
    let accounts = accounts.map_err(|error| format!("the users cannot be read: {error:?}"))?;
    let mut settings = Settings::load()?;
    settings.issuer.get_or_insert(ISSUER.to_owned());
    settings.audience.get_or_insert("accounts".to_owned());
    let ring = KeyRing::options(folder.join("keys")).settings(&settings.keys);
    let gate = accounts
        .gate()
        .settings(settings)
        .passwords(&passwords)
        .keys(ring.open().await?)
        .store(SqliteStore::open(folder.join("tollgate.db")).await?)
        .build()
        .await?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;
    println!(
        "listening on http://{address}\n\nEmails are printed here. Begin with:\n\n  curl -i \
         http://{address}/account/signup --json '{{\"email\": \"ada@example.com\"}}'\n"
    );
    let service = flow::routes(&gate).into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async { _ = tokio::signal::ctrl_c().await };
    axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await?;
    gate.shutdown().await?;
    Ok(())
}

/// The name of this issuer, which stays the same on another port: tokens and the store know it.
const ISSUER: &str = "http://127.0.0.1:3000";
