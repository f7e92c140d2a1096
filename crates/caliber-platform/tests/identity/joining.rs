//! Whose account an ID token leads to.

use caliber_platform::Error;
use caliber_platform::identity::permissions::Role;
use caliber_platform::rate_limits::RateLimit;
use caliber_store::{Reach, users};
use caliber_testing::issuer::{Issuer, SigningKey};
use caliber_testing::{TestDatabase, on_both_databases};
use serde_json::{Value, json};

use crate::fixture::{Fixture, PASSWORD};

on_both_databases!(
    who_is_seen_first_is_made_and_no_role_is_taken_from_the_token,
    an_account_is_joined_by_a_verified_address_only,
    what_could_be_another_persons_way_in_ends_when_the_owner_joins,
    an_account_that_was_added_by_who_runs_the_service_keeps_its_password,
    one_account_has_one_identity,
    a_token_without_an_address_makes_nobody,
    who_is_deactivated_stays_out,
);

const HERE: &str = "10.0.0.1";

struct Door {
    fixture: Fixture,
    issuer: Issuer,
    key: SigningKey,
}

impl Door {
    fn new(database: TestDatabase) -> Self {
        let key = SigningKey::ec("k");
        let issuer = Issuer::start(&[&key]);
        Self { fixture: Fixture::trusting(database, &[&issuer]), issuer, key }
    }

    /// A token of somebody, with claims in place of the usual ones; `null` leaves one out.
    fn token(&self, subject: &str, changes: &Value) -> String {
        let mut claims = self.issuer.claims(subject);
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        self.key.token(&claims)
    }
}

