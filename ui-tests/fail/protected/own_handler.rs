//! A handler type of the application, which says nothing about callers.
//! rustc says it twice: a type of its own has no arguments for either step of the check.
use axum::{extract::Request, handler::Handler, response::Response};
use tollgate::{ProtectedRouter, routing::get};
#[derive(Clone)]
struct Notes;
impl<S> Handler<(), S> for Notes {
    type Future = std::future::Ready<Response>;
    fn call(self, _: Request, _: S) -> Self::Future {
        std::future::ready(Response::default())
    }
}
fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/notes", get(Notes));
}
