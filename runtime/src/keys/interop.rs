//! Conversions to and from the types of the crate jsonwebtoken (feature `jsonwebtoken`).

use jsonwebtoken::jwk;

use super::{Algorithm, Jwk, JwkSet, UnknownAlgorithm};
use crate::error::{Error, ErrorKind};

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::HS256,
            Algorithm::HS384 => Self::HS384,
            Algorithm::HS512 => Self::HS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::EdDSA => Self::EdDSA,
        }
    }
}

impl TryFrom<jsonwebtoken::Algorithm> for Algorithm {
    type Error = UnknownAlgorithm;

    fn try_from(algorithm: jsonwebtoken::Algorithm) -> Result<Self, UnknownAlgorithm> {
        // The `Debug` form is the registered name.
        format!("{algorithm:?}").parse()
    }
}

/// Converts by writing one type and reading the other: serde makes a JSON Web Key of both.
macro_rules! convert {
    ($($ours:ty, $theirs:ty, $what:literal;)*) => {$(
        impl TryFrom<&$ours> for $theirs {
            type Error = Error;

            fn try_from(key: &$ours) -> Result<Self, Error> {
                reread(key, $what)
            }
        }

        impl TryFrom<&$theirs> for $ours {
            type Error = Error;

            fn try_from(key: &$theirs) -> Result<Self, Error> {
                reread(key, $what)
            }
        }

        impl TryFrom<$ours> for $theirs {
            type Error = Error;

            fn try_from(key: $ours) -> Result<Self, Error> {
                reread(&key, $what)
            }
        }

        impl TryFrom<$theirs> for $ours {
            type Error = Error;

            fn try_from(key: $theirs) -> Result<Self, Error> {
                reread(&key, $what)
            }
        }
    )*};
}

convert! {
    Jwk, jwk::Jwk, "the JWK cannot be converted";
    JwkSet, jwk::JwkSet, "the JWK set cannot be converted";
}

fn reread<T: serde::de::DeserializeOwned>(
    key: &impl serde::Serialize,
    problem: &'static str,
) -> Result<T, Error> {
    // The parser's error text could contain a part of a key.
    serde_json::to_value(key)
        .and_then(serde_json::from_value)
        .map_err(|_| Error::new(ErrorKind::Keys, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyRing;

    #[test]
    fn algorithms_and_keys_come_back_as_they_were() {
        for &algorithm in Algorithm::ALL {
            let theirs = jsonwebtoken::Algorithm::from(algorithm);
            assert_eq!(Algorithm::try_from(theirs), Ok(algorithm));
            let ours = KeyRing::generate(algorithm).unwrap().jwks();
            let theirs = jwk::JwkSet::try_from(&ours).unwrap();
            assert_eq!(
                serde_json::to_string(&ours).unwrap(),
                serde_json::to_string(&theirs).unwrap(),
                "byte for byte"
            );
            assert_eq!(theirs.keys.len(), ours.keys.len());
            assert_eq!(JwkSet::try_from(theirs).unwrap(), ours);
            for key in &ours.keys {
                let theirs = jwk::Jwk::try_from(key).unwrap();
                assert_eq!(theirs.common.key_id.as_deref(), key.kid());
                assert_eq!(&Jwk::try_from(&theirs).unwrap(), key);
            }
        }
    }
}
