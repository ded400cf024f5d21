//! A Secret with its data, for as long as somebody looks at it.

use std::ops::{Deref, DerefMut};

use k8s_openapi::api::core::v1::Secret;
use zeroize::Zeroize as _;

/// A whole Secret. Its data is wiped from memory when dropped, and it has no `Debug`.
pub struct HeldSecret(Secret);

impl HeldSecret {
    /// The Secret itself, for a library that takes no other. It is wiped no more.
    pub fn release(mut self) -> Secret {
        std::mem::take(&mut self.0)
    }
}

impl From<Secret> for HeldSecret {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

impl Deref for HeldSecret {
    type Target = Secret;

    fn deref(&self) -> &Secret {
        &self.0
    }
}

impl DerefMut for HeldSecret {
    fn deref_mut(&mut self) -> &mut Secret {
        &mut self.0
    }
}

impl Drop for HeldSecret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(secret: &mut Secret) {
    for value in secret.data.iter_mut().flat_map(|data| data.values_mut()) {
        value.0.zeroize();
    }
    for value in secret.string_data.iter_mut().flat_map(|data| data.values_mut()) {
        value.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    #[test]
    fn wiping_leaves_no_value() {
        let mut secret = Secret {
            data: Some([("token".to_owned(), ByteString(b"kw_x".to_vec()))].into()),
            string_data: Some([("text".to_owned(), "kw_x".to_owned())].into()),
            ..Secret::default()
        };
        wipe(&mut secret);
        assert_eq!(secret.data.unwrap()["token"].0, b"");
        assert_eq!(secret.string_data.unwrap()["text"], "");
    }

    #[test]
    fn a_released_secret_keeps_its_data() {
        let data = [("token".to_owned(), ByteString(b"kw_x".to_vec()))];
        let held = HeldSecret::from(Secret { data: Some(data.into()), ..Secret::default() });
        assert_eq!(held.release().data.unwrap()["token"].0, b"kw_x");
    }
}
