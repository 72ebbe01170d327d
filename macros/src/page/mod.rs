//! A page of the guide as rustdoc shows it: its text, with links that lead to other pages there.
//!
//! The same files are read on a code host and in the book, where links name files.

mod link;
#[cfg(test)]
mod tests;

use std::path::Path;

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens as _;
use syn::LitStr;

/// Returns the text of a page, which is named by its path in the package.
pub(crate) fn expand(name: TokenStream) -> TokenStream {
    let text = syn::parse2::<LitStr>(name).and_then(|name| {
        let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        rewrite(Path::new(&root), &name.value())
            .map_err(|error| syn::Error::new(name.span(), error))
    });
    match text {
        Ok(text) => Literal::string(&text).into_token_stream(),
        Err(error) => error.into_compile_error(),
    }
}

/// Reads a page and its pictures.
fn rewrite(root: &Path, name: &str) -> Result<String, String> {
    let read = |name: &str| {
        std::fs::read_to_string(root.join(name)).map_err(|error| format!("`{name}`: {error}"))
    };
    link::rewrite(&read(name)?, |target, is_picture| {
        if is_picture {
            return Ok(Some(picture(&read(&link::resolve(name, target))?)));
        }
        Ok(link::between(name, target))
    })
}

/// Returns an SVG as an address that contains it.
fn picture(svg: &str) -> String {
    let mut address = "data:image/svg+xml,".to_owned();
    for byte in svg.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/:=;,".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address += &format!("%{byte:02X}");
        }
    }
    address
}
