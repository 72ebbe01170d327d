//! What `backend_with_every_option` of `src/tests` expands to.

struct Accounts {
    db: SqlitePool,
    passwords: Passwords,
}
#[automatically_derived]
#[allow(clippy::needless_update)]
impl ::gatekeeper::__private::AuthBackend for Accounts {
    type User = ::gatekeeper::__private::Answered<
        User<T>,
        { ::gatekeeper::__private::has_claims::<User<T>>() },
    >;
    type Login = Login<A, B>;
    type Entry = ::gatekeeper::__private::Own;
    type Renewal = ::gatekeeper::__private::FromStored;
    const KIND: &'static ::core::primitive::str = "customers";
    const ROUTES: ::gatekeeper::__private::RouteConfig = ::gatekeeper::__private::RouteConfig {
        prefix: "/session",
        tag: "session",
        openapi: false,
        routes: &[
            (
                ::gatekeeper::__private::AuthRoute::Signin,
                ::gatekeeper::__private::RouteOptions::NONE
                    .path("/in")
                    .summary("in")
                    .description("lets in"),
            ),
            (
                ::gatekeeper::__private::AuthRoute::Refresh,
                ::gatekeeper::__private::RouteOptions::NONE.path("/renew"),
            ),
        ],
        access_token: "token",
        refresh_token: "renewal",
        disabled: &[
            ::gatekeeper::__private::AuthRoute::Revoke,
            ::gatekeeper::__private::AuthRoute::SignoutAll,
        ],
        ..::gatekeeper::__private::routes!()
    };
}
impl Accounts {
    /// Starts the gate of this backend: the builder asks for what has no safe default.
    #[must_use = "a gate opens nothing until it is built"]
    fn gate(self) -> ::gatekeeper::__private::GateBuilder<Self> {
        ::gatekeeper::__private::GateBuilder::new(self)
    }
}
