//! Keys, all derived from the one secret of an installation.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The least characters of a secret that production takes.
pub const LEAST_SECRET: usize = 32;

/// What a key is derived for: keys of different uses tell nothing about each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    AccessToken,
    Csrf,
}

impl Use {
    fn info(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"caliber/access-token/v1",
            Self::Csrf => b"caliber/csrf/v1",
        }
    }
}

/// The secret in use, and older ones that still verify and decrypt.
#[derive(Clone)]
pub struct Secrets {
    current: SecretString,
    old: Vec<SecretString>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets(1 current, {} old)", self.old.len())
    }
}

impl Secrets {
    /// The secret in use and those before it.
    pub fn new(current: SecretString, old: Vec<SecretString>) -> Self {
        Self { current, old }
    }

    /// The key that signs.
    pub(crate) fn signing(&self, purpose: Use) -> DerivedKey {
        derive(&self.current, purpose)
    }

    /// The keys that may have signed, the one in use first.
    pub(crate) fn verifying(&self, purpose: Use) -> impl Iterator<Item = DerivedKey> {
        std::iter::once(&self.current).chain(&self.old).map(move |secret| derive(secret, purpose))
    }
}

/// 256 bits for one use.
#[derive(Clone)]
pub(crate) struct DerivedKey {
    /// Names the secret it came from, and tells nothing else about it.
    pub(crate) id: String,
    pub(crate) bytes: [u8; 32],
}

impl DerivedKey {
    /// The tag (HMAC-SHA-256) of a message, in hexadecimal.
    pub(crate) fn tag(&self, message: &[u8]) -> String {
        hex::encode(self.mac(message).finalize().into_bytes())
    }

    /// Whether a tag is that of a message, in constant time.
    pub(crate) fn is_tag(&self, tag: &str, message: &[u8]) -> bool {
        hex::decode(tag).is_ok_and(|tag| self.mac(message).verify_slice(&tag).is_ok())
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.bytes).expect("HMAC takes keys of any length");
        mac.update(message);
        mac
    }
}

fn derive(secret: &SecretString, purpose: Use) -> DerivedKey {
    let hkdf = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes());
    let expand = |info: &[u8]| {
        let mut bytes = [0; 32];
        hkdf.expand(info, &mut bytes).expect("32 bytes are within what SHA-256 expands to");
        bytes
    };
    DerivedKey { id: hex::encode(&expand(b"caliber/key-id/v1")[..4]), bytes: expand(purpose.info()) }
}

/// A secret that is handed out once and kept as its hash: 256 random bits, URL-safe.
pub fn fresh_secret() -> String {
    use base64::Engine as _;
    let bytes: [u8; 32] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// How a handed-out secret is kept. It is random, so that a plain hash cannot be turned back.
pub(crate) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(current: &str, old: &[&str]) -> Secrets {
        Secrets::new(current.into(), old.iter().map(|old| (*old).into()).collect())
    }

    #[test]
    fn keys_of_different_uses_and_secrets_differ() {
        let one = secrets("one", &[]);
        let access = one.signing(Use::AccessToken);
        let csrf = one.signing(Use::Csrf);
        assert_ne!(access.bytes, csrf.bytes);
        assert_eq!(access.id, csrf.id);
        assert_ne!(access.bytes, secrets("two", &[]).signing(Use::AccessToken).bytes);
    }

    #[test]
    fn what_an_old_secret_signed_still_verifies() {
        let tag = secrets("old", &[]).signing(Use::Csrf).tag(b"message");
        let rotated = secrets("new", &["older", "old"]);
        assert!(rotated.verifying(Use::Csrf).any(|key| key.is_tag(&tag, b"message")));
        assert!(!rotated.verifying(Use::Csrf).any(|key| key.is_tag(&tag, b"another message")));
        assert!(!secrets("new", &[]).verifying(Use::Csrf).any(|key| key.is_tag(&tag, b"message")));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        assert!(!format!("{:?}", secrets("hunter2", &["hunter1"])).contains("hunter"));
    }
}
