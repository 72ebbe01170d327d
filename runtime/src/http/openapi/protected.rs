//! The security of a protected router's routes in a document: it comes from the type of the caller.

use std::collections::BTreeSet;

use http::Method;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, Required};

use crate::policy::Rule;

use super::super::protected::{ProtectedRouter, Route, RouteCaller, Security};
use super::operation::problem;
use super::own;
use super::schema::text;
use super::scheme::{BEARER, COOKIE, FOREIGN, TokenSchemes};

impl<S> ProtectedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Adds to a document who may call each route, as the first argument of its handler declares:
    /// the `security` of its operation, and the answers to a refused caller.
    ///
    /// An operation that is missing is added with the parameters of its path; one without an
    /// `operationId` or a tag gets them from its method and path. The routes are those so far, at
    /// the paths that they have in this router. The document is that of one gate, whose users are
    /// the first caller of an [`OneOf`](crate::extract::OneOf); [`install`](crate::install)
    /// describes the routes of several, and knows the users of each.
    pub fn describe(&self, document: &mut OpenApi) {
        let schemes = known_schemes(document);
        describe(self.routes(), document, &[schemes], false);
    }

    /// Does the same, and names the roles and scopes that are required in every case, as
    /// `openapi.policies` does: for a document that is not public.
    pub fn describe_with_policies(&self, document: &mut OpenApi) {
        let schemes = known_schemes(document);
        describe(self.routes(), document, &[schemes], true);
    }
}

/// Returns the schemes of the gate to which the document belongs.
fn known_schemes(document: &OpenApi) -> TokenSchemes {
    let components = document.components.as_ref();
    let known = |name: &str| {
        let mut names = components?.security_schemes.keys();
        let own = names.clone().find(|known| *known == name);
        own.or_else(|| names.find(|known| known.ends_with(&format!("_{name}"))))
    };
    TokenSchemes {
        user: None,
        bearer: known(BEARER).map_or(BEARER, String::as_str).to_owned(),
        cookie: known(COOKIE).cloned(),
    }
}

/// Describes routes. `policies` says whether roles and scopes are named.
pub(super) fn describe(
    routes: &[Route],
    document: &mut OpenApi,
    schemes: &[TokenSchemes],
    policies: bool,
) {
    let mut ids = operation_ids(document);
    let mut has_foreign = false;
    for route in routes {
        let path = route.path.replace("{*", "{");
        let item = document.paths.paths.entry(path.clone()).or_default();
        let methods: Vec<HttpMethod> = match &route.method {
            Some(method) => known(method).into_iter().collect(),
            // A handler of all other methods is added for the methods that the document has and
            // that no other handler has.
            None => ALL
                .into_iter()
                .filter(|method| slot(item, method).is_some() && !handled(routes, route, method))
                .collect(),
        };
        for method in methods {
            let name = method_name(&method);
            let operation = slot(item, &method).get_or_insert_with(|| match route.doc {
                Some(doc) => own::operation(blank(&path), doc),
                None => blank(&path),
            });
            identify(operation, name, &path, &mut ids);
            has_foreign |= guard(operation, route, schemes, policies);
        }
    }
    for doc in routes.iter().filter_map(|route| route.doc) {
        own::add_schemas(document, doc);
    }
    if has_foreign {
        let about = "An access token of an issuer that the application trusts";
        let scheme = Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(about))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(FOREIGN, SecurityScheme::Http(scheme));
    }
}

/// Returns the ids of all operations.
fn operation_ids(document: &mut OpenApi) -> BTreeSet<String> {
    let items = document.paths.paths.values_mut();
    let ids = items.flat_map(|item| {
        let of = |method: &HttpMethod| slot(item, method).as_ref()?.operation_id.clone();
        ALL.iter().filter_map(of).collect::<Vec<_>>()
    });
    ids.collect()
}

/// Gives an operation without an id one of its method and path, such as `get_users_id`, one without a
/// summary both of them, and one without a tag the first part of its path.
fn identify(operation: &mut Operation, method: &str, path: &str, ids: &mut BTreeSet<String>) {
    let parts = path
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    if operation.summary.is_none() {
        operation.summary = Some(format!("{} {path}", method.to_uppercase()));
    }
    if operation.tags.is_none() {
        let first = parts.clone().next().unwrap_or("root");
        operation.tags = Some(vec![first.to_owned()]);
    }
    if operation.operation_id.is_some() {
        return;
    }
    let words: Vec<&str> = [method].into_iter().chain(parts).collect();
    let name = words.join("_");
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let id = [name.clone()]
        .into_iter()
        .chain(numbered)
        .find(|id| !ids.contains(id));
    ids.extend(id.clone());
    operation.operation_id = id;
}

/// Makes an operation of which only the path is known.
fn blank(path: &str) -> Operation {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name);
    let parameters = names.map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text()))
            .build()
    });
    let operation = parameters.fold(OperationBuilder::new(), OperationBuilder::parameter);
    operation
        .response(
            "default",
            utoipa::openapi::Response::new("as the handler answers"),
        )
        .build()
}

