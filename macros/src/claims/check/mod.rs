//! The rules of claims: from what was said to a model, or to mistakes.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Fields, Generics, Type, Visibility, parse_quote};

mod names;
mod serde;
pub(super) mod types;

use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use super::parse::{ClaimsArgs, DefaultArg, FieldArgs};
use crate::diag::Diag;
use types::{borrows, enclosed, is_float, is_option, located};

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &ClaimsArgs, diag: &mut Diag) -> Option<ClaimsModel> {
    let fields = named_fields(item, diag)?;
    check_generics(item, diag);
    check_namespace(args, diag);
    serde::check_struct(args, diag);

    let mut seen = Seen::default();
    let mut own = Vec::new();
    let mut subject = None;
    for (field, said) in fields.named.iter().zip(&args.fields) {
        let Some(ident) = &field.ident else { continue };
        check_combination(said, args, diag);
        if said.skip.is_some() && said.sub.is_none() {
            continue;
        }
        let carried = carried(item, field, ident, said);
        // What others put into their tokens is not ours to hide.
        if args.external.is_none() {
            check_secret(ident, said, diag);
        }
        // A struct with a lifetime was reported as a whole.
        if said.with.is_none() && item.generics.lifetimes().next().is_none() {
            check_owned(&carried, diag);
        }
        if let Some(word) = &said.sub {
            check_subject(word, &carried, said, &mut seen, diag);
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
        report_no_subject(item, fields, diag);
    }
    let subject = subject?;
    let confidential = args.fields.iter().any(|said| said.confidential.is_some());
    Some(ClaimsModel {
        krate: args.krate.clone(),
        vis: item.vis.clone(),
        user: item.ident.clone(),
        claims: claims_name(item, args),
        declared: item.generics.clone(),
        generics: bounded(item, args, &subject, &own),
        subject,
        own,
        secrecy: if confidential {
            Secrecy::Confidential
        } else {
            Secrecy::Open
        },
        origin: origin(args),
    })
}

fn origin(args: &ClaimsArgs) -> Origin {
    if args.external.is_some() {
        Origin::External
    } else {
        Origin::Own
    }
}

/// What the generated type is called.
pub(crate) fn claims_name(item: &DeriveInput, args: &ClaimsArgs) -> Ident {
    args.name
        .clone()
        .unwrap_or_else(|| quote::format_ident!("{}Claims", item.ident))
}

/// What the claims take over from a field.
pub(crate) fn carried(
    item: &DeriveInput,
    field: &syn::Field,
    ident: &Ident,
    said: &FieldArgs,
) -> Field {
    let mut docs: Vec<Attribute> = field
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc"))
        .cloned()
        .collect();
    if docs.is_empty() {
        let name = ident.unraw();
        let made_up = if said.sub.is_some() {
            String::from("The subject: `sub` in the token.")
        } else {
            format!("The claim `{name}`.")
        };
        docs.push(parse_quote!(#[doc = #made_up]));
    }
    let vis = if matches!(field.vis, Visibility::Inherited) {
        item.vis.clone()
    } else {
        field.vis.clone()
    };
    Field {
        ident: ident.clone(),
        ty: enclosed(&field.ty),
        vis,
        docs,
    }
}

/// What came before, to tell what comes twice.
#[derive(Default)]
struct Seen {
    subject: Option<Ident>,
    roles: Option<Ident>,
    scope: Option<Ident>,
    action: Option<Ident>,
    /// Wire names, and the fields that have them.
    wires: Vec<(String, Ident)>,
}

/// Names of fields that are likely to be meant where none is marked.
pub(crate) const LIKELY_SUBJECTS: [&str; 6] = ["id", "sub", "subject", "user_id", "uuid", "uid"];

fn named_fields<'a>(item: &'a DeriveInput, diag: &mut Diag) -> Option<&'a syn::FieldsNamed> {
    let name = &item.ident;
    let example = format!("write `struct {name} {{ #[claim(sub)] id: … }}`");
    match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields),
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
                "claims outlive what they were made of, so `{}` cannot borrow: hold owned values, \
                 such as `String` for `&str`",
                item.ident
            ),
        );
    }
}

