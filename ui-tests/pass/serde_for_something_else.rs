//! Serde attributes that serve a database or an API.
use serde::{Deserialize, Serialize};
use tollgate::JwtClaims;

#[derive(Default, Serialize, Deserialize, JwtClaims)]
#[claims(serde = own)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct User {
    #[claim(sub)]
    #[serde(rename = "_id")]
    id: u64,
    #[serde(alias = "mail", skip_serializing_if = "String::is_empty")]
    first_name: String,
}

fn main() {
    let user = User { id: 7, first_name: "Ada".into() };
    let wire = serde_json::to_string(&user.to_claims()).unwrap();
    assert_eq!(wire, r#"{"sub":"7","first_name":"Ada"}"#);
}
