//! A claim that only encrypted tokens carry.
use tollgate::prelude::*;

#[derive(JwtClaims)]
struct Patient {
    #[claim(sub)]
    id: u64,
    #[claim(confidential)]
    diagnosis: String,
}

#[auth_backend(email, user = Patient, refresh(from = stored))]
struct Clinic;

impl Authenticate for Clinic {
    async fn authenticate(&self, _: EmailLogin, _: &Client) -> Result<Patient, AuthError> {
        Err(AuthError::Invalid)
    }
}

fn start(keys: KeyRing, settings: Settings) {
    let _ = Clinic.gate().settings(settings.clone()).keys(keys.clone()).store(MemoryStore::new()).encrypt(Encrypted::A256Gcm).build();
    let _ = Clinic.gate().encrypt(Encrypted::A256Gcm).settings(settings).keys(keys).store(MemoryStore::new()).build();
}

fn main() {
    let _ = start;
}
