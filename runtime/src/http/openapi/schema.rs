//! The bodies of answers and problems as schemas.

use serde_json::{Map, Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, ResponseBuilder};

use crate::error::Code;
use crate::flow::{AnswerMembers, LoginMember};
use crate::gate::RouteConfig;

use super::super::answer::{
    AccessOnly, INTROSPECTION, KEY_SET, SessionEntry, TokenDescription, Tokens,
};
use super::super::member::{AnswerMember, MemberKind};
use super::super::problem::PROBLEM_MEMBERS;
use super::request;
use super::scheme::{ACCESS_TOKEN, Names, SIGNED_IN, TOKENS};

pub(super) fn list(of: RefOr<Schema>) -> RefOr<Schema> {
    ArrayBuilder::new().items(of).max_items(Some(100)).into()
}

/// Adds the schemas that depend on the backend's names of the members.
pub(super) fn own(
    components: ComponentsBuilder,
    names: &Names,
    routes: &RouteConfig,
    has_cookies: bool,
    answers_refresh: bool,
    added: Option<AnswerMembers>,
) -> ComponentsBuilder {
    let access = members(&AccessOnly::members(routes, has_cookies));
    let components = match added {
        Some(added) => {
            let tokens = Tokens::members(routes, has_cookies, answers_refresh);
            let schema = with_added(&tokens, &added.members);
            components.schema(names.schema(SIGNED_IN), schema)
        }
        None => components,
    };
    components
        .schema(
            names.schema(TOKENS),
            members(&Tokens::members(routes, has_cookies, answers_refresh)),
        )
        .schema(names.schema(ACCESS_TOKEN), access)
}

/// Returns the tokens with the members that a backend adds.
fn with_added(tokens: &[AnswerMember], added: &[LoginMember]) -> ObjectBuilder {
    let object = tokens.iter().fold(ObjectBuilder::new(), |object, member| {
        let object = object.property(member.name, schema(member));
        match member.is_optional {
            true => object,
            false => object.required(member.name),
        }
    });
    let mut shown = example(tokens);
    let object = added.iter().fold(object, |object, member| {
        let object = object.property(member.name, request::value(member));
        if !member.is_required {
            return object;
        }
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(member.name.to_owned(), request::example(member));
        }
        object.required(member.name)
    });
    object.examples([shown])
}

/// Adds the components to which operations of every gate refer by name.
pub(super) fn shared(components: Components) -> ComponentsBuilder {
    let components = ComponentsBuilder::from(components)
        .schema("AuthTokenDescription", members(&TokenDescription::MEMBERS))
        .schema("AuthSession", members(&SessionEntry::MEMBERS))
        .schema("AuthIntrospection", members(INTROSPECTION))
        .schema("AuthKeySet", members(KEY_SET))
        .schema("AuthProblem", members(&PROBLEM_MEMBERS));
    STATUSES.into_iter().fold(components, |components, status| {
        components.response(format!("AuthProblem{status}"), problem(status))
    })
}

const STATUSES: [u16; 9] = [400, 401, 403, 404, 413, 415, 429, 500, 503];

/// Returns the answer with a status.
fn problem(status: u16) -> Response {
    let codes = || Code::ALL.into_iter().filter(|code| code.status() == status);
    let words: Vec<String> = codes().map(|code| format!("`{}`", code.as_str())).collect();
    let example = codes().next().map(|code| {
        json!({
            "type": format!("urn:tollgate:problem:{}", code.as_str()),
            "title": code.title(),
            "status": status,
            "code": code.as_str(),
        })
    });
    let mut content = Content::new(Some(Ref::from_schema_name("AuthProblem")));
    content.example = example;
    let response = ResponseBuilder::new()
        .description(words.join(", "))
        .content("application/problem+json", content);
    let header = |schema: ObjectBuilder, about| {
        HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(about))
            .build()
    };
    let response = match status {
        401 => response.header(
            "WWW-Authenticate",
            header(
                text(),
                "The scheme, and what is wrong with the token (RFC 6750)",
            ),
        ),
        429 | 503 => response.header(
            "Retry-After",
            header(
                number(),
                "The number of seconds after which to try again, if it is known",
            ),
        ),
        _ => response,
    };
    response.build()
}

/// Returns an object that has these members, with an example of the required ones.
pub(super) fn members(all: &[AnswerMember]) -> ObjectBuilder {
    let object = all.iter().fold(ObjectBuilder::new(), |object, member| {
        let object = object.property(member.name, schema(member));
        if member.is_optional {
            object
        } else {
            object.required(member.name)
        }
    });
    object.examples([example(all)])
}

fn schema(member: &AnswerMember) -> Schema {
    match member.holds {
        MemberKind::Text => text().into(),
        MemberKind::MaybeText => maybe_text().into(),
        MemberKind::Word(words) => text().enum_values(Some(words.iter().copied())).into(),
        MemberKind::Number => number().into(),
        MemberKind::MaybeNumber => number()
            .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
            .into(),
        MemberKind::Texts => ArrayBuilder::new().items(text()).into(),
        MemberKind::Bool => truth().into(),
        MemberKind::Object(inner) => members(inner).into(),
        MemberKind::List(inner) => ArrayBuilder::new().items(members(inner)).into(),
        MemberKind::Any => ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .into(),
        MemberKind::Keys => ArrayBuilder::new().items(key()).into(),
        MemberKind::Code => text()
            .enum_values(Some(Code::ALL.iter().map(|code| code.as_str())))
            .into(),
    }
}

/// Returns a public key (RFC 7517 section 4).
fn key() -> ObjectBuilder {
    let object = ObjectBuilder::new().property("kty", text()).required("kty");
    ["kid", "use", "alg", "crv", "x", "y", "n", "e"]
        .into_iter()
        .fold(object, |object, name| object.property(name, text()))
}

fn example(all: &[AnswerMember]) -> Value {
    let value = |member: &AnswerMember| match member.holds {
        MemberKind::Text | MemberKind::MaybeText | MemberKind::Word(_) | MemberKind::Code => {
            Value::from(member.example)
        }
        MemberKind::Object(inner) => example(inner),
        _ => serde_json::from_str(member.example).unwrap_or_default(),
    };
    let members = all.iter().filter(|member| !member.is_optional);
    let members: Map<String, Value> = members
        .map(|member| (member.name.to_owned(), value(member)))
        .collect();
    Value::Object(members)
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(super) fn maybe_text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

pub(super) fn truth() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Returns a number of seconds, or a status: a whole number, never negative.
pub(super) fn number() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
}
