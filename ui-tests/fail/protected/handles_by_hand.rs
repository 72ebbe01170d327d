//! A type of the application that implements the trait of protected handlers itself.
//! The trait is implemented for functions alone: write an `async fn` with the caller in front.
use tollgate::protected::{Handles, Security};
#[derive(Clone)]
struct Open;
impl<S> axum::handler::Handler<(), S> for Open {
    type Future = std::future::Ready<axum::response::Response>;
    fn call(self, _: axum::extract::Request, _: S) -> Self::Future {
        std::future::ready(Default::default())
    }
}
impl<S> Handles<(), S> for Open { const SECURITY: Security = Security::Public; }

fn main() {}
