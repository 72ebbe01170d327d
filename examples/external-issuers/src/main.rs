//! Serves orders to callers of other issuers. Start the issuer first: `cd issuer && npm install &&
//! node issuer.mjs 4000`.

use std::error::Error;
use std::net::Ipv4Addr;

use external_issuers::{app, guards, partner};
use tokio::net::TcpListener;
use tollgate::clock::Clock;
use tollgate::keys::{Algorithm, PublicKey};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let provider = args
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:4000".to_owned());
    let partner = partner();
    // The partner's public key as a JWK, if there is one.
    if let Some(file) = args.next() {
        let jwk = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        partner.set_public_keys([PublicKey::from_jwk(&jwk, &[Algorithm::EdDSA])?])?;
    }
    let guards = guards(&provider, partner, Clock::system())?;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).await?;
    println!(
        "orders at http://{}, for callers of {provider}:",
        listener.local_addr()?
    );
    println!(
        "  token=$(curl -s -X POST '{provider}/token?sub=ada&scope=orders:read' | cut -d '\"' -f \
         4)"
    );
    println!(
        "  curl -H \"Authorization: Bearer $token\" http://{}/orders",
        listener.local_addr()?
    );
    Ok(axum::serve(listener, app(guards)).await?)
}
