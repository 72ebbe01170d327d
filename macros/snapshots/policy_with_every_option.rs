//! What `policy_with_every_option` of `src/tests` expands to.

const _: () = ::gatekeeper::__private::fitting_text(
    "pro",
    <User<
        u8,
    > as ::gatekeeper::__private::HasClaim<
        12075340201627130925u64,
        ::gatekeeper::__private::Text,
    >>::LIMITS,
);
const _: () = ::gatekeeper::__private::fitting_number(
    -1,
    <User<
        u8,
    > as ::gatekeeper::__private::HasClaim<
        16779788834081370269u64,
        ::gatekeeper::__private::Number,
    >>::LIMITS,
);
#[automatically_derived]
impl ::gatekeeper::__private::Policy for Customers {}
#[automatically_derived]
impl ::gatekeeper::__private::PolicyFor<User<u8>> for Customers {
    const RULE: ::gatekeeper::__private::Rule = {
        {
            const fn __tollgate_asks<
                __TollgateUser: ::gatekeeper::__private::HasRoles<Role>,
            >() {}
            __tollgate_asks::<User<u8>>();
        }
        {
            const fn __tollgate_asks<
                __TollgateUser: ::gatekeeper::__private::HasScopes<auth::Scope>,
            >() {}
            __tollgate_asks::<User<u8>>();
        }
        ::gatekeeper::__private::Rule::All(
            &[
                ::gatekeeper::__private::Rule::Claim {
                    name: <User<
                        u8,
                    > as ::gatekeeper::__private::HasClaim<
                        12075340201627130925u64,
                        ::gatekeeper::__private::Text,
                    >>::WIRE,
                    value: ::gatekeeper::__private::Value::Text("pro"),
                },
                ::gatekeeper::__private::Rule::Not(
                    &::gatekeeper::__private::Rule::Claim {
                        name: <User<
                            u8,
                        > as ::gatekeeper::__private::HasClaim<
                            16779788834081370269u64,
                            ::gatekeeper::__private::Number,
                        >>::WIRE,
                        value: ::gatekeeper::__private::Value::Number(-1),
                    },
                ),
                ::gatekeeper::__private::Rule::Any(
                    &[
                        ::gatekeeper::__private::Rule::Scope(
                            auth::Scope::Write
                                .__tollgate_derive_ClaimValue_on_this_enum(),
                        ),
                        ::gatekeeper::__private::Rule::Acr("gold"),
                        ::gatekeeper::__private::Rule::Acr("silver"),
                        ::gatekeeper::__private::Rule::Not(
                            &::gatekeeper::__private::Rule::All(
                                &[
                                    ::gatekeeper::__private::Rule::Role(
                                        Role::Guest.__tollgate_derive_ClaimValue_on_this_enum(),
                                    ),
                                    ::gatekeeper::__private::Rule::Role(
                                        Role::Editor.__tollgate_derive_ClaimValue_on_this_enum(),
                                    ),
                                ],
                            ),
                        ),
                    ],
                ),
                ::gatekeeper::__private::Rule::All(
                    &[
                        ::gatekeeper::__private::Rule::Claim {
                            name: <User<
                                u8,
                            > as ::gatekeeper::__private::HasClaim<
                                245788187594111175u64,
                                ::gatekeeper::__private::Truth,
                            >>::WIRE,
                            value: ::gatekeeper::__private::Value::Truth(true),
                        },
                        ::gatekeeper::__private::Rule::Any(
                            &[
                                ::gatekeeper::__private::Rule::Claim {
                                    name: <User<
                                        u8,
                                    > as ::gatekeeper::__private::HasClaim<
                                        11954888832644785330u64,
                                        Plan,
                                    >>::WIRE,
                                    value: ::gatekeeper::__private::Value::Text(
                                        Plan::Pro.__tollgate_derive_ClaimValue_on_this_enum(),
                                    ),
                                },
                                ::gatekeeper::__private::Rule::MaxAge(3600),
                            ],
                        ),
                    ],
                ),
            ],
        )
    };
    const CONSISTENCY: ::core::option::Option<::gatekeeper::__private::Consistency> = ::core::option::Option::Some(
        ::gatekeeper::__private::Consistency::Bounded(
            ::core::time::Duration::from_millis(1500),
        ),
    );
}
