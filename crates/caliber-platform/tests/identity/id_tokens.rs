//! ID tokens: which are believed, and what is asked of their issuer.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use caliber_platform::identity::{SessionKind, SignedIn, trusted_issuers};
use caliber_platform::rate_limits::RateLimit;
use caliber_platform::{Error, Result};
use caliber_testing::issuer::{Answers, Issuer, SigningKey};
use caliber_testing::{TestDatabase, on_both_databases};
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::fixture::Fixture;

on_both_databases!(many_first_sign_ins_at_once_make_one_user_and_ask_once);

impl Fixture {
    /// With an issuer that is trusted for the audience `caliber`.
    pub(crate) fn trusting(database: TestDatabase, issuers: &[&Issuer]) -> Self {
        let list: Vec<String> = issuers.iter().map(|issuer| format!("{}=caliber", issuer.url())).collect();
        Self::new(database, RateLimit::OFF, trusted_issuers(&list.join(",")).unwrap())
    }

    pub(crate) async fn bring(&self, token: &str) -> Result<SignedIn> {
        self.platform.identity().sign_in_with_id_token(token, SessionKind::Bearer).await
    }
}

/// Why a token was refused.
#[track_caller]
fn why(answered: Result<SignedIn>) -> String {
    match answered {
        Err(Error::NotSignedIn(why)) => why,
        other => panic!("not refused as unverifiable: {other:?}"),
    }
}

#[track_caller]
fn is_unavailable(answered: &Result<SignedIn>) {
    assert!(matches!(answered, Err(Error::Unavailable(_))), "{answered:?}");
}

fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

#[tokio::test]
async fn keys_of_every_kind_verify() {
    let keys = [SigningKey::rsa("r", 2048), SigningKey::ec("e"), SigningKey::ed25519("d")];
    let issuer = Issuer::start(&keys.iter().collect::<Vec<_>>());
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    for (key, subject) in keys.iter().zip(["ana", "ben", "eve"]) {
        let first = fixture.bring(&key.token(&issuer.claims(subject))).await.unwrap().user;
        assert_eq!(
            (first.name.as_str(), first.email.as_str()),
            (subject, format!("{subject}@example.com").as_str())
        );
        let again = fixture.bring(&key.token(&issuer.claims(subject))).await.unwrap().user;
        assert_eq!(again.id, first.id);
    }
    assert_eq!(issuer.times_asked(), 1, "keys are kept");
}

