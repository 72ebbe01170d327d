//! Every mistake is reported in one run.
#[tollgate::auth_backend(
    email, usename, prefix = "auth/", openapi = "no", tag = "",
    signin(path = "/{id}", sumary = "in"), refresh(path = "/signin", from = memory),
    names(access_token = "expires_in", refresh_token = "access_token"),
    disable(signin, signin, logout)
)]
struct Accounts;

fn main() {}