#[track_caller]
fn conflict<T: std::fmt::Debug>(answered: Result<T, Error>) -> String {
    match answered {
        Err(Error::Conflict { message, .. }) => message,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn who_is_seen_first_is_made_and_no_role_is_taken_from_the_token(database: TestDatabase) {
    let door = Door::new(database);
    let told = json!({"name": "Ana P\u{e9}rez", "email": "Ana@Example.com", "role": "admin", "roles": ["admin"],
        "organization_id": "0198c0de-0000-7000-8000-000000000000"});
    let ana = door.fixture.bring(&door.token("1", &told)).await.unwrap().user;
    assert_eq!(
        (ana.name.as_str(), ana.email.as_str(), ana.role),
        ("Ana P\u{e9}rez", "Ana@Example.com", Role::Manager)
    );
    assert!(ana.email_verified && ana.password_hash.is_none());
    for (subject, name) in
        [("2", json!(null)), ("3", json!("")), ("4", json!("a\u{7}b")), ("5", json!("x".repeat(256)))]
    {
        let email = format!("user{subject}+tag@example.com");
        let token = door.token(subject, &json!({"name": name, "email": email, "email_verified": false}));
        let user = door.fixture.bring(&token).await.unwrap().user;
        assert_eq!((user.name, user.email_verified), (format!("user{subject}+tag"), false));
        assert_ne!(user.organization_id, ana.organization_id);
    }
    // Whatever the token says later, it is the same person.
    let later = door.token("1", &json!({"email": "other@example.com", "name": "Eve"}));
    let again = door.fixture.bring(&later).await.unwrap().user;
    assert_eq!(
        (again.id, again.name.as_str(), again.email.as_str()),
        (ana.id, "Ana P\u{e9}rez", "Ana@Example.com")
    );
}

async fn an_account_is_joined_by_a_verified_address_only(database: TestDatabase) {
    let door = Door::new(database);
    let ana = door.fixture.registered("ana").await.user;
    for unsure in [json!(false), json!(null), json!("false"), json!("yes")] {
        let answered = door.fixture.bring(&door.token("ana", &json!({"email_verified": unsure}))).await;
        assert!(conflict(answered).contains("has an account already"));
    }
    door.fixture.sign_in("ana@example.com", PASSWORD, HERE).await.expect("nothing has changed");
    let joined =
        door.fixture.bring(&door.token("ana", &json!({"email": "ANA@example.com"}))).await.unwrap().user;
    assert_eq!((joined.id, joined.email_verified), (ana.id, true));
    assert_eq!((joined.role, joined.organization_id), (ana.role, ana.organization_id));
    let ben = door.fixture.registered("ben").await.user;
    let joined =
        door.fixture.bring(&door.token("ben", &json!({"email_verified": "true"}))).await.unwrap().user;
    assert_eq!(joined.id, ben.id);
}

async fn what_could_be_another_persons_way_in_ends_when_the_owner_joins(database: TestDatabase) {
    let door = Door::new(database);
    // Somebody registered with an address that is not theirs, and stays signed in.
    door.fixture.registered("ana").await;
    let before = door.fixture.sign_in("ana@example.com", PASSWORD, HERE).await.unwrap();
    let caliber_platform::identity::Tokens::Bearer { access, refresh } = before.tokens else {
        panic!("a pair")
    };
    door.fixture.bring(&door.token("ana", &json!({}))).await.unwrap();
    let identity = door.fixture.platform.identity();
    assert!(matches!(identity.caller_of_access_token(&access).await, Err(Error::NotSignedIn(_))));
    assert!(matches!(identity.refresh(&refresh).await, Err(Error::NotSignedIn(_))));
    let answered = door.fixture.sign_in("ana@example.com", PASSWORD, HERE).await;
    assert!(matches!(answered, Err(Error::NotSignedIn(_))));
    // Whoever runs the service can give the owner a password again, which then stays.
    let link = identity.password_link("ana@example.com").await.unwrap();
    identity.set_password_by_link(&link.token, PASSWORD).await.unwrap();
    door.fixture.bring(&door.token("ana", &json!({}))).await.unwrap();
    door.fixture.sign_in("ana@example.com", PASSWORD, HERE).await.unwrap();
}

async fn an_account_that_was_added_by_who_runs_the_service_keeps_its_password(database: TestDatabase) {
    let door = Door::new(database);
    let root =
        door.fixture.platform.identity().add("root@example.com", Role::Admin, Some(PASSWORD)).await.unwrap();
    let joined = door.fixture.bring(&door.token("root", &json!({}))).await.unwrap().user;
    assert_eq!((joined.id, joined.role), (root.id, Role::Admin));
    door.fixture.sign_in("root@example.com", PASSWORD, HERE).await.unwrap();
}

async fn one_account_has_one_identity(database: TestDatabase) {
    let (key, other_key) = (SigningKey::ec("k"), SigningKey::ec("k"));
    let (issuer, other) = (Issuer::start(&[&key]), Issuer::start(&[&other_key]));
    let list = format!("{}=caliber,{}=caliber", issuer.url(), other.url());
    let trusted = caliber_platform::identity::trusted_issuers(&list).unwrap();
    let fixture = Fixture::new(database, RateLimit::OFF, trusted);
    let ana = fixture.bring(&key.token(&issuer.claims("ana"))).await.unwrap().user;
    // The same subject of another issuer is somebody else, and so is another subject with the address.
    let mut namesake = other.claims("ana");
    namesake["email"] = json!("namesake@example.com");
    assert_ne!(fixture.bring(&other_key.token(&namesake)).await.unwrap().user.id, ana.id);
    let mut successor = issuer.claims("successor");
    successor["email"] = json!("ana@example.com");
    assert!(conflict(fixture.bring(&key.token(&successor)).await).contains("another identity"));
    let mut elsewhere = other.claims("elsewhere");
    elsewhere["email"] = json!("ana@example.com");
    assert!(conflict(fixture.bring(&other_key.token(&elsewhere)).await).contains("another identity"));
    // An issuer does not speak for another one.
    let mut forged = issuer.claims("ana");
    forged["iss"] = json!(other.url());
    assert!(matches!(fixture.bring(&key.token(&forged)).await, Err(Error::NotSignedIn(_))));
}

async fn a_token_without_an_address_makes_nobody(database: TestDatabase) {
    let door = Door::new(database);
    for email in [json!(null), json!(""), json!(" "), json!("no address"), json!("a\u{0}@example.com")] {
        let answered = door.fixture.bring(&door.token("ana", &json!({"email": email}))).await;
        let Err(Error::Invalid(problems)) = answered else { panic!("{email}: {answered:?}") };
        assert!(
            problems[0].field == "token" && problems[0].message.contains("scope `email`"),
            "{problems:?}"
        );
    }
    door.fixture.bring(&door.token("ana", &json!({}))).await.unwrap();
    door.fixture.bring(&door.token("ana", &json!({"email": null}))).await.expect("who is known needs none");
}

async fn who_is_deactivated_stays_out(database: TestDatabase) {
    let door = Door::new(database);
    let known = door.fixture.bring(&door.token("ana", &json!({}))).await.unwrap().user;
    let unjoined = door.fixture.registered("ben").await.user;
    let (db, now) = (door.fixture.platform.store().db(), door.fixture.platform.now());
    for user in [known.id, unjoined.id] {
        users::set_active(db, Reach::INSTANCE, user, false, now).await.unwrap();
    }
    for subject in ["ana", "ben"] {
        let answered = door.fixture.bring(&door.token(subject, &json!({}))).await;
        assert!(matches!(answered, Err(Error::NotSignedIn(_))), "{subject}: {answered:?}");
    }
    let ben = users::by_email(db, "ben@example.com").await.unwrap().unwrap();
    assert!(ben.external_subject.is_none() && ben.password_hash.is_some(), "nothing of it has changed");
    let answered = door.fixture.sign_in("ben@example.com", PASSWORD, HERE).await;
    assert!(matches!(answered, Err(Error::NotSignedIn(_))));
}
