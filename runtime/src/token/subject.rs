//! The text of a token's subject, which needs no allocation where it is short.

use std::fmt;
use std::ops::Deref;

/// The text of a subject.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SubjectText {
    /// A text and its length. Ids are this short: a UUID has 36 characters.
    Short(u8, [u8; SHORT]),
    /// Any other text.
    Long(Box<str>),
}

impl From<&str> for SubjectText {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(len), Some(place)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short(len, bytes)
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl SubjectText {
    /// Returns the bytes of the text, which need no look at their encoding.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(text) => text.as_bytes(),
        }
    }
}

impl Deref for SubjectText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            // The bytes are those of a text, so there is always one.
            Self::Short(..) => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl fmt::Debug for SubjectText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// The most bytes of a short text.
const SHORT: usize = 38;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_of_any_length_keeps_its_text() {
        for len in 0..3 * SHORT {
            for letter in ["a", "ß", "語"] {
                let text = letter.repeat(len);
                let kept = SubjectText::from(&*text);
                assert_eq!(&*kept, text);
                assert_eq!(kept.as_bytes(), text.as_bytes());
                assert_eq!(matches!(kept, SubjectText::Short(..)), text.len() <= SHORT);
                assert_eq!(kept, kept.clone());
                assert_ne!(kept, SubjectText::from(&*format!("{text}x")));
            }
        }
    }
}
