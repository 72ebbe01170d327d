//! Checks what a mistake looks like to its author, and that no expansion disturbs its
//! surroundings.

#[test]
fn mistakes_are_reported_with_a_place_and_a_way_out() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("fail/*/*.rs");
}

#[test]
fn expansions_do_not_disturb_their_surroundings() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
}
