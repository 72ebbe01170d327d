//! Inputs and mistakes of `ClaimValue`.

pub(super) const ROLE: &str = r##"
    #[claim_value(rename_all = "kebab-case")]
    pub enum Role {
        Admin,
        #[claim_value(rename = "editor-in-chief")]
        Editor = 4,
    }
"##;

pub(super) const MISTAKES: &[(&str, &str)] = &[
    ("union Role { a: u8 }", "a closed set of strings is an enum"),
    ("enum Role<T> { Admin }", "has no parameters"),
    (
        "enum Role { Admin, #[claim_value(rename = \"admin\")] Root }",
        "`Admin` and `Root` are both `admin`",
    ),
    (
        "enum Role { #[claim_value(rename = \"read all\")] Reader }",
        "separates or quotes scopes",
    ),
    (
        "#[claim_value(rename = \"a\")] enum Role { Admin }",
        "belongs to a variant",
    ),
    (
        "enum Role { #[claim_value(serde = own)] Admin }",
        "belongs to the enum",
    ),
    (
        "#[serde(rename_all = \"UPPERCASE\")] enum Role { Admin }",
        "does not read `#[serde(…)]`",
    ),
    (
        "enum Role { #[serde(rename = \"a\")] Admin }",
        "does not read `#[serde(…)]`",
    ),
    (
        "#[claim_value(sqlx)] #[sqlx(type_name = \"role\")] enum Role { Admin }",
        "does not read `#[sqlx(…)]`",
    ),
    (
        "#[claim_value(sqlx)] enum Role { #[sqlx(rename = \"a\")] Admin }",
        "does not read `#[sqlx(…)]`",
    ),
    (
        "enum Role { #[claim_value(sqlx)] Admin }",
        "write `#[claim_value(sqlx)]` above it",
    ),
    (
        "#[claim_value(sqlx = \"text\")] enum Role { Admin }",
        "`sqlx` takes no value",
    ),
];
