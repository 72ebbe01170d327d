//! What `policy` of `src/tests` expands to.

#[automatically_derived]
impl ::tollgate::__private::Policy for FreshAdmin {}
#[automatically_derived]
impl<__TollgateUser> ::tollgate::__private::PolicyFor<__TollgateUser> for FreshAdmin
where
    __TollgateUser: ::tollgate::__private::JwtClaims,
    __TollgateUser: ::tollgate::__private::HasRoles<Role>,
{
    const RULE: ::tollgate::__private::Rule = ::tollgate::__private::Rule::All(
        &[
            ::tollgate::__private::Rule::Role(
                Role::Admin.__tollgate_derive_ClaimValue_on_this_enum(),
            ),
            ::tollgate::__private::Rule::MaxAge(300),
        ],
    );
}
