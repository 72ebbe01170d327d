//! The rules of claims: from what was said to a model, or to mistakes.

mod combination;
mod names;
mod secret_names;
mod serde;
mod subject;
mod types;
mod wire;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, ExprPath, Fields, Visibility, parse_quote};

use self::types::{borrows, enclosed, is_exempt, is_float, is_of_one_thread, is_option, mentions};
use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use super::parse::{ClaimsArgs, DefaultArg, FieldItem};
use super::stub::ClaimsNames;
use crate::diag::Diag;
use crate::lints;
use crate::path;
use crate::pipeline::Outline;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &ClaimsArgs, diag: &mut Diag) -> Option<ClaimsModel> {
    check_shape(item, diag)?;
    check_generics(item, diag);
    check_namespace(args, diag);
    check_derives(args, diag);
    serde::check_struct(args, diag);

    let mut seen = Seen::default();
    let mut own = Vec::new();
    let mut subject = None;
    for said in &args.fields {
        combination::check(said, args, diag);
        check_threads(said, diag);
        if said.args.skip.is_given() && !said.args.sub.is_given() {
            continue;
        }
        let carried = carried(item, said);
        // Another issuer decides what its tokens show, so nothing is hidden in them.
        if !args.options.external.is_given() && !said.args.action.is_given() {
            check_secret(said, diag);
        }
        // A struct with a lifetime was reported as a whole.
        if said.args.with.0.is_none() && item.generics.lifetimes().next().is_none() {
            check_owned(&carried, diag);
        }
        if let Some(word) = &said.args.sub.0 {
            subject::check(word, &carried, said, args, &mut seen, diag);
            subject = subject.or(Some(carried));
        } else {
            let at = own
                .iter()
                .filter(|claim: &&Claim| matches!(claim.codec, Codec::With(..)))
                .count();
            own.push(check_claim(carried, said, at, args, &mut seen, diag));
        }
    }
    if subject.is_none() && !args.fields.iter().any(|said| said.meant_sub) {
        subject::report_none(item, args, diag);
    }
    // The expansion uses names of its own; a message points at the names of the user.
    for field in own
        .iter_mut()
        .map(|claim| &mut claim.field)
        .chain(&mut subject)
    {
        field.ident = path::own(&field.ident);
    }
    let confidential = args
        .fields
        .iter()
        .any(|said| said.args.confidential.is_given());
    Some(ClaimsModel {
        krate: args.krate.clone(),
        vis: item.vis.clone(),
        user: path::own(&item.ident),
        claims: claims_name(item, args),
        derives: args.derives.clone(),
        lints: self::lints(item, args),
        generics: item.generics.clone(),
        subject: subject?,
        own,
        secrecy: if confidential {
            Secrecy::Confidential
        } else {
            Secrecy::Open
        },
        origin: if args.options.external.is_given() {
            Origin::External
        } else {
            Origin::Own
        },
    })
}

/// Returns what a stand-in is made of; nothing of a struct of one thread, which cannot have the
/// traits of a user.
pub(crate) fn outline(item: &DeriveInput, args: &ClaimsArgs) -> Option<Outline<ClaimsNames>> {
    if args
        .fields
        .iter()
        .any(|said| is_of_one_thread(&said.field.ty))
    {
        return None;
    }
    let fields = args.fields.iter().filter(|said| !said.args.skip.is_given());
    Some(Outline {
        krate: args.krate.clone(),
        ident: path::own(&item.ident),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: ClaimsNames {
            claims: claims_name(item, args),
            subject: subject::likely(args).map(|said| {
                let ty = &said.field.ty;
                types::inside_option(ty).unwrap_or(ty).clone()
            }),
            accessors: fields
                .map(|said| Field {
                    ident: path::own(&said.ident),
                    ..carried(item, said)
                })
                .collect(),
        },
    })
}

/// Returns the name of the generated type.
fn claims_name(item: &DeriveInput, args: &ClaimsArgs) -> Ident {
    let name = args.options.name.0.clone();
    name.unwrap_or_else(|| quote::format_ident!("{}Claims", item.ident))
}

