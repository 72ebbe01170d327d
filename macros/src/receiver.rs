//! Writes the name of a type for `Self`, which means another type where its fields stand in another
//! one.

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::{DeriveInput, GenericParam, Generics};

/// Returns the item with its own name in place of each `Self`.
pub(crate) fn named(item: TokenStream) -> TokenStream {
    if !holds_self(&item) {
        return item;
    }
    match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(parsed) => replaced(item, &parsed.ident, &parsed.generics),
        // The pipeline reports it.
        Err(_) => item,
    }
}

fn holds_self(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => holds_self(&group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn replaced(tokens: TokenStream, name: &Ident, generics: &Generics) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let itself = itself(name, generics, ident.span());
                let leads =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if is_of_path(next));
                // `User<T>::LEN` is no expression, `<User<T>>::LEN` is one and a type.
                out.extend(if leads {
                    quote_spanned!(ident.span()=> <#itself>)
                } else {
                    itself
                });
            }
            TokenTree::Group(group) => {
                let inner = replaced(group.stream(), name, generics);
                let mut new = Group::new(group.delimiter(), inner);
                new.set_span(group.span());
                out.extend([TokenTree::Group(new)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// Returns whether it is the first half of `::`, and not the `:` of a bound.
fn is_of_path(punct: &Punct) -> bool {
    punct.as_char() == ':' && punct.spacing() == Spacing::Joint
}

/// Returns the type with its parameters as arguments.
fn itself(name: &Ident, generics: &Generics, span: Span) -> TokenStream {
    let mut name = name.clone();
    name.set_span(span);
    if generics.params.is_empty() {
        return name.into_token_stream();
    }
    let args = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    quote_spanned!(span=> #name<#(#args),*>)
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::named;

    #[test]
    fn self_is_the_type_with_its_parameters() {
        let item = quote! {
            struct r#User<'a, T, const N: usize> where Self: Sized {
                #[claim(default = Self::new)] a: [u8; Self::LEN], b: Vec<Box<Self>>, c: <Self as A>::B,
            }
        };
        let wanted = quote! {
            struct r#User<'a, T, const N: usize> where r#User<'a, T, N>: Sized {
                #[claim(default = <r#User<'a, T, N> >::new)] a: [u8; <r#User<'a, T, N> >::LEN],
                b: Vec<Box<r#User<'a, T, N> >>, c: <r#User<'a, T, N> as A>::B,
            }
        };
        let plain = |tokens: proc_macro2::TokenStream| tokens.to_string().replace(' ', "");
        assert_eq!(plain(named(item)), plain(wanted));
        let untouched = quote!(
            struct User {
                a: Vec<u8>,
            }
        );
        assert_eq!(named(untouched.clone()).to_string(), untouched.to_string());
    }
}
