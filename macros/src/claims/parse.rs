//! Reads `#[claims(…)]` and `#[claim(…)]`. Knows how options look, not what they mean.

use darling::FromMeta;
use darling::ast::{MetaNameValueInvalidExpr, NestedMeta};
use proc_macro2::Ident;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, ExprPath, Fields, LitStr, Meta, Path, Token, Type};

use crate::attr;
use crate::case::Case;
use crate::diag::Diag;
use crate::options::{self, List, Maybe, Options, Own, Unknown, Word};
use crate::path::Krate;

/// The options of the struct and of its fields, as they were read.
pub(crate) struct ClaimsArgs {
    pub(crate) options: StructArgs,
    pub(crate) krate: Krate,
    /// The traits that the generated type derives beside ours.
    pub(crate) derives: Vec<Path>,
    pub(crate) serde: Vec<NestedMeta>,
    /// The named fields in their order; none where the item has no named fields.
    pub(crate) fields: Vec<FieldItem>,
}

/// The options of the struct.
#[derive(Default, FromMeta)]
pub(crate) struct StructArgs {
    /// The name of the generated type.
    pub(crate) name: Maybe<Ident>,
    /// The case of own claims.
    pub(crate) rename_all: Maybe<Case>,
    /// The prefix of the names of own claims.
    pub(crate) namespace: Maybe<LitStr>,
    /// `external`: the tokens are issued by others.
    pub(crate) external: Word,
    /// `serde = own`: the serde attributes are for something else.
    pub(crate) serde: Maybe<Own>,
    /// Further derives of the generated type.
    derive: List,
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
    #[darling(flatten)]
    _unknown: Unknown<StructArgs>,
}

/// A named field, and what it says.
pub(crate) struct FieldItem {
    pub(crate) field: syn::Field,
    pub(crate) ident: Ident,
    pub(crate) args: FieldArgs,
    /// The names of all options, in their order.
    pub(crate) named: Vec<Ident>,
    pub(crate) serde: Vec<NestedMeta>,
    /// `true` where a misspelt option probably means `sub`.
    pub(crate) meant_sub: bool,
}

/// The options of a field. A word keeps its own token.
#[derive(Default, FromMeta)]
pub(crate) struct FieldArgs {
    /// The subject.
    pub(crate) sub: Word,
    /// The roles that policies look at.
    pub(crate) roles: Word,
    /// The scopes that policies look at.
    pub(crate) scope: Word,
    /// The digest of the one action that the token is good for.
    pub(crate) action: Word,
    /// The type of a role or scope in a container that tollgate does not know.
    pub(crate) of: Maybe<Type>,
    /// The name on the wire.
    pub(crate) rename: Maybe<LitStr>,
    /// The module that writes and reads the value.
    pub(crate) with: Maybe<ExprPath>,
    /// The value of a missing claim.
    pub(crate) default: DefaultArg,
    /// `skip`: the field is not in the token.
    pub(crate) skip: Word,
    /// `expose`: the holder of the token may read it.
    pub(crate) expose: Word,
    /// `confidential`: the claim is in encrypted tokens alone.
    pub(crate) confidential: Word,
    #[darling(flatten)]
    _unknown: Unknown<FieldArgs>,
}

/// `default` or `default = path`.
#[derive(Default)]
pub(crate) enum DefaultArg {
    #[default]
    Absent,
    Trait,
    Function(Box<ExprPath>),
}

impl FromMeta for DefaultArg {
    fn from_meta(item: &Meta) -> darling::Result<Self> {
        match item {
            Meta::Path(_) => Ok(Self::Trait),
            Meta::List(_) | Meta::NameValue(_) => {
                Maybe::<ExprPath>::from_meta(item).map(|_| Self::Absent)
            }
        }
    }

    fn from_invalid_expr(item: &MetaNameValueInvalidExpr) -> darling::Result<Self> {
        let path = Maybe::<ExprPath>::from_invalid_expr(item)?.0;
        Ok(path.map_or(Self::Absent, |path| Self::Function(Box::new(path))))
    }

    fn from_none() -> Option<Self> {
        Some(Self::Absent)
    }
}

