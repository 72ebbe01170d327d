//! What each auth route is in the document.

use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder, Schema};

use crate::gate::{AuthRoute, RouteConfig};

use super::{BEARER, COOKIE, SERVICE, schema};

/// Each route, its method, and its path below the prefix. Those of sign-in and refresh are the
/// backend's.
pub(super) const ROUTES: [(AuthRoute, HttpMethod, &str); 9] = [
    (AuthRoute::Signin, HttpMethod::Post, ""),
    (AuthRoute::Refresh, HttpMethod::Post, ""),
    (
        AuthRoute::Reauthenticate,
        HttpMethod::Post,
        "/reauthenticate",
    ),
    (AuthRoute::Verify, HttpMethod::Post, "/verify"),
    (AuthRoute::Signout, HttpMethod::Post, "/signout"),
    (AuthRoute::SignoutAll, HttpMethod::Post, "/signout-all"),
    (AuthRoute::Revoke, HttpMethod::Post, "/revoke"),
    (AuthRoute::Sessions, HttpMethod::Get, "/sessions"),
    (AuthRoute::Sessions, HttpMethod::Delete, "/sessions/{id}"),
];

/// One route of a backend.
pub(super) struct Described<'a> {
    pub(super) route: AuthRoute,
    pub(super) shape: &'a RouteConfig,
    /// The body of a sign-in.
    pub(super) login: Schema,
    /// Whether tokens may travel in cookies.
    pub(super) has_cookies: bool,
}

impl Described<'_> {
    pub(super) fn operation(self, method: &HttpMethod) -> Operation {
        let Self {
            route,
            shape,
            login,
            has_cookies,
        } = self;
        let guarded = |operation: OperationBuilder| {
            let operation = operation.security(SecurityRequirement::new(BEARER, [""; 0]));
            if has_cookies {
                operation.security(SecurityRequirement::new(COOKIE, [""; 0]))
            } else {
                operation
            }
        };
        let (signin, refresh) = (&shape.signin, &shape.refresh);
        let start = |id: &str, summary: &str| {
            OperationBuilder::new()
                .tag(shape.tag)
                .operation_id(Some(id))
                .summary(Some(summary))
        };
        let operation = match route {
            AuthRoute::Signin => start("signin", signin.summary.unwrap_or("Signs in"))
                .description(signin.description)
                .request_body(Some(body(login)))
                .response(
                    "200",
                    answer("The tokens of a session", reference("Tokens")),
                )
                .securities(Some([])),
            AuthRoute::Refresh => start(
                "refresh",
                refresh
                    .summary
                    .unwrap_or("Exchanges a refresh token for a pair"),
            )
            .description(refresh.description)
            .request_body(Some(body(schema::object([
                (shape.refresh_token, !has_cookies),
                ("device_id", false),
            ]))))
            .response(
                "200",
                answer("The tokens of the session", reference("Tokens")),
            )
            .securities(Some([])),
            AuthRoute::Reauthenticate => {
                guarded(start("reauthenticate", "Proves again who the caller is"))
                    .request_body(Some(body(login)))
                    .response(
                        "200",
                        answer(
                            "An access token with a fresh `auth_time`",
                            reference("AccessToken"),
                        ),
                    )
            }
            AuthRoute::Verify => start("verify", "Says whether a token counts; changes nothing")
                .request_body(Some(body(schema::object([("token", true)]))))
                .response(
                    "200",
                    answer("What the token is", reference("TokenDescription")),
                )
                .securities(Some([])),
            AuthRoute::Signout => start(
                "signout",
                "Ends a session, with its access token or its refresh token",
            )
            .request_body(Some(optional(body(schema::object([(
                shape.refresh_token,
                false,
            )])))))
            .response("204", Response::new("Signed out, or signed out already"))
            .securities(Some([
                SecurityRequirement::default(),
                SecurityRequirement::new(BEARER, [""; 0]),
            ])),
            AuthRoute::SignoutAll => {
                guarded(start("signout_all", "Ends every session of the caller"))
                    .response("204", Response::new("Signed out everywhere"))
            }
            AuthRoute::Revoke => start("revoke", "Revokes a token (RFC 7009)")
                .request_body(Some(revocation()))
                .response(
                    "200",
                    Response::new("The token is worth nothing, whatever it was"),
                )
                .securities(Some([])),
            AuthRoute::Sessions if *method == HttpMethod::Delete => {
                guarded(start("end_session", "Ends a session of the caller"))
                    .parameter(session_id())
                    .response("204", Response::new("The session has ended"))
                    .response("404", problem("404"))
            }
            AuthRoute::Sessions => guarded(start("sessions", "Lists the sessions of the caller"))
                .response(
                    "200",
                    answer(
                        "The live sessions, oldest first",
                        schema::list(reference("Session")),
                    ),
                ),
        };
        let elsewhere = (has_cookies
            && !matches!(
                route,
                AuthRoute::Signin | AuthRoute::Verify | AuthRoute::Revoke
            ))
        .then_some("403");
        refusals(route)
            .into_iter()
            .chain(elsewhere)
            .fold(operation, |operation, status| {
                operation.response(status, problem(status))
            })
            .build()
    }
}

