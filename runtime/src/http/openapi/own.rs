//! Turns the words about a route for operations into an operation of the document.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder};

use crate::id::SessionId;

use super::super::member::{OwnAnswer, OwnBody, OwnRouteDoc, QueryKind};
use super::operation::{next_page, problem, reference};
use super::schema::{self, members, number, text, truth};

/// Returns an operation that has the parameters of its path alone, with what is known of the route.
pub(super) fn operation(blank: Operation, doc: &OwnRouteDoc) -> Operation {
    let mut operation = blank;
    operation.summary = Some(doc.summary.to_owned());
    let query = doc.query.iter().map(|said| RefOr::T(parameter(said)));
    operation.parameters.get_or_insert_default().extend(query);
    let answers = doc.answers.iter().map(|answered| {
        let response = RefOr::from(answer(answered));
        (answered.status.to_owned(), response)
    });
    let problems = doc
        .problems
        .iter()
        .map(|status| ((*status).to_owned(), problem(status)));
    operation.responses.responses = answers.chain(problems).collect();
    operation
}

/// Adds the schemas of the answers, where the document lacks them.
pub(super) fn add_schemas(document: &mut OpenApi, doc: &OwnRouteDoc) {
    let components = document.components.get_or_insert_default();
    for answered in doc.answers {
        if let OwnBody::Object(name, all) | OwnBody::List(name, all) = answered.body {
            let schema = || Schema::from(members(all)).into();
            let schemas = &mut components.schemas;
            schemas.entry(name.to_owned()).or_insert_with(schema);
        }
    }
}

/// Says of an answer with this status that it may be a problem too.
pub(super) fn with_problem(response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response {
        let content = || Content::new(Some(Ref::from_schema_name("AuthProblem")));
        let contents = &mut response.content;
        let problem = contents.entry("application/problem+json".to_owned());
        problem.or_insert_with(|| content().into());
    }
}

fn parameter((name, kind, about): &(&str, QueryKind, &str)) -> Parameter {
    let schema = match kind {
        QueryKind::Text => text(),
        QueryKind::Id => text()
            .min_length(Some(SessionId::TEXT_LEN))
            .max_length(Some(SessionId::TEXT_LEN)),
        QueryKind::Seconds => number(),
        QueryKind::Bool => truth(),
        QueryKind::Word(words) => text().enum_values(Some(words.iter().copied())),
    };
    ParameterBuilder::new()
        .name(*name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(*about))
        .schema(Some(schema))
        .build()
}

fn answer(answered: &OwnAnswer) -> Response {
    let response = ResponseBuilder::new().description(answered.about);
    let (schema, response) = match answered.body {
        OwnBody::Empty => return response.build(),
        OwnBody::Object(name, _) => (reference(name), response),
        OwnBody::List(name, _) => (
            schema::list(reference(name)),
            response.header("Link", next_page()),
        ),
    };
    response
        .content("application/json", Content::new(Some(schema)))
        .build()
}
