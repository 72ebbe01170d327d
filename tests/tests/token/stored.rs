//! Claims that a session keeps.

use serde_json::json;
use tollgate::token::{read_stored, write_stored};

use crate::claims::UserClaims;

#[test]
fn stored_claims_come_back_with_their_subject() {
    let claims = UserClaims {
        extra: Some(json!({"a": [1, "\n"]})),
        ..UserClaims::ada()
    };
    let stored = write_stored(&claims).unwrap();
    assert_eq!(
        read_stored::<UserClaims>(&claims.id.to_string(), &stored).unwrap(),
        claims
    );
    assert!(
        !String::from_utf8(stored)
            .unwrap()
            .contains(&claims.id.to_string())
    );
}

#[test]
fn stored_claims_are_at_most_four_kibibytes() {
    let of = |len: usize| UserClaims {
        email: "x".repeat(len),
        ..UserClaims::ada()
    };
    let frame = write_stored(&of(0)).unwrap().len();
    assert_eq!(write_stored(&of(4096 - frame)).unwrap().len(), 4096);
    assert!(write_stored(&of(4097 - frame)).is_err());
}

#[test]
fn what_is_not_of_this_type_is_not_read() {
    let subject = UserClaims::ada().id.to_string();
    let good = r#"{"email":"a","roles":[]}"#;
    assert!(read_stored::<UserClaims>(&subject, good.as_bytes()).is_some());
    assert!(read_stored::<UserClaims>("not a uuid", good.as_bytes()).is_none());
    for stored in [
        "",
        "[]",
        "null",
        "{}",
        r#"{"email":"a"}"#,
        r#"{"email":"a","roles":["root"]}"#,
        r#"{"email":"a","roles":[],"roles":[]}"#,
        r#"{"email":"a","roles":[],"gone":1}"#,
        r#"{"email":"a","roles":[]}x"#,
        r#"{"email":1,"roles":[]}"#,
    ] {
        assert!(
            read_stored::<UserClaims>(&subject, stored.as_bytes()).is_none(),
            "{stored}"
        );
    }
}
