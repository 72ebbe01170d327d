//! A model of SeaORM that is a user.
// What SeaORM derives has no documentation, and names its own paths in full.
#![allow(
    missing_docs,
    unused_qualifications,
    clippy::pedantic,
    clippy::missing_docs_in_private_items
)]

use sea_orm::entity::prelude::*;
use tollgate::JwtClaims;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, JwtClaims)]
#[claims(name = AccountClaims)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    /// The number.
    #[sea_orm(primary_key)]
    #[claim(sub)]
    pub id: i64,
    /// The address.
    #[sea_orm(unique)]
    pub email: String,
    /// The status.
    pub status: Status,
    /// Not in a token.
    #[claim(skip)]
    pub password_hash: String,
}

/// Whether the account is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, tollgate::ClaimValue)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
pub enum Status {
    /// Open.
    Open,
    /// Closed.
    Closed,
}

/// No relations.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
