//! The OpenAPI document of a gate's routes, and of a guarded router's.

mod guarded;
mod operation;
mod schema;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};

use crate::cookie;
use crate::gate::{AuthBackend, AuthRoute, Gate};
use crate::guarded::Route;

use operation::Described;

/// The security scheme of access tokens, by its name in the document.
const BEARER: &str = "access_token";
/// That of access tokens in cookies, where those are on.
const COOKIE: &str = "access_cookie";
/// That of services that ask about tokens, where there are any.
const SERVICE: &str = "service";

impl<B: AuthBackend> Gate<B> {
    /// The OpenAPI document (3.1) of the auth routes: paths, bodies, answers, and the security
    /// scheme `access_token`.
    ///
    /// The routes stand where [`router`](Self::router) has them; below another path it is
    /// `OpenApi::new(…).nest(path, document)`. A backend with `openapi = false` has no paths in it,
    /// and the scheme all the same. [`install`](Self::install) serves it at `/openapi.json`,
    /// together with the routes of a [`ProtectedRouter`](crate::ProtectedRouter) application.
    ///
    /// # Examples
    /// Merged with what utoipa collected from handlers of your own:
    /// ```
    /// # use tollgate::gate::{AuthBackend, Gate};
    /// # fn document<B: AuthBackend>(gate: &Gate<B>, own: utoipa::openapi::OpenApi, guarded: &tollgate::ProtectedRouter) -> String {
    /// let mut document = own.merge_from(gate.openapi());
    /// guarded.describe(&mut document);
    /// # document.to_json().unwrap()
    /// # }
    /// ```
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        let mut paths = Paths::new();
        let shape = &B::ROUTES;
        let settings = &self.running().engine.settings;
        let (has_cookies, answers_services) = (
            settings.cookies.path.is_some(),
            !settings.introspection.services.is_empty(),
        );
        if shape.openapi {
            for (route, method, path) in operation::ROUTES {
                if shape.disabled.contains(&route) {
                    continue;
                }
                let path = match route {
                    AuthRoute::Signin => shape.signin.path,
                    AuthRoute::Refresh => shape.refresh.path,
                    _ => path,
                };
                let described = Described {
                    route,
                    shape,
                    login: schema::login::<B>(has_cookies),
                    has_cookies,
                };
                let operation = described.operation(&method);
                paths.add_path_operation(
                    format!("{}{path}", shape.prefix),
                    vec![method],
                    operation,
                );
                if route == AuthRoute::Signin {
                    paths.add_path_operation(
                        format!("{}{path}/step", shape.prefix),
                        vec![HttpMethod::Post],
                        operation::step(shape),
                    );
                }
            }
            if answers_services {
                paths.add_path_operation(
                    format!("{}/introspect", shape.prefix),
                    vec![HttpMethod::Post],
                    operation::introspect(shape),
                );
            }
            paths.add_path_operation(
                "/.well-known/jwks.json",
                vec![HttpMethod::Get],
                operation::jwks(shape),
            );
        }
        let components = schema::add(Components::new(), shape, has_cookies)
            .security_scheme(BEARER, self.scheme());
        let components = if has_cookies {
            let about = "Set by a sign-in; counts in requests that a page of this origin sends";
            let cookie = ApiKeyValue::with_description(cookie::ACCESS, about);
            components.security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        } else {
            components
        };
        let components = if answers_services {
            components.security_scheme(
                SERVICE,
                SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
            )
        } else {
            components
        };
        let info = Info::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        OpenApiBuilder::new()
            .info(info)
            .paths(paths)
            .components(Some(components.build()))
            .build()
    }

    /// How an access token is sent. A header or scheme of one's own is an API key to OpenAPI, which
    /// has no word for it.
    fn scheme(&self) -> SecurityScheme {
        let access = &self.running().engine.settings.access;
        let scheme = access.schemes.first().map_or("Bearer", String::as_str);
        if access.header.eq_ignore_ascii_case("authorization")
            && scheme.eq_ignore_ascii_case("bearer")
        {
            return SecurityScheme::Http(
                Http::builder()
                    .scheme(HttpAuthScheme::Bearer)
                    .bearer_format("JWT")
                    .build(),
            );
        }
        let about = format!("`{scheme}`, a space and the access token");
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            access.header.clone(),
            about,
        )))
    }

    /// Serves the document, with the routes of an application that says who may call them.
    pub(crate) fn document<S>(&self, routes: &[Route]) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        if !B::ROUTES.openapi {
            return Router::new();
        }
        let mut document = self.openapi();
        guarded::describe(routes, &mut document);
        let body = document.to_json().unwrap_or_default();
        Router::new().route("/openapi.json", get(|| async move { json(body) }))
    }
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
