//! The security of a protected router's routes in a document: it comes from the type that guards
//! them.

use http::Method;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Required};

use crate::policy::Rule;

use super::super::protected::{ProtectedRouter, Route, Security};
use super::operation::problem;
use super::scheme::{BEARER, COOKIE};

impl<S> ProtectedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Writes into a document who may call each route, as the first argument of its handler says
    /// it: the `security` of its operation, and what a refused caller is answered.
    ///
    /// An operation that is not there is added with the parameters of its path. Roles and scopes
    /// that all are asked for are listed in the requirement. The routes are those so far, at the
    /// paths that they have in this router.
    pub fn describe(&self, document: &mut OpenApi) {
        describe(self.routes(), document);
    }
}

pub(super) fn describe(routes: &[Route], document: &mut OpenApi) {
    let schemes = document
        .components
        .as_ref()
        .map(|components| &components.security_schemes);
    let has_cookies = schemes.is_some_and(|schemes| schemes.contains_key(COOKIE));
    for route in routes {
        let path = route.path.replace("{*", "{");
        let item = document.paths.paths.entry(path.clone()).or_default();
        let methods: Vec<HttpMethod> = match &route.method {
            Some(method) => known(method).into_iter().collect(),
            // A handler of every other method stands behind those that were described and are not
            // handled elsewhere.
            None => ALL
                .into_iter()
                .filter(|method| slot(item, method).is_some() && !handled(routes, route, method))
                .collect(),
        };
        for method in methods {
            let operation = slot(item, &method).get_or_insert_with(|| blank(&path));
            guard(operation, route.security, has_cookies);
        }
    }
}

/// An operation of which only the path is known.
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

fn guard(operation: &mut Operation, security: Security, has_cookies: bool) {
    let needs = |rule| SecurityRequirement::new(BEARER, asked(rule));
    let in_cookie = |rule| SecurityRequirement::new(COOKIE, asked(rule));
    let (requirements, rule) = match security {
        Security::Public => (Vec::new(), None),
        Security::Lenient(rule) => (
            vec![SecurityRequirement::default(), needs(rule)],
            Some(rule),
        ),
        Security::Required(rule) => (vec![needs(rule)], Some(rule)),
        Security::OneOf(one, other) if one == other => (vec![needs(one)], Some(one)),
        // The one may refuse whom the other takes.
        Security::OneOf(one, other) => (
            vec![needs(one), needs(other)],
            Some(if one == Rule::Anyone { other } else { one }),
        ),
    };
    operation.security = Some(requirements);
    let Some(rule) = rule else { return };
    let mut refused = vec!["401", "503"];
    // A gate's own token may come in a cookie, and then from elsewhere.
    if has_cookies {
        operation
            .security
            .get_or_insert_default()
            .push(in_cookie(rule));
    }
    if has_cookies || rule != Rule::Anyone {
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

/// The roles and scopes of which none may be missing, each once. What else a rule asks for has no
/// word in OpenAPI.
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

/// `CONNECT` has no place in a document.
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
