//! A subject that stays in one thread.
#[derive(tollgate::JwtClaims)]
struct User {
    #[claim(sub)]
    id: std::rc::Rc<str>,
}

fn main() {}