fn check_namespace(args: &ClaimsArgs, diag: &mut Diag) {
    if let Some(namespace) = &args.namespace {
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

/// Options that contradict each other.
fn check_combination(said: &FieldArgs, args: &ClaimsArgs, diag: &mut Diag) {
    if args.external.is_some() {
        for word in [&said.confidential, &said.expose].into_iter().flatten() {
            diag.error(
                word,
                format_args!(
                    "`{word}` does not go with `external`: who may read the token, its issuer \
                     decides, so leave `{word}` out"
                ),
            );
        }
    } else if let Some(action) = &said.action {
        diag.error(
            action,
            "`action` is for tokens that others issue: say `#[claims(external)]` above the \
             struct, or leave `action` out",
        );
    }
    if let Some(sub) = &said.sub {
        for other in said.said.iter().filter(|other| *other != sub) {
            let reason = match other.to_string().as_str() {
                "skip" => "every token says who its subject is",
                "rename" => "the subject is always `sub` on the wire",
                "with" => "the subject is written with `Display` and read with `FromStr`",
                "default" => "a token without a subject is refused",
                "roles" | "scope" => "a subject is neither role nor scope",
                "action" => "a subject is no action",
                "confidential" => "the gate itself reads the subject of every token",
                _ => continue,
            };
            diag.error(
                other,
                format_args!("`{other}` does not go with `sub`: {reason}, so leave `{other}` out"),
            );
        }
    } else if let Some(skip) = &said.skip {
        for other in said.said.iter().filter(|other| *other != skip) {
            diag.error(
                other,
                format_args!(
                    "`{other}` does not go with `skip`: the field is not in the token, so keep \
                     one of both"
                ),
            );
        }
    } else {
        check_readers(said, diag);
    }
}

/// Options of an own claim that contradict each other.
fn check_readers(said: &FieldArgs, diag: &mut Diag) {
    if let (Some(expose), Some(_)) = (&said.expose, &said.confidential) {
        diag.error(
            expose,
            "`expose` does not go with `confidential`: whoever holds the token either may read \
             the claim or not, so keep one of both",
        );
    }
    if let Some(action) = &said.action {
        for other in said.said.iter().filter(|other| {
            ["roles", "scope", "with", "default"].contains(&other.to_string().as_str())
        }) {
            diag.error(
                other,
                format_args!(
                    "`{other}` does not go with `{action}`: the field holds one digest, and no \
                     token without it counts, so keep one of both"
                ),
            );
        }
    } else if let (Some(_), Some(scope)) = (&said.roles, &said.scope) {
        diag.error(
            scope,
            "`scope` does not go with `roles`: give scopes a field of their own",
        );
    } else if let (Some(_), Some(with)) = (&said.scope, &said.with) {
        diag.error(
            with,
            "`with` does not go with `scope`: scopes are one space-delimited string (RFC 9068), \
             so leave `with` out",
        );
    }
}

fn check_secret(ident: &Ident, said: &FieldArgs, diag: &mut Diag) {
    if said.expose.is_some() || said.skip.is_some() || said.confidential.is_some() {
        return;
    }
    let name = ident.unraw().to_string();
    let way_out = "`#[claim(skip)]` keeps it out of the token, `#[claim(expose)]` says that \
                   whoever holds the token may read it";
    if let Some(word) = names::secret_word(&name) {
        let because = if word == name {
            String::new()
        } else {
            format!(" because of `{word}`")
        };
        diag.error(
            ident,
            format_args!("`{name}` looks like a secret{because}: {way_out}"),
        );
    } else if let Some(rename) = &said.rename
        && let Some(word) = names::secret_word(&rename.value())
    {
        diag.error(
            rename,
            format_args!(
                "`{}` looks like a secret because of `{word}`: {way_out}",
                rename.value()
            ),
        );
    }
}

fn check_subject(word: &Ident, field: &Field, said: &FieldArgs, seen: &mut Seen, diag: &mut Diag) {
    if let Some(first) = &seen.subject {
        diag.error(
            word,
            format_args!(
                "a second `sub`: a token has one subject, and `{first}` is it already, so keep \
                 one of both"
            ),
        );
    }
    seen.subject.get_or_insert_with(|| field.ident.clone());
    if is_option(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "every token says who its subject is, so `{}` cannot be optional: use the type \
                 inside",
                field.ident.unraw()
            ),
        );
    }
    if is_float(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "`{}` is a float, and two of them are hardly ever the same: use a `Uuid`, an \
                 integer or a `String`",
                field.ident.unraw()
            ),
        );
    }
    serde::check_field(said, None, diag);
}

