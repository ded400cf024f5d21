//! SHA-256, as bytes and as text.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The bytes of a SHA-256.
pub type Sha256Hash = [u8; 32];

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Sha256Hash {
    Sha256::digest(data).into()
}

/// SHA-256 of `data`, in hexadecimal.
pub fn sha256_hex(data: &[u8]) -> String {
    sha256(data).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads a SHA-256 in hexadecimal; `None` where it is something else.
pub fn parse_hex(text: &str) -> Option<Sha256Hash> {
    let mut hash = Sha256Hash::default();
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
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
