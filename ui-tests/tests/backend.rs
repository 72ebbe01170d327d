//! Checks the routes that a backend's attribute describes.

use tollgate::device::Client;
use tollgate::error::AuthError;
use tollgate::gate::{
    AuthBackend, AuthRoute, Authenticate, EmailLogin, FromStored, Package, Refresh, Reload,
    RouteConfig, RouteOptions,
};
use tollgate::{JwtClaims, auth_backend};

#[derive(JwtClaims)]
struct User {
    #[claim(sub)]
    id: u64,
}

#[auth_backend(email, user = User)]
struct Plain;

impl Authenticate for Plain {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Ok(User { id: 1 })
    }
}

impl Refresh for Plain {
    async fn refresh(&self, id: &u64, _: &Client) -> Result<User, AuthError> {
        Ok(User { id: *id })
    }
}

#[derive(serde::Deserialize)]
struct Badge<T> {
    #[expect(dead_code)]
    number: T,
}

#[auth_backend(
    login = Badge<u64>,
    user = User,
    kind = "staff_2-b",
    prefix = "/v1/session",
    tag = "session",
    openapi = false,
    signin(path = "/in", summary = "Sign in"),
    refresh(path = "/renew", description = "Renews the pair.", from = stored),
    end_session(path = "/devices/{id}"),
    signout(path = "/out"),
    disable(signout_all, revoke),
    names(access_token = "token", refresh_token = "renewal")
)]
struct Shaped<T: Send + Sync + 'static>(T);

impl<T: Send + Sync + 'static> Authenticate for Shaped<T> {
    async fn authenticate(&self, _: Badge<u64>, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[test]
fn a_backend_without_options_has_the_default_shape() {
    fn is<B: AuthBackend<Login = EmailLogin, User = User, Renewal = Reload>>(_: &B) -> RouteConfig {
        B::ROUTES
    }
    let expected = RouteConfig {
        package: Package::new(Some("tollgate-ui-tests"), option_env!("CARGO_PKG_VERSION")),
        ..RouteConfig::DEFAULT
    };
    assert_eq!(is(&Plain), expected);
    let _ = Plain.gate();
}

#[auth_backend(
    email,
    user = User,
    kind = "a23456789-123456789-123456789-123456789-123456789-123456789-1234",
    refresh = stored
)]
struct Longest;

impl Authenticate for Longest {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[auth_backend(email, user = User, refresh = stored)]
#[allow(non_camel_case_types)]
struct r#type;

impl Authenticate for r#type {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<User, AuthError> {
        Err(AuthError::Invalid)
    }
}

#[test]
fn the_kind_is_what_is_said_or_the_name_of_the_struct_as_written() {
    assert_eq!(Shaped::<()>::KIND, "staff_2-b");
    assert_eq!(Plain::KIND, "Plain");
    assert_eq!(r#type::KIND, "type");
    assert_eq!(Longest::KIND.len(), 64);
}

#[test]
fn every_option_is_in_the_shape() {
    fn is<B: AuthBackend<Login = Badge<u64>, User = User, Renewal = FromStored>>(
        _: &B,
    ) -> RouteConfig {
        B::ROUTES
    }
    const MOVED: &[(AuthRoute, RouteOptions)] = &[
        (
            AuthRoute::Signin,
            RouteOptions::NONE.path("/in").summary("Sign in"),
        ),
        (
            AuthRoute::Refresh,
            RouteOptions {
                path: Some("/renew"),
                summary: None,
                description: Some("Renews the pair."),
            },
        ),
        (AuthRoute::Signout, RouteOptions::NONE.path("/out")),
        (
            AuthRoute::EndSession,
            RouteOptions::NONE.path("/devices/{id}"),
        ),
    ];
    let expected = RouteConfig {
        prefix: "/v1/session",
        tag: "session",
        openapi: false,
        routes: MOVED,
        access_token: "token",
        refresh_token: "renewal",
        disabled: &[AuthRoute::SignoutAll, AuthRoute::Revoke],
        package: Package::new(Some("tollgate-ui-tests"), option_env!("CARGO_PKG_VERSION")),
    };
    let routes = is(&Shaped(()));
    assert_eq!(routes, expected);
    for (route, path) in [
        (AuthRoute::Step, "/in/step"),
        (AuthRoute::EndSession, "/devices/{id}"),
        (AuthRoute::Sessions, "/sessions"),
        (AuthRoute::Jwks, "/.well-known/jwks.json"),
    ] {
        assert_eq!(routes.path(route), path);
    }
    let _ = Shaped(0).gate();
}