/// Adds who may call a route. Returns whether callers with tokens of another issuer may.
fn guard(
    operation: &mut Operation,
    route: &Route,
    schemes: &[TokenSchemes],
    policies: bool,
) -> bool {
    let (is_optional, rules) = match route.security {
        Security::Public => (true, Vec::new()),
        Security::Lenient(rule) => (true, vec![rule]),
        Security::Required(rule) => (false, vec![rule]),
        Security::OneOf(one, other) => (false, vec![one, other]),
    };
    let callers = rules.iter().enumerate().map(|(at, rule)| {
        let sent = SentBy::new(route.callers.get(at), at, schemes);
        (*rule, sent)
    });
    let callers: Vec<(Rule, SentBy)> = callers.collect();
    let mut requirements = Vec::new();
    if is_optional && !rules.is_empty() {
        requirements.push(SecurityRequirement::default());
    }
    for name in [
        |sent: &SentBy| sent.bearer.clone(),
        |sent: &SentBy| sent.cookie.clone(),
    ] {
        for (rule, sent) in &callers {
            let asked = if policies { asked(*rule) } else { Vec::new() };
            let needs = name(sent).map(|name| SecurityRequirement::new(name, asked));
            requirements.extend(needs.filter(|needs| !requirements.contains(needs)));
        }
    }
    operation.security = Some(requirements);
    if rules.is_empty() {
        return false;
    }
    let mut refused = vec!["400", "401", "503"];
    // A gate's own token may come in a cookie, and so from a page of another origin; and a caller
    // may lack a role or scope of the rule.
    let has_cookies = callers.iter().any(|(_, sent)| sent.cookie.is_some());
    if has_cookies || rules.iter().any(|rule| *rule != Rule::Anyone) {
        refused.push("403");
    }
    for status in refused {
        let responses = &mut operation.responses.responses;
        let response = responses.entry(status.to_owned());
        own::with_problem(response.or_insert_with(|| problem(status)));
    }
    let is_foreign = |(_, sent): &(Rule, SentBy)| sent.bearer.as_deref() == Some(FOREIGN);
    callers.iter().any(is_foreign)
}

/// The schemes by which a caller of a route may send a token.
struct SentBy {
    bearer: Option<String>,
    cookie: Option<String>,
}

impl SentBy {
    /// Finds the gate of the caller's type. A caller of no gate has a token of another issuer, and
    /// no cookie. Where the gate's users are not known, the first caller counts as one.
    fn new(caller: Option<&RouteCaller>, at: usize, schemes: &[TokenSchemes]) -> Self {
        let is_gates = |gate: &&TokenSchemes| match gate.user {
            Some(user) => Some(user) == caller.map(|caller| caller.user),
            None => at == 0,
        };
        let gate = schemes.iter().find(is_gates);
        let in_header = caller.is_none_or(|caller| caller.in_header);
        let in_cookie = caller.is_none_or(|caller| caller.in_cookie);
        let bearer = gate.map_or(FOREIGN, |gate| gate.bearer.as_str());
        Self {
            bearer: in_header.then(|| bearer.to_owned()),
            cookie: gate
                .filter(|_| in_cookie)
                .and_then(|gate| gate.cookie.clone()),
        }
    }
}

/// Returns the roles and scopes that are all required, each once. OpenAPI cannot express the other
/// conditions of a rule.
fn asked(rule: Rule) -> Vec<&'static str> {
    let mut names = Vec::new();
    collect(rule, &mut names);
    names
}

fn collect(rule: Rule, names: &mut Vec<&'static str>) {
    match rule {
        Rule::Role(name) | Rule::Scope(name) if !names.contains(&name) => names.push(name),
        Rule::All(rules) => rules.iter().for_each(|rule| collect(*rule, names)),
        _ => {}
    }
}

fn handled(routes: &[Route], other: &Route, method: &HttpMethod) -> bool {
    routes.iter().any(|route| {
        route.path == other.path && route.method.as_ref().and_then(known).as_ref() == Some(method)
    })
}

const ALL: [HttpMethod; 8] = [
    HttpMethod::Get,
    HttpMethod::Put,
    HttpMethod::Post,
    HttpMethod::Delete,
    HttpMethod::Options,
    HttpMethod::Head,
    HttpMethod::Patch,
    HttpMethod::Trace,
];

fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Post => "post",
        HttpMethod::Delete => "delete",
        HttpMethod::Options => "options",
        HttpMethod::Head => "head",
        HttpMethod::Patch => "patch",
        HttpMethod::Trace => "trace",
    }
}

/// Returns the method for a document; `None` for `CONNECT`, which a document cannot have.
fn known(method: &Method) -> Option<HttpMethod> {
    Some(match *method {
        Method::GET => HttpMethod::Get,
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        Method::OPTIONS => HttpMethod::Options,
        Method::HEAD => HttpMethod::Head,
        Method::PATCH => HttpMethod::Patch,
        Method::TRACE => HttpMethod::Trace,
        _ => return None,
    })
}

fn slot<'a>(item: &'a mut PathItem, method: &HttpMethod) -> &'a mut Option<Operation> {
    match method {
        HttpMethod::Get => &mut item.get,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Post => &mut item.post,
        HttpMethod::Delete => &mut item.delete,
        HttpMethod::Options => &mut item.options,
        HttpMethod::Head => &mut item.head,
        HttpMethod::Patch => &mut item.patch,
        HttpMethod::Trace => &mut item.trace,
    }
}
