//! A handler that forgot to say who may call it.
use tollgate::routing::post;
use tollgate::ProtectedRouter;

async fn delete_everything(_: axum::extract::Path<u64>) {}

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/everything/{id}", post(delete_everything));
}
