//! Serves the page on this machine. Browsers keep secure cookies of `localhost` without TLS;
//! anywhere else it takes HTTPS.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let origin = format!("http://localhost:{port}");
    let mail = |address: &str, code: &str| println!("a letter to {address}: the code is {code}");
    let app = cookies_browser::app(&origin, Arc::new(mail)).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on {origin}");
    println!("sign in as ada@example.com with \"correct horse battery staple\"");
    println!("or as grace@example.com, who gets a code in a letter: it is printed here");
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await?;
    Ok(())
}
