//! The rules of backends: from what was said to a model, or to mistakes.

use std::iter;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Generics, Item, ItemStruct, LitStr, Type, Visibility, parse_quote};

use super::model::{BackendModel, LoginBody, Renewal, Route, RouteOverrides, RouteWords};
use super::parse::{BackendArgs, LoginWord, RouteArgs};
use super::paths::check_paths;
use super::stub::BackendNames;
use crate::diag::Diag;
use crate::lints;
use crate::options::Maybe;
use crate::path;
use crate::pipeline::Outline;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &Item, args: &BackendArgs, diag: &mut Diag) -> Option<BackendModel> {
    let item = backend(item, diag);
    let disabled = check_disable(args, diag);
    check_kinds(args, diag);
    check_login(args, diag);
    check_names(args, diag);
    check_kind(args, diag);
    check_paths(args, &disabled, diag);
    if !args.options.has("user") {
        diag.error(&call_site(), "the user type is missing: add `user = User`");
    }
    if let Some(from) = args.from.as_ref().filter(|from| *from != "stored") {
        diag.error(
            from,
            format_args!(
                "unknown source `{from}`: write `stored`, or leave `from` out and implement \
                 `Refresh`"
            ),
        );
    }
    let summaries = args.routes.iter();
    let summaries = summaries.map(|(_, words)| (&words.summary, "the summary"));
    let tag = (&args.options.args.tag, "the tag");
    for (text, what) in iter::once(tag).chain(summaries) {
        if let Some(text) = text
            .0
            .as_ref()
            .filter(|text| text.value().trim().is_empty())
        {
            diag.error(
                text,
                format_args!("{what} is empty: say something, or leave it out"),
            );
        }
    }
    let item = item?;
    for lifetime in item.generics.lifetimes() {
        diag.error(
            lifetime,
            format_args!(
                "a backend lives as long as the program, so `{}` cannot borrow: hold owned \
                 values, or an `Arc`",
                item.ident
            ),
        );
    }
    Some(BackendModel {
        krate: args.krate.clone(),
        vis: item.vis.clone(),
        name: path::own(&item.ident),
        lints: lints::allowed(&item.attrs),
        generics: bounded(&item.generics, args),
        user: args.options.args.user.0.clone()?,
        answer: args.options.args.answer.0.clone(),
        kind: kind(&item.ident, args),
        login: login(args)?,
        renewal: renewal(args, &disabled),
        shape: shape(args, disabled),
    })
}

/// Returns what a stand-in is made of: as near as can be to what was meant.
pub(crate) fn outline(item: &Item, args: &BackendArgs) -> Option<Outline<BackendNames>> {
    let (ident, vis, generics): (&Ident, &Visibility, &Generics) = match item {
        Item::Struct(item) => (&item.ident, &item.vis, &item.generics),
        Item::Enum(item) => (&item.ident, &item.vis, &item.generics),
        Item::Union(item) => (&item.ident, &item.vis, &item.generics),
        _ => return None,
    };
    let user = args.options.args.user.0.clone();
    Some(Outline {
        krate: args.krate.clone(),
        ident: path::own(ident),
        vis: vis.clone(),
        generics: bounded(generics, args),
        names: BackendNames {
            user: user.or_else(|| args.quoted_user.clone()),
            kind: kind(ident, args),
            login: match login(args) {
                Some(LoginBody::Own(ty)) if borrows(&ty) => None,
                login => Some(login.unwrap_or(LoginBody::Email)),
            },
        },
    })
}

/// Returns the name of the kind of users: what `kind` says, or the struct's own name as written.
fn kind(ident: &Ident, args: &BackendArgs) -> String {
    let said = args.options.args.kind.0.as_ref();
    said.map_or_else(|| ident.unraw().to_string(), LitStr::value)
}

fn login(args: &BackendArgs) -> Option<LoginBody> {
    Some(match args.kinds.first() {
        Some(LoginWord::Username(_)) => LoginBody::Username,
        Some(LoginWord::Guard(_)) => LoginBody::Guard,
        Some(LoginWord::Login(_, ty)) => {
            let quoted = || args.quoted_login.clone().map(Box::<Type>::new);
            LoginBody::Own(ty.clone().or_else(quoted)?)
        }
        Some(LoginWord::Email(_)) | None => LoginBody::Email,
    })
}

fn renewal(args: &BackendArgs, disabled: &[Route]) -> Renewal {
    if args.from.is_some() {
        Renewal::Stored
    } else if disabled.contains(&Route::Refresh) {
        Renewal::Never
    } else {
        Renewal::Reload
    }
}

/// Returns the generics with what `bound(…)` says.
fn bounded(generics: &Generics, args: &BackendArgs) -> Generics {
    let krate = &args.krate;
    let mut generics = generics.clone();
    if !args.bounds.is_empty() {
        let clause = generics.make_where_clause();
        clause.predicates.extend(args.bounds.iter().cloned());
    }
    for param in generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect::<Vec<_>>()
    {
        generics
            .make_where_clause()
            .predicates
            .push(parse_quote!(#param: #krate::Shared));
    }
    generics
}

/// Returns the place of the whole attribute.
fn call_site() -> Ident {
    Ident::new("_at", Span::call_site())
}

fn backend<'a>(item: &'a Item, diag: &mut Diag) -> Option<&'a ItemStruct> {
    let (name, what) = match item {
        Item::Struct(item) => return Some(item),
        Item::Enum(item) => (Some(&item.ident), "an enum"),
        Item::Union(item) => (Some(&item.ident), "a union"),
        Item::Fn(item) => (Some(&item.sig.ident), "a function"),
        Item::Trait(item) => (Some(&item.ident), "a trait"),
        Item::Impl(_) => (None, "an impl"),
        _ => (None, "something else"),
    };
    let at = name.cloned().unwrap_or_else(call_site);
    diag.error(
        &at,
        format_args!(
            "a backend is a struct that holds what sign-in needs, and this is {what}: put the \
             attribute on a struct"
        ),
    );
    None
}

