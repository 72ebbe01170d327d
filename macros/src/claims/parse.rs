//! Reads `#[claims(…)]` and `#[claim(…)]`. Knows how options look, not what they mean.

use proc_macro2::Ident;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path};

use crate::attr::{self, Opt, Value};
use crate::case::Case;
use crate::diag::Diag;
use crate::path::Krate;

/// What the struct says.
pub(crate) struct ClaimsArgs {
    pub(crate) name: Option<Ident>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) namespace: Option<LitStr>,
    /// The tokens are issued by others.
    pub(crate) external: Option<Ident>,
    pub(crate) krate: Krate,
    pub(crate) serde: Vec<Opt>,
    /// One for each named field, in their order; none where the item has no named fields.
    pub(crate) fields: Vec<FieldArgs>,
}

/// What a field says. A word keeps its own token.
#[derive(Default)]
pub(crate) struct FieldArgs {
    pub(crate) sub: Option<Ident>,
    pub(crate) roles: Option<Ident>,
    pub(crate) scope: Option<Ident>,
    pub(crate) action: Option<Ident>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) with: Option<Path>,
    pub(crate) default: Option<DefaultArg>,
    pub(crate) skip: Option<Ident>,
    pub(crate) expose: Option<Ident>,
    pub(crate) confidential: Option<Ident>,
    /// The names of all options, in their order.
    pub(crate) said: Vec<Ident>,
    pub(crate) serde: Vec<Opt>,
    /// Whether a misspelt option was probably to be `sub`.
    pub(crate) meant_sub: bool,
}

/// `default` or `default = path`.
pub(crate) enum DefaultArg {
    Trait,
    Function(Path),
}

const STRUCT_OPTIONS: [&str; 5] = ["name", "rename_all", "namespace", "external", "crate"];
const FIELD_OPTIONS: [&str; 10] = [
    "sub",
    "roles",
    "scope",
    "action",
    "rename",
    "with",
    "default",
    "skip",
    "expose",
    "confidential",
];

/// Reads all attributes of the item and its fields.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> ClaimsArgs {
    let mut args = ClaimsArgs {
        name: None,
        rename_all: None,
        namespace: None,
        external: None,
        krate: Krate::DEFAULT,
        serde: serde_options(&item.attrs),
        fields: Vec::new(),
    };
    for opt in attr::once(attr::of_attributes(&item.attrs, "claims", diag), &[], diag) {
        match opt.key.to_string().as_str() {
            "name" => {
                args.name = opt.parse(
                    "an identifier",
                    "name = UserClaims",
                    syn::parse::Parse::parse,
                    diag,
                );
            }
            "rename_all" => args.rename_all = Case::read(&opt, diag),
            "namespace" => args.namespace = opt.string(diag),
            "crate" => args.krate = Krate::read(&opt, diag),
            "external" => args.external = opt.word(diag),
            word if FIELD_OPTIONS.contains(&word) => diag.error(
                &opt.key,
                format_args!(
                    "`{word}` belongs to a field: write `#[claim({word})]` above the field that \
                     is meant"
                ),
            ),
            _ => {
                diag.unknown(&opt.key, "option", &STRUCT_OPTIONS);
            }
        }
    }
    for attr in item
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("claim"))
    {
        diag.error(
            attr.path(),
            "`claim` belongs to a field: options of the struct are `#[claims(…)]`",
        );
    }
    if let Data::Struct(data) = &item.data
        && let Fields::Named(fields) = &data.fields
    {
        args.fields = fields
            .named
            .iter()
            .map(|field| parse_field(&field.attrs, diag))
            .collect();
    }
    args
}

fn parse_field(attrs: &[Attribute], diag: &mut Diag) -> FieldArgs {
    let mut args = FieldArgs {
        serde: serde_options(attrs),
        ..FieldArgs::default()
    };
    for opt in attr::once(attr::of_attributes(attrs, "claim", diag), &[], diag) {
        match opt.key.to_string().as_str() {
            "sub" => args.sub = opt.word(diag),
            "roles" => args.roles = opt.word(diag),
            "scope" => args.scope = opt.word(diag),
            "skip" => args.skip = opt.word(diag),
            "expose" => args.expose = opt.word(diag),
            "confidential" => args.confidential = opt.word(diag),
            "rename" => args.rename = opt.string(diag),
            "with" => args.with = opt.path("with = my_module", diag),
            "default" => {
                args.default = match &opt.value {
                    Value::Word => Some(DefaultArg::Trait),
                    Value::Is(_) | Value::List(_) => opt
                        .path("default = my_function", diag)
                        .map(DefaultArg::Function),
                };
            }
            "action" => args.action = opt.word(diag),
            "external" => diag.error(
                &opt.key,
                "`external` belongs to the struct: write `#[claims(external)]` above it",
            ),
            word if STRUCT_OPTIONS.contains(&word) => {
                diag.error(
                    &opt.key,
                    format_args!(
                        "`{word}` belongs to the struct: write `#[claims({word} = …)]` above it"
                    ),
                );
            }
            _ => {
                args.meant_sub |= diag.unknown(&opt.key, "option", &FIELD_OPTIONS) == Some("sub");
                continue;
            }
        }
        args.said.push(opt.key);
    }
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("claims")) {
        diag.error(
            attr.path(),
            "`claims` belongs to the struct: options of a field are `#[claim(…)]`",
        );
    }
    args
}

/// The options of `#[serde(…)]`. What is wrong in them, serde's own derive reports.
fn serde_options(attrs: &[Attribute]) -> Vec<Opt> {
    let mut ignored = Diag::new();
    let opts = attr::of_attributes(attrs, "serde", &mut ignored);
    ignored.ignore();
    opts
}
