//! Describes the forms that the auth routes accept if the gate has pages.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Content, ResponseBuilder};

use crate::gate::{AuthRoute, Running};

use super::super::row::RouteRow;
use super::operation::{header, set_cookie};
use super::request::{self, Beside, FORM};
use super::schema::text;

/// The fields of a route's form.
#[derive(Clone, Copy)]
pub(super) enum PageFields {
    /// The login, the device and `next`.
    SignIn,
    /// The code, the device and `next`. The token of the step is in a cookie.
    Step,
    /// The login and `next`.
    Reauthenticate,
    /// None.
    SignOut,
}

impl PageFields {
    /// Returns the fields of a row's form; `None` if the row accepts no form.
    pub(super) fn of(row: &RouteRow, gate: &Running) -> Option<Self> {
        if !gate.has_pages() {
            return None;
        }
        match row.route()? {
            AuthRoute::Signin => Some(Self::SignIn),
            AuthRoute::Step => Some(Self::Step),
            AuthRoute::Reauthenticate => Some(Self::Reauthenticate),
            AuthRoute::Signout => Some(Self::SignOut),
            _ => None,
        }
    }

    /// Adds the form to the body of an operation.
    pub(super) fn beside(self, body: Option<RequestBody>, gate: &Running) -> RequestBody {
        let mut body = body.unwrap_or_else(|| RequestBodyBuilder::new().build());
        let content = Content::new(Some(Schema::from(self.schema(gate))));
        body.content.insert(FORM.to_owned(), content.into());
        body
    }

    /// Adds what a browser is answered.
    pub(super) fn answered(self, operation: OperationBuilder) -> OperationBuilder {
        let about = match self {
            Self::SignIn | Self::Reauthenticate => {
                "A form was sent: to `next`, to the page of a further step, or back to the login page"
            }
            Self::Step => "A form was sent: to `next`, or back to the page of the step",
            Self::SignOut => "A form was sent: to `/`",
        };
        let response = ResponseBuilder::new()
            .description(about)
            .header("Location", header("A path of this origin"))
            .header("Set-Cookie", set_cookie());
        operation.response("303", response.build())
    }

    fn schema(self, gate: &Running) -> ObjectBuilder {
        let object = match self {
            Self::SignIn => with_device(request::login(gate, Beside::Nothing), gate),
            Self::Step => {
                let code = ObjectBuilder::new().property("code", text());
                with_device(code, gate)
            }
            Self::Reauthenticate => request::login(gate, Beside::Nothing),
            Self::SignOut => return ObjectBuilder::new(),
        };
        let about =
            "The path of this origin to which the browser is sent; any other text counts as `/`";
        object.property("next", text().description(Some(about)))
    }
}

/// Adds the fields of the device, unless the login has members of these names.
fn with_device(object: ObjectBuilder, gate: &Running) -> ObjectBuilder {
    let known = gate.flows().backend().login_members().unwrap_or_default();
    ["device_name", "device_id"]
        .into_iter()
        .filter(|name| known.iter().all(|member| member.name != *name))
        .fold(object, |object, name| {
            object.property(name, request::device(false))
        })
}