fn check_kinds(args: &BackendArgs, diag: &mut Diag) {
    let mut words = args.kinds.iter().map(LoginWord::word);
    let Some(first) = words.next() else {
        let meant = &args.options.meant;
        if meant
            .iter()
            .any(|meant| ["email", "username", "login", "guard"].contains(meant))
        {
            return;
        }
        diag.error(
            &call_site(),
            "the kind of login is missing: add `email`, `username`, `login = MyLogin`, or \
             `guard` for tokens of another issuer",
        );
        return;
    };
    for other in words {
        diag.error(
            other,
            format_args!(
                "`{other}` cannot be combined with `{first}`: a backend has one way to sign in, \
                 so remove one of them"
            ),
        );
    }
}

/// Refuses a login that would borrow from the body of a request.
fn check_login(args: &BackendArgs, diag: &mut Diag) {
    if let Some(LoginBody::Own(ty)) = login(args).filter(|_| args.kinds.len() == 1)
        && borrows(&ty)
    {
        diag.error(
            &ty,
            "a login is read before anybody is signed in and outlives the body of the request, so \
             it cannot borrow: hold owned values in it, such as `String` for `&str`",
        );
    }
}

/// Returns whether a type names a lifetime other than `'static`.
fn borrows(ty: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let found = match token {
                TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                    !matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "static")
                }
                TokenTree::Punct(punct) if punct.as_char() == '&' => {
                    !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
                }
                TokenTree::Group(group) => any(group.stream()),
                TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => false,
            };
            if found {
                return true;
            }
        }
        false
    }
    any(ty.to_token_stream())
}

fn check_disable(args: &BackendArgs, diag: &mut Diag) -> Vec<Route> {
    let names = Route::OPTIONAL.map(Route::name);
    let mut disabled = Vec::new();
    for word in &args.disable {
        match Route::OPTIONAL.iter().find(|route| word == route.name()) {
            Some(route) => disabled.push(*route),
            None => {
                diag.unknown(word, "route", &names);
            }
        }
    }
    disabled
}

/// Members of the answer to a sign-in that keep their name (RFC 6749 section 5.1).
const MEMBERS: [&str; 4] = [
    "token_type",
    "expires_in",
    "refresh_expires_in",
    "session_id",
];

fn check_names(args: &BackendArgs, diag: &mut Diag) {
    let (access, refresh) = (&args.names.access_token.0, &args.names.refresh_token.0);
    let both = [
        (access, "refresh_token", refresh),
        (refresh, "access_token", access),
    ];
    for (at, (name, other, other_name)) in both.into_iter().enumerate() {
        let Some(name) = name else { continue };
        let text = name.value();
        let other_name = other_name
            .as_ref()
            .map_or_else(|| other.to_owned(), LitStr::value);
        if text.is_empty()
            || !text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            diag.error(
                name,
                format_args!(
                    "`{text}` is not a valid member name: use ASCII letters, digits, `_` and `-`"
                ),
            );
        } else if MEMBERS.contains(&text.as_str()) {
            diag.error(
                name,
                format_args!("`{text}` is another member of the same answer: choose another name"),
            );
        } else if text == other_name && (at == 1 || refresh.is_none()) {
            diag.error(
                name,
                format_args!("both tokens would be called `{text}`: choose another name"),
            );
        }
    }
}

/// Refuses a kind that could not be written in a settings file and in every store.
fn check_kind(args: &BackendArgs, diag: &mut Diag) {
    let Some(kind) = &args.options.args.kind.0 else {
        return;
    };
    let text = kind.value();
    let is_right = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
        });
    if !is_right {
        diag.error(
            kind,
            format_args!(
                "`{text}` cannot be the name of a kind of users: write at most 64 lower-case \
                 letters, digits, `_` and `-`, beginning with a letter, as in `kind = \"accounts\"`"
            ),
        );
    }
}

fn shape(args: &BackendArgs, disabled: Vec<Route>) -> RouteOverrides {
    let text = |lit: &Maybe<LitStr>| lit.0.as_ref().map(LitStr::value);
    let words = |args: &RouteArgs| {
        let words = [&args.path, &args.summary, &args.description];
        words
            .iter()
            .any(|said| said.0.is_some())
            .then(|| RouteWords {
                path: text(&args.path),
                summary: text(&args.summary),
                description: text(&args.description),
            })
    };
    let options = &args.options.args;
    RouteOverrides {
        prefix: text(&options.prefix),
        tag: text(&options.tag),
        openapi: options.openapi.0.as_ref().map(|lit| lit.value),
        routes: args
            .routes
            .iter()
            .filter_map(|(route, args)| Some((*route, words(args)?)))
            .collect(),
        access_token: text(&args.names.access_token),
        refresh_token: text(&args.names.refresh_token),
        disabled,
    }
}
