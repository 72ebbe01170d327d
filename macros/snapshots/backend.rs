//! What `backend` of `src/tests` expands to.

struct Accounts {
    db: SqlitePool,
    passwords: Passwords,
}
#[automatically_derived]
#[allow(clippy::needless_update)]
impl ::tollgate::__private::AuthBackend for Accounts {
    type User = User;
    type Login = ::tollgate::__private::EmailLogin;
    type Entry = ::tollgate::__private::Own;
    type Renewal = ::tollgate::__private::Reload;
    const KIND: &'static ::core::primitive::str = "Accounts";
    const ROUTES: ::tollgate::__private::RouteConfig = ::tollgate::__private::RouteConfig {
        package: ::tollgate::__private::Package::new(
            ::core::option_env!("CARGO_PKG_NAME"),
            ::core::option_env!("CARGO_PKG_VERSION"),
        ),
        ..::tollgate::__private::RouteConfig::DEFAULT
    };
}
impl Accounts {
    /// Starts the gate of this backend: the builder asks for what has no safe default.
    #[must_use = "a gate opens nothing until it is built"]
    fn gate(self) -> ::tollgate::__private::GateBuilder<Self> {
        ::tollgate::__private::GateBuilder::new(self)
    }
}
