//! What `claims_with_every_option` of `src/tests` expands to.

///The claims of [`User`], as a token carries them.
#[allow(clippy::all, clippy::pedantic)]
pub(crate) struct Claims<T: Clone = u8, const N: usize = 1>
where
    T: Copy,
{
    ///The subject: `sub` in the token.
    id: Uuid,
    ///The claim `roles`.
    roles: Vec<Role>,
    ///The claim `scope`.
    scope: Option<Scope>,
    ///The claim `blob`.
    blob: Vec<u8>,
    ///The claim `extra`.
    extra: Option<T>,
    /// Nothing.
    __tollgate_marker: ::core::marker::PhantomData<fn() -> (T,)>,
}
#[doc(hidden)]
#[allow(private_bounds, private_interfaces, clippy::all, clippy::pedantic)]
const _: () = {
    use ::gatekeeper::__private::Reported as _;
    const __TOLLGATE_READER: ::core::primitive::u8 = {
        use ::gatekeeper::__private::NoFromStr as _;
        ::gatekeeper::__private::SubjectReader::<Uuid>::READER
    };
    const _: () = {
        use ::gatekeeper::__private::NoFromStr as _;
        ::gatekeeper::__private::tells_users_apart(
            ::gatekeeper::__private::SubjectReader::<Uuid>::VALUES,
        )
    };
    pub struct __TollgateDraft<T: Clone = u8, const N: usize = 1>
    where
        T: Copy,
    {
        roles: ::core::option::Option<Vec<Role>>,
        scope: ::core::option::Option<Option<Scope>>,
        blob: ::core::option::Option<Vec<u8>>,
        extra: ::core::option::Option<Option<T>>,
        /// Nothing.
        __tollgate_marker: ::core::marker::PhantomData<fn() -> (T,)>,
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::default::Default for __TollgateDraft<T, N>
    where
        T: Copy,
    {
        fn default() -> Self {
            Self {
                roles: ::core::option::Option::None,
                scope: ::core::option::Option::None,
                blob: ::core::option::Option::None,
                extra: ::core::option::Option::None,
                __tollgate_marker: ::core::marker::PhantomData,
            }
        }
    }
    type __TollgateClaims<T, const N: usize> = Claims<T, N>;
    impl<T: Clone, const N: usize> __TollgateClaims<T, N>
    where
        T: Copy,
    {
        ///The subject: `sub` in the token.
        #[must_use]
        pub fn id(&self) -> &Uuid {
            &self.id
        }
        ///The claim `roles`.
        #[must_use]
        pub(crate) fn roles(&self) -> &Vec<Role> {
            &self.roles
        }
        ///The claim `scope`.
        #[must_use]
        pub(crate) fn scope(&self) -> &Option<Scope> {
            &self.scope
        }
        ///The claim `blob`.
        #[must_use]
        pub(crate) fn blob(&self) -> &Vec<u8> {
            &self.blob
        }
        ///The claim `extra`.
        #[must_use]
        pub(crate) fn extra(&self) -> &Option<T> {
            &self.extra
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::clone::Clone for Claims<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        fn clone(&self) -> Self {
            Self {
                id: <Uuid as ::gatekeeper::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                roles: <Vec<
                    Role,
                > as ::gatekeeper::__private::RoleSet>::duplicate(&self.roles),
                scope: <Option<
                    Scope,
                > as ::gatekeeper::__private::ScopeSet>::duplicate(&self.scope),
                blob: <Vec<
                    u8,
                > as ::gatekeeper::__private::Carried>::duplicate(&self.blob),
                extra: <Option<
                    T,
                > as ::gatekeeper::__private::Claim>::duplicate(&self.extra),
                __tollgate_marker: ::core::marker::PhantomData,
            }
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::fmt::Debug for Claims<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        fn fmt(
            &self,
            __tollgate_f: &mut ::core::fmt::Formatter<'_>,
        ) -> ::core::fmt::Result {
            ::gatekeeper::__private::debug_claims(
                "Claims",
                &[
                    "groups",
                    "scope",
                    "https://example.com/blob",
                    "https://example.com/extra",
                ],
                self,
                __tollgate_f,
            )
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::serde::Serialize
    for Claims<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        fn serialize<__TollgateS: ::gatekeeper::__private::serde::Serializer>(
            &self,
            __tollgate_serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::gatekeeper::__private::serialize_claims(self, __tollgate_serializer)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::ClaimSet for Claims<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        type Subject = <Uuid as ::gatekeeper::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Draft = __TollgateDraft<T, N>;
        const EXPOSED: &'static [::core::primitive::usize] = &[2];
        fn subject(&self) -> &Self::Subject {
            <Uuid as ::gatekeeper::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn parse_subject(
            __tollgate_text: &::core::primitive::str,
        ) -> ::core::option::Option<Self::Subject> {
            <Uuid as ::gatekeeper::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::read(__tollgate_text)
        }
        fn write<__TollgateM: ::gatekeeper::__private::serde::ser::SerializeMap>(
            &self,
            __tollgate_map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::gatekeeper::__private::RoleSetVia::<
                Vec<Role>,
            >::write(&self.roles, "groups", __tollgate_map)?;
            ::gatekeeper::__private::ScopeSetVia::<
                Option<Scope>,
            >::write(&self.scope, "scope", __tollgate_map)?;
            ::gatekeeper::__private::write_coded::<
                Self,
                Vec<u8>,
                0,
                _,
            >(&self.blob, "https://example.com/blob", __tollgate_map)?;
            ::gatekeeper::__private::ClaimVia::<
                Option<T>,
            >::write_always(&self.extra, "https://example.com/extra", __tollgate_map)?;
            let _ = __tollgate_map;
            ::core::result::Result::Ok(())
        }
        fn place(
            __tollgate_name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match __tollgate_name {
                "groups" => ::core::option::Option::Some(0),
                "scope" => ::core::option::Option::Some(1),
                "https://example.com/blob" => ::core::option::Option::Some(2),
                "https://example.com/extra" => ::core::option::Option::Some(3),
                _ => ::core::option::Option::None,
            }
        }
        fn read<
            '__tollgate_de,
            __TollgateA: ::gatekeeper::__private::serde::de::MapAccess<'__tollgate_de>,
        >(
            __tollgate_draft: &mut Self::Draft,
            __tollgate_place: ::core::primitive::usize,
            __tollgate_map: &mut __TollgateA,
        ) -> ::core::result::Result<(), __TollgateA::Error> {
            let _ = &__tollgate_draft;
            match __tollgate_place {
                0 => {
                    ::gatekeeper::__private::read_once(
                        &mut __tollgate_draft.roles,
                        "groups",
                        __tollgate_map,
                        ::gatekeeper::__private::RoleSetVia::<Vec<Role>>::read,
                    )
                }
                1 => {
                    ::gatekeeper::__private::read_once(
                        &mut __tollgate_draft.scope,
                        "scope",
                        __tollgate_map,
                        ::gatekeeper::__private::ScopeSetVia::<Option<Scope>>::read,
                    )
                }
                2 => {
                    ::gatekeeper::__private::read_once(
                        &mut __tollgate_draft.blob,
                        "https://example.com/blob",
                        __tollgate_map,
                        ::gatekeeper::__private::read_coded::<Self, Vec<u8>, 0, _>,
                    )
                }
                3 => {
                    ::gatekeeper::__private::read_once(
                        &mut __tollgate_draft.extra,
                        "https://example.com/extra",
                        __tollgate_map,
                        ::gatekeeper::__private::ClaimVia::<Option<T>>::read,
                    )
                }
                _ => ::gatekeeper::__private::skip_value(__tollgate_map),
            }
        }
        fn finish(
            __tollgate_draft: Self::Draft,
            __tollgate_subject: Self::Subject,
        ) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
            let _ = &__tollgate_draft;
            ::core::result::Result::Ok(Self {
                id: <Uuid as ::gatekeeper::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::from_subject(__tollgate_subject),
                roles: ::gatekeeper::__private::RoleSetVia::<
                    Vec<Role>,
                >::finish(__tollgate_draft.roles, "groups")?,
                scope: ::gatekeeper::__private::ScopeSetVia::<
                    Option<Scope>,
                >::finish(__tollgate_draft.scope, "scope")?,
                blob: ::core::option::Option::unwrap_or_else(
                    __tollgate_draft.blob,
                    empty,
                ),
                extra: ::core::option::Option::unwrap_or_else(
                    __tollgate_draft.extra,
                    || <Option<T> as ::core::default::Default>::default(),
                ),
                __tollgate_marker: ::core::marker::PhantomData,
            })
        }
        fn has_role(
            &self,
            __tollgate_value: &::core::primitive::str,
        ) -> ::core::primitive::bool {
            ::gatekeeper::__private::RoleSetVia::<
                Vec<Role>,
            >::holds(&self.roles, __tollgate_value)
        }
        fn has_scope(
            &self,
            __tollgate_value: &::core::primitive::str,
        ) -> ::core::primitive::bool {
            ::gatekeeper::__private::ScopeSetVia::<
                Option<Scope>,
            >::holds(&self.scope, __tollgate_value)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::JwtClaims for User<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        type Claims = Claims<T, N>;
        type Subject = <Uuid as ::gatekeeper::__private::SubjectValue<
            __TOLLGATE_READER,
        >>::Subject;
        type Secrecy = ::gatekeeper::__private::Confidential;
        fn subject(&self) -> &Self::Subject {
            <Uuid as ::gatekeeper::__private::SubjectValue<
                __TOLLGATE_READER,
            >>::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            Claims {
                id: <Uuid as ::gatekeeper::__private::SubjectValue<
                    __TOLLGATE_READER,
                >>::duplicate(&self.id),
                roles: ::gatekeeper::__private::RoleSetVia::<
                    Vec<Role>,
                >::duplicate(&self.roles),
                scope: ::gatekeeper::__private::ScopeSetVia::<
                    Option<Scope>,
                >::duplicate(&self.scope),
                blob: ::gatekeeper::__private::CarriedVia::<
                    Vec<u8>,
                >::duplicate(&self.blob),
                extra: ::gatekeeper::__private::ClaimVia::<
                    Option<T>,
                >::duplicate(&self.extra),
                __tollgate_marker: ::core::marker::PhantomData,
            }
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::Issuable for User<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {}
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::Coded<Vec<u8>, 0>
    for Claims<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {
        fn serialize<__TollgateS: ::gatekeeper::__private::serde::Serializer>(
            __tollgate_value: &Vec<u8>,
            __tollgate_serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            crate::hex::serialize(__tollgate_value, __tollgate_serializer)
        }
        fn deserialize<
            '__tollgate_de,
            __TollgateD: ::gatekeeper::__private::serde::Deserializer<'__tollgate_de>,
        >(
            __tollgate_deserializer: __TollgateD,
        ) -> ::core::result::Result<Vec<u8>, __TollgateD::Error> {
            crate::hex::deserialize(__tollgate_deserializer)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::HasRoles<Role> for User<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
    {}
    #[automatically_derived]
    impl<
        T: Clone,
        const N: usize,
        __TollgateValue,
    > ::gatekeeper::__private::HasScopes<__TollgateValue> for User<T, N>
    where
        T: Copy,
        T: ::gatekeeper::__private::Shared,
        Uuid: ::gatekeeper::__private::SubjectValue<__TOLLGATE_READER>,
        Option<T>: ::gatekeeper::__private::Claim + ::core::default::Default,
        Option<Scope>: ::gatekeeper::__private::ScopeSetOf<__TollgateValue>,
    {}
    #[automatically_derived]
    impl<
        T: Clone,
        const N: usize,
        claim_blob,
    > ::gatekeeper::__private::HasClaim<14227913129359132874u64, claim_blob>
    for User<T, N>
    where
        T: Copy,
    {
        const WIRE: &'static ::core::primitive::str = "https://example.com/blob";
    }
    #[automatically_derived]
    impl<
        T: Clone,
        const N: usize,
        claim_extra,
    > ::gatekeeper::__private::HasClaim<18242373529561058153u64, claim_extra>
    for User<T, N>
    where
        T: Copy,
        Option<T>: ::gatekeeper::__private::Comparable<claim_extra>,
    {
        const WIRE: &'static ::core::primitive::str = "https://example.com/extra";
    }
};
