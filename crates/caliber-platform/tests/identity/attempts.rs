//! Guessing passwords: five failures for an address or from one, and then nobody is let in for a while.

use std::time::Duration;

use caliber_platform::Error;
use caliber_platform::identity::SessionKind;
use caliber_testing::{TestDatabase, on_both_databases};
use futures_util::future::join_all;

use crate::fixture::{Fixture, PASSWORD};

on_both_databases!(
    after_five_failures_for_an_address_its_right_password_is_refused_too,
    after_five_failures_from_a_client_every_address_is_refused_there,
    a_success_takes_no_failure_back,
    ones_present_password_is_no_way_to_guess,
    of_many_guesses_at_once_five_are_answered,
    registering_signs_in_also_where_others_failed,
);

const ANA: &str = "ana@example.com";
const HERE: &str = "10.0.0.1";

async fn fixture(database: TestDatabase) -> Fixture {
    let fixture = Fixture::new(database, "5/15m".parse().unwrap(), Vec::new());
    fixture.registered("ana").await;
    fixture
}

/// So many failures, each for an address and from a client's.
async fn fail(fixture: &Fixture, times: u8, email: &str, client: impl Fn(u8) -> String) {
    for turn in 0..times {
        let answered = fixture.sign_in(email, "wrong", &client(turn)).await.unwrap_err();
        assert!(matches!(answered, Error::NotSignedIn(_)), "{turn}: {answered:?}");
    }
}

fn elsewhere(turn: u8) -> String {
    format!("10.0.1.{turn}")
}

#[track_caller]
fn wait<T: std::fmt::Debug>(answered: Result<T, Error>) -> Duration {
    match answered {
        Err(Error::Limit { retry_after }) => retry_after,
        other => panic!("not refused for too many attempts: {other:?}"),
    }
}

async fn after_five_failures_for_an_address_its_right_password_is_refused_too(database: TestDatabase) {
    let fixture = fixture(database).await;
    for email in ["Ana@Example.com", "nobody@example.com"] {
        fail(&fixture, 5, email, elsewhere).await;
        let left = wait(fixture.sign_in(email, PASSWORD, HERE).await);
        assert!(left <= Duration::from_mins(15) && left > Duration::from_mins(14), "{email}: {left:?}");
        fixture.clock.advance(Duration::from_mins(7));
        assert!(wait(fixture.sign_in(email, "wrong", HERE).await) <= Duration::from_mins(8), "{email}");
        fixture.clock.advance(Duration::from_mins(8));
    }
    fixture.sign_in(ANA, PASSWORD, HERE).await.unwrap();
}

async fn after_five_failures_from_a_client_every_address_is_refused_there(database: TestDatabase) {
    let fixture = fixture(database).await;
    for turn in 0..5 {
        fail(&fixture, 1, &format!("guess{turn}@example.com"), |_| HERE.to_owned()).await;
    }
    wait(fixture.sign_in(ANA, PASSWORD, HERE).await);
    fixture.sign_in(ANA, PASSWORD, &elsewhere(0)).await.unwrap();
    fixture.clock.advance(Duration::from_mins(15));
    fixture.sign_in(ANA, PASSWORD, HERE).await.unwrap();
}

async fn a_success_takes_no_failure_back(database: TestDatabase) {
    let fixture = fixture(database).await;
    fixture.registered("eve").await;
    // Who has an account here signs in between guesses.
    for _ in 0..2 {
        fail(&fixture, 2, ANA, |_| HERE.to_owned()).await;
        fixture.sign_in("eve@example.com", PASSWORD, HERE).await.unwrap();
    }
    fail(&fixture, 1, ANA, |_| HERE.to_owned()).await;
    wait(fixture.sign_in("eve@example.com", PASSWORD, HERE).await);
    wait(fixture.sign_in(ANA, PASSWORD, &elsewhere(0)).await);
    fixture.sign_in("eve@example.com", PASSWORD, &elsewhere(0)).await.unwrap();
}

async fn ones_present_password_is_no_way_to_guess(database: TestDatabase) {
    let fixture = fixture(database).await;
    let ben = fixture.registered("ben").await;
    let change = |current: &'static str| {
        let identity = fixture.platform.identity();
        let ben = &ben;
        async move {
            identity.change_password(ben, current, "seven quiet rivers at dusk", HERE.parse().unwrap()).await
        }
    };
    for _ in 0..5 {
        assert!(matches!(change("wrong").await, Err(Error::Invalid(_))));
    }
    wait(change(PASSWORD).await);
    wait(fixture.sign_in("ben@example.com", PASSWORD, &elsewhere(0)).await);
    fixture.clock.advance(Duration::from_mins(15));
    change(PASSWORD).await.unwrap();
}

async fn of_many_guesses_at_once_five_are_answered(database: TestDatabase) {
    let fixture = fixture(database).await;
    let guesses = (0..12).map(|_| fixture.sign_in(ANA, "wrong", HERE));
    let answers = join_all(guesses).await;
    let told = answers.iter().filter(|answer| matches!(answer, Err(Error::NotSignedIn(_)))).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Limit { .. }))).count();
    assert_eq!((told, refused), (5, 7));
    fixture.clock.advance(Duration::from_mins(15));
    let right = join_all((0..12).map(|_| fixture.sign_in(ANA, PASSWORD, HERE))).await;
    assert!(right.iter().all(Result::is_ok), "right ones at once do not stand in each other's way");
}

async fn registering_signs_in_also_where_others_failed(database: TestDatabase) {
    let fixture = fixture(database).await;
    fail(&fixture, 5, "new@example.com", |_| HERE.to_owned()).await;
    let identity = fixture.platform.identity();
    let registered =
        identity.register_and_sign_in("new@example.com", PASSWORD, "New", SessionKind::Cookie).await;
    assert_eq!(registered.unwrap().user.email, "new@example.com");
}
