//! Keys that an issuer publishes, as far as they verify ID tokens.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

/// Characters of the modulus of an RSA key of 2048 bits, in base64: shorter ones can be broken.
const LEAST_OF_MODULUS: usize = 342;

/// A key that verifies.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    /// What it may be used with.
    algorithms: Vec<Algorithm>,
    pub(super) verifying: DecodingKey,
}

impl Key {
    /// A published key; none where it is not for signatures, too weak, or of a kind that is not known.
    pub(super) fn of(published: &Jwk) -> Option<Self> {
        let common = &published.common;
        if common.public_key_use.as_ref().is_some_and(|use_| *use_ != PublicKeyUse::Signature) {
            return None;
        }
        let mut algorithms = fitting(&published.algorithm);
        if let Some(only) = common.key_algorithm {
            algorithms.retain(|algorithm| only == (*algorithm).into());
        }
        if algorithms.is_empty() {
            return None;
        }
        let verifying = DecodingKey::from_jwk(published).ok()?;
        Some(Self { id: common.key_id.clone(), algorithms, verifying })
    }

    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm)
    }
}

/// Whether who verifies cannot sign.
pub(super) fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

fn fitting(parameters: &AlgorithmParameters) -> Vec<Algorithm> {
    match parameters {
        AlgorithmParameters::RSA(rsa) if rsa.n.trim_end_matches('=').len() >= LEAST_OF_MODULUS => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(ec) => match ec.curve {
            EllipticCurve::P256 => vec![Algorithm::ES256],
            EllipticCurve::P384 => vec![Algorithm::ES384],
            _ => Vec::new(),
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        _ => Vec::new(),
    }
}
