//! Rows of databases that are users: Diesel's and sqlx's.

// What Diesel brings into scope holds a constant or a struct of nearly every short name.
use diesel::dsl::{count_star, not};
use diesel::prelude::{AsChangeset, Identifiable, Insertable, Queryable, QueryableByName, Selectable};
use tollgate::password::Stored;
use tollgate::{JwtClaims, Policy};

use crate::value::{AccountId, Plan, Role, Scope};

/// The table of writers.
#[allow(missing_docs, clippy::pedantic, clippy::missing_docs_in_private_items)]
mod schema {
    diesel::table! {
        writers (id) {
            id -> BigInt,
            name -> Text,
            subject -> Text,
            place -> Nullable<Text>,
        }
    }
}

/// A row that Diesel reads and writes.
#[derive(
    Clone, Debug, PartialEq, Eq, JwtClaims, Queryable, Selectable, Insertable, AsChangeset, Identifiable,
    QueryableByName,
)]
#[diesel(table_name = schema::writers)]
pub struct Writer {
    /// The number.
    #[claim(sub)]
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub id: i64,
    /// The name.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub name: String,
    /// What they write about.
    #[diesel(sql_type = diesel::sql_types::Text)]
    pub subject: String,
    /// Where they live.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
    pub place: Option<String>,
}

/// Returns what is asked of the table, so that nothing brought into scope is unused.
#[must_use]
pub fn asked() -> bool {
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    let all = schema::writers::table.select(count_star());
    let others = all.filter(not(schema::writers::name.eq("Ada")));
    size_of_val(&others) >= size_of_val(&all)
}

/// A row that sqlx reads.
#[derive(Clone, Debug, JwtClaims, sqlx::FromRow)]
#[claims(name = ReaderClaims, rename_all = "camelCase")]
#[sqlx(rename_all = "snake_case")]
pub struct Reader {
    /// The number.
    #[claim(sub)]
    pub account_id: AccountId,
    /// The role, stored as text.
    #[claim(roles)]
    pub role: Role,
    /// What they pay for.
    #[sqlx(skip)]
    pub plan: Option<Plan>,
    /// What their client was granted, by the texts of tollgate.
    #[claim(scope)]
    #[sqlx(try_from = "String")]
    pub scope: Scope,
    /// Not in a token.
    #[claim(skip)]
    #[sqlx(rename = "hash", try_from = "String")]
    pub password_hash: Stored,
}

/// Who may read everything.
#[derive(Clone, Copy, Debug, Policy)]
#[policy(user = Reader, role = Role::Admin, claim(plan = Plan::Pro))]
pub struct Paying;
