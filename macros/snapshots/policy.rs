//! What `policy` of `src/tests.rs` expands to.

#[automatically_derived]
#[allow(deprecated, trivial_bounds)]
impl<__TollgateUser> ::tollgate::__private::PolicyFor<__TollgateUser> for FreshAdmin
where
    __TollgateUser: ::tollgate::__private::JwtClaims
        + ::tollgate::__private::HasRoles<Role>
        + ::tollgate::__private::HasScopes<auth::Scope>,
    Role: ::tollgate::__private::Variant<12313341719529342388u64>,
    Role: ::tollgate::__private::Variant<16252540544236140115u64>,
    Role: ::tollgate::__private::Variant<12059396907497688696u64>,
    auth::Scope: ::tollgate::__private::Variant<8717273531559313756u64>,
{
    const RULE: ::tollgate::__private::Rule = ::tollgate::__private::Rule::All(
        &[
            ::tollgate::__private::Rule::Role(Role::as_str(&Role::Admin)),
            ::tollgate::__private::Rule::MaxAge(300),
            ::tollgate::__private::Rule::Any(
                &[
                    ::tollgate::__private::Rule::Scope(
                        auth::Scope::as_str(&auth::Scope::Write),
                    ),
                    ::tollgate::__private::Rule::Not(
                        &::tollgate::__private::Rule::All(
                            &[
                                ::tollgate::__private::Rule::Role(
                                    Role::as_str(&Role::Guest),
                                ),
                                ::tollgate::__private::Rule::Role(
                                    Role::as_str(&Role::Editor),
                                ),
                            ],
                        ),
                    ),
                ],
            ),
        ],
    );
}
