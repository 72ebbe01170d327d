//! Turns a row of the table of routes into an operation of the document.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder, Schema};

use axum::routing::MethodFilter;

use crate::gate::{AuthRoute, RouteConfig, Running};

use super::super::row::{Answered, At, Body, BodyMember, CallerKind, Needed, RouteDoc, RouteRow};
use super::schema;
use super::scheme::{BEARER, COOKIE, Names, SERVICE};

/// Returns the operation of a row in a gate; `None` where the document does not have it.
pub(super) fn operation(
    row: &RouteRow,
    gate: &Running,
    names: &Names,
    has_cookies: bool,
) -> Option<Operation> {
    let words = row.words.as_ref()?;
    let config = gate.routes;
    let operation = OperationBuilder::new()
        .tag(names.own(config.tag))
        .operation_id(Some(names.own(words.id)))
        .summary(Some(summary(row, words, config)))
        .description(description(row, words, config))
        .request_body(body(words, gate, has_cookies))
        .response(words.answer.status, answer(&words.answer, names));
    let operation = secured(operation, words.caller, names, has_cookies);
    let operation = parameters(row)
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
fn summary<'a>(row: &RouteRow, words: &'a RouteDoc, config: &'a RouteConfig) -> &'a str {
    let own = match row.at {
        At::SignIn("") => config.signin.summary,
        At::Refresh => config.refresh.summary,
        _ => None,
    };
    own.unwrap_or(words.summary)
}

fn description<'a>(
    row: &RouteRow,
    words: &'a RouteDoc,
    config: &'a RouteConfig,
) -> Option<&'a str> {
    match row.at {
        At::SignIn("") => config.signin.description,
        At::Refresh => config.refresh.description,
        _ => words.description,
    }
}

fn secured(
    operation: OperationBuilder,
    caller: CallerKind,
    names: &Names,
    has_cookies: bool,
) -> OperationBuilder {
    let needs = |scheme| SecurityRequirement::new(names.own(scheme), [""; 0]);
    match caller {
        CallerKind::Anyone => operation.securities(Some([])),
        CallerKind::MaybeSignedIn => {
            operation.securities(Some([SecurityRequirement::default(), needs(BEARER)]))
        }
        CallerKind::Service => operation.security(needs(SERVICE)),
        CallerKind::SignedIn if has_cookies => {
            operation.security(needs(BEARER)).security(needs(COOKIE))
        }
        CallerKind::SignedIn => operation.security(needs(BEARER)),
    }
}

fn body(words: &RouteDoc, gate: &Running, has_cookies: bool) -> Option<RequestBody> {
    let members = |members: &[BodyMember]| {
        schema::object(members.iter().map(|member| {
            let is_needed = match member.needed {
                Needed::Always => true,
                Needed::Never => false,
                Needed::WithoutCookies => !has_cookies,
            };
            (member.name.unwrap_or(gate.routes.refresh_token), is_needed)
        }))
    };
    match words.body {
        Body::Empty => None,
        Body::Login => {
            let login = gate.flows().backend().login_type();
            Some(json_body(schema::login(login, has_cookies)))
        }
        Body::Members(all) => Some(json_body(members(all))),
        Body::MaybeMembers(all) => Some(optional(json_body(members(all)))),
        Body::TokenForm => Some(revocation()),
    }
}

/// Returns the parameters of a row's path.
fn parameters(row: &RouteRow) -> Option<Parameter> {
    if row.name != Some(AuthRoute::Sessions) {
        return None;
    }
    Some(if row.method == MethodFilter::DELETE {
        session_id()
    } else {
        after()
    })
}

fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

fn json_body(schema: Schema) -> RequestBody {
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
    let mut body = json_body(schema());
    body.content.insert(
        "application/x-www-form-urlencoded".to_owned(),
        Content::new(Some(schema())).into(),
    );
    body
}

/// Returns the response to a successful request.
fn answer(answered: &Answered, names: &Names) -> Response {
    let response = ResponseBuilder::new().description(answered.about);
    let Some(name) = answered.schema else {
        return response.build();
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

/// Returns a reference to the response of that status, which is listed once among the components.
pub(super) fn problem(status: &str) -> RefOr<Response> {
    Ref::from_response_name(format!("AuthProblem{status}")).into()
}

fn session_id() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    ParameterBuilder::new()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The `session_id` of the list"))
        .schema(Some(text))
        .build()
}

fn after() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    ParameterBuilder::new()
        .name("after")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some("The last `session_id` of the page before"))
        .schema(Some(text))
        .build()
}

/// Returns the header that leads to the next page of a list.
fn next_page() -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(
            "The next page, with `rel=\"next\"`, while there is one",
        ))
        .build()
}
