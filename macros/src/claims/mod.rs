//! `#[derive(JwtClaims)]`: parse, check, emit.

mod check;
mod emit;
mod model;
mod parse;
mod stub;

use proc_macro2::TokenStream;

use crate::diag::Diag;

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item = match syn::parse2::<syn::DeriveInput>(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut diag = Diag::new();
    let args = parse::parse(&item, &mut diag);
    let model = check::check(&item, &args, &mut diag);
    diag.finish(model, emit::emit, || stub::emit(&item, &args))
}
