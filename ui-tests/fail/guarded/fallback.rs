//! A fallback that forgot to say who may call it.
use tollgate::guarded::Guarded;

async fn anything(_: axum::http::Uri) {}

fn main() {
    let _: Guarded = Guarded::new().fallback(anything);
}
