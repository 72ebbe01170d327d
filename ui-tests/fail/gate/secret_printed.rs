//! A secret in a log.
//! rustc finds no `Display`: a secret has none, and its `Debug` shows nothing of it.
fn log(password: &tollgate::secret::Password) -> String {
    format!("signing in with {password}")
}

fn main() {}
