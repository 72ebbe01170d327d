//! The values that may stand after `=` of an option.

use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{ExprPath, LitBool, LitStr, Path, Type};

use super::Value;

impl Value for LitStr {
    const WHAT: &'static str = "a string";

    fn example(key: &str) -> String {
        match key {
            "kind" => String::from("kind = \"accounts\""),
            _ => format!("{key} = \"…\""),
        }
    }

    /// Reads a literal, or a `concat!` of them.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return input.parse();
        }
        let call: syn::Macro = input.parse()?;
        if call
            .path
            .segments
            .last()
            .is_none_or(|last| last.ident != "concat")
        {
            return Err(syn::Error::new_spanned(call, "expected a string"));
        }
        let parts = call.parse_body_with(
            syn::punctuated::Punctuated::<syn::Lit, syn::Token![,]>::parse_terminated,
        )?;
        let mut text = String::new();
        for part in &parts {
            match part {
                syn::Lit::Str(part) => text.push_str(&part.value()),
                syn::Lit::Char(part) => text.push(part.value()),
                syn::Lit::Int(part) => text.push_str(part.base10_digits()),
                other => return Err(syn::Error::new_spanned(other, "expected a string")),
            }
        }
        Ok(Self::new(&text, syn::spanned::Spanned::span(&call)))
    }
}

impl Value for Path {
    const WHAT: &'static str = "a path";

    fn example(key: &str) -> String {
        match key {
            "crate" => String::from("crate = ::my_tollgate"),
            _ => format!("{key} = my_module"),
        }
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::parse_mod_style(input)
    }
}

impl Value for ExprPath {
    const WHAT: &'static str = "a path";

    fn example(key: &str) -> String {
        match key {
            "default" => String::from("default = my_function"),
            _ => format!("{key} = my_module"),
        }
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse()
    }
}

impl Value for Type {
    const WHAT: &'static str = "a type";

    fn example(key: &str) -> String {
        match key {
            "login" => String::from("login = MyLogin"),
            "of" => String::from("of = Role"),
            _ => format!("{key} = User"),
        }
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Self::without_plus(input)
    }
}

impl Value for Ident {
    const WHAT: &'static str = "an identifier";

    fn example(key: &str) -> String {
        match key {
            "name" => String::from("name = UserClaims"),
            _ => format!("{key} = name"),
        }
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse()
    }
}

impl Value for LitBool {
    const WHAT: &'static str = "`true` or `false`";

    fn example(key: &str) -> String {
        format!("{key} = false")
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse()
    }
}

/// The word `own`, with which the user takes over what a macro would do.
pub(crate) struct Own;

impl Value for Own {
    const WHAT: &'static str = "the word `own`";

    fn example(key: &str) -> String {
        format!("{key} = own")
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word: Ident = input.parse()?;
        if word == "own" {
            return Ok(Self);
        }
        Err(syn::Error::new(word.span(), "expected `own`"))
    }

    fn problem(value: &TokenStream) -> Option<String> {
        let word: Ident = syn::parse2(value.clone()).ok()?;
        Some(format!(
            "unknown value `{word}`: write `own`, or leave `serde` out"
        ))
    }
}
