//! A builder that nobody gave a backend.
use tollgate::prelude::*;
async fn start() -> Result<(), tollgate::error::Error> {
    let _gate = Gate::builder().issuer("https://example.com").build().await?;
    Ok(())
}

fn main() {}
