//! Reads `#[gate(…)]` of a state and its fields. Knows how options look, not what they mean.

use darling::FromMeta;
use syn::{Data, DeriveInput, Field, Path, Type};

use crate::attr;
use crate::diag::Diag;
use crate::options::{self, Maybe, Options, OptionsRead, Unknown, Word};
use crate::path::Krate;

/// The state as it was read.
pub(crate) struct StateArgs {
    pub(crate) krate: Krate,
    /// The fields, each with its options.
    pub(crate) fields: Vec<(Field, OptionsRead<FieldArgs>)>,
}

/// The options of the struct.
#[derive(Default, FromMeta)]
struct StructArgs {
    #[darling(rename = "crate")]
    krate: Maybe<Path>,
    #[darling(flatten)]
    _unknown: Unknown<StructArgs>,
}

/// The options of a field.
#[derive(Default, FromMeta)]
pub(crate) struct FieldArgs {
    /// The user type of the gate's backend.
    pub(crate) user: Maybe<Type>,
    /// Handlers do not find this gate.
    pub(crate) skip: Word,
    #[darling(flatten)]
    _unknown: Unknown<FieldArgs>,
}

impl Options for StructArgs {
    const NAMES: &'static [&'static str] = &["crate"];

    fn elsewhere(word: &str) -> Option<String> {
        let example = match word {
            "user" => "user = User",
            "skip" => "skip",
            _ => return None,
        };
        Some(format!(
            "`{word}` belongs to a field: write `#[gate({example})]` above the gate that is meant"
        ))
    }
}

impl Options for FieldArgs {
    const NAMES: &'static [&'static str] = &["user", "skip"];

    fn elsewhere(word: &str) -> Option<String> {
        (word == "crate").then(|| {
            String::from("`crate` belongs to the struct: write `#[gate(crate = …)]` above it")
        })
    }
}

/// Reads all attributes of the item and its fields.
pub(crate) fn parse(item: &DeriveInput, diag: &mut Diag) -> StateArgs {
    let items = attr::of_attributes(&item.attrs, &["gate"], diag);
    let options = options::read::<StructArgs>(items, diag).args;
    let mut fields = Vec::new();
    if let Data::Struct(data) = &item.data {
        for field in &data.fields {
            let items = attr::of_attributes(&field.attrs, &["gate"], diag);
            fields.push((field.clone(), options::read(items, diag)));
        }
    }
    StateArgs {
        krate: Krate::new(&options.krate),
        fields,
    }
}
