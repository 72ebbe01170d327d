//! What `value` of `src/tests.rs` expands to.

#[allow(dead_code, deprecated, unreachable_pub, clippy::all, clippy::pedantic)]
const _: () = {
    impl Role {
        /// The string on the wire.
        #[must_use]
        pub const fn as_str(&self) -> &'static ::core::primitive::str {
            match self {
                Self::Admin => "admin",
                Self::Editor => "editor-in-chief",
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::ClaimValue for Role {
        const ALL: &'static [Self] = &[Self::Admin, Self::Editor];
        fn wire(&self) -> &'static ::core::primitive::str {
            Self::as_str(self)
        }
        fn from_wire(text: &::core::primitive::str) -> ::core::option::Option<Self> {
            match text {
                "admin" => ::core::option::Option::Some(Self::Admin),
                "editor-in-chief" => ::core::option::Option::Some(Self::Editor),
                _ => ::core::option::Option::None,
            }
        }
    }
    #[automatically_derived]
    impl ::tollgate::__private::NamedVariant<12313341719529342388u64> for Role {
        const WIRE: &'static ::core::primitive::str = "admin";
    }
    #[automatically_derived]
    impl ::tollgate::__private::NamedVariant<12059396907497688696u64> for Role {
        const WIRE: &'static ::core::primitive::str = "editor-in-chief";
    }
    #[automatically_derived]
    impl ::tollgate::__private::serde::Serialize for Role {
        fn serialize<__TollgateS: ::tollgate::__private::serde::Serializer>(
            &self,
            serializer: __TollgateS,
        ) -> ::core::result::Result<__TollgateS::Ok, __TollgateS::Error> {
            ::tollgate::__private::serialize_value(self, serializer)
        }
    }
    #[automatically_derived]
    impl<'__tollgate_de> ::tollgate::__private::serde::Deserialize<'__tollgate_de>
    for Role {
        fn deserialize<
            __TollgateD: ::tollgate::__private::serde::Deserializer<'__tollgate_de>,
        >(
            deserializer: __TollgateD,
        ) -> ::core::result::Result<Self, __TollgateD::Error> {
            ::tollgate::__private::deserialize_value(deserializer)
        }
    }
};
