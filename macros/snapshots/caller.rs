//! What `caller` of `src/tests` expands to.

#[automatically_derived]
impl ::tollgate::__private::IsCaller for Admin
where
    Auth<User, Admins>: ::tollgate::__private::IsCaller,
{}
#[automatically_derived]
impl<__TollgateS> ::tollgate::__private::CallerArgument<__TollgateS> for Admin
where
    __TollgateS: ::core::marker::Send + ::core::marker::Sync,
    Auth<User, Admins>: ::tollgate::__private::CallerArgument<__TollgateS>,
{
    const SECURITY: ::tollgate::__private::Security = <Auth<
        User,
        Admins,
    > as ::tollgate::__private::CallerArgument<__TollgateS>>::SECURITY;
    const CALLERS: &'static [::tollgate::__private::CallerUser] = <Auth<
        User,
        Admins,
    > as ::tollgate::__private::CallerArgument<__TollgateS>>::CALLERS;
}
#[automatically_derived]
impl<__TollgateS> ::tollgate::__private::FromRequestParts<__TollgateS> for Admin
where
    __TollgateS: ::core::marker::Send + ::core::marker::Sync,
    Auth<User, Admins>: ::tollgate::__private::CallerArgument<__TollgateS>,
{
    type Rejection = ::tollgate::__private::CallerRejection;
    async fn from_request_parts(
        __tollgate_parts: &mut ::tollgate::__private::Parts,
        __tollgate_state: &__TollgateS,
    ) -> ::core::result::Result<Self, ::tollgate::__private::CallerRejection> {
        let __tollgate_caller = ::tollgate::__private::caller::<
            Auth<User, Admins>,
            __TollgateS,
        >(__tollgate_parts, __tollgate_state);
        let __tollgate_caller = Self {
            0: __tollgate_caller.await?,
        };
        let _ = &__tollgate_caller.0;
        ::core::result::Result::Ok(__tollgate_caller)
    }
}
