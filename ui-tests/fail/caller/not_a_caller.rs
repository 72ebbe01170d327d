//! A caller around something that does not say who may call.
#[derive(tollgate::Caller)]
struct Page(axum::extract::Path<u64>);

fn main() {}
