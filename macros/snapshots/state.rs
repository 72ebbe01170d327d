//! What `state` of `src/tests` expands to.

#[automatically_derived]
impl ::tollgate::__private::FromRef<App> for Gate<Accounts> {
    fn from_ref(__tollgate_state: &App) -> Self {
        ::tollgate::__private::held_gate(&__tollgate_state.gate)
    }
}
#[automatically_derived]
impl ::tollgate::__private::FromRef<App>
for ::tollgate::__private::Verifier<
    <Accounts as ::tollgate::__private::AuthBackend>::User,
> {
    fn from_ref(__tollgate_state: &App) -> Self {
        ::tollgate::__private::verifier_of(&__tollgate_state.gate)
    }
}
