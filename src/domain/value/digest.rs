//! SHA-256, as bytes and as text.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

/// The bytes of a SHA-256.
pub type Sha256Hash = [u8; 32];

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Sha256Hash {
    Sha256::digest(data).into()
}

/// SHA-256 of `data`, in hexadecimal.
pub fn sha256_hex(data: &[u8]) -> String {
    HEXLOWER.encode(&sha256(data))
}

/// Reads a SHA-256 in hexadecimal, of either case; `None` where it is something else.
pub fn parse_hex(text: &str) -> Option<Sha256Hash> {
    let mut hash = Sha256Hash::default();
    if text.len() != 2 * hash.len() {
        return None;
    }
    HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes(), &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_in_hexadecimal_is_read_again(data in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(parse_hex(&sha256_hex(&data)), Some(sha256(&data)));
        }

        #[test]
        fn no_other_text_is_a_hash(text in ".{0,70}") {
            prop_assume!(text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()));
            prop_assert_eq!(parse_hex(&text), None);
        }
    }
}
