//! ID tokens of other issuers (OpenID Connect): whom they stand for, once they are verified.
//!
//! Only what the issuer signed counts, with a key that it publishes and an algorithm of public keys; a secret that could
//! be confused with a public key (HS256) is no algorithm here.

mod issuer;
mod key;
mod setting;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Header, Validation};
use serde::Deserialize;

use crate::error::{Error, Result};

use issuer::{Issuer, KeysMissing};
pub use setting::{TrustedIssuer, trusted_issuers};

/// Bytes of a token that are looked at.
const MOST_BYTES: usize = 16 << 10;
/// Seconds that the clock of an issuer may differ from ours.
const LEEWAY: f64 = 60.0;
/// Characters of a subject, as OpenID Connect bounds it.
const MOST_OF_SUBJECT: usize = 255;

/// The issuers that are trusted, with the keys they were last seen to have.
#[derive(Debug)]
pub(crate) struct IdTokens {
    issuers: BTreeMap<String, Issuer>,
}

/// Whom a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

/// Why a token cannot be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Unverified {
    #[error("it is no ID token")]
    Form,
    #[error("its issuer is not one that is trusted here")]
    Issuer,
    #[error("it is not signed by an algorithm of public keys")]
    Algorithm,
    #[error("its issuer has no such key")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is for another audience")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it does not hold yet")]
    NotYet,
    #[error("it names nobody")]
    Subject,
}

/// The issuer that a token claims to have, before anything of it is believed.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    email: Option<String>,
    #[serde(default)]
    email_verified: Yes,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// Some issuers write the word in place of the value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Yes {
    Value(bool),
    Word(String),
}

impl Default for Yes {
    fn default() -> Self {
        Self::Value(false)
    }
}

impl IdTokens {
    pub(crate) fn new(trusted: Vec<TrustedIssuer>) -> Self {
        let mut issuers: BTreeMap<String, Issuer> = BTreeMap::new();
        for TrustedIssuer { url, audience } in trusted {
            issuers.entry(url.clone()).or_insert_with(|| Issuer::new(url)).audiences.push(audience);
        }
        Self { issuers }
    }

    /// Whom a token stands for.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] where it cannot be verified, [`Error::Unavailable`] where its issuer does not answer.
    pub(super) async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Person> {
        if self.issuers.is_empty() {
            let message = "this server takes no ID tokens; CALIBER_OIDC_ISSUERS names the issuers it trusts";
            return Err(Error::NotSignedIn(message.to_owned()));
        }
        let (issuer, header) = self.issuer_of(token).map_err(refused)?;
        let key = match issuer.key_for(&header, now).await {
            Ok(key) => key.ok_or_else(|| refused(Unverified::Key))?,
            Err(missing) => return Err(unavailable(&issuer.url, &missing)),
        };
        let mut signature = Validation::new(header.alg);
        // What it claims is judged below, by the clock that is given.
        signature.validate_exp = false;
        signature.validate_aud = false;
        signature.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.verifying, &signature);
        let claims = decoded.map_err(|error| refused(reason(&error)))?.claims;
        claims.judged(&issuer.audiences, &issuer.url, now).map_err(refused)
    }

    /// The issuer that a token says it is of, if that is trusted, and how it is signed.
    fn issuer_of(&self, token: &str) -> std::result::Result<(&Issuer, Header), Unverified> {
        if token.len() > MOST_BYTES || token.split('.').count() != 3 {
            return Err(Unverified::Form);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| reason(&error))?;
        // Access tokens and others of the same issuer have a type of their own; what is critical must be understood.
        let is_plain = header.typ.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("jwt"));
        if !is_plain || header.crit.is_some() {
            return Err(Unverified::Form);
        }
        if !key::is_asymmetric(header.alg) {
            return Err(Unverified::Algorithm);
        }
        let claimed: Claimed = insecure_decode_claims(token).map_err(|_| Unverified::Form)?;
        let issuer = self.issuers.get(&claimed.iss).ok_or(Unverified::Issuer)?;
        Ok((issuer, header))
    }
}

impl Claims {
    fn judged(
        self,
        audiences: &[String],
        issuer: &str,
        now: DateTime<Utc>,
    ) -> std::result::Result<Person, Unverified> {
        if self.iss != issuer {
            return Err(Unverified::Issuer);
        }
        let aud = match self.aud {
            Audience::One(audience) => vec![audience],
            Audience::Many(audiences) => audiences,
        };
        // Whoever else it is for could have brought it here.
        if aud.is_empty() || aud.iter().any(|audience| !audiences.contains(audience)) {
            return Err(Unverified::Audience);
        }
        let now = now.timestamp() as f64;
        if now >= self.exp + LEEWAY {
            return Err(Unverified::Expired);
        }
        if [self.nbf, self.iat].into_iter().flatten().any(|from| from > now + LEEWAY) {
            return Err(Unverified::NotYet);
        }
        let is_name = |sub: &str| {
            !sub.trim().is_empty()
                && sub.chars().count() <= MOST_OF_SUBJECT
                && !sub.chars().any(char::is_control)
        };
        if !is_name(&self.sub) {
            return Err(Unverified::Subject);
        }
        let email_verified = match self.email_verified {
            Yes::Value(yes) => yes,
            Yes::Word(word) => word == "true",
        };
        let email = self.email.filter(|email| !email.trim().is_empty());
        Ok(Person { issuer: self.iss, subject: self.sub, email, email_verified, name: self.name })
    }
}

fn reason(error: &jsonwebtoken::errors::Error) -> Unverified {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => Unverified::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
            Unverified::Algorithm
        }
        _ => Unverified::Form,
    }
}

fn refused(why: Unverified) -> Error {
    Error::NotSignedIn(format!("this ID token cannot be verified: {why}"))
}

fn unavailable(issuer: &str, missing: &KeysMissing) -> Error {
    tracing::warn!(issuer, error = %missing, "the keys of an issuer of ID tokens cannot be had");
    Error::Unavailable(format!("the issuer {issuer} does not answer with its keys; try again"))
}
