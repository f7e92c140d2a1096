//! Users, sessions, links, invitations.

use caliber_store::invitations::{self, NewInvitation};
use caliber_store::recipes;
use caliber_store::sessions::{self, SessionEnd, SessionKind};
use caliber_store::users::{self, Deleted, Role};
use caliber_store::{Reach, Window, organizations, password_links};
use caliber_testing::{TestDatabase, on_both_databases};
use futures_util::future::join_all;

use super::rows::{self, at};

on_both_databases!(
    an_address_is_taken_whatever_its_case,
    of_many_at_once_one_gets_the_address,
    an_identity_at_an_issuer_is_one_users,
    an_address_with_a_nul_is_nobodys,
    another_organisations_users_are_not_there,
    a_refresh_token_is_good_once,
    of_many_refreshes_at_once_one_succeeds,
    a_new_password_ends_all_other_sessions,
    a_session_comes_with_its_user,
    old_sessions_are_cleared_away,
    a_password_link_is_good_once_and_for_a_while,
    an_invitation_is_accepted_once,
    what_one_has_comes_along_to_another_organisation,
    a_deleted_users_campaigns_go_to_the_oldest_manager,
    the_last_who_may_inherit_cannot_be_deleted,
    an_organisation_that_has_something_is_not_deleted,
    a_recipes_name_is_taken_once_an_organisation,
);

async fn an_address_is_taken_whatever_its_case(database: TestDatabase) {
    let store = database.store();
    let organization = rows::organization(store).await;
    let user = rows::user(store, organization.id, " Zoë@Example.com ", Role::Manager).await;
    assert_eq!(user.email, "Zoë@Example.com");

    let again = rows::new_user(organization.id, "ZOË@example.COM", Role::Viewer);
    let error = users::create(store.db(), again, at(1)).await.unwrap_err();
    assert!(error.conflicts_on(users::UNIQUE_EMAIL), "{error:?}");
    assert_eq!(users::by_email(store.db(), "zoË@EXAMPLE.com").await.unwrap(), Some(user));
}

async fn of_many_at_once_one_gets_the_address(database: TestDatabase) {
    let store = database.store();
    let organization = rows::organization(store).await;
    let all = join_all((0..20).map(|index| async move {
        let email = if index % 2 == 0 { "new@example.com" } else { "NEW@example.com" };
        users::create(store.db(), rows::new_user(organization.id, email, Role::Viewer), at(1)).await
    }))
    .await;
    let (made, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|error| error.as_ref().unwrap_err().conflicts_on(users::UNIQUE_EMAIL)));
}

async fn an_identity_at_an_issuer_is_one_users(database: TestDatabase) {
    let store = database.store();
    let organization = rows::organization(store).await;
    let first = rows::user(store, organization.id, "a@example.com", Role::Viewer).await;
    let second = rows::user(store, organization.id, "b@example.com", Role::Viewer).await;
    let linked = users::link_external(store.db(), first.id, "https://issuer", "7", at(1)).await.unwrap();
    assert!(linked.unwrap().email_verified);

    let error = users::link_external(store.db(), second.id, "https://issuer", "7", at(1)).await.unwrap_err();
    assert!(error.conflicts_on(users::UNIQUE_EXTERNAL), "{error:?}");
    users::link_external(store.db(), second.id, "https://other", "7", at(1)).await.unwrap();
    let taken = users::link_external(store.db(), second.id, "https://third", "7", at(1)).await.unwrap();
    assert_eq!(taken, None, "one identity an account");
    let found = users::by_external(store.db(), "https://issuer", "7").await.unwrap();
    assert_eq!(found.unwrap().id, first.id);
    assert_eq!(users::by_external(store.db(), "https://issuer", "8").await.unwrap(), None);
}

async fn an_address_with_a_nul_is_nobodys(database: TestDatabase) {
    let store = database.store();
    assert_eq!(users::by_email(store.db(), "a\0@example.com").await.unwrap(), None);
    assert_eq!(users::by_external(store.db(), "\0", "\0").await.unwrap(), None);
}

