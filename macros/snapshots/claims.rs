//! What `claims` of `src/tests.rs` expands to.

///The claims of [`User`], as a token carries them.
#[allow(non_camel_case_types, non_snake_case, clippy::all, clippy::pedantic)]
struct UserClaims {
    id: Uuid,
    email: String,
    roles: Vec<Role>,
}
#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    private_bounds,
    private_interfaces,
    trivial_bounds,
    unreachable_pub
)]
#[allow(clippy::all, clippy::pedantic)]
const _: () = {
    pub struct __TollgateDraft {
        email: ::core::option::Option<String>,
        roles: ::core::option::Option<Vec<Role>>,
    }
    #[automatically_derived]
    impl ::core::default::Default for __TollgateDraft
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        fn default() -> Self {
            Self {
                email: ::core::option::Option::None,
                roles: ::core::option::Option::None,
            }
        }
    }
    impl UserClaims
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        ///The subject: `sub` in the token.
        #[must_use]
        fn id(&self) -> &Uuid {
            &self.id
        }
        /// Where to write to.
        #[must_use]
        fn email(&self) -> &String {
            &self.email
        }
        ///The claim `roles`.
        #[must_use]
        fn roles(&self) -> &Vec<Role> {
            &self.roles
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for UserClaims
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        fn clone(&self) -> Self {
            Self {
                id: ::tollgate::__private::Identity::duplicate(&self.id),
                email: ::tollgate::__private::Claim::duplicate(&self.email),
                roles: ::tollgate::__private::RoleSet::duplicate(&self.roles),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for UserClaims
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::tollgate::__private::debug_claims(
                "UserClaims",
                &["email", "roles"],
                self,
                f,
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for UserClaims
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_claims(self, serializer)
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimSet for UserClaims
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        type Subject = <Uuid as ::tollgate::__private::Identity>::Subject;
        type Draft = __TollgateDraft;
        fn subject(&self) -> &Self::Subject {
            ::tollgate::__private::Identity::as_subject(&self.id)
        }
        fn write<__TollgateM: ::tollgate::__private::serde::ser::SerializeMap>(
            &self,
            map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::tollgate::__private::Claim::write(&self.email, "email", map)?;
            ::tollgate::__private::RoleSet::write(&self.roles, "roles", map)?;
            let _ = map;
            ::core::result::Result::Ok(())
        }
        fn place(
            name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match name {
                "email" => ::core::option::Option::Some(0),
                "roles" => ::core::option::Option::Some(1),
                _ => ::core::option::Option::None,
            }
        }
        fn read<
            '__tollgate_de,
            __TollgateA: ::tollgate::__private::serde::de::MapAccess<'__tollgate_de>,
        >(
            draft: &mut Self::Draft,
            place: ::core::primitive::usize,
            map: &mut __TollgateA,
        ) -> ::core::result::Result<(), __TollgateA::Error> {
            let _ = &draft;
            match place {
                0 => {
                    ::tollgate::__private::read_once(
                        &mut draft.email,
                        "email",
                        map,
                        ::tollgate::__private::Claim::read,
                    )
                }
                1 => {
                    ::tollgate::__private::read_once(
                        &mut draft.roles,
                        "roles",
                        map,
                        ::tollgate::__private::RoleSet::read,
                    )
                }
                _ => ::tollgate::__private::skip_value(map),
            }
        }
        fn finish(
            draft: Self::Draft,
            subject: Self::Subject,
        ) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
            let _ = &draft;
            ::core::result::Result::Ok(Self {
                id: ::tollgate::__private::Identity::from_subject(subject),
                email: ::core::option::Option::ok_or(draft.email, "email")?,
                roles: ::core::option::Option::ok_or(draft.roles, "roles")?,
            })
        }
        fn has_role(&self, value: &::core::primitive::str) -> ::core::primitive::bool {
            ::tollgate::__private::RoleSet::holds(&self.roles, value)
        }
        fn has_scope(&self, _: &::core::primitive::str) -> ::core::primitive::bool {
            false
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::JwtClaims for User
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {
        type Claims = UserClaims;
        type Subject = <Uuid as ::tollgate::__private::Identity>::Subject;
        type Secrecy = ::tollgate::__private::Open;
        fn subject(&self) -> &Self::Subject {
            ::tollgate::__private::Identity::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            UserClaims {
                id: ::tollgate::__private::Identity::duplicate(&self.id),
                email: ::tollgate::__private::Claim::duplicate(&self.email),
                roles: ::tollgate::__private::RoleSet::duplicate(&self.roles),
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::Issuable for User
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {}
    #[automatically_derived]
    impl<
        claim_email,
    > ::tollgate::__private::HasClaim<1311787414694181895u64, claim_email> for User
    where
        String: ::tollgate::__private::Comparable<claim_email>,
    {
        const WIRE: &'static ::core::primitive::str = "email";
    }
    #[automatically_derived]
    impl ::tollgate::__private::HasRoles<
        <Vec<Role> as ::tollgate::__private::RoleSet>::Role,
    > for User
    where
        Uuid: ::tollgate::__private::Identity,
        String: ::tollgate::__private::Claim,
        Vec<Role>: ::tollgate::__private::RoleSet,
    {}
};
