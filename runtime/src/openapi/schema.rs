//! The bodies of the auth routes as schemas, and the problems that each of them may answer.

use std::any::TypeId;

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Components, Content, Ref, RefOr, ResponseBuilder};

use crate::error::Code;
use crate::gate::{AuthBackend, EmailLogin, RouteConfig, UsernameLogin};

/// The body of a sign-in: that of a type of one's own is any object.
pub(super) fn login<B: AuthBackend>(has_cookies: bool) -> Schema {
    let asked = TypeId::of::<B::Login>();
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

/// An object of strings; of each it is said whether it is required.
pub(super) fn object<const N: usize>(members: [(&str, bool); N]) -> Schema {
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

/// What operations refer to by name.
/// Where tokens may travel in cookies, bodies need not have them.
pub(super) fn add(
    components: Components,
    shape: &RouteConfig,
    has_cookies: bool,
) -> ComponentsBuilder {
    let mut optional = vec!["hints"];
    if has_cookies {
        optional.extend([shape.access_token, shape.refresh_token, "token_type"]);
    }
    let members = |all: &[(&str, Kind)]| members(all, &optional);
    let pair = members(&[
        (shape.access_token, Kind::Text),
        (shape.refresh_token, Kind::Text),
        ("token_type", Kind::Text),
        ("expires_in", Kind::Number),
        ("refresh_expires_in", Kind::Number),
        ("session_id", Kind::Text),
    ]);
    let access = members(&[
        (shape.access_token, Kind::Text),
        ("token_type", Kind::Text),
        ("expires_in", Kind::Number),
        ("session_id", Kind::Text),
    ]);
    let described = members(&[
        ("kind", Kind::Text),
        ("subject", Kind::Text),
        ("session_id", Kind::MaybeText),
        ("expires_at", Kind::Number),
    ]);
    let session = members(&[
        ("session_id", Kind::Text),
        ("current", Kind::Bool),
        ("device_name", Kind::MaybeText),
        ("device_id", Kind::MaybeText),
        ("user_agent", Kind::MaybeText),
        ("agent", Kind::Object),
        ("hints", Kind::Object),
        ("ip", Kind::MaybeText),
        ("created_at", Kind::Number),
        ("last_seen_at", Kind::Number),
        ("expires_at", Kind::Number),
    ]);
    let keys = ObjectBuilder::new()
        .property("keys", ArrayBuilder::new().items(ObjectBuilder::new()))
        .required("keys");
    let problem = members(&[
        ("type", Kind::Text),
        ("title", Kind::Text),
        ("status", Kind::Number),
        ("code", Kind::Code),
    ]);
    let components = ComponentsBuilder::from(components)
        .schema("Tokens", pair)
        .schema("AccessToken", access)
        .schema("TokenDescription", described)
        .schema("Session", session)
        .schema(
            "Introspection",
            ObjectBuilder::new()
                .property("active", truth())
                .required("active"),
        )
        .schema("KeySet", keys)
        .schema("Problem", problem);
    STATUSES.into_iter().fold(components, |components, status| {
        let codes: Vec<String> = Code::ALL
            .iter()
            .filter(|code| code.status() == status)
            .map(|code| format!("`{}`", code.as_str()))
            .collect();
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description(codes.join(", "))
            .content("application/problem+json", content);
        components.response(format!("Problem{status}"), response)
    })
}

const STATUSES: [u16; 8] = [400, 401, 403, 404, 413, 415, 429, 503];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    MaybeText,
    /// Seconds, or a status.
    Number,
    Bool,
    /// Members that are text or null.
    Object,
    /// One of the codes of a problem.
    Code,
}

/// An object that always has these members, but for those that are optional.
fn members(all: &[(&str, Kind)], optional: &[&str]) -> ObjectBuilder {
    all.iter()
        .fold(ObjectBuilder::new(), |object, &(name, kind)| {
            let schema = match kind {
                Kind::Text => text(),
                Kind::MaybeText => ObjectBuilder::new()
                    .schema_type(SchemaType::from_iter([Type::String, Type::Null])),
                Kind::Number => ObjectBuilder::new().schema_type(Type::Integer),
                Kind::Bool => truth(),
                Kind::Object => ObjectBuilder::new().schema_type(Type::Object),
                Kind::Code => text().enum_values(Some(Code::ALL.iter().map(|code| code.as_str()))),
            };
            let object = object.property(name, schema);
            if optional.contains(&name) {
                object
            } else {
                object.required(name)
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