/// Returns what the claims take over from a field.
fn carried(item: &DeriveInput, said: &FieldItem) -> Field {
    let mut docs: Vec<Attribute> = said
        .field
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc"))
        .cloned()
        .collect();
    if docs.is_empty() {
        let name = said.ident.unraw();
        let made_up = if said.args.sub.is_given() {
            String::from("The subject: `sub` in the token.")
        } else {
            format!("The claim `{name}`.")
        };
        docs.push(parse_quote!(#[doc = #made_up]));
    }
    let vis = if matches!(said.field.vis, Visibility::Inherited) {
        item.vis.clone()
    } else {
        said.field.vis.clone()
    };
    Field {
        ident: said.ident.clone(),
        ty: enclosed(&said.field.ty),
        generic: mentions(&said.field.ty, &item.generics),
        vis,
        docs,
    }
}

/// Returns the lints that the struct and its fields allow.
fn lints(item: &DeriveInput, args: &ClaimsArgs) -> Vec<Attribute> {
    let fields = args.fields.iter().flat_map(|said| &said.field.attrs);
    let attrs = item.attrs.iter().chain(fields);
    lints::allowed(attrs)
}

/// The names and options that came before, to find those that come twice.
#[derive(Default)]
struct Seen {
    subject: Option<Ident>,
    roles: Option<Ident>,
    scope: Option<Ident>,
    action: Option<Ident>,
    /// Wire names, and the fields that have them.
    wires: Vec<(String, Ident)>,
}

fn check_shape(item: &DeriveInput, diag: &mut Diag) -> Option<()> {
    let name = &item.ident;
    let example = format!("write `struct {name} {{ #[claim(sub)] id: … }}`");
    match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(_) => return Some(()),
            Fields::Unnamed(_) => diag.error(
                name,
                format_args!("claims need names, and `{name}` is a tuple struct: {example}"),
            ),
            Fields::Unit => diag.error(
                name,
                format_args!("`{name}` has no fields to make claims of: {example}"),
            ),
        },
        Data::Enum(_) => diag.error(
            name,
            format_args!(
                "claims are made of the fields of a struct, and `{name}` is an enum: {example}, \
                 or derive `ClaimValue` if it is a role"
            ),
        ),
        Data::Union(_) => diag.error(
            name,
            format_args!(
                "claims are made of the fields of a struct, and `{name}` is a union: {example}"
            ),
        ),
    }
    None
}

fn check_generics(item: &DeriveInput, diag: &mut Diag) {
    for lifetime in item.generics.lifetimes() {
        diag.error(
            lifetime,
            format_args!(
                "claims live longer than the user value, so `{}` cannot borrow: hold owned values, \
                 such as `String` for `&str`",
                item.ident
            ),
        );
    }
}

fn check_namespace(args: &ClaimsArgs, diag: &mut Diag) {
    if let Some(namespace) = &args.options.namespace.0 {
        let text = namespace.value();
        if !text.ends_with(['/', ':', '#']) {
            diag.error(
                namespace,
                format_args!(
                    "the namespace would run into the claim's name: end it with `/`, as in \
                     `{text}/`"
                ),
            );
        }
    }
}

/// Refuses derives of what the generated type has already, or must not have.
fn check_derives(args: &ClaimsArgs, diag: &mut Diag) {
    for path in &args.derives {
        let Some(last) = path.segments.last() else {
            continue;
        };
        let name = last.ident.to_string();
        let reason = match name.as_str() {
            "Clone" | "Debug" | "Serialize" => "the generated type has it already",
            "Deserialize" | "Default" | "JwtClaims" => "claims come only from a verified token",
            _ => continue,
        };
        diag.error(
            path,
            format_args!("`{name}` cannot be derived here: {reason}, so leave it out"),
        );
    }
}

