//! The lints that an item allows, for what is generated of it.

use syn::{Attribute, Meta, parse_quote};

/// Returns the lints that these attributes allow. `expect` becomes `allow`, since the expansion may
/// not do what is expected. What is deprecated is named in its own expansion.
pub(crate) fn allowed<'a>(attrs: impl IntoIterator<Item = &'a Attribute>) -> Vec<Attribute> {
    let allowed = attrs.into_iter().filter_map(|attr| match &attr.meta {
        _ if attr.path().is_ident("deprecated") => Some(parse_quote!(#[allow(deprecated)])),
        Meta::List(list) if attr.path().is_ident("allow") || attr.path().is_ident("expect") => {
            let lints = &list.tokens;
            Some(parse_quote!(#[allow(#lints)]))
        }
        Meta::List(_) | Meta::Path(_) | Meta::NameValue(_) => None,
    });
    allowed.collect()
}
