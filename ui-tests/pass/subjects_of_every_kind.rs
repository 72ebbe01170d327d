//! Subjects: what has `FromStr`, what is made of a `String`, and both under other names.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tollgate::JwtClaims;
use tollgate::token::ClaimSet;

type Name = Arc<str>;

/// Made of a `String`, without `FromStr`.
#[derive(Clone, Debug, PartialEq)]
struct Member(Arc<str>);

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Member {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Has both, and `FromStr` decides.
#[derive(Clone, Debug, PartialEq)]
struct Strict(String);

impl fmt::Display for Strict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Strict {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Strict {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        text.starts_with("s-").then(|| Self(text.to_owned())).ok_or(())
    }
}

macro_rules! user {
    ($($name:ident: $ty:ty = $value:expr;)*) => {$(
        #[derive(JwtClaims)]
        struct $name {
            #[claim(sub)]
            id: $ty,
        }
    )*
    fn main() {$(
        let user = $name { id: $value };
        let text = user.subject().to_string();
        let read = <<$name as JwtClaims>::Claims as ClaimSet>::parse_subject(&text);
        assert_eq!(read.as_ref(), Some(&user.id), "{text}");
        assert_eq!(user.to_claims().id(), &user.id);
    )*
        assert_eq!(<UnderRulesClaims as ClaimSet>::parse_subject("x"), None);
        assert_eq!(<NumberClaims as ClaimSet>::parse_subject("x"), None);
        assert_eq!(
            <GenericClaims<u8> as ClaimSet>::parse_subject("7"),
            Some(7)
        );
    }
    };
}

user! {
    Counted: Arc<str> = "ada".into();
    Boxed: Box<str> = "ada".into();
    Borrowed: Cow<'static, str> = "ada".into();
    Named: Name = "ada".into();
    New: Member = Member("ada".into());
    UnderRules: Strict = Strict("s-ada".into());
    Number: u64 = 7;
    Plain: String = "ada".into();
    Id: uuid::Uuid = uuid::Uuid::nil();
}

#[derive(JwtClaims)]
struct Generic<T: Clone + fmt::Display + std::str::FromStr> {
    #[claim(sub)]
    id: T,
}
