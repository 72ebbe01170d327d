//! `#[auth_backend(…)]`: parse, check, emit.

mod check;
mod emit;
mod model;
mod parse;
mod paths;
mod stub;

use proc_macro2::TokenStream;

/// Expands the attribute. The item comes out as it came in; what is no item, rustc reports.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut out = item.clone();
    if syn::parse2::<syn::Item>(item.clone()).is_ok() {
        out.extend(crate::pipeline::derive(
            item,
            |_, diag| parse::parse(options, diag),
            check::check,
            emit::emit,
            check::outline,
            stub::emit,
        ));
    }
    out
}