fn check_owned(field: &Field, diag: &mut Diag) {
    if borrows(&field.ty) {
        diag.error(
            &field.ty,
            format_args!(
                "`{}` borrows, and claims outlive what they were made of: hold an owned value, \
                 such as `String` for `&str`",
                field.ident.unraw()
            ),
        );
    }
}

fn check_claim(
    field: Field,
    said: &FieldArgs,
    at: usize,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) -> Claim {
    let (kind, repeated) = match (&said.roles, &said.scope, &said.action) {
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
    let wire = wire_name(&field.ident, kind, said, args);
    if !repeated {
        check_wire(&wire, kind, &field.ident, said, args, seen, diag);
    }
    serde::check_field(said, Some((&wire, optional)), diag);
    let name = field.ident.unraw().to_string();
    if is_float(&field.ty) && names::is_time(&name) {
        diag.error(
            &field.ty,
            format_args!(
                "`{name}` is a time, and times in tokens are whole seconds since 1970: use `u64`"
            ),
        );
    }
    let codec = match (&said.with, kind) {
        (_, ClaimKind::Scope) => Codec::Scope,
        (Some(path), _) => Codec::With(at, path.clone()),
        (None, _) => Codec::Plain,
    };
    let absence = match &said.default {
        None if optional => Absence::Nothing,
        None => Absence::Refused,
        Some(DefaultArg::Trait) => Absence::Default,
        Some(DefaultArg::Function(path)) => Absence::Call(path.clone()),
    };
    Claim {
        field,
        wire,
        codec,
        absence,
        kind,
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
            "a second `{word}`: {} at one field, and `{first}` is it already, so keep one of both",
            if word == "action" {
                "the guard looks"
            } else {
                "policies look"
            }
        ),
    );
    true
}

fn wire_name(ident: &Ident, kind: ClaimKind, said: &FieldArgs, args: &ClaimsArgs) -> String {
    let renamed = said.rename.as_ref().map(syn::LitStr::value);
    let own = ident.unraw().to_string();
    match kind {
        ClaimKind::Roles => renamed.unwrap_or_else(|| String::from("roles")),
        ClaimKind::Scope => renamed.unwrap_or_else(|| String::from("scope")),
        ClaimKind::Other | ClaimKind::Action => {
            let name = renamed.unwrap_or_else(|| {
                args.rename_all
                    .map_or(own.clone(), |case| case.of_field(&own))
            });
            args.namespace
                .as_ref()
                .map_or(name.clone(), |namespace| namespace.value() + &name)
        }
    }
}