impl Options for StructArgs {
    const NAMES: &'static [&'static str] = &[
        "name",
        "rename_all",
        "namespace",
        "external",
        "serde",
        "derive",
        "crate",
    ];

    fn elsewhere(word: &str) -> Option<String> {
        Some(match word {
            "iss" | "issuer" => gate_says(word, ".issuer(…)"),
            "aud" | "audience" => gate_says(word, ".audience(…)"),
            "exp" | "ttl" | "expires_in" => gate_says(word, "the setting `access.ttl`"),
            _ if FieldArgs::NAMES.contains(&word) || is_synonym(word) => format!(
                "`{word}` belongs to a field: write `#[claim({word})]` above the field that is \
                 meant"
            ),
            _ => return None,
        })
    }
}

fn gate_says(word: &str, with: &str) -> String {
    let with = if with.starts_with('.') {
        format!("`{with}` of its builder")
    } else {
        String::from(with)
    };
    format!("`{word}` is set on the gate, not here: leave it out, and use {with}")
}

fn is_synonym(word: &str) -> bool {
    FieldArgs::SYNONYMS
        .iter()
        .any(|(synonym, _)| *synonym == word)
}

impl Options for FieldArgs {
    const NAMES: &'static [&'static str] = &[
        "sub",
        "roles",
        "scope",
        "action",
        "of",
        "rename",
        "with",
        "default",
        "skip",
        "expose",
        "confidential",
    ];
    const SYNONYMS: &'static [(&'static str, &'static str)] =
        &[("role", "roles"), ("scopes", "scope"), ("subject", "sub")];

    fn elsewhere(word: &str) -> Option<String> {
        Some(match word {
            "name" => String::from(
                "`name` belongs to the struct: for the name of one claim, write `rename = \"…\"`",
            ),
            "external" => String::from(
                "`external` belongs to the struct: write `#[claims(external)]` above it",
            ),
            "derive" => String::from(
                "`derive` belongs to the struct: write `#[claims(derive(…))]` above it",
            ),
            _ if StructArgs::NAMES.contains(&word) => {
                format!("`{word}` belongs to the struct: write `#[claims({word} = …)]` above it")
            }
            _ => return None,
        })
    }
}

/// The attributes that are read, on the struct and on fields.
const ATTRIBUTES: [&str; 2] = ["claims", "claim"];

/// Reads all attributes of the item and its fields.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> ClaimsArgs {
    let items = attr::of_attributes(&item.attrs, &ATTRIBUTES, diag);
    let options = options::read::<StructArgs>(items, diag).args;
    let mut fields = Vec::new();
    if let Data::Struct(data) = &item.data
        && let Fields::Named(named) = &data.fields
    {
        fields = named
            .named
            .iter()
            .filter_map(|field| parse_field(field, diag))
            .collect();
    }
    ClaimsArgs {
        krate: Krate::new(&options.krate),
        derives: derives(&options.derive, diag),
        serde: serde_options(&item.attrs),
        options,
        fields,
    }
}

fn parse_field(field: &syn::Field, diag: &mut Diag) -> Option<FieldItem> {
    let items = attr::of_attributes(&field.attrs, &ATTRIBUTES, diag);
    let read = options::read::<FieldArgs>(items, diag);
    Some(FieldItem {
        field: field.clone(),
        ident: field.ident.clone()?,
        args: read.args,
        named: read.named,
        serde: serde_options(&field.attrs),
        meant_sub: read.meant.contains(&"sub"),
    })
}

/// Reads `derive(…)`. What the generated type has already is refused.
fn derives(list: &List, diag: &mut Diag) -> Vec<Path> {
    let Some((key, tokens)) = list.tokens() else {
        return Vec::new();
    };
    let parser = Punctuated::<Path, Token![,]>::parse_terminated;
    match parser.parse2(tokens.clone()) {
        Ok(paths) if !paths.is_empty() => paths.into_iter().collect(),
        Ok(_) => {
            diag.error(
                key,
                "`derive` is empty: write what belongs there, as in `derive(PartialEq)`",
            );
            Vec::new()
        }
        Err(_) => {
            diag.error(
                tokens,
                "expected the names of derives: write `derive(PartialEq)`",
            );
            Vec::new()
        }
    }
}

/// Returns the options of `#[serde(…)]`. What is wrong in them, serde's own derive reports.
fn serde_options(attrs: &[Attribute]) -> Vec<NestedMeta> {
    attr::of_attributes(attrs, &["serde"], &mut Diag::ignored())
}
