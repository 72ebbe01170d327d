//! What `backend` of `src/tests` expands to.

struct Accounts {
    db: SqlitePool,
    passwords: Passwords,
}
#[automatically_derived]
#[allow(clippy::needless_update)]
impl ::tollgate::__private::AuthBackend for Accounts {
    type User = ::tollgate::__private::Answered<
        User,
        { ::tollgate::__private::has_claims::<User>() },
    >;
    type Login = ::tollgate::__private::EmailLogin;
    type Entry = ::tollgate::__private::Own;
    type Renewal = ::tollgate::__private::Reload;
    const KIND: &'static ::core::primitive::str = "Accounts";
    const ROUTES: ::tollgate::__private::RouteConfig = ::tollgate::__private::RouteConfig {
        ..::tollgate::__private::routes!()
    };
}
impl Accounts {
    /// Starts the gate of this backend: the builder asks for what has no safe default.
    #[must_use = "a gate opens nothing until it is built"]
    fn gate(self) -> ::tollgate::__private::GateBuilder<Self> {
        ::tollgate::__private::GateBuilder::new(self)
    }
}
