//! What `policy` of `src/tests.rs` expands to.

#[automatically_derived]
#[allow(deprecated, trivial_bounds)]
impl<__TollgateUser> ::tollgate::__private::PolicyFor<__TollgateUser> for FreshAdmin
where
    __TollgateUser: ::tollgate::__private::JwtClaims,
    __TollgateUser: ::tollgate::__private::HasRoles<Role>,
    Role: ::tollgate::__private::Variant<12313341719529342388u64>,
{
    const RULE: ::tollgate::__private::Rule = ::tollgate::__private::Rule::All(
        &[
            ::tollgate::__private::Rule::Role(
                ::tollgate::__private::wire::<
                    12313341719529342388u64,
                    Role,
                >(&Role::Admin),
            ),
            ::tollgate::__private::Rule::MaxAge(300),
        ],
    );
}
