//! What `claims_external` of `src/tests.rs` expands to.

///The claims of [`Approval`], as a token carries them.
#[allow(non_camel_case_types, non_snake_case, clippy::all, clippy::pedantic)]
struct ApprovalClaims {
    id: String,
    roles: Vec<String>,
    digest: String,
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
        roles: ::core::option::Option<Vec<String>>,
        digest: ::core::option::Option<String>,
    }
    #[automatically_derived]
    impl ::core::default::Default for __TollgateDraft
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        fn default() -> Self {
            Self {
                roles: ::core::option::Option::None,
                digest: ::core::option::Option::None,
            }
        }
    }
    impl ApprovalClaims
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        ///The subject: `sub` in the token.
        #[must_use]
        fn id(&self) -> &String {
            &self.id
        }
        ///The claim `roles`.
        #[must_use]
        fn roles(&self) -> &Vec<String> {
            &self.roles
        }
        ///The claim `digest`.
        #[must_use]
        fn digest(&self) -> &String {
            &self.digest
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for ApprovalClaims
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        fn clone(&self) -> Self {
            Self {
                id: ::tollgate::__private::Identity::duplicate(&self.id),
                roles: ::tollgate::__private::ForeignRoles::duplicate(&self.roles),
                digest: ::tollgate::__private::Claim::duplicate(&self.digest),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for ApprovalClaims
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::tollgate::__private::debug_claims(
                "ApprovalClaims",
                &["roles", "digest"],
                self,
                f,
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for ApprovalClaims
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_claims(self, serializer)
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimSet for ApprovalClaims
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        type Subject = <String as ::tollgate::__private::Identity>::Subject;
        type Draft = __TollgateDraft;
        fn subject(&self) -> &Self::Subject {
            ::tollgate::__private::Identity::as_subject(&self.id)
        }
        fn write<__TollgateM: ::tollgate::__private::serde::ser::SerializeMap>(
            &self,
            map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::tollgate::__private::ForeignRoles::write(&self.roles, "roles", map)?;
            ::tollgate::__private::Claim::write(&self.digest, "digest", map)?;
            let _ = map;
            ::core::result::Result::Ok(())
        }
        fn place(
            name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match name {
                "roles" => ::core::option::Option::Some(0),
                "digest" => ::core::option::Option::Some(1),
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
                        &mut draft.roles,
                        "roles",
                        map,
                        ::tollgate::__private::ForeignRoles::read,
                    )
                }
                1 => {
                    ::tollgate::__private::read_once(
                        &mut draft.digest,
                        "digest",
                        map,
                        ::tollgate::__private::Claim::read,
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
                roles: ::core::option::Option::ok_or(draft.roles, "roles")?,
                digest: ::core::option::Option::ok_or(draft.digest, "digest")?,
            })
        }
        fn has_role(&self, value: &::core::primitive::str) -> ::core::primitive::bool {
            ::tollgate::__private::ForeignRoles::holds(&self.roles, value)
        }
        fn has_scope(&self, _: &::core::primitive::str) -> ::core::primitive::bool {
            false
        }
        const ACTION_BOUND: ::core::primitive::bool = true;
        fn action(&self) -> ::core::option::Option<&::core::primitive::str> {
            ::core::option::Option::Some(
                ::tollgate::__private::Action::digest(&self.digest),
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::JwtClaims for Approval
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {
        type Claims = ApprovalClaims;
        type Subject = <String as ::tollgate::__private::Identity>::Subject;
        type Secrecy = ::tollgate::__private::Open;
        fn subject(&self) -> &Self::Subject {
            ::tollgate::__private::Identity::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            ApprovalClaims {
                id: ::tollgate::__private::Identity::duplicate(&self.id),
                roles: ::tollgate::__private::ForeignRoles::duplicate(&self.roles),
                digest: ::tollgate::__private::Claim::duplicate(&self.digest),
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::HasRoles<
        <Vec<String> as ::tollgate::__private::ForeignRoles>::Role,
    > for Approval
    where
        String: ::tollgate::__private::Identity,
        Vec<String>: ::tollgate::__private::ForeignRoles,
        String: ::tollgate::__private::Claim + ::tollgate::__private::Action,
    {}
};
