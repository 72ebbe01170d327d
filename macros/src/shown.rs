//! Writes tokens as they are usually written, for messages that quote them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Returns the tokens as they are usually written. Literals stay as they are.
pub(crate) fn shown(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    let (mut operator, mut was_word) = (String::new(), false);
    for token in tokens {
        let is_word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        match token {
            TokenTree::Punct(punct) => {
                operator.push(punct.as_char());
                if punct.spacing() == Spacing::Alone {
                    text.push_str(&spaced(&std::mem::take(&mut operator)));
                }
            }
            TokenTree::Group(group) => {
                text.push_str(&spaced(&std::mem::take(&mut operator)));
                let inside = stream(group.stream());
                let inside = match group.delimiter() {
                    Delimiter::Parenthesis => format!("({inside})"),
                    Delimiter::Bracket => format!("[{inside}]"),
                    Delimiter::Brace if inside.is_empty() => String::from(" {}"),
                    Delimiter::Brace => format!(" {{ {inside} }}"),
                    Delimiter::None => inside,
                };
                text.push_str(&inside);
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                text.push_str(&spaced(&std::mem::take(&mut operator)));
                if was_word {
                    text.push(' ');
                }
                text.push_str(&token.to_string());
            }
        }
        was_word = is_word;
    }
    text.push_str(&spaced(&operator));
    text.trim().to_owned()
}

fn stream(tokens: TokenStream) -> String {
    shown(&tokens.into_iter().collect::<Vec<_>>())
}

/// Returns an operator with the spaces around it.
fn spaced(operator: &str) -> String {
    match operator {
        "," => String::from(", "),
        "=" | "==" | "!=" | "<=" | ">=" | "&&" | "||" | "|" | "+" => format!(" {operator} "),
        _ => operator.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use proc_macro2::TokenStream;

    #[test]
    fn tokens_are_shown_as_they_are_usually_written() {
        for text in [
            "\"gold plus\"",
            "\"a,b\"",
            "r#\"a = b\"#",
            "auth::Role::Admin {}",
            "Login<A, B>",
            "claim(level = -7)",
            "&'static str",
            "any(role = Role::Admin, scope = Scope::Write)",
            "dyn Read + Send",
            "[\"a b\", \"c\"]",
        ] {
            let tokens = TokenStream::from_str(text).unwrap();
            assert_eq!(super::stream(tokens), text);
        }
    }
}
