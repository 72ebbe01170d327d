//! The bodies of requests as schemas, with the bounds of each member.

use serde_json::{Map, Value};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, ArrayItems, KnownFormat, ObjectBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::openapi::{Content, RefOr, Required};

use crate::device::Device;
use crate::flow::{LoginMember, LoginValue};
use crate::gate::{RouteConfig, Running};
use crate::secret::Password;

use super::super::body::MAX_BODY;
use super::super::row::{Body, BodyMember, MemberForm, Needed};
use super::schema::{maybe_text, text, truth};

/// Returns the body of a route; `None` if it reads no body.
pub(super) fn body(body: &Body, gate: &Running, has_cookies: bool) -> Option<RequestBody> {
    let object = |members: &[BodyMember]| object(members, gate.routes, has_cookies);
    Some(match *body {
        Body::Empty => return None,
        Body::Login => json_body(login(gate, Beside::Device { has_cookies })),
        Body::LoginOrStep(step) => {
            let either = AnyOfBuilder::new()
                .item(Schema::from(login(gate, Beside::Nothing)))
                .item(Schema::from(object(step)));
            json_body(either)
        }
        Body::Members(members) => json_body(object(members)),
        Body::MaybeMembers(members) => {
            let mut body = json_body(object(members));
            body.required = None;
            body
        }
        Body::Form(members) => {
            let mut body = json_body(object(members));
            let form = members.iter().map(|member| BodyMember {
                is_nullable: false,
                ..*member
            });
            let form = object(&form.collect::<Vec<_>>());
            let content = Content::new(Some(Schema::from(form)));
            body.content.insert(FORM.to_owned(), content.into());
            body
        }
    })
}

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

fn json_body(schema: impl Into<Schema>) -> RequestBody {
    RequestBodyBuilder::new()
        .description(Some(format!("At most {MAX_BODY} bytes")))
        .content("application/json", Content::new(Some(schema.into())))
        .required(Some(Required::True))
        .build()
}

/// The members of a sign-in's body beside the login.
#[derive(Clone, Copy)]
pub(super) enum Beside {
    Nothing,
    Device { has_cookies: bool },
}

/// Returns the login of a backend, and the members beside it. Where serde does not reveal its
/// members, any are allowed.
pub(super) fn login(gate: &Running, beside: Beside) -> ObjectBuilder {
    let known = gate.flows().backend().login_members();
    let known = known.unwrap_or_default();
    let object = known.iter().fold(ObjectBuilder::new(), |object, member| {
        let object = object.property(member.name, value(member));
        if member.is_required {
            object.required(member.name)
        } else {
            object
        }
    });
    let required = known.iter().filter(|member| member.is_required);
    let example: Map<String, Value> = required
        .map(|member| (member.name.to_owned(), example(member)))
        .collect();
    let object = match example.is_empty() {
        true => object,
        false => object.examples([Value::Object(example)]),
    };
    let Beside::Device { has_cookies } = beside else {
        return object;
    };
    let object = ["device_name", "device_id"]
        .into_iter()
        .filter(|name| known.iter().all(|member| member.name != *name))
        .fold(object, |object, name| object.property(name, device(true)));
    if has_cookies {
        object.property("transport", text().enum_values(Some(["cookie", "body"])))
    } else {
        object
    }
}

/// Returns the schema of a member whose type serde tells.
pub(super) fn value(member: &LoginMember) -> Schema {
    let kind = |kind: Type| {
        let object = ObjectBuilder::new();
        match member.is_nullable {
            true => object.schema_type(SchemaType::from_iter([kind, Type::Null])),
            false => object.schema_type(kind),
        }
    };
    match member.holds {
        LoginValue::Text => kind(Type::String).into(),
        LoginValue::Password => kind(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .max_length(Some(Password::MAX_BYTES))
            .description(Some(format!("At most {} bytes", Password::MAX_BYTES)))
            .into(),
        LoginValue::Integer => kind(Type::Integer).into(),
        LoginValue::Number => kind(Type::Number).into(),
        LoginValue::Bool => kind(Type::Boolean).into(),
        LoginValue::Word(words) => {
            let words = words.iter().map(|word| Value::from(*word));
            let null = member.is_nullable.then_some(Value::Null);
            kind(Type::String)
                .enum_values(Some(words.chain(null)))
                .into()
        }
        LoginValue::List => {
            let array =
                ArrayBuilder::new().items(ArrayItems::RefOrSchema(Box::new(RefOr::T(any()))));
            match member.is_nullable {
                true => array.schema_type(SchemaType::from_iter([Type::Array, Type::Null])),
                false => array,
            }
            .into()
        }
        LoginValue::Object => kind(Type::Object).into(),
        LoginValue::Any => any(),
    }
}

fn any() -> Schema {
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .into()
}

/// Returns an example of a required member's value.
pub(super) fn example(member: &LoginMember) -> Value {
    match (member.holds, member.name) {
        (LoginValue::Password, _) => "correct horse battery staple".into(),
        (LoginValue::Text, "email") => "ada@example.com".into(),
        (LoginValue::Text, _) => "ada".into(),
        (LoginValue::Integer | LoginValue::Number, _) => 1.into(),
        (LoginValue::Bool, _) => true.into(),
        (LoginValue::Word(words), _) => words.first().copied().into(),
        (LoginValue::List, _) => Value::Array(Vec::new()),
        (LoginValue::Object, _) => Value::Object(Map::new()),
        (LoginValue::Any, _) => Value::Null,
    }
}

/// Returns an object with these members.
fn object(members: &[BodyMember], routes: &RouteConfig, has_cookies: bool) -> ObjectBuilder {
    let name = |member: &BodyMember| member.name.unwrap_or(routes.refresh_token).to_owned();
    let is_needed = |member: &BodyMember| match member.needed {
        Needed::Always => true,
        Needed::Never => false,
        Needed::WithoutCookies => !has_cookies,
    };
    let object = members.iter().fold(ObjectBuilder::new(), |object, member| {
        let schema = match (member.holds, member.is_nullable) {
            (MemberForm::Device, is_nullable) => device(is_nullable),
            (MemberForm::Truth, _) => truth(),
            // A longer one does not fit the body.
            (MemberForm::Text, true) => maybe_text().max_length(Some(MAX_BODY)),
            (MemberForm::Text, false) => text().max_length(Some(MAX_BODY)),
        };
        let object = object.property(name(member), schema);
        if is_needed(member) {
            object.required(name(member))
        } else {
            object
        }
    });
    let example: Map<String, Value> = members
        .iter()
        .filter(|member| is_needed(member) || member.name.is_none())
        .map(|member| (name(member), Value::from(member.example)))
        .collect();
    object.examples([Value::Object(example)])
}

/// Returns the schema of a device's name or id.
pub(super) fn device(is_nullable: bool) -> ObjectBuilder {
    let kind = if is_nullable { maybe_text() } else { text() };
    kind.max_length(Some(Device::MAX_BYTES))
        .pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]*$"))
        .description(Some(format!(
            "At most {} bytes, without control characters",
            Device::MAX_BYTES
        )))
}