fn check_wire(
    wire: &str,
    kind: ClaimKind,
    ident: &Ident,
    said: &FieldArgs,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) {
    let external = args.external.is_some();
    let message = if wire.is_empty() || wire.contains(char::is_control) {
        String::from("a claim needs a name of visible characters: write one, or leave `rename` out")
    } else if external && names::is_read(wire) {
        format!(
            "the claim `{wire}` is read by the verifier itself, and `auth.token()` has it: leave \
             the field out, or skip it with `#[claim(skip)]`"
        )
    } else if !external && names::is_reserved(wire) {
        format!(
            "the claim `{wire}` is not yours to set: choose another name with `#[claim(rename = \
             \"…\")]`, or leave the field out with `#[claim(skip)]`"
        )
    } else if let Some((_, first)) = seen.wires.iter().find(|(other, _)| other == wire) {
        format!(
            "`{first}` and `{ident}` are both `{wire}` in the token: choose another name with \
             `#[claim(rename = \"…\")]`"
        )
    } else if kind == ClaimKind::Other && ["roles", "scope"].contains(&wire) {
        format!(
            "the claim `{wire}` is the one that policies look at: mark the field with \
             `#[claim({wire})]`, or choose another name with `#[claim(rename = \"…\")]`"
        )
    } else {
        seen.wires.push((wire.to_owned(), ident.clone()));
        return;
    };
    match &said.rename {
        Some(rename) => diag.error(rename, message),
        None => diag.error(ident, message),
    }
}

fn report_no_subject(item: &DeriveInput, fields: &syn::FieldsNamed, diag: &mut Diag) {
    let near = fields
        .named
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .find(|ident| LIKELY_SUBJECTS.contains(&ident.to_string().as_str()));
    let which = near.map_or_else(
        || String::from("the field that does"),
        |ident| format!("`{ident}`"),
    );
    diag.error(
        &item.ident,
        format_args!(
            "no field of `{}` says who the subject is: mark {which} with `#[claim(sub)]`",
            item.ident
        ),
    );
}

/// The struct's generics, with the bounds under which its claims are claims. rustc reports a bound
/// that does not hold at the type.
fn bounded(item: &DeriveInput, args: &ClaimsArgs, subject: &Field, own: &[Claim]) -> Generics {
    let krate = &args.krate;
    let mut generics = item.generics.clone();
    let params: Vec<Ident> = generics
        .type_params()
        .map(|param| param.ident.clone())
        .collect();
    let clause = generics.make_where_clause();
    for param in &params {
        clause
            .predicates
            .push(parse_quote!(#param: ::core::marker::Send + ::core::marker::Sync + 'static));
    }
    let mut need = |ty: &Type, bound: TokenStream| {
        if let Ok(predicate) = syn::parse2(quote_spanned!(located(ty)=> #ty: #bound)) {
            clause.predicates.push(predicate);
        }
    };
    let external = args.external.is_some();
    let private = krate.at(subject.ty.span());
    need(
        &subject.ty,
        quote_spanned!(located(&subject.ty)=> #private::Identity),
    );
    for claim in own {
        let ty = &claim.field.ty;
        let krate = krate.at(ty.span());
        if matches!(claim.absence, Absence::Default) {
            need(ty, quote_spanned!(located(ty)=> ::core::default::Default));
        }
        let bound = match (claim.kind, &claim.codec) {
            (ClaimKind::Roles, Codec::With(..)) => {
                quote_spanned!(located(ty)=> #krate::ValueSet + #krate::Carried)
            }
            (_, Codec::With(..)) => quote_spanned!(located(ty)=> #krate::Carried),
            (ClaimKind::Roles, _) if external => quote_spanned!(located(ty)=> #krate::ForeignRoles),
            (ClaimKind::Scope, _) if external => {
                quote_spanned!(located(ty)=> #krate::ForeignScopes)
            }
            (ClaimKind::Action, _) => quote_spanned!(located(ty)=> #krate::Claim + #krate::Action),
            (ClaimKind::Roles, _) => quote_spanned!(located(ty)=> #krate::RoleSet),
            (ClaimKind::Scope, _) => quote_spanned!(located(ty)=> #krate::ScopeSet),
            (ClaimKind::Other, _) => quote_spanned!(located(ty)=> #krate::Claim),
        };
        need(ty, bound);
    }
    generics
}
