//! Reads the options of `#[auth_backend(…)]`. Knows how they look, not what they mean.

use proc_macro2::{Ident, TokenStream};
use syn::parse::Parse;
use syn::{LitBool, LitStr, Type};

use crate::attr::{self, Opt};
use crate::diag::Diag;
use crate::path::Krate;

/// What the attribute says.
pub(crate) struct BackendArgs {
    /// The ways to sign in, in their order; a correct attribute has one.
    pub(crate) kinds: Vec<LoginWord>,
    pub(crate) user: Option<Type>,
    /// Whether `user` was said at all, readable or not.
    pub(crate) user_said: bool,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) tag: Option<LitStr>,
    pub(crate) openapi: Option<LitBool>,
    pub(crate) signin: RouteArgs,
    pub(crate) refresh: RouteArgs,
    /// `refresh(from = …)`.
    pub(crate) from: Option<Ident>,
    pub(crate) disable: Vec<Ident>,
    pub(crate) access_token: Option<LitStr>,
    pub(crate) refresh_token: Option<LitStr>,
    pub(crate) krate: Krate,
    /// What misspelt options were probably to be: their absence is no mistake of its own.
    pub(crate) meant: Vec<&'static str>,
}

/// A way to sign in, with its own word.
pub(crate) enum LoginWord {
    Email(Ident),
    Username(Ident),
    /// With a token of another issuer.
    Guard(Ident),
    /// `None` where the type cannot be read.
    Login(Ident, Option<Box<Type>>),
}

/// Path and words of a route.
#[derive(Default)]
pub(crate) struct RouteArgs {
    pub(crate) path: Option<LitStr>,
    pub(crate) summary: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
}

const OPTIONS: [&str; 13] = [
    "email", "username", "login", "guard", "user", "prefix", "signin", "refresh", "disable",
    "names", "tag", "openapi", "crate",
];
const ROUTE: [&str; 3] = ["path", "summary", "description"];
const ROUTE_AND_FROM: [&str; 4] = ["path", "summary", "description", "from"];

/// Reads all options.
pub(crate) fn parse(options: TokenStream, diag: &mut Diag) -> BackendArgs {
    let mut args = BackendArgs {
        kinds: Vec::new(),
        user: None,
        user_said: false,
        prefix: None,
        tag: None,
        openapi: None,
        signin: RouteArgs::default(),
        refresh: RouteArgs::default(),
        from: None,
        disable: Vec::new(),
        access_token: None,
        refresh_token: None,
        krate: Krate::DEFAULT,
        meant: Vec::new(),
    };
    for opt in attr::once(attr::split(options, diag), &[], diag) {
        match opt.key.to_string().as_str() {
            "email" => args.kinds.extend(opt.word(diag).map(LoginWord::Email)),
            "username" => args.kinds.extend(opt.word(diag).map(LoginWord::Username)),
            "guard" => args.kinds.extend(opt.word(diag).map(LoginWord::Guard)),
            "login" => {
                let ty = opt.parse("a type", "login = MyLogin", Type::without_plus, diag);
                args.kinds.push(LoginWord::Login(opt.key, ty.map(Box::new)));
            }
            "user" => {
                args.user = opt.parse("a type", "user = User", Type::without_plus, diag);
                args.user_said = true;
            }
            "prefix" => args.prefix = opt.string(diag),
            "tag" => args.tag = opt.string(diag),
            "openapi" => {
                args.openapi =
                    opt.parse("`true` or `false`", "openapi = false", LitBool::parse, diag);
            }
            "signin" => args.signin = route(&opt, "signin(path = \"/signin\")", None, diag),
            "refresh" => {
                args.refresh = route(
                    &opt,
                    "refresh(path = \"/refresh-access\")",
                    Some(&mut args.from),
                    diag,
                );
            }
            "disable" => args.disable = disable(&opt, diag),
            "names" => names(&opt, &mut args, diag),
            "crate" => args.krate = Krate::read(&opt, diag),
            _ => args
                .meant
                .extend(diag.unknown(&opt.key, "option", &OPTIONS)),
        }
    }
    args
}

fn route(
    opt: &Opt,
    example: &str,
    mut from: Option<&mut Option<Ident>>,
    diag: &mut Diag,
) -> RouteArgs {
    let mut route = RouteArgs::default();
    let opts = opt.list(example, diag).unwrap_or_default();
    for opt in attr::once(opts, &[], diag) {
        match (opt.key.to_string().as_str(), &mut from) {
            ("path", _) => route.path = opt.string(diag),
            ("summary", _) => route.summary = opt.string(diag),
            ("description", _) => route.description = opt.string(diag),
            ("from", Some(from)) => {
                **from = opt.parse(
                    "the word `stored`",
                    "refresh(from = stored)",
                    Ident::parse,
                    diag,
                );
            }
            (_, from) => {
                let known: &[&str] = if from.is_some() {
                    &ROUTE_AND_FROM
                } else {
                    &ROUTE
                };
                diag.unknown(&opt.key, "option", known);
            }
        }
    }
    route
}

fn disable(opt: &Opt, diag: &mut Diag) -> Vec<Ident> {
    let opts = opt
        .list("disable(signout_all, revoke)", diag)
        .unwrap_or_default();
    attr::once(opts, &[], diag)
        .iter()
        .filter_map(|opt| opt.word(diag))
        .collect()
}

fn names(opt: &Opt, args: &mut BackendArgs, diag: &mut Diag) {
    let opts = opt
        .list("names(access_token = \"token\")", diag)
        .unwrap_or_default();
    for opt in attr::once(opts, &[], diag) {
        match opt.key.to_string().as_str() {
            "access_token" => args.access_token = opt.string(diag),
            "refresh_token" => args.refresh_token = opt.string(diag),
            _ => {
                diag.unknown(&opt.key, "option", &["access_token", "refresh_token"]);
            }
        }
    }
}
