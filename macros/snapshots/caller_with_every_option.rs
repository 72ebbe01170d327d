//! What `caller_with_every_option` of `src/tests` expands to.

#[automatically_derived]
impl<P: PolicyFor<User>> ::gatekeeper::__private::IsCaller for Reader<P>
where
    Option<Auth<User, P>>: ::gatekeeper::__private::IsCaller,
{}
#[automatically_derived]
impl<
    P: PolicyFor<User>,
    __TollgateS,
> ::gatekeeper::__private::CallerArgument<__TollgateS> for Reader<P>
where
    __TollgateS: ::core::marker::Send + ::core::marker::Sync,
    Option<Auth<User, P>>: ::gatekeeper::__private::CallerArgument<__TollgateS>,
    Reader<P>: ::gatekeeper::__private::FromRequestParts<__TollgateS>,
{
    const SECURITY: ::gatekeeper::__private::Security = <Option<
        Auth<User, P>,
    > as ::gatekeeper::__private::CallerArgument<__TollgateS>>::SECURITY;
    const CALLERS: &'static [::gatekeeper::__private::CallerUser] = <Option<
        Auth<User, P>,
    > as ::gatekeeper::__private::CallerArgument<__TollgateS>>::CALLERS;
}
