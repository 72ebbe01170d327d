//! The macros of tollgate: `JwtClaims`, `ClaimValue`, `Policy` and `auth_backend`.
#![forbid(unsafe_code)]
