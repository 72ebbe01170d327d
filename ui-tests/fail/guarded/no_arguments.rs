//! A handler without arguments.
use tollgate::routing::get;
use tollgate::guarded::Guarded;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: Guarded = Guarded::new().route("/report", get(report));
}
