//! Nothing that an expansion adds is called unused in a binary.
#![deny(warnings)]

mod model {
    #[derive(Clone, Copy, tollgate::ClaimValue)]
    pub(crate) enum Role {
        Admin,
    }

    #[derive(tollgate::JwtClaims)]
    pub(crate) struct User {
        #[claim(sub)]
        pub(crate) id: u64,
        #[claim(roles)]
        pub(super) role: Role,
    }

    #[derive(tollgate::Policy)]
    #[policy(role = Role::Admin)]
    struct Admins;

    #[tollgate::auth_backend(username, user = User, refresh(from = stored))]
    struct Accounts;

    impl tollgate::gate::Authenticate for Accounts {
        async fn authenticate(&self, _: Self::Login, _: &tollgate::device::Client) -> Result<User, tollgate::error::AuthError> {
            Ok(User { id: 1, role: Role::Admin })
        }
    }

    pub(crate) fn all() {
        let _ = (Admins, Accounts);
    }
}

fn main() {
    model::all();
}
