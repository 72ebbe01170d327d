//! A handler without arguments.
use tollgate::routing::get;
use tollgate::ProtectedRouter;

async fn report() -> &'static str { "everything" }

fn main() {
    let _: ProtectedRouter = ProtectedRouter::new().route("/report", get(report));
}
