//! What `claims_with_every_option` of `src/tests.rs` expands to.

///The claims of [`User`], as a token carries them.
#[allow(non_camel_case_types, non_snake_case, clippy::all, clippy::pedantic)]
pub(crate) struct Claims<T: Clone = u8, const N: usize = 1>
where
    T: Copy,
{
    id: Uuid,
    roles: Vec<Role>,
    scope: Option<Scope>,
    blob: Vec<u8>,
    extra: Option<T>,
    __tollgate_marker: ::core::marker::PhantomData<fn() -> (T,)>,
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
    pub struct __TollgateDraft<T: Clone = u8, const N: usize = 1>
    where
        T: Copy,
    {
        roles: ::core::option::Option<Vec<Role>>,
        scope: ::core::option::Option<Option<Scope>>,
        blob: ::core::option::Option<Vec<u8>>,
        extra: ::core::option::Option<Option<T>>,
        __tollgate_marker: ::core::marker::PhantomData<fn() -> (T,)>,
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::default::Default for __TollgateDraft<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
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
    impl<T: Clone, const N: usize> Claims<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
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
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        fn clone(&self) -> Self {
            Self {
                id: ::gatekeeper::__private::Identity::duplicate(&self.id),
                roles: ::gatekeeper::__private::RoleSet::duplicate(&self.roles),
                scope: ::gatekeeper::__private::ScopeSet::duplicate(&self.scope),
                blob: ::gatekeeper::__private::Carried::duplicate(&self.blob),
                extra: ::gatekeeper::__private::Claim::duplicate(&self.extra),
                __tollgate_marker: ::core::marker::PhantomData,
            }
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::core::fmt::Debug for Claims<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::gatekeeper::__private::debug_claims(
                "Claims",
                &[
                    "groups",
                    "scope",
                    "https://example.com/blob",
                    "https://example.com/extra",
                ],
                self,
                f,
            )
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::serde::Serialize
    for Claims<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        fn serialize<__TollgateS: ::gatekeeper::__private::serde::Serializer>(
            &self,
            serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::gatekeeper::__private::serialize_claims(self, serializer)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::ClaimSet for Claims<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        type Subject = <Uuid as ::gatekeeper::__private::Identity>::Subject;
        type Draft = __TollgateDraft<T, N>;
        fn subject(&self) -> &Self::Subject {
            ::gatekeeper::__private::Identity::as_subject(&self.id)
        }
        fn write<__TollgateM: ::gatekeeper::__private::serde::ser::SerializeMap>(
            &self,
            map: &mut __TollgateM,
        ) -> ::core::result::Result<(), __TollgateM::Error> {
            ::gatekeeper::__private::RoleSet::write(&self.roles, "groups", map)?;
            if ::core::option::Option::is_some(&self.scope) {
                ::gatekeeper::__private::ScopeSet::write(&self.scope, "scope", map)?;
            }
            ::gatekeeper::__private::write_coded::<
                Self,
                Vec<u8>,
                0,
                _,
            >(&self.blob, "https://example.com/blob", map)?;
            ::gatekeeper::__private::Claim::write(
                &self.extra,
                "https://example.com/extra",
                map,
            )?;
            let _ = map;
            ::core::result::Result::Ok(())
        }
        fn place(
            name: &::core::primitive::str,
        ) -> ::core::option::Option<::core::primitive::usize> {
            match name {
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
            draft: &mut Self::Draft,
            place: ::core::primitive::usize,
            map: &mut __TollgateA,
        ) -> ::core::result::Result<(), __TollgateA::Error> {
            let _ = &draft;
            match place {
                0 => {
                    ::gatekeeper::__private::read_once(
                        &mut draft.roles,
                        "groups",
                        map,
                        ::gatekeeper::__private::RoleSet::read,
                    )
                }
                1 => {
                    ::gatekeeper::__private::read_once(
                        &mut draft.scope,
                        "scope",
                        map,
                        ::gatekeeper::__private::ScopeSet::read,
                    )
                }
                2 => {
                    ::gatekeeper::__private::read_once(
                        &mut draft.blob,
                        "https://example.com/blob",
                        map,
                        ::gatekeeper::__private::read_coded::<Self, Vec<u8>, 0, _>,
                    )
                }
                3 => {
                    ::gatekeeper::__private::read_once(
                        &mut draft.extra,
                        "https://example.com/extra",
                        map,
                        ::gatekeeper::__private::Claim::read,
                    )
                }
                _ => ::gatekeeper::__private::skip_value(map),
            }
        }
        fn finish(
            draft: Self::Draft,
            subject: Self::Subject,
        ) -> ::core::result::Result<Self, &'static ::core::primitive::str> {
            let _ = &draft;
            ::core::result::Result::Ok(Self {
                id: ::gatekeeper::__private::Identity::from_subject(subject),
                roles: ::core::option::Option::ok_or(draft.roles, "groups")?,
                scope: ::core::option::Option::flatten(draft.scope),
                blob: ::core::option::Option::unwrap_or_else(draft.blob, empty),
                extra: ::core::option::Option::unwrap_or_default(draft.extra),
                __tollgate_marker: ::core::marker::PhantomData,
            })
        }
        fn has_role(&self, value: &::core::primitive::str) -> ::core::primitive::bool {
            ::gatekeeper::__private::RoleSet::holds(&self.roles, value)
        }
        fn has_scope(&self, value: &::core::primitive::str) -> ::core::primitive::bool {
            ::gatekeeper::__private::ScopeSet::holds(&self.scope, value)
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::JwtClaims for User<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        type Claims = Claims<T, N>;
        type Subject = <Uuid as ::gatekeeper::__private::Identity>::Subject;
        type Secrecy = ::gatekeeper::__private::Confidential;
        fn subject(&self) -> &Self::Subject {
            ::gatekeeper::__private::Identity::as_subject(&self.id)
        }
        fn to_claims(&self) -> Self::Claims {
            Claims {
                id: ::gatekeeper::__private::Identity::duplicate(&self.id),
                roles: ::gatekeeper::__private::RoleSet::duplicate(&self.roles),
                scope: ::gatekeeper::__private::ScopeSet::duplicate(&self.scope),
                blob: ::gatekeeper::__private::Carried::duplicate(&self.blob),
                extra: ::gatekeeper::__private::Claim::duplicate(&self.extra),
                __tollgate_marker: ::core::marker::PhantomData,
            }
        }
    }
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::Issuable for User<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {}
    #[automatically_derived]
    impl<T: Clone, const N: usize> ::gatekeeper::__private::Coded<Vec<u8>, 0>
    for Claims<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {
        fn serialize<__TollgateS: ::gatekeeper::__private::serde::Serializer>(
            value: &Vec<u8>,
            serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            crate::hex::serialize(value, serializer)
        }
        fn deserialize<
            '__tollgate_de,
            __TollgateD: ::gatekeeper::__private::serde::Deserializer<'__tollgate_de>,
        >(
            deserializer: __TollgateD,
        ) -> ::core::result::Result<Vec<u8>, __TollgateD::Error> {
            crate::hex::deserialize(deserializer)
        }
    }
    #[automatically_derived]
    impl<
        T: Clone,
        const N: usize,
    > ::gatekeeper::__private::HasRoles<
        <Vec<Role> as ::gatekeeper::__private::RoleSet>::Role,
    > for User<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
    {}
    #[automatically_derived]
    impl<
        T: Clone,
        const N: usize,
    > ::gatekeeper::__private::HasScopes<
        <Option<Scope> as ::gatekeeper::__private::ScopeSet>::Scope,
    > for User<T, N>
    where
        T: Copy,
        T: ::core::marker::Send + ::core::marker::Sync + 'static,
        Uuid: ::gatekeeper::__private::Identity,
        Vec<Role>: ::gatekeeper::__private::RoleSet,
        Option<Scope>: ::gatekeeper::__private::ScopeSet,
        Vec<u8>: ::gatekeeper::__private::Carried,
        Option<T>: ::core::default::Default,
        Option<T>: ::gatekeeper::__private::Claim,
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
