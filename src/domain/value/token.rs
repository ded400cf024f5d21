//! The bearer token: `kw_<keyId>_<secret><checksum>`.
//!
//! The prefix is for secret scanners, the id is public, the secret holds 256 bits, and the checksum refuses a
//! typo before anything is looked up.

use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::value::digest::{Sha256Hash, sha256, sha256_hex};

const PREFIX: &str = "kw_";
const ID_LENGTH: usize = 12;
/// 43 characters of 62 carry 256 bits.
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const ID_END: usize = PREFIX.len() + ID_LENGTH;
const BODY_LENGTH: usize = ID_END + 1 + SECRET_LENGTH;
const LENGTH: usize = BODY_LENGTH + CHECKSUM_LENGTH;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many random bytes [`Token::from_random`] should be given: twice what it uses on average.
pub const RANDOM_BYTES: usize = 2 * (ID_LENGTH + SECRET_LENGTH);

/// A whole token. It is wiped from memory when dropped, and has no `Debug`, `Display` or `Serialize`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token(String);

impl Token {
    /// A new token out of `random` bytes of the operating system's generator.
    ///
    /// Bytes that would favour some characters are skipped; `None` where too few are left, so that the caller
    /// draws again.
    pub fn from_random(random: &[u8]) -> Option<Self> {
        let unbiased = 256 - 256 % ALPHABET.len();
        let mut characters = random
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < unbiased)
            .filter_map(|byte| ALPHABET.get(byte % ALPHABET.len()))
            .map(|character| char::from(*character));
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        text.extend(characters.by_ref().take(ID_LENGTH));
        text.push('_');
        text.extend(characters.take(SECRET_LENGTH));
        if text.len() != BODY_LENGTH {
            text.zeroize();
            return None;
        }
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Some(Self(text))
    }

    /// Reads a presented token; `None` where its form or checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(text.to_owned()))
    }

    /// The first well-formed token inside `text`, for example in a configuration file that embeds it.
    pub fn find_in(text: &str) -> Option<Self> {
        text.match_indices(PREFIX).find_map(|(at, _)| Self::parse(text.get(at..at.checked_add(LENGTH)?)?))
    }

    /// The public id.
    pub fn id(&self) -> &str {
        self.0.get(PREFIX.len()..ID_END).unwrap_or_default()
    }

    /// SHA-256 of the whole token, in hexadecimal. A fast hash is right for a 256-bit random value.
    pub fn sha256(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// Whether this is the token of that hash, in constant time.
    pub fn has_sha256(&self, sha256: &str) -> bool {
        self.sha256().as_bytes().ct_eq(sha256.as_bytes()).into()
    }

    /// The token's text: for its Secret, and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A token's public id, at the size that an index of many has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenId([u8; ID_LENGTH]);

impl TokenId {
    /// Reads the id as a status holds it; `None` where it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; ID_LENGTH] = text.as_bytes().try_into().ok()?;
        is_base62(&id).then_some(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A presented token. It has no `Debug`, `Display` or `Serialize`.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// Its public id, which nothing vouches for yet.
    pub id: TokenId,
    text: &'a str,
}

/// Why a text is no token. Nothing has to be looked up to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It has another form.
    Form,
    /// Its checksum is wrong.
    Checksum,
}

impl<'a> Presented<'a> {
    /// Reads what a client presents.
    ///
    /// # Errors
    /// Where its form or checksum is wrong.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        if !is_well_formed(text) {
            return Err(Unreadable::Form);
        }
        if !has_its_checksum(text) {
            return Err(Unreadable::Checksum);
        }
        let id = text.get(PREFIX.len()..ID_END).and_then(TokenId::parse).ok_or(Unreadable::Form)?;
        Ok(Self { id, text })
    }

    /// SHA-256 of the whole token.
    pub fn hash(&self) -> Sha256Hash {
        sha256(self.text.as_bytes())
    }
}

fn is_token(text: &str) -> bool {
    is_well_formed(text) && has_its_checksum(text)
}

fn is_well_formed(text: &str) -> bool {
    let base62 = |part: Option<&str>| part.is_some_and(|part| is_base62(part.as_bytes()));
    text.len() == LENGTH
        && text.starts_with(PREFIX)
        && base62(text.get(PREFIX.len()..ID_END))
        && text.get(ID_END..=ID_END) == Some("_")
        && base62(text.get(ID_END + 1..))
}

fn is_base62(text: &[u8]) -> bool {
    // Without an end at the first that is not, so that many are compared at once.
    text.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

fn has_its_checksum(text: &str) -> bool {
    text.split_at_checked(BODY_LENGTH).is_some_and(|(body, rest)| checksum(body) == rest.as_bytes())
}

/// CRC-32 (IEEE) of `body` in base 62, padded to six characters.
fn checksum(body: &str) -> [u8; CHECKSUM_LENGTH] {
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET.get(rest % ALPHABET.len()).copied().unwrap_or(b'0');
        rest /= ALPHABET.len();
    }
    digits
}

/// `text` without what could be a token or a part of one, in plain or in base64: for words of others that get
/// to be read where no token may.
pub fn withheld(text: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "_+/".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
        shown.push_str(before);
        shown.push_str(if may_hold_a_token(word) { "(withheld)" } else { word });
        rest = after;
    }
    shown + rest
}

