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
    let stopped = stopped()?;
    let port = listener.local_addr()?.port();
    println!(
        "open http://localhost:{port} and sign in as ada@example.com or grace@example.com with \
         \"correct horse battery staple\""
    );
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await?;
    gate.shutdown().await?;
    Ok(())
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
