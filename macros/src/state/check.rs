//! The rules of states: from what was said to a model, or to mistakes.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{
    Data, DeriveInput, Field, GenericArgument, Index, Member, PathArguments, PathSegment, Type,
};

use super::model::{Held, HeldKind, StateModel};
use super::parse::{FieldArgs, StateArgs};
use crate::diag::Diag;
use crate::lints;
use crate::options::OptionsRead;
use crate::path;
use crate::pipeline::Outline;

/// Checks everything, and gives the model where the shape allows one.
pub(crate) fn check(item: &DeriveInput, args: &StateArgs, diag: &mut Diag) -> Option<StateModel> {
    let name = item.ident.unraw();
    let what = match &item.data {
        Data::Struct(_) => None,
        Data::Enum(_) => Some("an enum"),
        Data::Union(_) => Some("a union"),
    };
    if let Some(what) = what {
        diag.error(
            &item.ident,
            format_args!(
                "a state holds its gates in the fields of a struct, and `{name}` is {what}: \
                 write `struct {name} {{ gate: Gate<…> }}`"
            ),
        );
        return None;
    }
    let mut found: Vec<Found<'_>> = Vec::new();
    let mut is_meant = false;
    for (at, (field, options)) in args.fields.iter().enumerate() {
        let kind = check_field(field, options, diag);
        is_meant |= options.has("user") || options.has("skip") || kind.is_none();
        if let Some(Some(kind)) = kind {
            found.push(Found {
                at,
                field,
                options,
                kind,
            });
        }
    }
    if found.is_empty() && !is_meant {
        diag.error(
            &item.ident,
            format_args!(
                "no field of `{name}` is a `Gate<…>` or a `Verifier<…>`: write \
                 `#[gate(user = User)]` above the field whose type is another name for a gate, \
                 or leave `GateState` out"
            ),
        );
    }
    if !check_twice(&found, diag) {
        check_users(&found, diag);
    }
    Some(StateModel {
        krate: args.krate.clone(),
        name: path::own(&item.ident),
        lints: lints::allowed(&item.attrs),
        generics: item.generics.clone(),
        fields: found.into_iter().filter_map(Found::held).collect(),
    })
}

/// Returns what a stand-in is made of.
pub(crate) fn outline(item: &DeriveInput, args: &StateArgs) -> Option<Outline<()>> {
    Some(Outline {
        krate: args.krate.clone(),
        ident: item.ident.clone(),
        vis: item.vis.clone(),
        generics: item.generics.clone(),
        names: (),
    })
}

/// A field that verifies tokens, by its type or by its attribute.
struct Found<'a> {
    at: usize,
    field: &'a Field,
    options: &'a OptionsRead<FieldArgs>,
    kind: FoundKind<'a>,
}

enum FoundKind<'a> {
    /// `Gate<B>`.
    Gate(&'a Type),
    /// Another name of a gate.
    Alias,
    /// `Verifier<U>`.
    Verifier(&'a Type),
}

impl Found<'_> {
    /// Returns the user type, where it is written.
    fn user(&self) -> Option<&Type> {
        match self.kind {
            FoundKind::Verifier(user) => Some(user),
            FoundKind::Gate(_) | FoundKind::Alias => self.options.args.user.0.as_ref(),
        }
    }

    /// Returns the name of the field as people read it.
    fn shown(&self) -> String {
        shown(self.field, self.at)
    }

    fn held(self) -> Option<Held> {
        let said = self.options.args.user.0.clone().map(Box::new);
        let kind = match (&self.kind, said) {
            (FoundKind::Verifier(_), _) => HeldKind::Verifier,
            (_, Some(user)) => HeldKind::GateFor(user),
            (FoundKind::Gate(backend), None) => HeldKind::GateOf(Box::new((*backend).clone())),
            (FoundKind::Alias, None) => return None,
        };
        Some(Held {
            member: self.field.ident.clone().map_or_else(
                || Member::Unnamed(Index::from(self.at)),
                |name| Member::Named(path::own(&name)),
            ),
            ty: inside(&self.field.ty, "Arc")
                .unwrap_or(&self.field.ty)
                .clone(),
            kind,
        })
    }
}

fn shown(field: &Field, at: usize) -> String {
    field
        .ident
        .as_ref()
        .map_or_else(|| at.to_string(), |name| name.unraw().to_string())
}

