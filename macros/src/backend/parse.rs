//! Reads the options of `#[auth_backend(…)]`. Knows how they look, not what they mean.

use darling::FromMeta;
use darling::ast::{MetaNameValueInvalidExpr, NestedMeta};
use proc_macro2::{Ident, TokenStream};
use syn::parse::{Parse as _, Parser as _};
use syn::punctuated::Punctuated;
use syn::{LitBool, LitStr, Meta, Path, Token, Type, WherePredicate};

use super::model::Route;
use crate::attr;
use crate::diag::Diag;
use crate::options::{self, List, Maybe, Options, OptionsRead, Unknown, Word};
use crate::path::Krate;

/// The attribute as it was read.
pub(crate) struct BackendArgs {
    pub(crate) options: OptionsRead<BackendAttribute>,
    /// The ways to sign in, in their order; a correct attribute has one.
    pub(crate) kinds: Vec<LoginWord>,
    /// The options of each route, in the order of [`Route::ALL`].
    pub(crate) routes: Vec<(Route, RouteArgs)>,
    /// `refresh(from = …)`.
    pub(crate) from: Option<Ident>,
    pub(crate) disable: Vec<Ident>,
    pub(crate) names: NameArgs,
    pub(crate) bounds: Vec<WherePredicate>,
    pub(crate) krate: Krate,
    /// Types that were written as strings: what a stand-in takes them for.
    pub(crate) quoted_user: Option<Type>,
    pub(crate) quoted_login: Option<Type>,
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

impl LoginWord {
    pub(crate) const fn word(&self) -> &Ident {
        match self {
            Self::Email(word) | Self::Username(word) | Self::Guard(word) | Self::Login(word, _) => {
                word
            }
        }
    }
}

/// All options.
#[derive(Default, FromMeta)]
pub(crate) struct BackendAttribute {
    /// Users sign in with email address and password.
    email: Word,
    /// Users sign in with a name and password.
    username: Word,
    /// Users sign in with a body of this type.
    login: Maybe<Type>,
    /// Users sign in with a token of another issuer.
    guard: Word,
    /// The user type.
    pub(crate) user: Maybe<Type>,
    /// `answer`: the members that the backend adds to answers.
    pub(crate) answer: Maybe<Type>,
    /// The name of the kind of users in the store, which outlives a renamed struct.
    pub(crate) kind: Maybe<LitStr>,
    /// The path before those of all routes.
    pub(crate) prefix: Maybe<LitStr>,
    /// The sign-in route.
    signin: List,
    /// The route of a further step of a sign-in.
    step: List,
    /// The refresh route.
    refresh: RefreshOptions,
    /// The route that proves again who the caller is.
    reauthenticate: List,
    /// The route that describes a token.
    verify: List,
    /// The route that ends a session.
    signout: List,
    /// The route that ends all sessions of the caller.
    signout_all: List,
    /// The route that revokes a token.
    revoke: List,
    /// The route that lists the sessions of the caller.
    sessions: List,
    /// The route that ends one of them.
    end_session: List,
    /// The route that takes refresh tokens of a former system.
    exchange: List,
    /// The route that tells services about tokens.
    introspect: List,
    /// The route of the key set.
    jwks: List,
    /// The routes to leave out.
    disable: List,
    /// The members that carry the tokens.
    names: List,
    /// The tag of the routes in the OpenAPI document.
    pub(crate) tag: Maybe<LitStr>,
    /// `openapi`: `false` leaves the routes out of the OpenAPI document.
    pub(crate) openapi: Maybe<LitBool>,
    /// `bound`: the bounds on the parameters of the struct.
    bound: List,
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
    #[darling(flatten)]
    _unknown: Unknown<BackendAttribute>,
}

impl Options for BackendAttribute {
    const NAMES: &'static [&'static str] = &[
        "email",
        "username",
        "login",
        "guard",
        "user",
        "answer",
        "kind",
        "prefix",
        "signin",
        "step",
        "refresh",
        "reauthenticate",
        "verify",
        "signout",
        "signout_all",
        "revoke",
        "sessions",
        "end_session",
        "exchange",
        "introspect",
        "jwks",
        "disable",
        "names",
        "tag",
        "openapi",
        "bound",
        "crate",
    ];
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("sign_in", "signin"),
        ("sign_out", "signout"),
        ("bounds", "bound"),
    ];
}

impl BackendAttribute {
    /// Returns the options of a route.
    fn route(&self, route: Route) -> &List {
        match route {
            Route::Signin => &self.signin,
            Route::Step => &self.step,
            Route::Refresh => &self.refresh.list,
            Route::Reauthenticate => &self.reauthenticate,
            Route::Verify => &self.verify,
            Route::Signout => &self.signout,
            Route::SignoutAll => &self.signout_all,
            Route::Revoke => &self.revoke,
            Route::Sessions => &self.sessions,
            Route::EndSession => &self.end_session,
            Route::Exchange => &self.exchange,
            Route::Introspect => &self.introspect,
            Route::Jwks => &self.jwks,
        }
    }
}

/// Path and words of a route.
#[derive(Default, FromMeta)]
pub(crate) struct RouteArgs {
    /// The path below the prefix.
    pub(crate) path: Maybe<LitStr>,
    /// The summary in the OpenAPI document.
    pub(crate) summary: Maybe<LitStr>,
    /// The description in the OpenAPI document.
    pub(crate) description: Maybe<LitStr>,
    #[darling(flatten)]
    _unknown: Unknown<RouteArgs>,
}

impl Options for RouteArgs {
    const NAMES: &'static [&'static str] = &["path", "summary", "description"];
}

