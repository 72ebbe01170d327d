//! The bodies of the auth routes as schemas, and the problems that each of them may answer.

use std::any::TypeId;

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Components, Content, Ref, RefOr, ResponseBuilder};

use crate::error::Code;
use crate::gate::{EmailLogin, RouteConfig, UsernameLogin};

use super::super::answer::{AccessOnly, SessionEntry, TokenDescription, Tokens};
use super::super::member::{AnswerMember, MemberKind};
use super::super::problem::PROBLEM_MEMBERS;
use super::scheme::{ACCESS_TOKEN, Names, TOKENS};

/// Returns the body of a sign-in; a type that is not known here is any object.
pub(super) fn login(asked: TypeId, has_cookies: bool) -> Schema {
    let own = if asked == TypeId::of::<EmailLogin>() {
        Some("email")
    } else if asked == TypeId::of::<UsernameLogin>() {
        Some("username")
    } else {
        None
    };
    let known = own
        .into_iter()
        .flat_map(|name| [(name, text()), ("password", password())]);
    let object = known.fold(ObjectBuilder::new(), |object, (name, schema)| {
        object.property(name, schema).required(name)
    });
    let object = object
        .property("device_name", text())
        .property("device_id", text());
    let object = match has_cookies {
        true => object.property("transport", text().enum_values(Some(["cookie", "body"]))),
        false => object,
    };
    match own {
        Some(_) => object.into(),
        None => object
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into(),
    }
}

/// Returns an object of strings; each pair says whether the member is required.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, bool)>) -> Schema {
    let object = members
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, is_required)| {
            let object = object.property(name, text());
            if is_required {
                object.required(name)
            } else {
                object
            }
        });
    object.into()
}

pub(super) fn list(of: RefOr<Schema>) -> RefOr<Schema> {
    ArrayBuilder::new().items(of).into()
}

/// Adds the schemas that depend on the backend's names of the members.
pub(super) fn own(
    components: ComponentsBuilder,
    names: &Names,
    routes: &RouteConfig,
    has_cookies: bool,
    answers_refresh: bool,
) -> ComponentsBuilder {
    let access = members(&AccessOnly::members(routes, has_cookies));
    components
        .schema(
            names.schema(TOKENS),
            members(&Tokens::members(routes, has_cookies, answers_refresh)),
        )
        .schema(names.schema(ACCESS_TOKEN), access)
}

/// Adds the components to which operations of every gate refer by name.
pub(super) fn shared(components: Components) -> ComponentsBuilder {
    let keys = ObjectBuilder::new()
        .property("keys", ArrayBuilder::new().items(ObjectBuilder::new()))
        .required("keys");
    let introspection = ObjectBuilder::new()
        .property("active", truth())
        .required("active");
    let components = ComponentsBuilder::from(components)
        .schema("AuthTokenDescription", members(&TokenDescription::MEMBERS))
        .schema("AuthSession", members(&SessionEntry::MEMBERS))
        .schema("AuthIntrospection", introspection)
        .schema("AuthKeySet", keys)
        .schema("AuthProblem", members(&PROBLEM_MEMBERS));
    STATUSES.into_iter().fold(components, |components, status| {
        let codes: Vec<String> = Code::ALL
            .iter()
            .filter(|code| code.status() == status)
            .map(|code| format!("`{}`", code.as_str()))
            .collect();
        let content = Content::new(Some(Ref::from_schema_name("AuthProblem")));
        let response = ResponseBuilder::new()
            .description(codes.join(", "))
            .content("application/problem+json", content);
        components.response(format!("AuthProblem{status}"), response)
    })
}

const STATUSES: [u16; 9] = [400, 401, 403, 404, 413, 415, 429, 500, 503];

/// Returns an object that has these members.
fn members(all: &[AnswerMember]) -> ObjectBuilder {
    all.iter().fold(ObjectBuilder::new(), |object, member| {
        let schema = match member.holds {
            MemberKind::Text => text(),
            MemberKind::MaybeText => {
                ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            }
            MemberKind::Number => ObjectBuilder::new().schema_type(Type::Integer),
            MemberKind::Bool => truth(),
            MemberKind::Object => ObjectBuilder::new().schema_type(Type::Object),
            MemberKind::Code => {
                text().enum_values(Some(Code::ALL.iter().map(|code| code.as_str())))
            }
        };
        let object = object.property(member.name, schema);
        if member.is_optional {
            object
        } else {
            object.required(member.name)
        }
    })
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn truth() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn password() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
}
