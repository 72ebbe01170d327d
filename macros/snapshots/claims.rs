//! What `claims` of `src/tests` expands to.

///The claims of [`User`], as a token carries them.
#[allow(clippy::all, clippy::pedantic)]
struct UserClaims {
    ///The subject: `sub` in the token.
    id: Uuid,
    /// Where to write to.
    email: String,
    ///The claim `roles`.
    roles: Vec<Role>,
}
#[doc(hidden)]
#[allow(private_bounds, private_interfaces, clippy::all, clippy::pedantic)]
const _: () = {
    use ::tollgate::__private::Reported as _;
    const __TOLLGATE_READER: ::core::primitive::u8 = {
        use ::tollgate::__private::NoFromStr as _;
        ::tollgate::__private::SubjectReader::<Uuid>::READER
    };
    const _: () = {
        use ::tollgate::__private::NoFromStr as _;
        ::tollgate::__private::tells_users_apart(
            ::tollgate::__private::SubjectReader::<Uuid>::VALUES,
        )
    };
    pub struct __TollgateDraft {
        email: ::core::option::Option<String>,
        roles: ::core::option::Option<Vec<Role>>,
    }
    #[automatically_derived]
    impl ::core::default::Default for __TollgateDraft {
        fn default() -> Self {
            Self {
                email: ::core::option::Option::None,
                roles: ::core::option::Option::None,
            }
        }
    }
    type __TollgateClaims = UserClaims;
    impl __TollgateClaims {
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
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn clone(&self) -> Self {
            Self {
                id: <Uuid as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                email: <String as ::tollgate::__private::Claim>::duplicate(&self.email),
                roles: <Vec<
                    Role,
                > as ::tollgate::__private::RoleSet>::duplicate(&self.roles),
            }
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for UserClaims
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn fmt(
            &self,
            __tollgate_f: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            ::tollgate::__private::debug_claims(
                "UserClaims",
                &["email", "roles"],
                self,
                __tollgate_f,
            )
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for UserClaims
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            __tollgate_serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_claims(self, __tollgate_serializer)
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimSet for UserClaims
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        type Subject = <Uuid as ::tollgate::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Draft = __TollgateDraft;
        fn subject(&self) -> &Self::Subject {
            <Uuid as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn parse_subject(
            __tollgate_text: &::core::primitive::str,
        ) -> ::core::option::Option<Self::Subject> {
            <Uuid as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::read(__tollgate_text)
        }
        fn write<__TollgateM: ::tollgate::__private::serde::ser::SerializeMap>(
            &self,
            __tollgate_map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::tollgate::__private::ClaimVia::<
                String,
            >::write(&self.email, "email", __tollgate_map)?;
            ::tollgate::__private::RoleSetVia::<
                Vec<Role>,
            >::write(&self.roles, "roles", __tollgate_map)?;
            let _ = __tollgate_map;
            ::core::result::Result::Ok(())
        }
        fn place(
            __tollgate_name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match __tollgate_name {
                "email" => ::core::option::Option::Some(0),
                "roles" => ::core::option::Option::Some(1),
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
                        &mut __tollgate_draft.email,
                        "email",
                        __tollgate_map,
                        ::tollgate::__private::ClaimVia::<String>::read,
                    )
                }
                1 => {
                    ::tollgate::__private::read_once(
                        &mut __tollgate_draft.roles,
                        "roles",
                        __tollgate_map,
                        ::tollgate::__private::RoleSetVia::<Vec<Role>>::read,
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
                id: <Uuid as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::from_subject(__tollgate_subject),
                email: ::tollgate::__private::ClaimVia::<
                    String,
                >::finish(__tollgate_draft.email, "email")?,
                roles: ::tollgate::__private::RoleSetVia::<
                    Vec<Role>,
                >::finish(__tollgate_draft.roles, "roles")?,
            })
        }
        fn has_role(
            &self,
            __tollgate_value: &::core::primitive::str,
        ) -> ::core::primitive::bool {
            ::tollgate::__private::RoleSetVia::<
                Vec<Role>,
            >::holds(&self.roles, __tollgate_value)
        }
        fn has_scope(&self, _: &::core::primitive::str) -> ::core::primitive::bool {
            false
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::JwtClaims for User
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {
        type Claims = UserClaims;
        type Subject = <Uuid as ::tollgate::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Secrecy = ::tollgate::__private::Open;
        fn subject(&self) -> &Self::Subject {
            <Uuid as ::tollgate::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            UserClaims {
                id: <Uuid as ::tollgate::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                email: ::tollgate::__private::ClaimVia::<String>::duplicate(&self.email),
                roles: ::tollgate::__private::RoleSetVia::<
                    Vec<Role>,
                >::duplicate(&self.roles),
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::Issuable for User
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {}
    #[automatically_derived]
    impl<
        claim_email,
    > ::tollgate::__private::HasClaim<1311787414694181895u64, claim_email> for User
    where
        String: ::tollgate::__private::Comparable<claim_email>,
    {
        const WIRE: &'static ::core::primitive::str = "email";
        const LIMITS: ::tollgate::__private::Limits = {
            use ::tollgate::__private::NoLimits as _;
            ::tollgate::__private::LimitsOf::<String>::LIMITS
        };
    }
    #[automatically_derived]
    impl ::tollgate::__private::HasRoles<Role> for User
    where
        Uuid: ::tollgate::__private::SubjectValue<__TOLLGATE_READER>,
    {}
};
