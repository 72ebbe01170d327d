//! Structs inside of claims: a gate does not start whose tokens would hold what looks like a secret.

use std::collections::HashMap;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tollgate::prelude::*;
use uuid::Uuid;

/// Builds a gate whose users have claims of these types, and returns its refusal.
macro_rules! refusal {
    ($($(#[$claim:meta])? $ty:ty),+ $(,)?) => {{
        refusal!(@ [a b c d e f g h i] $($(#[$claim])? $ty,)+)
    }};
    (@ [$($name:ident)+] $($(#[$claim:meta])? $ty:ty,)+) => {{
        refusal!(@@ [] [$($name)+] $($(#[$claim])? $ty,)+)
    }};
    (@@ [$($done:tt)*] [$name:ident $($names:ident)*] $(#[$claim:meta])? $ty:ty, $($rest:tt)*) => {
        refusal!(@@ [$($done)* $(#[$claim])? $name: $ty,] [$($names)*] $($rest)*)
    };
    (@@ [$($fields:tt)*] [$($names:ident)*]) => {{
        #[derive(Clone, JwtClaims)]
        struct User {
            #[claim(sub)]
            id: u64,
            $($fields)*
        }
        #[auth_backend(username, user = User, refresh(from = stored))]
        struct Accounts;
        impl Authenticate for Accounts {
            async fn authenticate(&self, _: UsernameLogin, _: &Client) -> Result<User, AuthError> {
                Err(AuthError::Invalid)
            }
        }
        let (builder, _) = tollgate::testing::ready(Accounts.gate()).unwrap();
        builder.build().await.err().map(|error| error.to_string())
    }};
}

#[derive(Clone, Serialize, Deserialize)]
struct Profile {
    name: String,
    password_hash: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Address {
    street: String,
    number: NonZeroU32,
    token_count: u32,
    has_password: bool,
    pin: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Account {
    uuid: Uuid,
    address: Option<Address>,
    parents: Vec<Account>,
    profile: Option<Box<Profile>>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Contact {
    Nobody,
    Mail(String),
    Phone { number: String, voice_mail_pin: u32 },
}

#[derive(Clone, Serialize, Deserialize)]
struct Renamed {
    #[serde(rename = "apiKey")]
    named: String,
}

#[derive(Clone, Serialize, Deserialize)]
struct Wrapped(Renamed, u8);

#[tokio::test]
async fn a_secret_inside_of_a_claim_does_not_start() {
    let says = |found: Option<String>, field: &str, holder: &str| {
        let found = found.unwrap_or_else(|| panic!("`{field}` of `{holder}` was not found"));
        let begin = format!("`{field}` of `{holder}` looks like a secret because of ");
        assert!(found.starts_with(&begin), "{found}");
        assert!(found.contains("`#[claim(expose)]`"), "{found}");
    };
    says(refusal!(Profile), "password_hash", "Profile");
    says(
        refusal!(String, Option<Profile>),
        "password_hash",
        "Profile",
    );
    says(refusal!(Vec<Box<Profile>>), "password_hash", "Profile");
    says(
        refusal!(HashMap<String, Profile>),
        "password_hash",
        "Profile",
    );
    says(refusal!((u8, [Profile; 2])), "password_hash", "Profile");
    says(refusal!(Account), "password_hash", "Profile");
    says(refusal!(Contact), "voice_mail_pin", "Contact");
    says(refusal!(Address, Renamed), "apiKey", "Renamed");
    says(refusal!(Option<Wrapped>), "apiKey", "Renamed");
}

#[tokio::test]
async fn what_is_exposed_or_harmless_inside_of_a_claim_starts() {
    assert_eq!(
        refusal!(
            #[claim(expose)]
            Profile
        ),
        None
    );
    assert_eq!(
        refusal!(
            String,
            #[claim(expose)]
            Account,
            u8
        ),
        None
    );
    assert_eq!(
        refusal!(Address, Vec<Address>, (Uuid, Address), HashMap<String, Address>),
        None
    );
    assert_eq!(refusal!(serde_json::Value, Option<String>, f64), None);
}

/// A claim behind an exposed one is looked at as before.
#[tokio::test]
async fn an_exposed_claim_hides_no_other() {
    let found = refusal!(
        #[claim(expose)]
        Profile,
        String,
        Contact
    )
    .unwrap();
    assert!(found.contains("`voice_mail_pin` of `Contact`"), "{found}");
}

/// The derive refuses a `bool`, but does not know what a parameter stands for.
#[tokio::test]
async fn a_flag_is_no_subject_in_place_of_a_parameter() {
    #[derive(Clone, JwtClaims)]
    struct User<Id>
    where
        Id: Clone + Display + FromStr,
    {
        #[claim(sub)]
        id: Id,
    }
    #[auth_backend(username, user = User<bool>, refresh(from = stored))]
    struct Accounts;
    impl Authenticate for Accounts {
        async fn authenticate(
            &self,
            _: UsernameLogin,
            _: &Client,
        ) -> Result<User<bool>, AuthError> {
            Err(AuthError::Invalid)
        }
    }
    let (builder, _) = tollgate::testing::ready(Accounts.gate()).unwrap();
    let refused = builder.build().await.err().unwrap().to_string();
    assert!(
        refused.starts_with("the subject of the users is a `bool`"),
        "{refused}"
    );
}
