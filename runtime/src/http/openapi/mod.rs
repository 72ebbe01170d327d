//! The OpenAPI document of a gate's routes, and of a protected router's.

mod operation;
mod protected;
mod schema;
mod scheme;

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};

use crate::error::Code;
use crate::gate::{AuthBackend, Gate, Running};

use super::problem::Rejection;
use super::protected::Route;
use super::routes::ROUTES;

use scheme::{BEARER, COOKIE, SERVICE};

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
    /// # use tollgate::ProtectedRouter;
    /// # use utoipa::openapi::OpenApi;
    /// # fn document<B: AuthBackend>(
    /// #     gate: &Gate<B>,
    /// #     own: OpenApi,
    /// #     protected: &ProtectedRouter,
    /// # ) -> String {
    /// let mut document = own.merge_from(gate.openapi());
    /// protected.describe(&mut document);
    /// # document.to_json().unwrap()
    /// # }
    /// ```
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        document(self.running())
    }
}

/// Folds the table of routes into a document.
fn document(gate: &Running) -> OpenApi {
    let mut paths = Paths::new();
    let has_cookies = gate.settings().cookies.path.is_some();
    let answers_services = !gate.settings().introspection.services.is_empty();
    let rows = ROUTES
        .iter()
        .filter(|row| gate.routes.openapi && row.is_in(gate));
    for row in rows {
        if let Some(operation) = operation::operation(row, gate, has_cookies) {
            paths.add_path_operation(row.path(gate), vec![operation::method(row)], operation);
        }
    }
    let components = schema::add(Components::new(), gate.routes, has_cookies)
        .security_scheme(BEARER, scheme(gate));
    let components = if has_cookies {
        let about = "Set by a sign-in; counts in requests that a page of this origin sends";
        let cookie = ApiKeyValue::with_description(&*gate.cookies.access, about);
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

/// Returns how an access token is sent. A header or scheme that OpenAPI has no word for is an API
/// key to it.
fn scheme(gate: &Running) -> SecurityScheme {
    let access = &gate.settings().access;
    let scheme = access.schemes.first().map_or("Bearer", String::as_str);
    if access.header.eq_ignore_ascii_case("authorization") && scheme.eq_ignore_ascii_case("bearer")
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
pub(super) fn serve(gate: &Running, routes: &[Route]) -> Router {
    if !gate.routes.openapi {
        return Router::new();
    }
    let mut document = document(gate);
    protected::describe(routes, &mut document);
    let body = document.to_json().unwrap_or_default();
    let scheme = Arc::clone(&gate.scheme);
    let not_allowed = move || ready(Rejection::new(Code::MethodNotAllowed, &scheme));
    Router::new()
        .route("/openapi.json", get(|| async move { json(body) }))
        .method_not_allowed_fallback(not_allowed)
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
