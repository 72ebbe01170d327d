//! tollgate-ui-tests
