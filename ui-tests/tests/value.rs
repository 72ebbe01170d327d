//! Checks what derived closed sets put on the wire, and what they read back.

use tollgate::ClaimValue;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ClaimValue)]
#[claim_value(text)]
enum Role {
    Admin,
    ChiefEditor,
    #[claim_value(rename = "r/o")]
    Reader,
}

#[test]
fn values_are_their_strings_and_nothing_else() {
    assert_eq!(
        serde_json::to_string(Role::ALL).unwrap(),
        r#"["admin","chief_editor","r/o"]"#
    );
    for role in Role::ALL {
        assert_eq!(Role::from_wire(role.as_str()), Some(*role));
        assert_eq!(
            serde_json::from_str::<Role>(&format!("{:?}", role.wire())).unwrap(),
            *role
        );
    }
    for text in [
        r#""Admin""#,
        r#""chiefEditor""#,
        r#""""#,
        r#"" admin""#,
        "0",
        "null",
        r#"{"admin":null}"#,
    ] {
        let error = serde_json::from_str::<Role>(text).unwrap_err().to_string();
        assert!(
            !error.contains("Admin") && !error.contains("chiefEditor"),
            "an error does not echo: {error}"
        );
    }
}

#[test]
fn the_string_of_a_value_is_a_constant() {
    const ADMIN: &str = Role::Admin.as_str();
    assert_eq!(ADMIN, "admin");
}

#[test]
fn a_text_is_read_and_written_as_on_the_wire() {
    assert_eq!(Role::ChiefEditor.to_string(), "chief_editor");
    assert_eq!(format!("{:>6}|", Role::Admin), " admin|");
    assert_eq!("r/o".parse(), Ok(Role::Reader));
    assert_eq!(Role::try_from("admin").ok(), Some(Role::Admin));
    assert_eq!(
        Role::try_from(String::from("admin")).ok(),
        Some(Role::Admin)
    );
    let error = "root".parse::<Role>().unwrap_err();
    assert_eq!(error.to_string(), "the text is no value of this set");
}

#[test]
fn variants_are_renamed_as_serde_renames_them() {
    macro_rules! same {
        ($($case:literal),*) => {$({
            #[derive(Clone, Copy, serde::Serialize, ClaimValue)]
            #[claim_value(rename_all = $case, serde = own)]
            #[serde(rename_all = $case)]
            enum Both {
                Admin,
                ChiefEditor,
                HTTPUser,
                Line2,
                A,
            }
            impl<'de> serde::Deserialize<'de> for Both {
                fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                    Ok(Self::Admin)
                }
            }
            for value in Both::ALL {
                assert_eq!(serde_json::to_value(value).unwrap(), value.wire(), $case);
            }
            assert_eq!(Both::ALL.len(), [Both::Admin, Both::ChiefEditor, Both::HTTPUser, Both::Line2, Both::A].len());
        })*};
    }
    same!(
        "lowercase",
        "UPPERCASE",
        "PascalCase",
        "camelCase",
        "snake_case",
        "SCREAMING_SNAKE_CASE",
        "kebab-case"
    );
    same!("SCREAMING-KEBAB-CASE");
}
