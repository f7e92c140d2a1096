//! An issuer of ID tokens: a server on this machine with keys of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// How an issuer answers.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// What it publishes as its keys.
    pub keys: Vec<Value>,
    /// It takes so long.
    pub delay: Duration,
    /// So many blanks follow the keys.
    pub padding: usize,
    /// It sends whoever asks for its discovery document there.
    pub moved_to: Option<String>,
    /// It says that its keys are there.
    pub keys_at: Option<String>,
    /// It says that it is this issuer.
    pub claims_to_be: Option<String>,
}

/// A running issuer. It listens until it is dropped.
#[derive(Debug)]
pub struct Issuer {
    address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
    is_gone: Arc<AtomicBool>,
}

/// A key that signs, and how it is published.
pub struct SigningKey {
    algorithm: Algorithm,
    encoding: EncodingKey,
    /// As JWK.
    pub public: Value,
}

impl Issuer {
    /// One that publishes these keys.
    ///
    /// # Panics
    /// Where no port is free.
    pub fn start(keys: &[&SigningKey]) -> Self {
        Self::at("127.0.0.1:0", keys)
    }

    /// One at an address, such as that of one that is gone.
    ///
    /// # Panics
    /// Where the address is taken.
    pub fn at(address: &str, keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind(address).expect("the issuer's address is free");
        let address = listener.local_addr().expect("the issuer listens");
        let keys = keys.iter().map(|key| key.public.clone()).collect();
        let issuer = Self {
            address,
            answers: Arc::new(Mutex::new(Answers { keys, ..Answers::default() })),
            asked: Arc::default(),
            is_gone: Arc::default(),
        };
        let (answers, asked, is_gone) =
            (Arc::clone(&issuer.answers), Arc::clone(&issuer.asked), Arc::clone(&issuer.is_gone));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_gone.load(Ordering::SeqCst) {
                    return;
                }
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                std::thread::spawn(move || answer(stream, address, &answers, &asked));
            }
        });
        issuer
    }

    /// What its tokens name it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes how it answers.
    ///
    /// # Panics
    /// Where a thread of it did.
    pub fn change(&self, change: impl FnOnce(&mut Answers)) {
        change(&mut self.answers.lock().expect("the issuer runs"));
    }

    /// How often it was asked for its keys.
    ///
    /// # Panics
    /// Where a thread of it did.
    pub fn times_asked(&self) -> usize {
        self.asked.lock().expect("the issuer runs").iter().filter(|path| *path == "/keys").count()
    }

    /// What a token of it says, for an hour: of this subject, for the audience `caliber`.
    pub fn claims(&self, subject: &str) -> Value {
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
        json!({"iss": self.url(), "sub": subject, "aud": "caliber", "iat": now, "exp": now + 3600,
            "email": format!("{subject}@example.com"), "email_verified": true})
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for somebody, so that it closes the port.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(mut stream: TcpStream, address: SocketAddr, answers: &Mutex<Answers>, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let Some(path) = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)) else { return };
    for _ in lines.take_while(|line| !line.is_empty()) {}
    asked.lock().expect("the issuer runs").push(path.clone());
    let Answers { keys, delay, padding, moved_to, keys_at, claims_to_be } =
        answers.lock().expect("the issuer runs").clone();
    std::thread::sleep(delay);
    let own = format!("http://{address}");
    let (status, more, body) = match (path.as_str(), moved_to) {
        ("/.well-known/openid-configuration", Some(to)) => {
            ("302 Found", format!("location: {to}\r\n"), String::new())
        }
        ("/.well-known/openid-configuration", None) => {
            let keys_at = keys_at.unwrap_or_else(|| format!("{own}/keys"));
            let discovery = json!({"issuer": claims_to_be.unwrap_or(own), "jwks_uri": keys_at});
            ("200 OK", String::new(), discovery.to_string())
        }
        ("/keys", _) => ("200 OK", String::new(), json!({"keys": keys}).to_string() + &" ".repeat(padding)),
        _ => ("404 Not Found", String::new(), String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may have had enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

impl SigningKey {
    /// RSA of so many bits, for RS256.
    ///
    /// # Panics
    /// Where no key can be made.
    pub fn rsa(id: &str, bits: usize) -> Self {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).expect("a key of RSA");
        let der = key.to_pkcs1_der().expect("it can be written");
        let (n, e) = (base64url(&key.n().to_bytes_be()), base64url(&key.e().to_bytes_be()));
        Self {
            algorithm: Algorithm::RS256,
            encoding: EncodingKey::from_rsa_der(der.as_bytes()),
            public: json!({"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": n, "e": e}),
        }
    }

    /// On the curve P-256, for ES256.
    ///
    /// # Panics
    /// Where no key can be made.
    pub fn ec(id: &str) -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random);
        let pair = pair.expect("what was written is read");
        // A point as it is written: 4, x, y.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        Self {
            algorithm: Algorithm::ES256,
            encoding: EncodingKey::from_ec_der(der.as_ref()),
            public: json!({"kty": "EC", "crv": "P-256", "kid": id, "x": base64url(x), "y": base64url(y)}),
        }
    }

    /// Ed25519, for `EdDSA`.
    ///
    /// # Panics
    /// Where no key can be made.
    pub fn ed25519(id: &str) -> Self {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(der.as_ref()).expect("what was written is read");
        let x = base64url(pair.public_key().as_ref());
        Self {
            algorithm: Algorithm::EdDSA,
            encoding: EncodingKey::from_ed_der(der.as_ref()),
            public: json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "alg": "EdDSA", "x": x}),
        }
    }

    /// A token of these claims, which names the key.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(claims, |_| {})
    }

    /// A token of these claims, with another head.
    ///
    /// # Panics
    /// Where the key does not sign by the algorithm of the head.
    pub fn token_with(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = self.public["kid"].as_str().map(str::to_owned);
        change(&mut header);
        jsonwebtoken::encode(&header, claims, &self.encoding).expect("the key signs")
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
