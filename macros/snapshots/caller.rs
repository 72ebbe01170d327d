//! What `caller` of `src/tests` expands to.

#[automatically_derived]
impl ::tollgate::__private::IsCaller for Admin {
    type Caller = ::tollgate::__private::Answered<
        Auth<User, Admins>,
        { ::tollgate::__private::is_caller::<Auth<User, Admins>>() },
    >;
}
#[automatically_derived]
impl<__TollgateS> ::tollgate::__private::CallerArgument<__TollgateS> for Admin
where
    __TollgateS: ::tollgate::__private::State,
    ::tollgate::__private::Inside<
        Self,
    >: ::tollgate::__private::CallerArgument<__TollgateS>,
{
    const SECURITY: ::tollgate::__private::Security = ::tollgate::__private::security::<
        Self,
        __TollgateS,
    >();
    const CALLERS: ::tollgate::__private::Callers = ::tollgate::__private::callers::<
        Self,
        __TollgateS,
    >();
}
#[automatically_derived]
impl<__TollgateS> ::tollgate::__private::FromRequestParts<__TollgateS> for Admin
where
    __TollgateS: ::tollgate::__private::State,
    ::tollgate::__private::Inside<
        Self,
    >: ::tollgate::__private::CallerArgument<__TollgateS>,
{
    type Rejection = ::tollgate::__private::CallerRejection;
    async fn from_request_parts(
        __tollgate_parts: &mut ::tollgate::__private::Parts,
        __tollgate_state: &__TollgateS,
    ) -> ::core::result::Result<Self, Self::Rejection> {
        let __tollgate_caller = ::tollgate::__private::caller::<
            Self,
            _,
        >(__tollgate_parts, __tollgate_state);
        ::core::result::Result::Ok(Self {
            0: __tollgate_caller.await?.0,
        })
    }
}
