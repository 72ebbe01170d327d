//! The security of a protected router's routes in a document: it comes from the type of the caller.

use http::Method;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Required};

use crate::policy::Rule;

use super::super::protected::{ProtectedRouter, Route, RouteCaller, Security};
use super::operation::problem;
use super::scheme::{BEARER, COOKIE, TokenSchemes};

impl<S> ProtectedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Adds to a document who may call each route, as the first argument of its handler declares:
    /// the `security` of its operation, and the answers to a refused caller.
    ///
    /// An operation that is missing is added with the parameters of its path. Roles and scopes that
    /// are required in every case are listed in the requirement. The routes are those so far, at
    /// the paths that they have in this router. The document is that of one gate;
    /// [`install`](crate::install) describes the routes of several.
    pub fn describe(&self, document: &mut OpenApi) {
        let schemes = known_schemes(document);
        describe(self.routes(), document, &[schemes]);
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

pub(super) fn describe(routes: &[Route], document: &mut OpenApi, schemes: &[TokenSchemes]) {
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
            let operation = slot(item, &method).get_or_insert_with(|| blank(&path));
            guard(operation, route, schemes);
        }
    }
}

/// Makes an operation of which only the path is known.
fn blank(path: &str) -> Operation {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name);
    let parameters = names.map(|name| {
        let text = ObjectBuilder::new().schema_type(Type::String);
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text))
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

fn guard(operation: &mut Operation, route: &Route, schemes: &[TokenSchemes]) {
    let (is_optional, rules) = match route.security {
        Security::Public => (true, Vec::new()),
        Security::Lenient(rule) => (true, vec![rule]),
        Security::Required(rule) => (false, vec![rule]),
        Security::OneOf(one, other) => (false, vec![one, other]),
    };
    let callers = rules.iter().enumerate().map(|(at, rule)| {
        let caller = route.callers.get(at);
        (*rule, SentBy::new(caller, schemes))
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
            let needs = name(sent).map(|name| SecurityRequirement::new(name, asked(*rule)));
            requirements.extend(needs.filter(|needs| !requirements.contains(needs)));
        }
    }
    operation.security = Some(requirements);
    if rules.is_empty() {
        return;
    }
    let mut refused = vec!["401", "503"];
    // A gate's own token may come in a cookie, and so from a page of another origin; and a caller
    // may lack a role or scope of the rule.
    let has_cookies = callers.iter().any(|(_, sent)| sent.cookie.is_some());
    if has_cookies || rules.iter().any(|rule| *rule != Rule::Anyone) {
        refused.push("403");
    }
    for status in refused {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(status));
    }
}

/// The schemes by which a caller of a route may send a token.
struct SentBy {
    bearer: Option<String>,
    cookie: Option<String>,
}

impl SentBy {
    /// Finds the gate of the caller's type. A caller of an unknown gate is described by the scheme
    /// of the first one, and without a cookie where there are several gates.
    fn new(caller: Option<&RouteCaller>, schemes: &[TokenSchemes]) -> Self {
        let own = schemes
            .iter()
            .find(|gate| gate.user.is_some() && gate.user == caller.map(|caller| caller.user));
        let gate = own.or(schemes.first());
        let may_have_cookie = own.is_some() || schemes.len() == 1;
        Self {
            bearer: gate
                .filter(|_| caller.is_none_or(|caller| caller.in_header))
                .map(|gate| gate.bearer.clone()),
            cookie: gate
                .filter(|_| may_have_cookie && caller.is_none_or(|caller| caller.in_cookie))
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
