//! `Self` in the types of fields and in options means the struct, wherever they are written.
use std::marker::PhantomData;

use tollgate::{ClaimValue, JwtClaims};

trait Keyed {
    type Key;
}

impl Keyed for User {
    type Key = u64;
}

#[derive(Clone, Copy, PartialEq, ClaimValue)]
enum Role {
    Admin,
}

#[derive(Clone, JwtClaims)]
struct User
where
    Self: Sized,
{
    #[claim(sub)]
    id: <Self as Keyed>::Key,
    bytes: [u8; Self::LEN],
    #[claim(default = Self::seven)]
    level: <Self as Keyed>::Key,
    #[claim(roles)]
    roles: [Role; Self::LEN - 2],
    marker: PhantomData<Self>,
    #[claim(skip)]
    parent: Option<Box<Self>>,
}

impl User {
    const LEN: usize = 3;
    fn seven() -> u64 {
        7
    }
}

#[derive(Clone, JwtClaims)]
struct Tagged<Kind, const N: usize> {
    #[claim(sub)]
    id: String,
    marker: PhantomData<Self>,
    #[claim(skip)]
    next: Option<Box<Self>>,
    #[claim(skip)]
    kind: [Kind; N],
}

macro_rules! made {
    ($name:ident, $ty:ty) => {
        #[derive(Clone, JwtClaims)]
        struct $name {
            #[claim(sub)]
            id: u64,
            marker: PhantomData<$ty>,
        }
    };
}
made!(r#Made, Self);

fn main() {
    let user = User {
        id: 1,
        bytes: [1, 2, 3],
        level: User::seven(),
        roles: [Role::Admin],
        marker: PhantomData,
        parent: None,
    };
    let _ = user.clone().parent;
    let claims = user.to_claims();
    assert_eq!((claims.id(), claims.bytes(), claims.level()), (&1, &[1, 2, 3], &7));
    assert!(claims.roles() == &[Role::Admin] && claims.marker() == &PhantomData::<User>);
    let tagged = Tagged { id: "a".into(), marker: PhantomData, next: None, kind: [1_u8] };
    let _ = (tagged.clone().next, tagged.clone().kind);
    let marker: &PhantomData<Tagged<u8, 1>> = &tagged.marker;
    assert_eq!(marker, tagged.to_claims().marker());
    let made = Made { id: 1, marker: PhantomData };
    assert_eq!(made.to_claims().marker(), &PhantomData::<Made>);
}
