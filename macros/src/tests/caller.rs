//! Inputs and mistakes of `Caller`.

pub(super) const CALLER: &str = "struct Admin(Auth<User, Admins>);";

/// A caller with every option.
pub(super) const RICH_CALLER: &str = r##"
    #[caller(extract = own, crate = ::gatekeeper)]
    pub struct Reader<P: PolicyFor<User> = Anyone> { r#type: Option<Auth<User, P>>, note: u64 }
"##;

pub(super) const MISTAKES: &[(&str, &str)] = &[
    ("union Admin { a: u8 }", "is a union"),
    ("enum Admin {}", "is an enum"),
    ("struct Admin {}", "has no fields"),
    ("struct Admin<'a>(&'a u8);", "cannot borrow"),
    ("struct Admin(A, B);", "and `Admin` has more fields"),
    (
        "#[caller(extract)] struct Admin(A);",
        "`extract` takes the word `own`",
    ),
    (
        "#[caller(extract = none)] struct Admin(A);",
        "unknown value `none`",
    ),
    (
        "#[caller(extract = \"own\")] struct Admin(A);",
        "write `extract = own`",
    ),
    ("struct Admin(#[caller(skip)] A);", "fields have no options"),
];
