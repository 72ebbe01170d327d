//! A gate that is used before it is built.
//! rustc finds another type: `build()` answers a future, so write `.build().await?`.
use tollgate::gate::{AuthBackend, Building, Gate};

fn health<B: AuthBackend>(building: Building<B>) {
    let _gate: Gate<B> = building;
}

fn main() {}