#[tokio::test]
async fn what_cannot_be_verified_is_refused_and_why_is_said() {
    let (key, other) = (SigningKey::ec("k"), SigningKey::ec("k"));
    let (issuer, stranger) = (Issuer::start(&[&key]), Issuer::start(&[&key]));
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    let now = fixture.platform.now().timestamp();
    let claims = issuer.claims("ana");
    let changed = |changes: Value| key.token(&with(claims.clone(), &changes));
    let head = |change: fn(&mut Header)| key.token_with(&claims, change);
    let good = key.token(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let others = key.token(&issuer.claims("eve"));
    let swapped = [parts[0], others.split('.').nth(1).unwrap(), parts[2]].join(".");
    for (token, reason) in [
        (changed(json!({"exp": now - 61})), "it has expired"),
        (changed(json!({"exp": 0})), "it has expired"),
        (changed(json!({"nbf": now + 120})), "it does not hold yet"),
        (changed(json!({"iat": now + 120})), "it does not hold yet"),
        (changed(json!({"aud": "another"})), "it is for another audience"),
        (changed(json!({"aud": ["caliber", "another"]})), "it is for another audience"),
        (changed(json!({"aud": []})), "it is for another audience"),
        (changed(json!({"aud": null})), "it is for another audience"),
        (changed(json!({"iss": stranger.url()})), "its issuer is not one that is trusted here"),
        (changed(json!({"iss": issuer.url() + "/"})), "its issuer is not one that is trusted here"),
        (changed(json!({"iss": null})), "it is no ID token"),
        (changed(json!({"exp": null})), "it is no ID token"),
        (changed(json!({"exp": "tomorrow"})), "it is no ID token"),
        (changed(json!({"sub": null})), "it names nobody"),
        (changed(json!({"sub": " "})), "it names nobody"),
        (changed(json!({"sub": "x".repeat(256)})), "it names nobody"),
        (changed(json!({"name": "x".repeat(20_000)})), "it is no ID token"),
        (other.token(&claims), "its signature is wrong"),
        (swapped, "its signature is wrong"),
        (format!("{}.{}.", parts[0], parts[1]), "its signature is wrong"),
        (head(|head| head.kid = Some("unknown".to_owned())), "its issuer has no such key"),
        (head(|head| head.typ = Some("at+jwt".to_owned())), "it is no ID token"),
        (head(|head| head.crit = Some(vec!["exp".to_owned()])), "it is no ID token"),
        (String::new(), "it is no ID token"),
        ("a.b.c".to_owned(), "it is no ID token"),
        (parts[1].to_owned(), "it is no ID token"),
    ] {
        let told = why(fixture.bring(&token).await);
        assert_eq!(told, format!("this ID token cannot be verified: {reason}"), "{token}");
    }
    fixture.bring(&changed(json!({"exp": now - 30, "iat": now + 30, "typ": "ID"}))).await.unwrap();
    fixture.bring(&changed(json!({"aud": ["caliber"], "exp": now as f64 + 0.5}))).await.unwrap();
    fixture.bring(&head(|head| head.typ = None)).await.unwrap();
    fixture.bring(&head(|head| head.kid = None)).await.unwrap();
    assert_eq!(stranger.times_asked(), 0, "nobody is asked whom nobody trusts");
}

#[tokio::test]
async fn nobody_signs_by_what_everybody_may_read() {
    let keys = [SigningKey::rsa("r", 2048), SigningKey::ed25519("d")];
    let issuer = Issuer::start(&[&keys[0], &keys[1]]);
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    let claims = issuer.claims("ana");
    fixture.bring(&keys[0].token(&claims)).await.unwrap();
    let decoded = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let secrets = [
        ("r", keys[0].public.to_string().into_bytes()),
        ("r", decoded(&keys[0].public["n"])),
        ("r", keys[0].public["n"].as_str().unwrap().as_bytes().to_vec()),
        ("d", decoded(&keys[1].public["x"])),
        ("r", Vec::new()),
    ];
    for (kid, secret) in secrets {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
            assert!(why(fixture.bring(&token).await).contains("not signed by an algorithm of public keys"));
        }
    }
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    for algorithm in ["none", "None", "nOnE", "", "RS1"] {
        let head = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT", "kid": "r"}).to_string());
        why(fixture.bring(&format!("{head}.{payload}.")).await);
    }
    // Another algorithm than the one that the key is for, and no telling which of two keys it is.
    let other = keys[0].token_with(&claims, |head| head.alg = Algorithm::RS512);
    assert!(why(fixture.bring(&other).await).contains("no such key"));
    let second = SigningKey::ed25519("d2");
    issuer.change(|answers| answers.keys.push(second.public.clone()));
    fixture.clock.advance(Duration::from_hours(1));
    let unnamed =
        keys[1].token_with(&with(claims, &json!({"exp": 9_999_999_999_u64})), |head| head.kid = None);
    assert!(why(fixture.bring(&unnamed).await).contains("no such key"));
}

#[tokio::test]
async fn keys_that_are_not_for_it_are_passed_over() {
    let (good, weak) = (SigningKey::ec("good"), SigningKey::rsa("weak", 1024));
    let mut for_secrecy = SigningKey::ec("secrecy");
    for_secrecy.public["use"] = json!("enc");
    let issuer = Issuer::start(&[&weak, &for_secrecy, &good]);
    issuer.change(|answers| {
        let odd =
            [json!({"kty": "oct", "kid": "o", "k": "c2VjcmV0"}), json!({"kty": "PQ", "kid": 7}), json!(null)];
        answers.keys.extend(odd);
    });
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    let claims = issuer.claims("ana");
    fixture.bring(&good.token(&claims)).await.unwrap();
    for key in [weak, for_secrecy] {
        assert!(why(fixture.bring(&key.token(&claims)).await).contains("no such key"));
    }
}

/// An issuer that has another key than when somebody signed in.
struct Rotated {
    old: SigningKey,
    new: SigningKey,
    issuer: Issuer,
    fixture: Fixture,
    claims: Value,
}

impl Rotated {
    async fn once() -> Self {
        let (old, new) = (SigningKey::ec("old"), SigningKey::ec("new"));
        let issuer = Issuer::start(&[&old]);
        let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
        let claims = with(issuer.claims("ana"), &json!({"exp": 9_999_999_999_u64}));
        fixture.bring(&old.token(&claims)).await.unwrap();
        issuer.change(|answers| answers.keys = vec![new.public.clone()]);
        Self { old, new, issuer, fixture, claims }
    }
}

