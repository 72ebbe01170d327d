//! What expansions name of the runtime, and how: `::tollgate` or what `crate = path` says, and
//! numbers in place of names.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;

use crate::attr::Opt;
use crate::diag::Diag;

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

    /// The path, so that rustc reports what it leads to at this place.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let tokens = self.to_token_stream().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        tokens.collect()
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

/// The number that stands for a name in `__private::Variant` and `__private::HasClaim` (FNV-1a, 64
/// bits).
pub(crate) fn name_number(name: &str) -> u64 {
    let name = name.strip_prefix("r#").unwrap_or(name);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