async fn another_organisations_users_are_not_there(database: TestDatabase) {
    let store = database.store();
    let (ours, theirs) = (rows::manager(store).await, rows::manager(store).await);
    let reach = Reach::organization(ours.organization_id);
    assert_eq!(users::by_id(store.db(), reach, theirs.id).await.unwrap(), None);
    assert_eq!(users::by_id(store.db(), reach, ours.id).await.unwrap(), Some(ours.clone()));
    assert_eq!(users::set_role(store.db(), reach, theirs.id, Role::Viewer, at(1)).await.unwrap(), None);
    let page = users::list(store.db(), reach, Window::first(10)).await.unwrap();
    assert_eq!((page.total, page.rows), (1, vec![ours.clone()]));
    let all = users::list(store.db(), Reach::INSTANCE, Window { skip: 1, limit: 10 }).await.unwrap();
    assert_eq!((all.total, all.rows.len()), (2, 1));

    let theirs_is = Reach::organization(theirs.organization_id);
    assert_eq!(organizations::by_id(store.db(), theirs_is, ours.organization_id).await.unwrap(), None);
}

async fn a_refresh_token_is_good_once(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let session = sessions::create(store.db(), user.id, SessionKind::Bearer, &[1; 32], at(100), at(0));
    let session = session.await.unwrap();
    let rotate = async |old: u8, new: u8, now: i64| {
        sessions::rotate(store.db(), session.id, &[old; 32], &[new; 32], at(now + 100), at(now))
            .await
            .unwrap()
    };
    assert!(rotate(1, 2, 10).await);
    assert!(!rotate(1, 3, 11).await, "the old one came again");
    assert!(rotate(2, 3, 12).await);
    assert!(!rotate(3, 4, 112).await, "it has expired");
    assert!(sessions::end(store.db(), session.id, SessionEnd::RefreshReused, at(13)).await.unwrap());
    assert!(!rotate(3, 4, 14).await, "it has ended");
    assert!(!sessions::end(store.db(), session.id, SessionEnd::Logout, at(15)).await.unwrap());
    let (session, _) = sessions::with_user(store.db(), session.id).await.unwrap().unwrap();
    assert_eq!(session.ended_because, Some(SessionEnd::RefreshReused));
    assert_eq!(session.ended_at, Some(at(13)));
}

async fn of_many_refreshes_at_once_one_succeeds(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let session = sessions::create(store.db(), user.id, SessionKind::Bearer, &[0; 32], at(100), at(0));
    let id = session.await.unwrap().id;
    let all = (1..=20_u8).map(|new| async move {
        sessions::rotate(store.db(), id, &[0; 32], &[new; 32], at(200), at(1)).await
    });
    let rotated = join_all(all).await.into_iter().filter(|rotated| *rotated.as_ref().unwrap()).count();
    assert_eq!(rotated, 1);
}

async fn a_new_password_ends_all_other_sessions(database: TestDatabase) {
    let store = database.store();
    let (user, other) = (rows::manager(store).await, rows::manager(store).await);
    let mut ids = Vec::new();
    for of in [&user, &user, &user, &other] {
        let session = sessions::create(store.db(), of.id, SessionKind::Cookie, &[0; 32], at(100), at(0));
        ids.push(session.await.unwrap().id);
    }
    let txn = store.begin().await.unwrap();
    users::set_password(&txn, user.id, "hash", at(5)).await.unwrap();
    let ended = sessions::end_all_of(&txn, user.id, Some(ids[0]), SessionEnd::PasswordChanged, at(5));
    assert_eq!(ended.await.unwrap(), 2);
    txn.commit().await.unwrap();
    for (id, live) in ids.into_iter().zip([true, false, false, true]) {
        let (session, _) = sessions::with_user(store.db(), id).await.unwrap().unwrap();
        assert_eq!(session.is_live(at(6)), live);
    }
}

async fn a_session_comes_with_its_user(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let made = sessions::create(store.db(), user.id, SessionKind::Cookie, &[9; 32], at(100), at(0));
    let made = made.await.unwrap();
    sessions::note_use(store.db(), made.id, at(0), at(30)).await.unwrap();
    let (session, of) = sessions::with_user(store.db(), made.id).await.unwrap().unwrap();
    assert_eq!((session, of), (made.clone(), user), "a use is noted now and then, not always");
    sessions::note_use(store.db(), made.id, at(1), at(30)).await.unwrap();
    let (session, _) = sessions::with_user(store.db(), made.id).await.unwrap().unwrap();
    assert_eq!(session.last_used_at, at(30));
    assert!(session.is_live(at(99)) && !session.is_live(at(100)));
    let unknown = caliber_store::SessionId::new(at(0));
    assert_eq!(sessions::with_user(store.db(), unknown).await.unwrap(), None);
}

