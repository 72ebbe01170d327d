//! What a gate is built from.

use super::AuthBackend;

/// Collects what a gate needs. Started by the generated `gate()`.
#[derive(Debug)]
pub struct GateBuilder<B> {
    backend: B,
}

impl<B: AuthBackend> GateBuilder<B> {
    #[doc(hidden)]
    pub fn new(backend: B) -> Self {
        Self { backend }
    }
}