/// Returns what a field holds; the outer `None` is a mistake that was reported.
fn check_field<'a>(
    field: &'a Field,
    options: &OptionsRead<FieldArgs>,
    diag: &mut Diag,
) -> Option<Option<FoundKind<'a>>> {
    let said = &options.args;
    if let Some(skip) = &said.skip.0 {
        if said.user.0.is_some() {
            diag.error(
                skip,
                "`skip` cannot be combined with `user`: handlers do not use this gate, so \
                 remove one of them",
            );
            return None;
        }
        return Some(None);
    }
    let ty = inside(&field.ty, "Arc").unwrap_or(&field.ty);
    if let Some(optional) = inside(ty, "Option")
        && (inside(optional, "Gate").is_some() || inside(optional, "Verifier").is_some())
    {
        diag.error(
            &field.ty,
            "an `Option` of a gate cannot verify tokens: hold the gate itself, or write \
             `#[gate(skip)]` above the field",
        );
        return None;
    }
    if let Some(user) = inside(ty, "Verifier") {
        if let Some(said) = &said.user.0 {
            diag.error(
                said,
                "the type of a `Verifier` names the user type already: leave `user` out",
            );
            return None;
        }
        return Some(Some(FoundKind::Verifier(user)));
    }
    if let Some(backend) = inside(ty, "Gate") {
        return Some(Some(FoundKind::Gate(backend)));
    }
    Some(options.has("user").then_some(FoundKind::Alias))
}

/// From two gates on, each says who its users are: rustc cannot tell the users of two backends of
/// other crates apart.
fn check_users(found: &[Found<'_>], diag: &mut Diag) {
    let gates = || {
        found
            .iter()
            .filter(|found| !matches!(found.kind, FoundKind::Verifier(_)))
    };
    if gates().count() < 2 {
        return;
    }
    let silent: Vec<_> = gates().filter(|gate| !gate.options.has("user")).collect();
    let Some(first) = silent.first() else { return };
    let names: Vec<String> = silent.iter().map(|gate| gate.shown()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    diag.error(
        &at(first.field),
        format_args!(
            "a state with several gates names the user type of each, and {} does not: write \
             `#[gate(user = …)]` above it, with the user type of its backend",
            crate::diag::listed(&names)
        ),
    );
}

/// Handlers find a gate by its backend and by its user type, so each has one of its own. Returns
/// whether two have the same.
fn check_twice(found: &[Found<'_>], diag: &mut Diag) -> bool {
    let mut is_twice = false;
    for (place, second) in found.iter().enumerate() {
        let before = found.get(..place).unwrap_or_default();
        if let FoundKind::Gate(backend) = second.kind
            && let Some(first) = before
                .iter()
                .find(|first| matches!(first.kind, FoundKind::Gate(other) if same(other, backend)))
        {
            is_twice = true;
            diag.error(
                &at(second.field),
                format_args!(
                    "`{}` and `{}` are both gates of `{}`, so a handler cannot choose between \
                     them: use a separate backend and user type for each, or write `#[gate(skip)]` above one",
                    first.shown(),
                    second.shown(),
                    text(backend),
                ),
            );
        } else if let Some(user) = second.user()
            && let Some(first) = before
                .iter()
                .find(|first| first.user().is_some_and(|other| same(other, user)))
        {
            is_twice = true;
            diag.error(
                user,
                format_args!(
                    "`{}` and `{}` both verify the tokens of `{}`, so `Auth<{3}>` cannot choose \
                     between them: use a separate user type for each, or write `#[gate(skip)]` above one",
                    first.shown(),
                    second.shown(),
                    text(user),
                    text(user),
                ),
            );
        }
    }
    is_twice
}

/// Returns the place of a field: its name, or its type.
fn at(field: &Field) -> TokenStream {
    field
        .ident
        .as_ref()
        .map_or_else(|| field.ty.to_token_stream(), Ident::to_token_stream)
}

fn same(one: &Type, other: &Type) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

fn text(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// Returns `T` of `name<T>`, whatever path leads to it.
fn inside<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let path = match ty {
        Type::Path(path) if path.qself.is_none() => path,
        Type::Paren(paren) => return inside(&paren.elem, name),
        Type::Group(group) => return inside(&group.elem, name),
        _ => return None,
    };
    let PathSegment { ident, arguments } = path.path.segments.last()?;
    let PathArguments::AngleBracketed(list) = arguments else {
        return None;
    };
    match list.args.first() {
        Some(GenericArgument::Type(only)) if ident == name && list.args.len() == 1 => Some(only),
        _ => None,
    }
}
