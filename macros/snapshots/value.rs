//! What `value` of `src/tests` expands to.

const _: () = {
    impl Role {
        #[doc(hidden)]
        #[must_use]
        pub const fn __tollgate_derive_ClaimValue_on_this_enum(
            &self,
        ) -> &'static ::core::primitive::str {
            match self {
                Self::Admin {} => "admin",
                Self::Editor {} => "editor-in-chief",
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimValue for Role {
        const ALL: &'static [Self] = &[Self::Admin {}, Self::Editor {}];
        fn wire(&self) -> &'static ::core::primitive::str {
            Self::__tollgate_derive_ClaimValue_on_this_enum(self)
        }
        fn from_wire(
            __tollgate_text: &::core::primitive::str,
        ) -> ::core::option::Option<Self> {
            match __tollgate_text {
                "admin" => ::core::option::Option::Some(Self::Admin {}),
                "editor-in-chief" => ::core::option::Option::Some(Self::Editor {}),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for Role {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            __tollgate_serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_value(self, __tollgate_serializer)
        }
    }
    #[automatically_derived]
    impl<'__tollgate_de> ::tollgate::__private::serde::Deserialize<'__tollgate_de>
    for Role {
        fn deserialize<
            __TollgateD: ::tollgate::__private::serde::Deserializer<'__tollgate_de>,
        >(
            __tollgate_deserializer: __TollgateD,
        ) -> ::core::result::Result<Self, __TollgateD::Error> {
            ::tollgate::__private::deserialize_value(__tollgate_deserializer)
        }
    }
};
