//! `#[derive(Policy)]`: parse, check, emit.

mod check;
mod emit;
mod joined;
mod model;
mod parse;
mod stub;
mod words;

use proc_macro2::TokenStream;

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    crate::pipeline::derive(
        item,
        parse::parse,
        check::check,
        emit::emit,
        check::outline,
        crate::pipeline::beside(stub::emit),
    )
}
