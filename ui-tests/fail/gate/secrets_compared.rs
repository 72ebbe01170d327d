//! Secrets that are compared with `==`, whose time tells how many bytes are right.
//! rustc finds no `==`: compare with `Secret::same`, which takes the same time for every guess.
fn same(one: &tollgate::secret::Secret, two: &tollgate::secret::Secret) -> bool {
    one == two
}

fn main() {}
