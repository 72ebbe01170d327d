//! Reads a type as it is written, before its names are resolved.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Generics, Type, parse_quote};

use super::secret_names::Exempt;

/// Returns whether a type is an `Option`, as far as it is written so.
pub(crate) fn is_option(ty: &Type) -> bool {
    inside_option(ty).is_some()
}

/// Returns whether a type counts references without atomics, so that it stays in one thread.
pub(crate) fn is_of_one_thread(ty: &Type) -> bool {
    fn any(tokens: TokenStream) -> bool {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let found = match &token {
                TokenTree::Ident(name) => {
                    name == "Rc"
                        && matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '<')
                }
                TokenTree::Group(group) => any(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => false,
            };
            if found {
                return true;
            }
        }
        false
    }
    any(ty.to_token_stream())
}

/// Returns whether a type is a float or an optional one.
pub(crate) fn is_float(ty: &Type) -> bool {
    let Type::Path(ty) = bare(inside_option(ty).unwrap_or(ty)) else {
        return false;
    };
    ty.path.is_ident("f32") || ty.path.is_ident("f64")
}

/// Returns whether a type is `bool`.
pub(crate) fn is_bool(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(ty) if ty.path.is_ident("bool"))
}

/// Returns how much a type can tell of a secret, as far as its name says.
pub(crate) fn is_exempt(ty: &Type) -> Exempt {
    const NUMBERS: [&str; 14] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        "f32", "f64",
    ];
    const DATES: [&str; 15] = [
        "DateTime",
        "NaiveDateTime",
        "NaiveDate",
        "NaiveTime",
        "OffsetDateTime",
        "PrimitiveDateTime",
        "UtcDateTime",
        "Date",
        "Time",
        "SystemTime",
        "Timestamp",
        "Zoned",
        "Duration",
        "TimeDelta",
        "SignedDuration",
    ];
    let Type::Path(ty) = bare(inside_option(ty).unwrap_or(ty)) else {
        return Exempt::Nothing;
    };
    let last = ty.path.segments.last().map(|last| last.ident.to_string());
    match (ty.path.segments.len(), last.as_deref()) {
        (1, Some("bool")) => Exempt::Flag,
        (1, Some(name)) if NUMBERS.contains(&name) => Exempt::Number,
        (_, Some(name)) if DATES.contains(&name) => Exempt::Flag,
        _ => Exempt::Nothing,
    }
}

/// Returns the type in a list or set, which may be optional, as far as it is written so.
pub(crate) fn element(ty: &Type) -> Option<&Type> {
    const LISTS: [&str; 6] = ["Vec", "VecDeque", "BTreeSet", "HashSet", "Box", "Arc"];
    let path = match bare(inside_option(ty).unwrap_or(ty)) {
        Type::Array(array) => return Some(&array.elem),
        Type::Path(path) => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let syn::PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    let Some(syn::GenericArgument::Type(inner)) = args.args.first() else {
        return None;
    };
    match inner {
        _ if !LISTS.iter().any(|list| last.ident == list) => None,
        Type::Slice(slice) => Some(&slice.elem),
        _ if last.ident == "Box" || last.ident == "Arc" => None,
        other => Some(other),
    }
}

/// Returns whether a type names a type parameter.
pub(crate) fn mentions(ty: &Type, generics: &Generics) -> bool {
    fn any(tokens: TokenStream, generics: &Generics) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => {
                generics.type_params().any(|param| param.ident == ident)
                    || generics.const_params().any(|param| param.ident == ident)
            }
            TokenTree::Group(group) => any(group.stream(), generics),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    any(ty.to_token_stream(), generics)
}

/// Returns the type in an `Option`, as far as it is written so.
pub(crate) fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(ty) = bare(ty) else {
        return None;
    };
    let last = ty
        .path
        .segments
        .last()
        .filter(|last| last.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match (args.args.first(), args.args.len()) {
        (Some(syn::GenericArgument::Type(inner)), 1) => Some(inner),
        _ => None,
    }
}

/// Returns a type without the invisible group that a `macro_rules!` puts around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Returns whether a type holds a reference, other than inside of a `PhantomData`, which holds
/// nothing. The length of an array, and what stands in braces, is a number.
pub(crate) fn borrows(ty: &Type) -> bool {
    fn held(group: &Group) -> TokenStream {
        let is_end =
            |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
        match group.delimiter() {
            Delimiter::Brace => TokenStream::new(),
            Delimiter::Bracket => {
                let tokens = group.stream().into_iter();
                tokens.take_while(|token| !is_end(token)).collect()
            }
            Delimiter::Parenthesis | Delimiter::None => group.stream(),
        }
    }
    fn any(tokens: TokenStream) -> bool {
        // The open brackets of a `PhantomData<…>`.
        let (mut open, mut is_marker, mut is_dash) = (0_usize, false, false);
        for token in tokens {
            let was_marker = std::mem::replace(
                &mut is_marker,
                matches!(&token, TokenTree::Ident(name) if name == "PhantomData"),
            );
            let was_dash = std::mem::replace(
                &mut is_dash,
                matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '-'),
            );
            match &token {
                TokenTree::Punct(punct) => match punct.as_char() {
                    '<' if was_marker || open > 0 => open += 1,
                    '>' if !was_dash => open = open.saturating_sub(1),
                    '&' if open == 0 => return true,
                    _ => {}
                },
                TokenTree::Group(group) if open == 0 && any(held(group)) => return true,
                TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
            }
        }
        false
    }
    any(ty.to_token_stream())
}

/// Returns the type so that it stays one behind `&` and before `:`, where `dyn A + B` falls apart.
pub(crate) fn enclosed(ty: &Type) -> Type {
    match ty {
        Type::TraitObject(_) | Type::ImplTrait(_) => parse_quote!((#ty)),
        other => other.clone(),
    }
}
