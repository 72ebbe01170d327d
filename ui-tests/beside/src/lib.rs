//! Types for which tollgate derives beside eleven other crates: `sqlx`, `diesel`, `sea_orm`,
//! `serde_with`, `utoipa`, `ts_rs`, `validator`, `garde`, `bon`, `strum` and `derive_more`.

pub mod account;
pub mod customer;
pub mod row;
pub mod value;