#[tokio::test]
async fn a_new_key_is_looked_for_at_once_but_not_at_will_of_strangers() {
    let Rotated { old, new, issuer, fixture, claims } = Rotated::once().await;
    fixture.bring(&new.token(&claims)).await.unwrap();
    assert_eq!(issuer.times_asked(), 2);
    why(fixture.bring(&old.token(&claims)).await);
    for turn in 0..50 {
        let guess = new.token_with(&claims, |head| head.kid = Some(format!("guess-{turn}")));
        why(fixture.bring(&guess).await);
    }
    assert_eq!(issuer.times_asked(), 10, "as often as in a minute");
    fixture.bring(&new.token(&claims)).await.unwrap();
    fixture.clock.advance(Duration::from_mins(1));
    issuer.change(|answers| answers.keys = vec![old.public.clone()]);
    fixture.bring(&new.token(&claims)).await.unwrap();
    fixture.bring(&old.token(&claims)).await.unwrap();
    assert_eq!(issuer.times_asked(), 11);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_holds_an_hour_at_most() {
    let Rotated { old, issuer, fixture, claims, .. } = Rotated::once().await;
    fixture.clock.advance(Duration::from_mins(59));
    fixture.bring(&old.token(&claims)).await.unwrap();
    fixture.clock.advance(Duration::from_mins(1));
    assert!(why(fixture.bring(&old.token(&claims)).await).contains("no such key"));
    assert_eq!(issuer.times_asked(), 2, "keys that were just fetched are not fetched again");
}

async fn many_first_sign_ins_at_once_make_one_user_and_ask_once(database: TestDatabase) {
    let key = SigningKey::ec("k");
    let issuer = Issuer::start(&[&key]);
    issuer.change(|answers| answers.delay = Duration::from_millis(100));
    let fixture = Fixture::trusting(database, &[&issuer]);
    let token = key.token(&issuer.claims("ana"));
    let answers = join_all((0..8).map(|_| fixture.bring(&token))).await;
    let mut users: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().user.id).collect();
    users.dedup();
    assert_eq!(users.len(), 1);
    assert_eq!(issuer.times_asked(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_gone_is_told_and_asked_again_when_it_is_back() {
    let key = SigningKey::ec("k");
    let issuer = Issuer::start(&[&key]);
    let (address, claims) = (issuer.address(), issuer.claims("ana"));
    let claims = with(claims, &json!({"exp": 9_999_999_999_u64}));
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    drop(issuer);
    is_unavailable(&fixture.bring(&key.token(&claims)).await);
    let issuer = Issuer::at(&address, &[&key]);
    fixture.bring(&key.token(&claims)).await.unwrap();
    drop(issuer);
    fixture.bring(&key.token(&claims)).await.expect("keys that are known hold on");
    is_unavailable(&fixture.bring(&key.token_with(&claims, |head| head.kid = Some("new".to_owned()))).await);
    fixture.bring(&key.token(&claims)).await.expect("whatever others bring");
    fixture.clock.advance(Duration::from_hours(1));
    is_unavailable(&fixture.bring(&key.token(&claims)).await);
}

#[tokio::test]
async fn an_issuer_that_answers_wrongly_gives_no_keys() {
    type Change = fn(&mut Answers);
    let key = SigningKey::ec("k");
    let elsewhere = Issuer::start(&[&key]);
    let url = elsewhere.url();
    let issuer = Issuer::start(&[&key]);
    let wrong: [(&str, Change); 5] = [
        ("it takes too long", |answers| answers.delay = Duration::from_secs(6)),
        ("there are too many keys", |answers| answers.padding = 10 << 20),
        ("it is another issuer", |answers| {
            answers.claims_to_be = Some("https://accounts.example.com".to_owned());
        }),
        ("its keys are not on this machine", |answers| {
            answers.keys_at = Some("http://192.0.2.1/keys".to_owned());
        }),
        ("its keys are nowhere", |answers| answers.keys_at = Some("keys".to_owned())),
    ];
    for (what, change) in wrong {
        let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
        issuer.change(change);
        let answered = fixture.bring(&key.token(&issuer.claims("ana"))).await;
        assert!(matches!(answered, Err(Error::Unavailable(_))), "{what}: {answered:?}");
        issuer.change(|answers| *answers = Answers { keys: answers.keys.clone(), ..Answers::default() });
        fixture.bring(&key.token(&issuer.claims("ana"))).await.expect(what);
    }
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[&issuer]);
    issuer.change(|answers| answers.moved_to = Some(format!("{url}/.well-known/openid-configuration")));
    is_unavailable(&fixture.bring(&key.token(&issuer.claims("ana"))).await);
    assert_eq!(elsewhere.times_asked(), 0, "it is not followed elsewhere");
}

#[tokio::test]
async fn without_an_issuer_no_token_is_taken() {
    let key = SigningKey::ec("k");
    let issuer = Issuer::start(&[&key]);
    let fixture = Fixture::trusting(TestDatabase::sqlite().await, &[]);
    assert!(why(fixture.bring(&key.token(&issuer.claims("ana"))).await).contains("CALIBER_OIDC_ISSUERS"));
}
