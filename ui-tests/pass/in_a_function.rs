//! All macros work inside a function body, and on private types in public ones.
#![deny(warnings)]

mod public {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Private(u8);

    #[derive(tollgate::JwtClaims)]
    pub struct User {
        #[claim(sub)]
        pub id: u64,
        private: Private,
        #[claim(with = coded)]
        coded: Option<Private>,
    }

    mod coded {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        use super::Private;

        pub(super) fn serialize<S: Serializer>(value: &Option<Private>, serializer: S) -> Result<S::Ok, S::Error> {
            value.serialize(serializer)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Private>, D::Error> {
            Option::deserialize(deserializer)
        }
    }

    pub fn user() -> User {
        User { id: 1, private: Private(2), coded: Some(Private(3)) }
    }
}

fn main() {
    use tollgate::token::JwtClaims as _;

    #[derive(Clone, Copy, tollgate::ClaimValue)]
    enum Role {
        Admin,
    }

    #[derive(tollgate::JwtClaims)]
    struct Local {
        #[claim(sub)]
        id: u64,
        #[claim(roles)]
        role: Option<Role>,
    }

    #[derive(tollgate::Policy)]
    #[policy(role = Role::Admin)]
    struct Admins;

    fn guard<P: tollgate::policy::PolicyFor<Local>>() {}
    guard::<Admins>();
    assert_eq!(*Local { id: 1, role: Some(Role::Admin) }.to_claims().id(), 1);
    assert_eq!(*public::user().to_claims().id(), 1);
}