fn may_hold_a_token(word: &str) -> bool {
    // What stands before it may be of the same letters.
    let decoded = (0..4).filter_map(|skipped| {
        let from = word.get(skipped..)?;
        let whole = from.get(..from.len() - from.len() % 4)?;
        BASE64_NOPAD.decode(whole.as_bytes()).map(Zeroizing::new).ok()
    });
    let has_prefix = |bytes: &[u8]| bytes.windows(PREFIX.len()).any(|window| window == PREFIX.as_bytes());
    has_prefix(word.as_bytes()) || { decoded }.any(|bytes| has_prefix(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(seed: u8) -> Token {
        let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(31).wrapping_add(seed)).collect();
        Token::from_random(&bytes).unwrap()
    }

    #[test]
    fn a_token_has_the_documented_form() {
        let token = token(7);
        let text = token.reveal();
        assert_eq!(text.len(), 65);
        assert!(text.starts_with("kw_"));
        assert_eq!(&text[15..16], "_");
        assert_eq!(token.id(), &text[3..15]);
    }

    #[test]
    fn the_checksum_of_a_known_body_is_known() {
        // Worked out apart from this program: CRC-32 (IEEE) of the body is 876060838.
        assert_eq!(&checksum(&format!("kw_000000000000_{}", "0".repeat(43))), b"0xHrRW");
    }

    #[test]
    fn words_of_others_are_shown_without_what_may_be_a_token() {
        let token = token(7);
        let encoded = BASE64_NOPAD.encode(token.reveal().as_bytes());
        let wrapped = BASE64_NOPAD.encode(format!("{{\"a\":\"{}\"}}", token.reveal()).as_bytes());
        for (text, shown) in [
            (format!("denied: {}.", token.reveal()), "denied: (withheld)."),
            (format!("data.token={encoded}=="), "data.token=(withheld)=="),
            (format!("\"{encoded}\" and \"{wrapped}\""), "\"(withheld)\" and \"(withheld)\""),
            (format!("a/{encoded}"), "(withheld)"),
            (format!("{}…", &token.reveal()[..40]), "(withheld)…"),
            (
                "secrets \"deploy\" is forbidden: exceeded quota: a/b".to_owned(),
                "secrets \"deploy\" is forbidden: exceeded quota: a/b",
            ),
        ] {
            assert_eq!(withheld(&text), shown);
        }
    }

    #[test]
    fn too_few_random_bytes_give_no_token() {
        assert!(Token::from_random(&[0; 54]).is_none());
        assert!(Token::from_random(&[255; 512]).is_none(), "biased bytes are skipped");
        assert!(Token::from_random(&[0; 55]).is_some());
    }

    #[test]
    fn a_token_inside_a_longer_text_is_found() {
        let token = token(3);
        let text = format!("Authorization: Bearer kw_not {}\n", token.reveal());
        assert_eq!(Token::find_in(&text).unwrap().id(), token.id());
        assert!(Token::find_in("kw_nothing here, kw_").is_none());
    }

    #[test]
    fn only_its_own_hash_matches() {
        let (one, other) = (token(1), token(2));
        assert!(one.has_sha256(&one.sha256()));
        assert!(!one.has_sha256(&other.sha256()));
        assert!(!one.has_sha256(""));
    }

    #[test]
    fn a_presented_token_has_the_id_and_hash_of_the_one_that_was_minted() {
        let token = token(5);
        let presented = Presented::read(token.reveal()).ok().unwrap();
        assert_eq!(presented.id.as_str(), token.id());
        assert_eq!(crate::domain::value::digest::parse_hex(&token.sha256()), Some(presented.hash()));
    }

    #[test]
    fn a_typo_is_told_from_a_text_of_another_form() {
        let text = token(5).reveal().to_owned();
        let typo = text.replace(&text[20..21], if &text[20..21] == "a" { "b" } else { "a" });
        for (given, why) in [
            (typo.as_str(), Unreadable::Checksum),
            ("", Unreadable::Form),
            ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", Unreadable::Form),
            (&text[..64], Unreadable::Form),
        ] {
            assert_eq!(Presented::read(given).err(), Some(why));
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_as_a_token_can_be_presented_and_nothing_else(text in "(kw_)?[0-9A-Za-z_]{0,70}") {
            prop_assert_eq!(Token::parse(&text).is_some(), Presented::read(&text).is_ok());
        }

        #[test]
        fn whatever_is_minted_parses(bytes in prop::collection::vec(any::<u8>(), 256)) {
            let token = Token::from_random(&bytes).unwrap();
            prop_assert!(Token::parse(token.reveal()).is_some());
        }

        #[test]
        fn one_changed_character_is_refused(seed in any::<u8>(), at in 0usize..65, other in "[0-9A-Za-z_]") {
            let good = token(seed);
            let mut text = good.reveal().to_owned();
            text.replace_range(at..=at, &other);
            prop_assume!(text != good.reveal());
            prop_assert!(Token::parse(&text).is_none());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,200}") {
            let _ = Token::parse(&text);
            let _ = Token::find_in(&text);
            let _ = Presented::read(&text);
            let _ = TokenId::parse(&text);
        }
    }

    #[test]
    fn fuzzed_texts_are_tokens_in_one_form_only() {
        let good = Token::from_random(&(0..=255).collect::<Vec<u8>>()).unwrap();
        crate::fuzz::texts(&[good.reveal(), "kw_", ""], |text| {
            let _ = Token::find_in(text);
            let Ok(read) = Presented::read(text) else { return };
            assert_eq!(text.len(), LENGTH);
            assert!(Token::parse(text).is_some_and(|token| token.id() == read.id.as_str()));
        });
    }
}
