//! tollgate-benches