/// Path and words of the refresh route, and where its claims come from.
#[derive(Default, FromMeta)]
struct RefreshArgs {
    path: Maybe<LitStr>,
    summary: Maybe<LitStr>,
    description: Maybe<LitStr>,
    /// The word `stored`.
    from: Maybe<ClaimsSource>,
    #[darling(flatten)]
    _unknown: Unknown<RefreshArgs>,
}

impl Options for RefreshArgs {
    const NAMES: &'static [&'static str] = &["path", "summary", "description", "from"];
}

/// The word after `from =`.
struct ClaimsSource(Ident);

impl options::Value for ClaimsSource {
    const WHAT: &'static str = "the word `stored`";

    fn example(_: &str) -> String {
        String::from("refresh(from = stored)")
    }

    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        input.parse().map(Self)
    }
}

/// `refresh(…)`, or `refresh = stored` for `refresh(from = stored)`.
#[derive(Default)]
struct RefreshOptions {
    list: List,
    from: Option<Ident>,
}

impl FromMeta for RefreshOptions {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        let list = List::from_meta(item)?;
        Ok(Self { list, from: None })
    }

    fn from_invalid_expr(item: &MetaNameValueInvalidExpr) -> darling::Result<Self> {
        match Ident::parse.parse2(item.value.clone()) {
            Ok(from) => Ok(Self {
                list: List::default(),
                from: Some(from),
            }),
            Err(_) => List::from_invalid_expr(item).map(|list| Self { list, from: None }),
        }
    }

    fn from_none() -> Option<Self> {
        Some(Self::default())
    }
}

/// The members that carry the tokens.
#[derive(Default, FromMeta)]
pub(crate) struct NameArgs {
    /// The member of the access token.
    pub(crate) access_token: Maybe<LitStr>,
    /// The member of the refresh token.
    pub(crate) refresh_token: Maybe<LitStr>,
    #[darling(flatten)]
    _unknown: Unknown<NameArgs>,
}

impl Options for NameArgs {
    const NAMES: &'static [&'static str] = &["access_token", "refresh_token"];
}

/// Reads all options.
pub(crate) fn parse(tokens: TokenStream, diag: &mut Diag) -> BackendArgs {
    let items = attr::split(tokens, diag);
    let quoted = |name: &str| items.iter().find_map(|item| quoted(item, name));
    let (quoted_user, quoted_login) = (quoted("user"), quoted("login"));
    let options = options::read::<BackendAttribute>(items, diag);
    let all = &options.args;
    let kinds = options
        .named
        .iter()
        .filter_map(|word| match word.to_string().as_str() {
            "email" => all.email.0.clone().map(LoginWord::Email),
            "username" => all.username.0.clone().map(LoginWord::Username),
            "guard" => all.guard.0.clone().map(LoginWord::Guard),
            "login" => {
                let ty = all.login.0.clone().map(Box::new);
                Some(LoginWord::Login(word.clone(), ty))
            }
            _ => None,
        });
    let mut from = all.refresh.from.clone();
    let routes = Route::ALL.map(|route| {
        let example = format!("{}(path = \"{}\")", route.name(), route.default_path());
        let items = all.route(route).items(&example, diag);
        if route != Route::Refresh {
            return (route, options::read::<RouteArgs>(items, diag).args);
        }
        let refresh = options::read::<RefreshArgs>(items, diag).args;
        from = refresh.from.0.map(|source| source.0).or(from.take());
        let args = RouteArgs {
            path: refresh.path,
            summary: refresh.summary,
            description: refresh.description,
            ..RouteArgs::default()
        };
        (route, args)
    });
    let names = all.names.items("names(access_token = \"token\")", diag);
    BackendArgs {
        kinds: kinds.collect(),
        routes: routes.into(),
        from,
        disable: disable(&all.disable, diag),
        names: options::read(names, diag).args,
        bounds: bounds(&all.bound, diag),
        krate: Krate::new(&all.krate),
        options,
        quoted_user,
        quoted_login,
    }
}

/// Returns the type in a string after `name =`.
fn quoted(item: &NestedMeta, name: &str) -> Option<Type> {
    attr::key(item).filter(|key| *key == name)?;
    let text: LitStr = syn::parse2(attr::value(item)?.clone()).ok()?;
    text.parse().ok()
}

fn disable(list: &List, diag: &mut Diag) -> Vec<Ident> {
    let items = list.items("disable(signout_all, revoke)", diag);
    let items = options::once(items, &[], &[], diag);
    let mut routes = Vec::new();
    for item in &items {
        let Some(key) = attr::key(item) else { continue };
        if !matches!(item, NestedMeta::Meta(Meta::Path(_))) {
            diag.error(key, format_args!("`{key}` takes no value: write `{key}`"));
        }
        routes.push(key.clone());
    }
    routes
}

fn bounds(list: &List, diag: &mut Diag) -> Vec<WherePredicate> {
    const EXAMPLE: &str = "bound(R: Repository)";
    let Some((key, tokens)) = list.tokens() else {
        return Vec::new();
    };
    let parser = Punctuated::<WherePredicate, Token![,]>::parse_terminated;
    match parser.parse2(tokens.clone()) {
        Ok(bounds) if !bounds.is_empty() => bounds.into_iter().collect(),
        Ok(_) => {
            diag.error(
                key,
                format_args!("`bound` is empty: write what belongs there, as in `{EXAMPLE}`"),
            );
            Vec::new()
        }
        Err(_) => {
            diag.error(tokens, format_args!("expected bounds: write `{EXAMPLE}`"));
            Vec::new()
        }
    }
}
