//! Roles and scopes in every container.
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::json;
use tollgate::token::ClaimSet as _;
use tollgate::{ClaimValue, JwtClaims};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ClaimValue)]
enum Word {
    Read,
    Write,
}

/// A container that tollgate does not know.
#[derive(Clone)]
struct Ordered<T>(Vec<T>);

impl<T> FromIterator<T> for Ordered<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<'a, T> IntoIterator for &'a Ordered<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

macro_rules! user {
    ($roles:expr => $role_type:ty: $roles_wire:tt; $scope:expr => $scope_type:ty: $wire:tt) => {{
        #[derive(JwtClaims)]
        struct User {
            #[claim(sub)]
            id: u64,
            #[claim(role)]
            roles: $role_type,
            #[claim(scopes)]
            scope: $scope_type,
            marker: PhantomData<&'static str>,
        }
        let user = User { id: 7, roles: $roles, scope: $scope, marker: PhantomData };
        let claims = user.to_claims();
        assert!(claims.has_role("write") && claims.has_scope("write"));
        assert!(!claims.has_role("admin") && !claims.has_scope("admin"));
        let wire = serde_json::to_value(&claims).unwrap();
        assert_eq!((&wire["roles"], &wire["scope"]), (&json!($roles_wire), &json!($wire)));
    }};
}

fn main() {
    use Word::{Read, Write};
    user!(Write => Word: "write"; Write => Word: "write");
    user!(vec![Write] => Vec<Word>: ["write"]; vec![Read, Write] => Vec<Word>: "read write");
    user!(Some(vec![Write]) => Option<Vec<Word>>: ["write"]; Some(vec![Write]) => Option<Vec<Word>>: "write");
    user!([Read, Write] => [Word; 2]: ["read", "write"]; [Read, Write] => [Word; 2]: "read write");
    user!(Arc::from([Write]) => Arc<[Word]>: ["write"]; Arc::from([Write]) => Arc<[Word]>: "write");
    user!(Cow::Owned(vec![Write]) => Cow<'static, [Word]>: ["write"]; Cow::Owned(vec![Write]) => Cow<'static, [Word]>: "write");
    user!(Arc::new(vec![Write]) => Arc<Vec<Word>>: ["write"]; Arc::new(vec![Read, Write]) => Arc<Vec<Word>>: "read write");
    user!(Some(Arc::new(BTreeSet::from([Write]))) => Option<Arc<BTreeSet<Word>>>: ["write"]; Arc::new(Write) => Arc<Word>: "write");
    user!(HashSet::from([Write]) => HashSet<Word>: ["write"]; HashSet::from([Write]) => HashSet<Word>: "write");
    user!(BTreeSet::from([Write]) => BTreeSet<Word>: ["write"]; VecDeque::from([Write]) => VecDeque<Word>: "write");

    #[derive(JwtClaims)]
    struct User {
        #[claim(sub)]
        id: u64,
        #[claim(roles, of = Word)]
        roles: Ordered<Word>,
        #[claim(scope, of = Word)]
        scope: Ordered<Word>,
    }
    let user = User { id: 7, roles: Ordered(vec![Write]), scope: Ordered(vec![Read, Write]) };
    let claims = user.to_claims();
    assert!(claims.has_role("write") && claims.has_scope("read"));
    let wire = serde_json::to_string(&claims).unwrap();
    assert_eq!(wire, r#"{"sub":"7","roles":["write"],"scope":"read write"}"#);
}