async fn old_sessions_are_cleared_away(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    for expires in [10, 50] {
        let session =
            sessions::create(store.db(), user.id, SessionKind::Cookie, &[9; 32], at(expires), at(0));
        session.await.unwrap();
    }
    let ended = sessions::create(store.db(), user.id, SessionKind::Cookie, &[9; 32], at(100), at(0));
    sessions::end(store.db(), ended.await.unwrap().id, SessionEnd::Logout, at(5)).await.unwrap();
    assert_eq!(sessions::delete_old(store.db(), at(20)).await.unwrap(), 2);
    assert_eq!(sessions::delete_old(store.db(), at(20)).await.unwrap(), 0);
}

async fn a_password_link_is_good_once_and_for_a_while(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    password_links::create(store.db(), user.id, &[1; 32], at(100), at(0)).await.unwrap();
    password_links::create(store.db(), user.id, &[2; 32], at(10), at(0)).await.unwrap();
    let redeem = async |token: u8| password_links::redeem(store.db(), &[token; 32], at(10)).await.unwrap();
    assert_eq!(redeem(1).await, Some(user.id));
    assert_eq!(redeem(1).await, None);
    assert_eq!(redeem(2).await, None, "its time is over");
    assert_eq!(redeem(3).await, None, "there is none");
    assert_eq!(password_links::delete_old(store.db(), at(11)).await.unwrap(), 2);
}

async fn an_invitation_is_accepted_once(database: TestDatabase) {
    let store = database.store();
    let (inviting, joining) = (rows::manager(store).await, rows::manager(store).await);
    let invitation = |token: u8, expires: i64| NewInvitation {
        organization_id: inviting.organization_id,
        role: Role::Analyst,
        email: None,
        token_hash: [token; 32],
        invited_by: inviting.id,
        expires_at: at(expires),
    };
    let open = invitations::create(store.db(), invitation(1, 100), at(0)).await.unwrap();
    assert!(open.is_open(at(99)) && !open.is_open(at(100)));
    assert_eq!(invitations::by_token(store.db(), &[1; 32]).await.unwrap(), Some(open.clone()));
    let accepting = (0..10).map(|_| invitations::accept(store.db(), &[1; 32], joining.id, at(1)));
    let accepted: Vec<_> = join_all(accepting).await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].accepted_by, Some(joining.id));

    let reach = Reach::organization(inviting.organization_id);
    assert!(!invitations::delete_open(store.db(), reach, open.id).await.unwrap(), "it was accepted");
    let late = invitations::create(store.db(), invitation(2, 1), at(0)).await.unwrap();
    assert_eq!(invitations::accept(store.db(), &[2; 32], joining.id, at(1)).await.unwrap(), None);
    let others = Reach::organization(joining.organization_id);
    assert!(!invitations::delete_open(store.db(), others, late.id).await.unwrap());
    assert!(invitations::delete_open(store.db(), reach, late.id).await.unwrap());
    let left = invitations::list(store.db(), reach, Window::first(10)).await.unwrap();
    assert_eq!(left.total, 1);
}

async fn what_one_has_comes_along_to_another_organisation(database: TestDatabase) {
    let store = database.store();
    let (joining, inviting) = (rows::manager(store).await, rows::manager(store).await);
    let campaign = rows::campaign(store, &joining, "mine").await;
    let upload = rows::upload(store, &joining).await;
    recipes::create(store.db(), joining.organization_id, joining.id, "r", "", at(0)).await.unwrap();
    let to = inviting.organization_id;

    let txn = store.begin().await.unwrap();
    let moved = users::move_to_organization(&txn, joining.id, to, Role::Analyst, at(1)).await.unwrap();
    assert!(organizations::delete_if_empty(&txn, joining.organization_id).await.unwrap());
    txn.commit().await.unwrap();

    let moved = moved.unwrap();
    assert_eq!((moved.organization_id, moved.role), (to, Role::Analyst));
    let reach = Reach::organization(to);
    assert!(caliber_store::campaigns::by_id(store.db(), reach, campaign.id).await.unwrap().is_some());
    assert!(caliber_store::uploads::by_id(store.db(), reach, upload.id).await.unwrap().is_some());
    assert_eq!(recipes::list(store.db(), reach).await.unwrap().len(), 1);
}

