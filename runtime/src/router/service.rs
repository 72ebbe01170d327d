//! Services: who they are, what they are told about tokens, and where they find that out.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodFilter;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Code;
use crate::gate::{AuthBackend, AuthRoute, Gate};
use crate::reject::{Rejection, no_store};
use crate::settings::{Service, Settings};

use super::body::{Media, Read};
use super::mount::{self, Mounted};

impl<B: AuthBackend> Gate<B> {
    /// Whether services may ask about tokens: there is no route otherwise.
    pub(super) fn answers_services(&self) -> bool {
        !self
            .running()
            .engine
            .settings
            .introspection
            .services
            .is_empty()
    }

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414), where services may ask about
    /// tokens and `public_url` says under which address. It belongs at the root, with the path of
    /// the issuer behind (section 3.1).
    pub(super) fn metadata<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let settings = &self.running().engine.settings;
        let (Some(_), Some(issuer), true) = (
            &settings.public_url,
            &settings.issuer,
            self.answers_services(),
        ) else {
            return Router::new();
        };
        let path = path_of(issuer).trim_end_matches('/');
        let place = format!("/.well-known/oauth-authorization-server{path}");
        mount::router(vec![(
            place,
            MethodFilter::GET,
            Mounted::new(self, metadata::<B>),
        )])
        .with_state(())
    }

    /// The service that a request says it comes from, or the refusal (RFC 6749 section 2.3.1, RFC
    /// 7617).
    pub(super) fn service(&self, headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (value, another) = (values.next(), values.next());
        let Some(value) = value else { return Ok(None) };
        if another.is_some() {
            return Err(self.reject(Code::InvalidRequest));
        }
        let credentials = value.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((_, encoded)) =
            credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        else {
            return Ok(None);
        };
        let found = basic(encoded).and_then(|(name, secret)| {
            self.running()
                .engine
                .settings
                .introspection
                .authenticate(&name, &secret)
                .map(Service::name)
        });
        found.map(Some).ok_or_else(unknown_service)
    }
}

/// Nobody learns whether there is such a service.
pub(super) fn unknown_service() -> Rejection {
    Rejection::new(Code::InvalidCredentials, &"Basic realm=\"services\"".into())
}

/// Name and secret, each encoded as in a form (RFC 6749 section 2.3.1).
fn basic(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&format!("v={text}")).ok()?;
        match pairs.as_slice() {
            [(_, value)] => Some(value.clone()),
            _ => None,
        }
    };
    Some((plain(name)?, plain(secret)?))
}

/// `POST /auth/introspect` (RFC 7662 section 2).
pub(super) async fn introspect<B: AuthBackend>(
    State(gate): State<Gate<B>>,
    request: Request,
) -> Result<Response, Rejection> {
    #[derive(Deserialize)]
    struct Form {
        token: String,
        // Looked at by nobody: every kind is tried (section 2.1).
        #[serde(default, rename = "token_type_hint")]
        _hint: Option<String>,
    }
    // Before the body: who may not ask is not read.
    if gate.service(request.headers())?.is_none() {
        return Err(unknown_service());
    }
    let attempt = async {
        let read = Read::any(request).await?;
        let form: Form = match read.media {
            Media::Json => read.parse()?,
            Media::Form => {
                serde_urlencoded::from_bytes(&read.bytes).map_err(|_| Code::InvalidRequest)?
            }
        };
        gate.introspect(&form.token).await
    };
    let found = attempt.await.map_err(|refusal| gate.reject(refusal))?;
    let body = found.map_or_else(|| json!({"active": false}), Value::Object);
    let mut response = body.to_string().into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    no_store(response.headers_mut());
    Ok(response)
}

/// Whether a request to revoke a token comes from whom it must come from, and from which service
/// (RFC 7009 section 2.1).
pub(super) fn revoker<'g, B: AuthBackend>(
    gate: &'g Gate<B>,
    parts: &Parts,
    client_id: Option<&str>,
) -> Result<Option<&'g str>, Rejection> {
    let service = gate.service(&parts.headers)?;
    let settings: &Settings = &gate.running().engine.settings;
    let must = |name: &str| settings.introspection.knows(name);
    // A client that has a secret shows it: the one that is named, and the one whose tokens these
    // are.
    let is_named = client_id.is_some_and(|name| must(name) && service != Some(name));
    if is_named || (service.is_none() && must(&settings.client_id)) {
        return Err(unknown_service());
    }
    Ok(service)
}

async fn metadata<B: AuthBackend>(State(gate): State<Gate<B>>) -> Response {
    let settings = &gate.running().engine.settings;
    let (base, shape) = (
        settings.public_url.as_deref().unwrap_or_default(),
        &B::ROUTES,
    );
    let (origin, _) = base.split_at(base.len() - path_of(base).len());
    let at = |path: &str| format!("{base}{}{path}", shape.prefix);
    let mut document = json!({
        "issuer": settings.issuer,
        "jwks_uri": format!("{origin}/.well-known/jwks.json"),
        "introspection_endpoint": at("/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        // Required members; there is no authorization endpoint and no grant of OAuth here.
        "response_types_supported": [],
        "grant_types_supported": [],
    });
    if !shape.disabled.contains(&AuthRoute::Revoke) {
        let own_client_has_a_secret = settings.introspection.knows(&settings.client_id);
        let methods: &[&str] = if own_client_has_a_secret {
            &["client_secret_basic"]
        } else {
            &["none", "client_secret_basic"]
        };
        if let Some(members) = document.as_object_mut() {
            members.insert("revocation_endpoint".to_owned(), json!(at("/revoke")));
            members.insert(
                "revocation_endpoint_auth_methods_supported".to_owned(),
                json!(methods),
            );
        }
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, document.to_string()).into_response()
}

/// The path of an address, with its leading slash; empty where it has none.
fn path_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.find('/')
        .and_then(|at| host.get(at..))
        .unwrap_or_default()
}
