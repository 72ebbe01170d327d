//! Turns a row of the table of routes into an operation of the document.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder, Schema};

use axum::routing::MethodFilter;

use crate::gate::{AuthRoute, RouteConfig, Running};
use crate::id::SessionId;

use super::super::member::example;
use super::super::row::{Answered, At, CallerKind, RouteDoc, RouteRow};
use super::form::PageFields;
use super::scheme::{
    ACCESS_TOKEN, BEARER, COOKIE, Names, REFRESH_COOKIE, SERVICE, SIGNED_IN, TOKENS,
};
use super::{request, schema};

/// Returns the operation of a row in a gate; `None` if the document does not have it.
pub(super) fn operation(
    row: &RouteRow,
    gate: &Running,
    names: &Names,
    has_cookies: bool,
) -> Option<Operation> {
    let words = row.words.as_ref()?;
    let config = gate.routes;
    let form = PageFields::of(row, gate);
    let body = request::body(&words.body, gate, has_cookies);
    let body = match form {
        Some(form) => Some(form.beside(body, gate)),
        None => body,
    };
    let operation = OperationBuilder::new()
        .tag(names.own(config.tag))
        .operation_id(Some(names.own(words.id)))
        .summary(Some(summary(row, words, config)))
        .description(description(row, words, config))
        .request_body(body)
        .response(
            words.answer.status,
            answer(row, &words.answer, gate, names, has_cookies),
        );
    let operation = match form {
        Some(form) => form.answered(operation),
        None => operation,
    };
    let operation = match row.at {
        At::Route(AuthRoute::Jwks) => operation.response(
            "304",
            Response::new("The entity tag of the set that the client has"),
        ),
        At::Route(_) | At::Metadata => operation,
    };
    let operation = secured(operation, row, words.caller, names, has_cookies);
    let operation = parameters(row, words, gate)
        .into_iter()
        .fold(operation, OperationBuilder::parameter);
    let origin = (has_cookies && words.checks_origin).then_some("403");
    let problems = words.problems.iter().copied().chain(origin);
    let operation = problems.fold(operation, |operation, status| {
        operation.response(status, problem(status))
    });
    Some(operation.build())
}

/// Returns the method of a row: GET or DELETE, and otherwise POST.
pub(super) fn method(row: &RouteRow) -> HttpMethod {
    if row.method == MethodFilter::GET {
        HttpMethod::Get
    } else if row.method == MethodFilter::DELETE {
        HttpMethod::Delete
    } else {
        HttpMethod::Post
    }
}

/// Returns the summary that the backend gave, or that of the table.
fn summary<'a>(row: &RouteRow, words: &'a RouteDoc, config: &RouteConfig) -> &'a str {
    let own = row.route().and_then(|route| config.options(route).summary);
    own.unwrap_or(words.summary)
}

/// Returns the description that the backend gave, or that of the table.
fn description<'a>(row: &RouteRow, words: &'a RouteDoc, config: &RouteConfig) -> Option<&'a str> {
    let own = row.route().map(|route| config.options(route).description);
    own.flatten().or(words.description)
}

/// Adds the ways in which a request may be authenticated. An empty requirement is a request without
/// any of them: its body has the token, or the route is open.
fn secured(
    operation: OperationBuilder,
    row: &RouteRow,
    caller: CallerKind,
    names: &Names,
    has_cookies: bool,
) -> OperationBuilder {
    let (schemes, is_optional): (&[&str], bool) = match caller {
        CallerKind::Anyone if row.route() == Some(AuthRoute::Refresh) && has_cookies => {
            (&[REFRESH_COOKIE], true)
        }
        CallerKind::Anyone => (&[], false),
        CallerKind::MaybeSignedIn if has_cookies => (&[BEARER, COOKIE, REFRESH_COOKIE], true),
        CallerKind::MaybeSignedIn => (&[BEARER], true),
        CallerKind::Service => (&[SERVICE], false),
        CallerKind::SignedIn if has_cookies => (&[BEARER, COOKIE], false),
        CallerKind::SignedIn => (&[BEARER], false),
    };
    let optional = is_optional.then(SecurityRequirement::default);
    let needs = |scheme: &&str| SecurityRequirement::new(names.own(scheme), [""; 0]);
    operation.securities(Some(optional.into_iter().chain(schemes.iter().map(needs))))
}

