//! A store that cannot replace a refresh token.
//! rustc names the operation and its signature: `SessionStore` has no default bodies, so that no store forgets one.
use tollgate::store::SessionStore;

struct Mine;

impl SessionStore for Mine {
    tollgate_ui_tests::every_operation_but_rotate!();
}

fn main() {}
