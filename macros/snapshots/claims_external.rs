//! What `claims_external` of `src/tests` expands to.

///The claims of [`Approval`], as a token carries them.
#[allow(clippy::all, clippy::pedantic)]
struct ApprovalClaims {
    ///The subject: `sub` in the token.
    id: String,
    ///The claim `roles`.
    roles: Vec<String>,
    ///The claim `digest`.
    digest: String,
}
#[doc(hidden)]
#[allow(private_bounds, private_interfaces, clippy::all, clippy::pedantic)]
const _: () = {
    use ::tollgate::__private::Reported as _;
    const __TOLLGATE_READER: ::core::primitive::u8 = {
        use ::tollgate::__private::NoFromStr as _;
        ::tollgate::__private::SubjectReader::<String>::READER
    };
    const _: () = {
        use ::tollgate::__private::NoFromStr as _;
        ::tollgate::__private::tells_users_apart(
            ::tollgate::__private::SubjectReader::<String>::VALUES,
        )
    };
    pub struct __TollgateDraft {
        roles: ::core::option::Option<Vec<String>>,
        digest: ::core::option::Option<String>,
    }
    #[automatically_derived]
    impl ::core::default::Default for __TollgateDraft {
        fn default() -> Self {
            Self {
                roles: ::core::option::Option::None,
                digest: ::core::option::Option::None,
            }
        }
    }
    type __TollgateClaims = ApprovalClaims;
    impl __TollgateClaims {
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
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn clone(&self) -> Self {
            Self {
                id: <String as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                roles: <Vec<
                    String,
                > as ::tollgate::__private::ForeignRoles>::duplicate(&self.roles),
                digest: <String as ::tollgate::__private::Claim>::duplicate(&self.digest),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for ApprovalClaims
    where
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn fmt(
            &self,
            __tollgate_f: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            ::tollgate::__private::debug_claims(
                "ApprovalClaims",
                &["roles", "digest"],
                self,
                __tollgate_f,
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for ApprovalClaims
    where
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            __tollgate_serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_claims(self, __tollgate_serializer)
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimSet for ApprovalClaims
    where
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        type Subject = <String as ::tollgate::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Draft = __TollgateDraft;
        fn subject(&self) -> &Self::Subject {
            <String as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn parse_subject(
            __tollgate_text: &::core::primitive::str,
        ) -> ::core::option::Option<Self::Subject> {
            <String as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::read(__tollgate_text)
        }
        fn write<__TollgateM: ::tollgate::__private::serde::ser::SerializeMap>(
            &self,
            __tollgate_map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::tollgate::__private::ForeignRolesVia::<
                Vec<String>,
            >::write(&self.roles, "roles", __tollgate_map)?;
            ::tollgate::__private::ClaimVia::<
                String,
            >::write(&self.digest, "digest", __tollgate_map)?;
            let _ = __tollgate_map;
            ::core::result::Result::Ok(())
        }
        fn place(
            __tollgate_name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match __tollgate_name {
                "roles" => ::core::option::Option::Some(0),
                "digest" => ::core::option::Option::Some(1),
                _ => ::core::option::Option::None,
            }
        }
        fn read<
            '__tollgate_de,
            __TollgateA: ::tollgate::__private::serde::de::MapAccess<'__tollgate_de>,
        >(
            __tollgate_draft: &mut Self::Draft,
            __tollgate_place: ::core::primitive::usize,
            __tollgate_map: &mut __TollgateA,
        ) -> ::core::result::Result<(), __TollgateA::Error> {
            let _ = &__tollgate_draft;
            match __tollgate_place {
                0 => {
                    ::tollgate::__private::read_once(
                        &mut __tollgate_draft.roles,
                        "roles",
                        __tollgate_map,
                        ::tollgate::__private::ForeignRolesVia::<Vec<String>>::read,
                    )
                }
                1 => {
                    ::tollgate::__private::read_once(
                        &mut __tollgate_draft.digest,
                        "digest",
                        __tollgate_map,
                        ::tollgate::__private::ClaimVia::<String>::read,
                    )
                }
                _ => ::tollgate::__private::skip_value(__tollgate_map),
            }
        }
        fn finish(
            __tollgate_draft: Self::Draft,
            __tollgate_subject: Self::Subject,
        ) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
            let _ = &__tollgate_draft;
            ::core::result::Result::Ok(Self {
                id: <String as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::from_subject(__tollgate_subject),
                roles: ::tollgate::__private::ForeignRolesVia::<
                    Vec<String>,
                >::finish(__tollgate_draft.roles, "roles")?,
                digest: ::tollgate::__private::ClaimVia::<
                    String,
                >::finish(__tollgate_draft.digest, "digest")?,
            })
        }
        fn has_role(
            &self,
            __tollgate_value: &::core::primitive::str,
        ) -> ::core::primitive::bool {
            ::tollgate::__private::ForeignRolesVia::<
                Vec<String>,
            >::holds(&self.roles, __tollgate_value)
        }
        fn has_scope(&self, _: &::core::primitive::str) -> ::core::primitive::bool {
            false
        }
        const ACTION_BOUND: ::core::primitive::bool = true;
        fn action(&self) -> ::core::option::Option<&::core::primitive::str> {
            ::core::option::Option::Some(
                <String as ::tollgate::__private::Action>::digest(&self.digest),
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::JwtClaims for Approval
    where
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        type Claims = ApprovalClaims;
        type Subject = <String as ::tollgate::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Secrecy = ::tollgate::__private::Open;
        fn subject(&self) -> &Self::Subject {
            <String as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            ApprovalClaims {
                id: <String as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                roles: ::tollgate::__private::ForeignRolesVia::<
                    Vec<String>,
                >::duplicate(&self.roles),
                digest: ::tollgate::__private::ClaimVia::<
                    String,
                >::duplicate(&self.digest),
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::HasRoles<String> for Approval
    where
        String: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {}
};
