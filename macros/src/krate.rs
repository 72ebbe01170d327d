//! Where tollgate is: `::tollgate`, or what `crate = path` says.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

use crate::diag::Diag;
use crate::option::Opt;

/// The path of `tollgate::__private`, which is all that expansions name of the runtime.
#[derive(Clone)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    /// The default, until an option says otherwise.
    pub(crate) const DEFAULT: Self = Self(None);

    /// Reads `crate = path`.
    pub(crate) fn read(opt: &Opt, diag: &mut Diag) -> Self {
        Self(opt.path("crate = ::my_tollgate", diag))
    }
}

impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match &self.0 {
            Some(path) => quote!(#path::__private),
            None => quote!(::tollgate::__private),
        });
    }
}
