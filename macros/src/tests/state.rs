//! Inputs and mistakes of `GateState`.

/// A state with one gate.
pub(super) const STATE: &str = "struct App { gate: Gate<Accounts>, db: Pool }";

/// A state with every option.
pub(super) const RICH_STATE: &str = r##"
    #[gate(crate = ::gatekeeper)]
    struct App<R: Clone = u8> where R: Send {
        #[gate(user = shop::Customer)]
        r#type: Arc<Gate<Shop>>,
        #[gate(user = Staff)]
        desk: Gatekeeper<R>,
        partners: ::gatekeeper::gate::Verifier<Partner>,
        #[gate(skip)]
        old: Gate<Shop>,
        db: Pool,
    }
"##;

pub(super) const MISTAKES: &[(&str, &str)] = &[
    ("union App { gate: Gate<A> }", "is a union"),
    ("enum App { A(Gate<A>) }", "is an enum"),
    ("struct App;", "no field of `App` is a `Gate<…>`"),
    (
        "struct App { gate: Gates<A>, other: Gate }",
        "no field of `App`",
    ),
    ("struct r#type(u8);", "no field of `type`"),
    (
        "struct App { gate: Arc<Option<a::Gate<A>>> }",
        "cannot verify tokens",
    ),
    (
        "struct App { #[gate(user = U)] of: Verifier<U> }",
        "names the user type already",
    ),
    (
        "struct App { #[gate(user = A)] a: Gate<A>, b: (Gate<B>) }",
        "and `b` does not",
    ),
    (
        "struct App(#[gate(user = A)] Gate<A>, #[gate(user = B)] Arc<Gate<A>>);",
        "`0` and `1` are both gates of `A`",
    ),
    (
        "struct App { #[gate(user = U<A, B>)] a: Gate<A>, #[gate(user = U<A, B>)] b: Other }",
        "both verify the tokens of `U<A,B>`",
    ),
    (
        "struct App { #[gate(user = U)] a: Gate<A>, b: Verifier<U> }",
        "`a` and `b` both verify",
    ),
    ("struct App { #[gate] a: Gate<A> }", "write `#[gate(…)]`"),
    (
        "struct App { #[gate(skpi)] a: Gate<A> }",
        "did you mean `skip`?",
    ),
    (
        "struct App { #[gate(crate = a)] a: Gate<A> }",
        "belongs to the struct",
    ),
    (
        "#[gate(skip)] struct App { a: Gate<A> }",
        "belongs to a field",
    ),
    (
        "struct App { #[gate(user)] a: Gate<A> }",
        "`user` takes a type",
    ),
];
