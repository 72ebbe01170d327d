//! Serves the logbook on this machine. Browsers keep secure cookies of `localhost` without TLS;
//! anywhere else it takes HTTPS. Safari does not keep them: use another browser there, or HTTPS.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

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
            .unwrap_or("./pages-data".into()),
    );
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;

    let (app, gate) = pages::app(&folder, Settings::load()?).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| format!("port {port}: {error}"))?;
    let port = listener.local_addr()?.port();
    println!(
        "open http://localhost:{port} and sign in as ada@example.com or grace@example.com with \
         \"correct horse battery staple\""
    );
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stopped())
        .await?;
    gate.shutdown().await?;
    Ok(())
}

/// Waits for Ctrl-C, or for the signal with which a supervisor ends a process.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminated) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    _ = interrupted.await;
}
