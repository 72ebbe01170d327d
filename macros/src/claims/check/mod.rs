//! The rules of claims: from what was said to a model, or to mistakes.

mod names;
mod serde;
mod subject;
mod types;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, ExprPath, Fields, LitStr, Meta, Visibility, parse_quote};

use self::types::{borrows, enclosed, is_exempt, is_float, is_option, mentions};
use super::model::{Absence, Claim, ClaimKind, ClaimsModel, Codec, Field, Origin, Secrecy};
use super::parse::{ClaimsArgs, DefaultArg, FieldItem};
use super::stub::Names;
use crate::diag::Diag;
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
        check_combination(said, args, diag);
        if said.args.skip.is_given() && !said.args.sub.is_given() {
            continue;
        }
        let carried = carried(item, said);
        // What others put into their tokens is not ours to hide.
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
    // What is expanded has names of ours, and mistakes stand at those of the user.
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
        lints: lints(item, args),
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

/// Returns what a stand-in is made of.
pub(crate) fn outline(item: &DeriveInput, args: &ClaimsArgs) -> Option<Outline<Names>> {
    let fields = args.fields.iter().filter(|said| !said.args.skip.is_given());
    Some(Outline {
        krate: args.krate.clone(),
        ident: path::own(&item.ident),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: Names {
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

/// Returns the lints that the struct and its fields allow. `expect` becomes `allow`, since the
/// expansion may not do what is expected.
fn lints(item: &DeriveInput, args: &ClaimsArgs) -> Vec<Attribute> {
    let fields = args.fields.iter().flat_map(|said| &said.field.attrs);
    let attrs = item.attrs.iter().chain(fields);
    attrs
        .filter_map(|attr| {
            let Meta::List(list) = &attr.meta else {
                return None;
            };
            let lints = &list.tokens;
            (attr.path().is_ident("allow") || attr.path().is_ident("expect"))
                .then(|| parse_quote!(#[allow(#lints)]))
        })
        .collect()
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
                "claims outlive what they were made of, so `{}` cannot borrow: hold owned values, \
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

/// Refuses options that contradict each other.
fn check_combination(said: &FieldItem, args: &ClaimsArgs, diag: &mut Diag) {
    if args.options.external.is_given() {
        for word in [&said.args.confidential.0, &said.args.expose.0]
            .into_iter()
            .flatten()
        {
            diag.error(
                word,
                format_args!(
                    "`{word}` does not go with `external`: who may read the token, its issuer \
                     decides, so leave `{word}` out"
                ),
            );
        }
    } else if let Some(action) = &said.args.action.0 {
        diag.error(
            action,
            "`action` is for tokens that others issue: say `#[claims(external)]` above the \
             struct, or leave `action` out",
        );
    }
    if let Some(sub) = &said.args.sub.0 {
        for other in said.named.iter().filter(|other| *other != sub) {
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
    } else if let Some(skip) = &said.args.skip.0 {
        for other in said.named.iter().filter(|other| *other != skip) {
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

/// Refuses options of an own claim that contradict each other.
fn check_readers(said: &FieldItem, diag: &mut Diag) {
    if let (Some(expose), Some(_)) = (&said.args.expose.0, &said.args.confidential.0) {
        diag.error(
            expose,
            "`expose` does not go with `confidential`: everybody who holds the token either may read \
             the claim or not, so keep one of both",
        );
    }
    if let Some(action) = &said.args.action.0 {
        for other in said.named.iter().filter(|other| {
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
    } else if let (Some(_), Some(scope)) = (&said.args.roles.0, &said.args.scope.0) {
        diag.error(
            scope,
            "`scope` does not go with `roles`: give scopes a field of their own",
        );
    } else if let (Some(of), None, None) = (&said.args.of.0, &said.args.roles.0, &said.args.scope.0)
    {
        diag.error(
            of,
            "`of` says what a set of roles or scopes holds: add `roles` or `scope`, or leave it \
             out",
        );
    } else if let (Some(of), Some(_)) = (&said.args.of.0, &said.args.with.0) {
        diag.error(
            of,
            "`of` does not go with `with`: the module writes and reads the set, so keep one of \
             both",
        );
    } else if let (Some(_), Some(with)) = (&said.args.scope.0, &said.args.with.0) {
        diag.error(
            with,
            "`with` does not go with `scope`: scopes are one space-delimited string (RFC 9068), \
             so leave `with` out",
        );
    }
}

/// Refuses a field that looks like a secret and does not say who may read it.
fn check_secret(said: &FieldItem, diag: &mut Diag) {
    let args = &said.args;
    if args.expose.is_given() || args.skip.is_given() || args.confidential.is_given() {
        return;
    }
    // Flags, and what counts or stamps, tell about a secret without being one.
    let exempt = is_exempt(&said.field.ty);
    let way_out = "`#[claim(skip)]` keeps it out of the token, `#[claim(expose)]` says that \
                   everybody who holds the token may read it";
    let name = said.ident.unraw().to_string();
    let renamed = args.rename.0.as_ref().map(|text| (text, text.value()));
    if let Some(word) = names::secret_word(&name, exempt) {
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
        && let Some(word) = names::secret_word(&name, exempt)
    {
        diag.error(
            text,
            format_args!("`{name}` looks like a secret because of `{word}`: {way_out}"),
        );
    }
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
    let wire = wire_name(&field.ident, kind, said, args);
    if !repeated {
        check_wire(&wire, kind, &field.ident, said, args, seen, diag);
    }
    serde::check_field(said, args, Some((&wire, optional)), diag);
    let name = field.ident.unraw().to_string();
    if is_float(&field.ty) && names::is_time(&name) {
        diag.error(
            &field.ty,
            format_args!(
                "`{name}` is a time, and times in tokens are whole seconds since 1970: use `u64`"
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
        DefaultArg::Absent if optional && matches!(codec, Codec::With(..)) => Absence::Nothing,
        DefaultArg::Absent => Absence::ByType,
        DefaultArg::Trait => Absence::Default,
        DefaultArg::Function(path) => Absence::Call(ExprPath::clone(path)),
    };
    Claim {
        element: types::element(&field.ty).cloned(),
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

fn wire_name(ident: &Ident, kind: ClaimKind, said: &FieldItem, args: &ClaimsArgs) -> String {
    let renamed = said.args.rename.0.as_ref().map(LitStr::value);
    let own = ident.unraw().to_string();
    match kind {
        ClaimKind::Roles => renamed.unwrap_or_else(|| String::from("roles")),
        ClaimKind::Scope => renamed.unwrap_or_else(|| String::from("scope")),
        ClaimKind::Other | ClaimKind::Action => {
            let name = renamed.unwrap_or_else(|| {
                args.options
                    .rename_all
                    .0
                    .map_or(own.clone(), |case| case.of_field(&own))
            });
            args.options
                .namespace
                .0
                .as_ref()
                .map_or(name.clone(), |namespace| namespace.value() + &name)
        }
    }
}

fn check_wire(
    wire: &str,
    kind: ClaimKind,
    ident: &Ident,
    said: &FieldItem,
    args: &ClaimsArgs,
    seen: &mut Seen,
    diag: &mut Diag,
) {
    let external = args.options.external.is_given();
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
    match &said.args.rename.0 {
        Some(rename) => diag.error(rename, message),
        None => diag.error(ident, message),
    }
}
