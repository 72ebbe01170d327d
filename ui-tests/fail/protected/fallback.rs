//! A fallback that forgot to say who may call it.
use tollgate::ProtectedRouter;

async fn anything(_: axum::http::Uri) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().fallback(anything);
}
