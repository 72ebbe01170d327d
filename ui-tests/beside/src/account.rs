//! Users that SeaORM loads: a model of a table, and a row of a query.

use sea_orm::FromQueryResult;
use tollgate::JwtClaims;

pub use entity::{Model, Status};

/// A row of a query: what SeaORM derives here is as silent as the claims are.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult, JwtClaims)]
#[claims(name = FoundClaims, derive(PartialEq))]
pub struct Found {
    /// The number.
    #[claim(sub)]
    pub id: i64,
    /// The address.
    #[sea_orm(from_alias = "address")]
    pub email: String,
    /// Not in a token.
    #[claim(skip)]
    pub password_hash: String,
}

/// The model of a table.
// SeaORM's derives write public types beside the model, without documentation and with paths in
// full; the lints that they need are off here alone.
#[allow(missing_docs, unused_qualifications, clippy::pedantic, clippy::missing_docs_in_private_items)]
mod entity {
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
}