async fn a_deleted_users_campaigns_go_to_the_oldest_manager(database: TestDatabase) {
    let store = database.store();
    let oldest = rows::manager(store).await;
    let later = rows::new_user(oldest.organization_id, "later@example.com", Role::Manager);
    users::create(store.db(), later, at(1)).await.unwrap();
    let leaving = rows::user(store, oldest.organization_id, "leaving@example.com", Role::Analyst).await;
    let campaign = rows::campaign(store, &leaving, "theirs").await;
    let upload = rows::upload(store, &leaving).await;
    let session = sessions::create(store.db(), leaving.id, SessionKind::Cookie, &[0; 32], at(100), at(0));
    let session = session.await.unwrap();
    let recipe =
        recipes::create(store.db(), leaving.organization_id, leaving.id, "r", "", at(0)).await.unwrap();

    let elsewhere = Reach::organization(rows::organization(store).await.id);
    let reach = Reach::organization(oldest.organization_id);
    let txn = store.begin().await.unwrap();
    assert_eq!(users::delete(&txn, elsewhere, leaving.id, at(2)).await.unwrap(), Deleted::Missing);
    let deleted = users::delete(&txn, reach, leaving.id, at(2)).await.unwrap();
    txn.commit().await.unwrap();

    assert_eq!(deleted, Deleted::Done { heir: Some(oldest.id) });
    assert_eq!(rows::reload(store, campaign.id).await.user_id, oldest.id);
    let upload = caliber_store::uploads::by_id(store.db(), reach, upload.id).await.unwrap();
    assert_eq!(upload.unwrap().user_id, oldest.id);
    assert_eq!(sessions::with_user(store.db(), session.id).await.unwrap(), None);
    assert_eq!(recipes::by_id(store.db(), reach, recipe.id).await.unwrap().unwrap().user_id, None);
}

async fn the_last_who_may_inherit_cannot_be_deleted(database: TestDatabase) {
    let store = database.store();
    let last = rows::manager(store).await;
    rows::user(store, last.organization_id, "viewer@example.com", Role::Viewer).await;
    let gone = rows::user(store, last.organization_id, "gone@example.com", Role::Manager).await;
    users::set_active(store.db(), Reach::INSTANCE, gone.id, false, at(1)).await.unwrap();
    let campaign = rows::campaign(store, &last, "kept").await;

    let txn = store.begin().await.unwrap();
    assert_eq!(users::delete(&txn, Reach::INSTANCE, last.id, at(2)).await.unwrap(), Deleted::NoHeir);
    txn.commit().await.unwrap();
    assert!(users::by_id(store.db(), Reach::INSTANCE, last.id).await.unwrap().is_some());

    let txn = store.begin().await.unwrap();
    caliber_store::campaigns::delete(&txn, Reach::INSTANCE, campaign.id, false).await.unwrap();
    let deleted = users::delete(&txn, Reach::INSTANCE, last.id, at(3)).await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(deleted, Deleted::Done { heir: None });
}

async fn an_organisation_that_has_something_is_not_deleted(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    assert!(!organizations::delete_if_empty(store.db(), user.organization_id).await.unwrap());
    let empty = rows::organization(store).await;
    assert!(organizations::delete_if_empty(store.db(), empty.id).await.unwrap());
}

async fn a_recipes_name_is_taken_once_an_organisation(database: TestDatabase) {
    let store = database.store();
    let (one, other) = (rows::manager(store).await, rows::manager(store).await);
    let create = async |of: &users::User| {
        recipes::create(store.db(), of.organization_id, of.id, "own", "version = 1", at(0)).await
    };
    let made = create(&one).await.unwrap();
    let error = create(&one).await.unwrap_err();
    assert!(error.conflicts_on(recipes::UNIQUE_NAME), "{error:?}");
    create(&other).await.unwrap();
    let found = recipes::by_name(store.db(), one.organization_id, "own").await.unwrap();
    assert_eq!(found, Some(made.clone()));
    let others = Reach::organization(other.organization_id);
    assert!(!recipes::delete(store.db(), others, made.id).await.unwrap());
    assert!(recipes::delete(store.db(), Reach::INSTANCE, made.id).await.unwrap());
}
