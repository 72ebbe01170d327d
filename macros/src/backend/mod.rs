//! `#[auth_backend(…)]`: parse, check, emit.

mod check;
mod emit;
mod model;
mod parse;

use proc_macro2::TokenStream;

use crate::diag::Diag;

/// Expands the attribute. The item comes out as it came in.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diag = Diag::new();
    let args = parse::parse(options, &mut diag);
    let Ok(parsed) = syn::parse2::<syn::Item>(item.clone()) else {
        diag.ignore();
        return item;
    };
    let model = check::check(&parsed, &args, &mut diag);
    let mut out = item;
    out.extend(diag.finish(model, emit::emit, || {
        check::stand_in(&parsed, &args)
            .as_ref()
            .map(emit::emit)
            .unwrap_or_default()
    }));
    out
}
