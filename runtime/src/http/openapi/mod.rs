//! The OpenAPI document of the routes of gates, and of a protected router's.

mod form;
mod operation;
mod own;
mod protected;
mod request;
mod schema;
mod scheme;
#[cfg(feature = "swagger-ui")]
pub(super) mod swagger_ui;

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use utoipa::openapi::path::Paths;
use utoipa::openapi::schema::ComponentsBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder, Server, Tag};

use crate::error::Code;
use crate::gate::{AuthBackend, Gate, Running, path_of};

use super::mount::Member;
use super::problem::Rejection;
use super::protected::Route;
use super::root::RootPlace;
use super::routes::ROUTES;

use scheme::{BEARER, COOKIE, Names, REFRESH_COOKIE, SERVICE, TokenSchemes};

impl<B: AuthBackend> Gate<B> {
    /// Returns the OpenAPI document (3.1) of the auth routes: paths, bodies, answers, and the
    /// security scheme `access_token`. In a named realm, the names of the gate's own items begin
    /// with the name of the realm, as in `staff_signin` and `staff_access_token`, so that documents
    /// of several gates can be merged.
    ///
    /// The paths are those that [`router`](Self::router) has; below another path it is
    /// `OpenApi::new(…).nest(path, document)`. A backend with `openapi = false` has no paths in it,
    /// but the security scheme. [`install`](Self::install) serves it at `openapi.path`, together
    /// with the routes of a [`ProtectedRouter`](crate::ProtectedRouter) application.
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
    /// The members of a login are those that its `Deserialize` asks for: names, types, and whether
    /// they are required. Where serde does not reveal them, as with `#[serde(flatten)]`, it is any
    /// object.
    ///
    /// After a call of [`pages`](Self::pages) it also has the forms of these routes.
    ///
    /// Title and version are those of the backend's package, or `openapi.title` and
    /// `openapi.version`.
    #[must_use]
    pub fn openapi(&self) -> OpenApi {
        document(&[(&Member::of(self), &RootPlace::alone(self.running()))])
    }

    /// Returns the same document as JSON, for programs with another version of utoipa, or without
    /// it.
    #[must_use]
    pub fn openapi_json(&self) -> String {
        self.openapi().to_json().unwrap_or_default()
    }
}

/// Makes a document of the table of routes, gate by gate.
fn document(gates: &[(&Member, &RootPlace)]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = schema::shared(Components::new());
    let mut tags = Vec::new();
    for (member, place) in gates {
        let (gate, names) = (&*member.gate, Names::of(&member.gate));
        let has_cookies = gate.settings().cookies.path.is_some();
        let rows = ROUTES
            .iter()
            .filter(|row| gate.routes.openapi && row.is_in(gate));
        for row in rows {
            let operation = operation::operation(row, gate, &names, has_cookies);
            if let (Some(operation), Some(path)) = (operation, row.path(gate, place)) {
                paths.add_path_operation(path, vec![operation::method(row)], operation);
            }
        }
        components = add_schemes(components, gate, &names);
        if gate.routes.openapi {
            tags.push(tag(gate, &names));
        }
    }
    let first = gates.first().map(|(member, _)| &*member.gate);
    let (title, version) = named(first);
    OpenApiBuilder::new()
        .info(Info::new(title, version))
        .servers(Some([Server::new(base(first))]))
        .tags(Some(tags))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

/// Returns the title and the version of the application.
pub(super) fn named(gate: Option<&Running>) -> (&str, &str) {
    let settings = gate.map(|gate| &gate.settings().openapi);
    let package = gate.map(|gate| gate.routes.package);
    let title = settings.and_then(|settings| settings.title.as_deref());
    let version = settings.and_then(|settings| settings.version.as_deref());
    (
        title
            .or(package.and_then(|package| package.name))
            .unwrap_or("API"),
        version
            .or(package.and_then(|package| package.version))
            .unwrap_or("0"),
    )
}

/// Returns the path at which clients see the routes.
fn base(gate: Option<&Running>) -> &str {
    let url = gate.and_then(|gate| gate.settings().public_url.as_deref());
    match path_of(url.unwrap_or_default()) {
        "" => "/",
        path => path,
    }
}

fn tag(gate: &Running, names: &Names) -> Tag {
    let about = match gate.realm() {
        Some(realm) => format!("Signing in, tokens and sessions of the realm `{realm}`"),
        None => "Signing in, tokens and sessions".to_owned(),
    };
    TagBuilder::new()
        .name(names.own(gate.routes.tag))
        .description(Some(about))
        .build()
}

/// Adds the schemas and the security schemes that belong to one gate.
fn add_schemes(components: ComponentsBuilder, gate: &Running, names: &Names) -> ComponentsBuilder {
    let settings = gate.settings();
    let has_cookies = settings.cookies.path.is_some();
    let answers_refresh = settings.refresh.answer_token;
    let added = gate.flows().backend().answer_members();
    let own = schema::own(
        components,
        names,
        gate.routes,
        has_cookies,
        answers_refresh,
        added,
    );
    let components = own.security_scheme(names.own(BEARER), scheme(gate));
    let components = if has_cookies {
        let about = "Set by a sign-in; counts in requests that a page of this origin sends";
        let cookie = |name: &str| {
            let cookie = ApiKeyValue::with_description(name, about);
            SecurityScheme::ApiKey(ApiKey::Cookie(cookie))
        };
        components
            .security_scheme(names.own(COOKIE), cookie(&gate.cookies.access))
            .security_scheme(names.own(REFRESH_COOKIE), cookie(&gate.cookies.refresh))
    } else {
        components
    };
    if settings.introspection.services.is_empty() {
        return components;
    }
    let basic = SecurityScheme::Http(Http::new(HttpAuthScheme::Basic));
    components.security_scheme(names.own(SERVICE), basic)
}

/// Returns the security scheme of an access token. A header or scheme that OpenAPI cannot describe
/// is an API key there.
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

/// Serves the document of some gates at a path, with the routes of an application that declares its
/// callers. Refusals have the challenge of the first gate.
pub(super) fn serve(
    path: &str,
    first: &Running,
    gates: &[(&Member, &RootPlace)],
    routes: &[Route],
) -> Router {
    let mut document = document(gates);
    let schemes: Vec<TokenSchemes> = gates
        .iter()
        .map(|(member, _)| {
            let names = Names::of(&member.gate);
            let has_cookies = member.gate.settings().cookies.path.is_some();
            TokenSchemes {
                user: Some(member.user),
                bearer: names.own(BEARER),
                cookie: has_cookies.then(|| names.own(COOKIE)),
            }
        })
        .collect();
    let policies = first.settings().openapi.policies;
    protected::describe(routes, &mut document, &schemes, policies);
    leave_out_unused(&mut document);
    // Each answer shares it.
    let body = Bytes::from(document.to_json().unwrap_or_default());
    let scheme = Arc::clone(&first.scheme);
    let not_allowed = move || ready(Rejection::new(Code::MethodNotAllowed, &scheme));
    Router::new()
        .route(path, get(move || ready(json(body.clone()))))
        .method_not_allowed_fallback(not_allowed)
}

/// Removes schemas and responses that nothing refers to.
fn leave_out_unused(document: &mut OpenApi) {
    let text = document.to_json().unwrap_or_default();
    let is_used =
        |kind: &str, name: &str| text.contains(&format!("\"#/components/{kind}/{name}\""));
    if let Some(components) = &mut document.components {
        components
            .schemas
            .retain(|name, _| is_used("schemas", name));
        components
            .responses
            .retain(|name, _| is_used("responses", name));
    }
}

fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