/// Returns the parameters of a row: in its path, in its query, and the cookie of the device.
fn parameters(row: &RouteRow, words: &RouteDoc, gate: &Running) -> Vec<Parameter> {
    let of_sessions = match row.route() {
        Some(AuthRoute::EndSession) => Some(session_id()),
        Some(AuthRoute::Sessions) => Some(after()),
        _ => None,
    };
    let opens = words.answer.schema == Some(TOKENS) && row.route() != Some(AuthRoute::Refresh);
    let has_cookies = gate.settings().cookies.path.is_some();
    let device = (opens && has_cookies).then(|| {
        parameter(&gate.cookies.device, ParameterIn::Cookie)
            .description(Some(
                "Recognises the device, whose attempts are counted separately",
            ))
            .build()
    });
    of_sessions.into_iter().chain(device).collect()
}

pub(super) fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// Returns the response to a successful request.
fn answer(
    row: &RouteRow,
    answered: &Answered,
    gate: &Running,
    names: &Names,
    has_cookies: bool,
) -> Response {
    let response = ResponseBuilder::new().description(answered.about);
    let sets_cookies = has_cookies
        && (matches!(answered.schema, Some(TOKENS | ACCESS_TOKEN))
            || row.route() == Some(AuthRoute::Signout)
            || row.route() == Some(AuthRoute::SignoutAll));
    let response = match sets_cookies {
        true => response.header("Set-Cookie", set_cookie()),
        false => response,
    };
    let Some(name) = answered.schema else {
        return response.build();
    };
    let name = match name {
        TOKENS if has_added_members(row, gate) => SIGNED_IN,
        name => name,
    };
    let (schema, response) = match answered.is_list {
        true => (
            schema::list(reference(&names.schema(name))),
            response.header("Link", next_page()),
        ),
        false => (reference(&names.schema(name)), response),
    };
    response
        .content(answered.media, Content::new(Some(schema)))
        .build()
}

/// Returns whether the answer of a route has the members that the backend adds.
fn has_added_members(row: &RouteRow, gate: &Running) -> bool {
    let signs_in = matches!(row.route(), Some(AuthRoute::Signin | AuthRoute::Step));
    let added = gate.flows().backend().answer_members();
    added.is_some_and(|added| signs_in || added.on_refresh)
}

/// Returns the header that sets the cookies of the tokens, or clears them.
pub(super) fn set_cookie() -> Header {
    header("The tokens, if they are sent as cookies")
}

/// Returns a header of an answer.
pub(super) fn header(about: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(schema::text()))
        .description(Some(about))
        .build()
}

/// Returns a reference to the response of that status, which is listed once among the components.
pub(super) fn problem(status: &str) -> RefOr<Response> {
    Ref::from_response_name(format!("AuthProblem{status}")).into()
}

fn parameter(name: &str, place: ParameterIn) -> ParameterBuilder {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema::text()))
}

fn session_id() -> Parameter {
    parameter("id", ParameterIn::Path)
        .description(Some("The `session_id` of the list"))
        .example(Some(example::SESSION_ID.into()))
        .build()
}

fn after() -> Parameter {
    let id = schema::text()
        .min_length(Some(SessionId::TEXT_LEN))
        .max_length(Some(SessionId::TEXT_LEN));
    parameter("after", ParameterIn::Query)
        .schema(Some(id))
        .description(Some("The last `session_id` of the page before"))
        .build()
}

/// Returns the header that leads to the next page of a list.
pub(super) fn next_page() -> Header {
    header(
        "The next page, with `rel=\"next\"`, while there is one: a query, relative to the address of \
         the request",
    )
}
