//! What `caller_with_every_option` of `src/tests` expands to.

#[automatically_derived]
impl<P: PolicyFor<User>> ::gatekeeper::__private::IsCaller for Reader<P> {
    type Caller = Option<Auth<User, P>>;
}
#[automatically_derived]
impl<
    P: PolicyFor<User>,
    __TollgateS,
> ::gatekeeper::__private::CallerArgument<__TollgateS> for Reader<P>
where
    __TollgateS: ::gatekeeper::__private::State,
    ::gatekeeper::__private::Inside<
        Self,
    >: ::gatekeeper::__private::CallerArgument<__TollgateS>,
    Self: ::gatekeeper::__private::FromRequestParts<__TollgateS>,
{
    const SECURITY: ::gatekeeper::__private::Security = ::gatekeeper::__private::security::<
        Self,
        __TollgateS,
    >();
    const CALLERS: ::gatekeeper::__private::Callers = ::gatekeeper::__private::callers::<
        Self,
        __TollgateS,
    >();
}
