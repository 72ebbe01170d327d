//! tollgate-tests