/// Refuses a field that looks like a secret and does not say who may read it.
fn check_secret(said: &FieldItem, diag: &mut Diag) {
    let args = &said.args;
    if args.expose.is_given() || args.skip.is_given() || args.confidential.is_given() {
        return;
    }
    // Flags, dates, and what counts or stamps, tell about a secret without being one.
    let exempt = is_exempt(&said.field.ty);
    let way_out = "`#[claim(skip)]` keeps it out of the token, `#[claim(expose)]` says that \
                   everybody who holds the token may read it";
    let name = said.ident.unraw().to_string();
    let renamed = args.rename.0.as_ref().map(|text| (text, text.value()));
    if let Some(word) = secret_names::word(&name, exempt) {
        let because = if word == name {
            String::new()
        } else {
            format!(" because of `{word}`")
        };
        diag.error(
            &said.ident,
            format_args!("`{name}` looks like a secret{because}: {way_out}"),
        );
    } else if let Some((text, name)) = renamed
        && let Some(word) = secret_names::word(&name, exempt)
    {
        diag.error(
            text,
            format_args!("`{name}` looks like a secret because of `{word}`: {way_out}"),
        );
    }
}

/// Refuses a field that keeps the whole struct in one thread, also a skipped one.
fn check_threads(said: &FieldItem, diag: &mut Diag) {
    if is_of_one_thread(&said.field.ty) {
        diag.error(
            &said.field.ty,
            format_args!(
                "`{}` holds an `Rc`, which cannot be sent to another thread as users and claims \
                 are: use `Arc`, such as `Arc<str>` for `Rc<str>`",
                said.ident.unraw()
            ),
        );
    }
}

fn check_owned(field: &Field, diag: &mut Diag) {
    if borrows(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "`{}` borrows, and claims live longer than the user value: hold an owned value, \
                 such as `String` for `&str`",
                field.ident.unraw()
            ),
        );
    }
}

fn check_claim(
    field: Field,
    said: &FieldItem,
    at: usize,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) -> Claim {
    let (kind, repeated) = match (&said.args.roles.0, &said.args.scope.0, &said.args.action.0) {
        (Some(word), ..) => (
            ClaimKind::Roles,
            second(word, &field, &mut seen.roles, diag),
        ),
        (None, Some(word), _) => (
            ClaimKind::Scope,
            second(word, &field, &mut seen.scope, diag),
        ),
        (None, None, Some(word)) => (
            ClaimKind::Action,
            second(word, &field, &mut seen.action, diag),
        ),
        (None, None, None) => (ClaimKind::Other, false),
    };
    let optional = is_option(&field.ty);
    let name = wire::name(&field.ident, kind, said, args);
    if !repeated {
        wire::check(&name, kind, &field.ident, said, args, seen, diag);
    }
    serde::check_field(said, args, Some((&name, optional)), diag);
    let field_name = field.ident.unraw().to_string();
    if is_float(&field.ty) && names::is_time(&field_name) {
        diag.error(
            &field.ty,
            format_args!(
                "`{field_name}` is a time, and times in tokens are whole seconds since 1970: \
                 use `u64`"
            ),
        );
    }
    let set = matches!(kind, ClaimKind::Roles | ClaimKind::Scope);
    let codec = match (&said.args.with.0, &said.args.of.0) {
        (None, Some(of)) if set => Codec::Of(of.clone()),
        (Some(path), _) if kind != ClaimKind::Scope => Codec::With(at, path.clone()),
        _ => Codec::Plain,
    };
    let absence = match &said.args.default {
        DefaultArg::Absent => Absence::ByType,
        DefaultArg::Trait => Absence::Default,
        DefaultArg::Function(path) => Absence::Call(ExprPath::clone(path)),
    };
    Claim {
        element: types::element(&field.ty).cloned(),
        field,
        wire: name,
        codec,
        absence,
        kind,
        exposed: [&said.args.expose, &said.args.confidential]
            .iter()
            .any(|word| word.is_given()),
    }
}

/// Reports a second field that policies would look at.
fn second(word: &Ident, field: &Field, first: &mut Option<Ident>, diag: &mut Diag) -> bool {
    let Some(first) = first else {
        *first = Some(field.ident.clone());
        return false;
    };
    diag.error(
        word,
        format_args!(
            "a second `{word}`: {} at one field, and `{first}` is marked already, so remove one \
             of them",
            if word == "action" {
                "the guard looks"
            } else {
                "policies look"
            }
        ),
    );
    true
}