/// The answer to a further step of a sign-in.
pub(super) fn step(shape: &RouteConfig) -> Operation {
    let members = [
        ("step_token", true),
        ("code", false),
        ("device_name", false),
        ("device_id", false),
    ];
    let operation = OperationBuilder::new()
        .tag(shape.tag)
        .operation_id(Some("signin_step"))
        .summary(Some("Goes on with a sign-in that needs a further step"))
        .description(Some(
            "The 401 `insufficient_user_authentication` of a sign-in has the members `step` and \
             `step_token`.",
        ))
        .request_body(Some(body(schema::object(members))))
        .response(
            "200",
            answer("The tokens of a session", reference("Tokens")),
        )
        .securities(Some([]));
    let refusals = refusals(AuthRoute::Signin).into_iter();
    refusals
        .fold(operation, |operation, status| {
            operation.response(status, problem(status))
        })
        .build()
}

/// What services ask about a token.
pub(super) fn introspect(shape: &RouteConfig) -> Operation {
    let operation = OperationBuilder::new()
        .tag(shape.tag)
        .operation_id(Some("introspect"))
        .summary(Some("Tells a service what a token is (RFC 7662)"))
        .request_body(Some(revocation()))
        .response(
            "200",
            answer(
                "`active`, and where it is true what the token says",
                reference("Introspection"),
            ),
        )
        .security(SecurityRequirement::new(SERVICE, [""; 0]));
    ["400", "401", "413", "415", "503"]
        .into_iter()
        .fold(operation, |operation, status| {
            operation.response(status, problem(status))
        })
        .build()
}

/// The key set.
pub(super) fn jwks(shape: &RouteConfig) -> Operation {
    OperationBuilder::new()
        .tag(shape.tag)
        .operation_id(Some("jwks"))
        .summary(Some("The public keys that verify access tokens (RFC 7517)"))
        .response(
            "200",
            answer_as(
                "application/jwk-set+json",
                "The key set",
                reference("KeySet"),
            ),
        )
        .securities(Some([]))
        .build()
}

fn refusals(route: AuthRoute) -> Vec<&'static str> {
    let mut all = vec!["401", "503"];
    match route {
        AuthRoute::Signin => all.extend(["400", "403", "413", "415", "429"]),
        AuthRoute::Refresh | AuthRoute::Reauthenticate | AuthRoute::Verify => {
            all.extend(["400", "413", "415", "429"])
        }
        AuthRoute::SignoutAll | AuthRoute::Sessions => {}
        AuthRoute::Signout | AuthRoute::Revoke => all.extend(["400", "413", "415"]),
    }
    all
}

fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

fn body(schema: Schema) -> RequestBody {
    RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(schema)))
        .required(Some(Required::True))
        .build()
}

fn optional(mut body: RequestBody) -> RequestBody {
    body.required = None;
    body
}

fn revocation() -> RequestBody {
    let schema = || schema::object([("token", true), ("token_type_hint", false)]);
    let mut body = body(schema());
    body.content.insert(
        "application/x-www-form-urlencoded".to_owned(),
        Content::new(Some(schema())).into(),
    );
    body
}

fn answer(about: &str, schema: RefOr<Schema>) -> Response {
    answer_as("application/json", about, schema)
}

fn answer_as(media: &str, about: &str, schema: RefOr<Schema>) -> Response {
    ResponseBuilder::new()
        .description(about)
        .content(media, Content::new(Some(schema)))
        .build()
}

/// The response of that status, which stands among the components once.
pub(super) fn problem(status: &str) -> RefOr<Response> {
    Ref::from_response_name(format!("Problem{status}")).into()
}

fn session_id() -> utoipa::openapi::path::Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The `session_id` of the list"))
        .schema(Some(text))
        .build()
}
