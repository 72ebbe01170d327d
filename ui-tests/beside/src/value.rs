//! Roles, scopes and subjects.

use derive_more::{Deref, Display, From, FromStr};
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumCount, EnumIter, EnumString, IntoStaticStr, VariantArray};
use tollgate::ClaimValue;
use ts_rs::TS;
use utoipa::ToSchema;

/// What a user may do: its texts are those of `strum`, and it is stored as one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ClaimValue, strum::Display, EnumString, EnumIter,
    AsRefStr, EnumCount, VariantArray, IntoStaticStr, sqlx::Type, ToSchema, TS,
)]
#[claim_value(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[sqlx(type_name = "role", rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Writing.
    ChiefEditor,
    /// Reading.
    Reader,
}

/// What a client was granted: the texts are tollgate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ClaimValue, EnumIter, ToSchema)]
#[claim_value(text)]
pub enum Scope {
    /// Reading.
    #[claim_value(rename = "notes:read")]
    Read,
    /// Writing.
    #[claim_value(rename = "notes:write")]
    Write,
}

/// What a user pays for, with serde's own derives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ClaimValue, ToSchema, TS, strum::Display)]
#[claim_value(serde = own)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Plan {
    /// Nothing.
    Free,
    /// Everything.
    Pro,
}

/// The number of an account.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Deref, Display, From, FromStr, Serialize, Deserialize, sqlx::Type,
    ToSchema, TS,
)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct AccountId(i64);
