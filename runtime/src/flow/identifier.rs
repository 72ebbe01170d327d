//! The normal form of an identifier, so that no two accounts look alike by accident.

use unicode_normalization::UnicodeNormalization as _;

/// Returns the normal form of an email address or username.
///
/// White space around it is removed, letters are in lower case and in compatibility form (NFKC),
/// and invisible characters (Unicode's `Default_Ignorable_Code_Point`) are removed; an address also
/// loses the dots at its end. So `Ada@Example.com`, `ａｄａ@example.com` and `ada@example.com.` are
/// one, and `ⅰ` is `i`. The function is idempotent.
///
/// Sign-in applies it when it reads; apply it when you write an account, and let the column be
/// unique. Send emails to the address that was stored, never to the one that was typed.
///
/// Addresses that mail servers may distinguish remain different: `ada+shop@example.com` is not
/// `ada@example.com`, and a Cyrillic `а` is not a Latin one.
#[must_use]
pub fn normalize_identifier(text: &str) -> String {
    let folded = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        fold(text)
    };
    let trimmed = folded.trim();
    if trimmed.contains('@') {
        trimmed
            .trim_end_matches(|c: char| c == '.' || c.is_whitespace())
            .to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// Applies Unicode's `NFKC_Casefold`, but makes letters lower case instead of folding them: `ß`
/// stays.
fn fold(text: &str) -> String {
    let lower = text
        .nfkc()
        .filter(|c| !is_unseen(*c))
        .flat_map(char::to_lowercase);
    // A sigma at the end of a word is the same letter.
    lower
        .map(|c| if c == 'ς' { 'σ' } else { c })
        .nfkc()
        .filter(|c| !is_unseen(*c))
        .collect()
}

/// Returns whether a character is in `Default_Ignorable_Code_Point` of Unicode's
/// `DerivedCoreProperties.txt`.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R127.
    #[test]
    fn r127_twins_are_one_and_others_stay_apart() {
        for twin in [
            "ADA@EXAMPLE.COM",
            " ada@example.com\t",
            "ada@example.com.",
            "ada@example.com. .",
            "ａｄａ@ｅｘａｍｐｌｅ．ｃｏｍ",
            "a\u{200b}da@exam\u{ad}ple.com",
            "\u{feff}ada@example.com",
            "ᴬda@example.com",
        ] {
            assert_eq!(normalize_identifier(twin), "ada@example.com", "{twin:?}");
        }
        assert_eq!(normalize_identifier("ⅰ@x"), "i@x");
        assert_eq!(normalize_identifier("Ⅰ@x"), "i@x");
        assert_eq!(normalize_identifier("\u{212a}ate"), "kate");
        assert_eq!(normalize_identifier("ΟΔΟΣ"), normalize_identifier("οδος"));
        assert_eq!(
            normalize_identifier("e\u{301}va"),
            normalize_identifier("É\u{200d}VA")
        );
        assert_eq!(normalize_identifier("bob."), "bob.");
        for other in [
            "ada+shop@example.com",
            "a.da@example.com",
            "аda@example.com",
            "ada@example.co",
            "adα@example.com",
        ] {
            assert_ne!(normalize_identifier(other), "ada@example.com", "{other:?}");
        }
    }

    #[test]
    fn it_is_idempotent_for_every_character_alone_and_between_letters() {
        for c in ('\u{80}'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}') {
            for text in [c.to_string(), format!("a{c}b"), format!("{c}\u{301}@x")] {
                let once = normalize_identifier(&text);
                assert_eq!(normalize_identifier(&once), once, "{:x}", u32::from(c));
            }
        }
    }
}
