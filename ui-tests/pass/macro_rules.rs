//! All macros work on what a `macro_rules!` puts together.
#![deny(warnings)]

use tollgate::token::ClaimSet as _;

macro_rules! auth {
    (
        $user:ident { $sub:ident: $id:ty, $($field:ident as $wire:literal: $ty:ty),* $(,)? }
        $role:ident { $($variant:ident),* } $policy:ident = $($any:path)|*, $age:literal;
        $customers:ident = $claim:ident == $text:literal, $other:ident == $value:expr, $acr:literal, $bound:literal;
        $backend:ident($kind:ident) $(#[$meta:meta])*
    ) => {
        #[derive(Clone, Copy, tollgate::ClaimValue)]
        enum $role { $($variant),* }

        #[derive(tollgate::JwtClaims)]
        $(#[$meta])*
        struct $user {
            #[claim(sub)]
            $sub: $id,
            $(#[claim(rename = $wire)] $field: $ty,)*
            #[claim(roles)]
            roles: Vec<$role>,
        }

        #[derive(tollgate::Policy)]
        #[policy(any($(role = $any),*), max_age = $age)]
        struct $policy;

        #[derive(tollgate::Policy)]
        #[policy(user = $user, claim($claim = $text), not(claim($other = $value)), acr = $acr, consistency = bounded($bound))]
        struct $customers;

        #[tollgate::auth_backend($kind, user = $user, refresh(from = stored))]
        struct $backend;

        impl tollgate::gate::Authenticate for $backend {
            async fn authenticate(&self, _: Self::Login, _: &tollgate::device::Client) -> Result<$user, tollgate::error::AuthError> {
                Err(tollgate::error::AuthError::Invalid)
            }
        }
    };
}

auth! {
    User { id: u64, level as "level": i8, email as "mail": String, nick as "nickname": Option<String> }
    Role { Admin, Editor } Staff = Role::Admin | Role::Editor, "5m";
    Customers = email == "a@example.com", level == -1, "gold", "2s";
    Accounts(email) #[claims(name = Claims)]
}

fn guard<P: tollgate::policy::PolicyFor<User>>() {}

fn main() {
    guard::<Staff>();
    guard::<Customers>();
    assert_eq!((Claims::place("mail"), Claims::place("nickname"), Claims::place("roles")), (Some(1), Some(2), Some(3)));
    // A field of type `Option` is known as one behind a `$ty:ty`.
    let draft = Default::default();
    assert_eq!(Claims::finish(draft, 1).err(), Some("level"));
    let _ = (Accounts.gate(), User { id: 1, level: 0, email: String::new(), nick: None, roles: vec![Role::Admin, Role::Editor] });
}
