//! `#[derive(JwtClaims)]`: parse, check, emit.

mod check;
mod emit;
mod model;
mod parse;
mod stub;

use proc_macro2::TokenStream;

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    crate::pipeline::derive(
        crate::receiver::named(item),
        parse::parse,
        check::check,
        emit::emit,
        check::outline,
        stub::emit,
    )
}
