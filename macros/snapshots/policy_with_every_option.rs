//! What `policy_with_every_option` of `src/tests` expands to.

const _: () = {
    use ::gatekeeper::__private::Rule as __TollgateRule;
    type __TollgateUser = ::gatekeeper::__private::Answered<
        User<u8>,
        { ::gatekeeper::__private::has_claims::<User<u8>>() },
    >;
    const _: () = ::gatekeeper::__private::fitting_text(
        "pro",
        <__TollgateUser as ::gatekeeper::__private::HasClaim<
            12075340201627130925u64,
            ::gatekeeper::__private::Text,
        >>::LIMITS,
    );
    const _: () = ::gatekeeper::__private::fitting_number(
        -1,
        <__TollgateUser as ::gatekeeper::__private::HasClaim<
            16779788834081370269u64,
            ::gatekeeper::__private::Number,
        >>::LIMITS,
    );
    #[automatically_derived]
    impl ::gatekeeper::__private::Policy for Customers {}
    #[automatically_derived]
    impl ::gatekeeper::__private::PolicyFor<__TollgateUser> for Customers {
        const RULE: ::gatekeeper::__private::Rule = {
            {
                const fn __tollgate_asks<
                    __TollgateAsked: ::gatekeeper::__private::HasRoles<Role>,
                >() {}
                __tollgate_asks::<__TollgateUser>();
            }
            {
                const fn __tollgate_asks<
                    __TollgateAsked: ::gatekeeper::__private::HasScopes<auth::Scope>,
                >() {}
                __tollgate_asks::<__TollgateUser>();
            }
            __TollgateRule::All(
                &[
                    __TollgateRule::Claim {
                        name: <__TollgateUser as ::gatekeeper::__private::HasClaim<
                            12075340201627130925u64,
                            ::gatekeeper::__private::Text,
                        >>::WIRE,
                        value: ::gatekeeper::__private::Value::Text("pro"),
                    },
                    __TollgateRule::Not(
                        &__TollgateRule::Claim {
                            name: <__TollgateUser as ::gatekeeper::__private::HasClaim<
                                16779788834081370269u64,
                                ::gatekeeper::__private::Number,
                            >>::WIRE,
                            value: ::gatekeeper::__private::Value::Number(-1),
                        },
                    ),
                    __TollgateRule::Any(
                        &[
                            __TollgateRule::Scope(
                                auth::Scope::Write
                                    .__tollgate_derive_ClaimValue_on_this_enum(),
                            ),
                            __TollgateRule::Acr("gold"),
                            __TollgateRule::Acr("silver"),
                            __TollgateRule::Not(
                                &__TollgateRule::All(
                                    &[
                                        __TollgateRule::Role(
                                            Role::Guest.__tollgate_derive_ClaimValue_on_this_enum(),
                                        ),
                                        __TollgateRule::Role(
                                            Role::Editor.__tollgate_derive_ClaimValue_on_this_enum(),
                                        ),
                                    ],
                                ),
                            ),
                        ],
                    ),
                    __TollgateRule::All(
                        &[
                            __TollgateRule::Claim {
                                name: <__TollgateUser as ::gatekeeper::__private::HasClaim<
                                    245788187594111175u64,
                                    ::gatekeeper::__private::Truth,
                                >>::WIRE,
                                value: ::gatekeeper::__private::Value::Truth(true),
                            },
                            __TollgateRule::Any(
                                &[
                                    __TollgateRule::Claim {
                                        name: <__TollgateUser as ::gatekeeper::__private::HasClaim<
                                            11954888832644785330u64,
                                            Plan,
                                        >>::WIRE,
                                        value: ::gatekeeper::__private::Value::Text(
                                            Plan::Pro.__tollgate_derive_ClaimValue_on_this_enum(),
                                        ),
                                    },
                                    __TollgateRule::MaxAge(3600),
                                ],
                            ),
                        ],
                    ),
                ],
            )
        };
        const CONSISTENCY: ::core::option::Option<
            ::gatekeeper::__private::Consistency,
        > = ::core::option::Option::Some(
            ::gatekeeper::__private::Consistency::Bounded(
                ::core::time::Duration::from_millis(1500),
            ),
        );
    }
};
