//! What `state_with_every_option` of `src/tests` expands to.

#[automatically_derived]
impl<R: Clone> ::gatekeeper::__private::FromRef<App<R>> for Gate<Shop>
where
    R: Send,
{
    fn from_ref(__tollgate_state: &App<R>) -> Self {
        ::gatekeeper::__private::held_gate(&__tollgate_state.r#type)
    }
}
#[automatically_derived]
impl<R: Clone> ::gatekeeper::__private::FromRef<App<R>>
for ::gatekeeper::__private::Verifier<shop::Customer>
where
    R: Send,
{
    fn from_ref(__tollgate_state: &App<R>) -> Self {
        ::gatekeeper::__private::verifier_for::<
            shop::Customer,
            _,
        >(&__tollgate_state.r#type)
    }
}
#[automatically_derived]
impl<R: Clone> ::gatekeeper::__private::FromRef<App<R>> for Gatekeeper<R>
where
    R: Send,
{
    fn from_ref(__tollgate_state: &App<R>) -> Self {
        ::gatekeeper::__private::held_gate(&__tollgate_state.desk)
    }
}
#[automatically_derived]
impl<R: Clone> ::gatekeeper::__private::FromRef<App<R>>
for ::gatekeeper::__private::Verifier<Staff>
where
    R: Send,
{
    fn from_ref(__tollgate_state: &App<R>) -> Self {
        ::gatekeeper::__private::verifier_for::<Staff, _>(&__tollgate_state.desk)
    }
}
#[automatically_derived]
impl<R: Clone> ::gatekeeper::__private::FromRef<App<R>>
for ::gatekeeper::gate::Verifier<Partner>
where
    R: Send,
{
    fn from_ref(__tollgate_state: &App<R>) -> Self {
        ::gatekeeper::__private::held_verifier(&__tollgate_state.partners)
    }
}
