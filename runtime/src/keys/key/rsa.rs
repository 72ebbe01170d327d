//! The checks of an RSA key before it is used: its length, its exponent, and the mark of the
//! generator that ROCA broke.

use super::problem::KeyProblem;

/// Checks modulus and exponent, both big-endian without leading zeros (RFC 7518 section 3.3, NIST
/// SP 800-56B section 6.4.1).
///
/// # Errors
/// The modulus has fewer than 2048 or more than 8192 bits or is even; the exponent is even, less
/// than 65537, or has more than 32 bits; the modulus has the mark of ROCA (CVE-2017-15361).
pub(in crate::keys) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyProblem> {
    let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
        return Err(KeyProblem::Malformed);
    };
    let bits = modulus.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(8);
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(KeyProblem::RsaSize(bits));
    }
    let exponent = exponent.iter().try_fold(0u32, |sum, byte| {
        sum.checked_mul(256)?.checked_add(u32::from(*byte))
    });
    if exponent.is_none_or(|exponent| exponent < MIN_EXPONENT || exponent.is_multiple_of(2)) {
        return Err(KeyProblem::RsaExponent);
    }
    if last.is_multiple_of(2) {
        return Err(KeyProblem::Malformed);
    }
    if has_roca_mark(modulus) {
        Err(KeyProblem::Roca)
    } else {
        Ok(())
    }
}

/// Returns whether the modulus is a power of 65537 modulo each of the small primes. For a random
/// modulus the chance is 2⁻²⁷ at most (Nemec and others, "The Return of Coppersmith's Attack",
/// section 2.2).
fn has_roca_mark(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let residue = modulus
            .iter()
            .fold(0u32, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            let hit = power == residue;
            power = power * 65537 % prime;
            hit
        })
    })
}

const MIN_BITS: usize = 2048;
/// The least exponent that FIPS 186-5 allows (section 5.1).
const MIN_EXPONENT: u32 = 65537;
/// The length of the longest modulus, in bits: verifying with a longer one takes so long that an
/// attacker could publish one to overload verifiers.
const MAX_BITS: usize = 8192;

/// The primes by which the moduli of the broken generator are recognised.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bytes: usize) -> Vec<u8> {
        // The modulus is neither even nor a power of 65537: bytes of a counter that end in 3.
        let mut modulus: Vec<u8> = (0..bytes)
            .map(|i| u8::try_from(i * 7 % 251).unwrap() | 1)
            .collect();
        modulus[0] = 0x80;
        modulus
    }

    #[test]
    fn r27_short_long_and_even_moduli_are_refused() {
        assert_eq!(check(&modulus(256), &[1, 0, 1]), Ok(()));
        assert_eq!(check(&modulus(1024), &[1, 0, 1]), Ok(()));
        assert_eq!(
            check(&modulus(1025), &[1, 0, 1]),
            Err(KeyProblem::RsaSize(8200))
        );
        assert_eq!(
            check(&modulus(255), &[1, 0, 1]),
            Err(KeyProblem::RsaSize(2040))
        );
        let mut one_bit_short = modulus(256);
        one_bit_short[0] = 0x7F;
        assert_eq!(
            check(&one_bit_short, &[1, 0, 1]),
            Err(KeyProblem::RsaSize(2047))
        );
        let mut even = modulus(256);
        even[255] &= 0xFE;
        assert_eq!(check(&even, &[1, 0, 1]), Err(KeyProblem::Malformed));
        assert_eq!(check(&[], &[1, 0, 1]), Err(KeyProblem::Malformed));
    }

    #[test]
    fn r27_weak_exponents_are_refused() {
        for exponent in [
            &[][..],
            &[0],
            &[1],
            &[2],
            &[3],
            &[17],
            &[0xFF, 0xFF],
            &[1, 0, 0],
            &[0xFF, 0xFF, 0xFF, 0xFE],
            &[1, 0, 0, 0, 1],
        ] {
            assert_eq!(
                check(&modulus(256), exponent),
                Err(KeyProblem::RsaExponent),
                "{exponent:?}"
            );
        }
        for exponent in [&[1, 0, 1][..], &[1, 0, 3], &[0xFF, 0xFF, 0xFF, 0xFF]] {
            assert_eq!(check(&modulus(256), exponent), Ok(()), "{exponent:?}");
        }
    }

    /// A power of 65537 is also one modulo every prime.
    #[test]
    fn r27_the_mark_of_roca_is_seen() {
        let mut power = vec![1u8];
        for _ in 0..128 {
            let mut product = vec![0u32; power.len() + 2];
            for (at, digit) in power.iter().enumerate() {
                // The digits of 65537 are 1 and then 2¹⁶, least significant first.
                product[at] += u32::from(*digit);
                product[at + 2] += u32::from(*digit);
            }
            let mut carry = 0;
            power = product
                .into_iter()
                .map(|digit| {
                    carry += digit;
                    let low = u8::try_from(carry & 0xFF).unwrap();
                    carry >>= 8;
                    low
                })
                .collect();
        }
        power.reverse();
        let start = power.iter().position(|byte| *byte != 0).unwrap();
        assert_eq!(check(&power[start..], &[1, 0, 1]), Err(KeyProblem::Roca));
    }
}
