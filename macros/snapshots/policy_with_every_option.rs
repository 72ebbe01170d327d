//! What `policy_with_every_option` of `src/tests.rs` expands to.

#[automatically_derived]
#[allow(deprecated, trivial_bounds)]
impl ::gatekeeper::__private::PolicyFor<User<u8>> for Customers
where
    User<u8>: ::gatekeeper::__private::JwtClaims,
    User<u8>: ::gatekeeper::__private::HasRoles<Role>,
    User<u8>: ::gatekeeper::__private::HasScopes<auth::Scope>,
    User<
        u8,
    >: ::gatekeeper::__private::HasClaim<
        12075340201627130925u64,
        ::gatekeeper::__private::Text,
    >,
    User<
        u8,
    >: ::gatekeeper::__private::HasClaim<
        16779788834081370269u64,
        ::gatekeeper::__private::Number,
    >,
    User<
        u8,
    >: ::gatekeeper::__private::HasClaim<
        245788187594111175u64,
        ::gatekeeper::__private::Truth,
    >,
    User<u8>: ::gatekeeper::__private::HasClaim<11954888832644785330u64, Plan>,
    Role: ::gatekeeper::__private::Variant<16252540544236140115u64>,
    Role: ::gatekeeper::__private::Variant<12059396907497688696u64>,
    auth::Scope: ::gatekeeper::__private::Variant<8717273531559313756u64>,
    Plan: ::gatekeeper::__private::Variant<10233998156603524184u64>,
{
    const RULE: ::gatekeeper::__private::Rule = ::gatekeeper::__private::Rule::All(
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
                        ::gatekeeper::__private::wire::<
                            8717273531559313756u64,
                            auth::Scope,
                        >(&auth::Scope::Write),
                    ),
                    ::gatekeeper::__private::Rule::Acr("gold"),
                    ::gatekeeper::__private::Rule::Acr("silver"),
                    ::gatekeeper::__private::Rule::Not(
                        &::gatekeeper::__private::Rule::All(
                            &[
                                ::gatekeeper::__private::Rule::Role(
                                    ::gatekeeper::__private::wire::<
                                        16252540544236140115u64,
                                        Role,
                                    >(&Role::Guest),
                                ),
                                ::gatekeeper::__private::Rule::Role(
                                    ::gatekeeper::__private::wire::<
                                        12059396907497688696u64,
                                        Role,
                                    >(&Role::Editor),
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
                                    ::gatekeeper::__private::wire::<
                                        10233998156603524184u64,
                                        Plan,
                                    >(&Plan::Pro),
                                ),
                            },
                            ::gatekeeper::__private::Rule::MaxAge(3600),
                        ],
                    ),
                ],
            ),
        ],
    );
    const CONSISTENCY: ::core::option::Option<::gatekeeper::__private::Consistency> = ::core::option::Option::Some(
        ::gatekeeper::__private::Consistency::Bounded(
            ::core::time::Duration::from_millis(1500),
        ),
    );
}
