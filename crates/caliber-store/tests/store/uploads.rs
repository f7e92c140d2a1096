//! Uploads and whose they are.

use caliber_store::uploads::{self, Attached, NotAttached, Upload, UploadStatus};
use caliber_store::{Attempt, CampaignId, Reach, Store, UploadId, Window};
use caliber_testing::{TestDatabase, on_both_databases};

use super::rows::{self, at};

on_both_databases!(
    a_new_file_takes_the_place_of_the_former,
    a_file_of_another_campaign_is_not_taken,
    a_campaign_that_is_processing_keeps_its_file,
    another_organisations_file_is_not_there,
    a_file_is_deleted_unless_it_is_being_read,
    orphans_are_told_by_when_they_became_so,
    a_status_is_noted,
);

async fn attach(store: &Store, upload: UploadId, campaign: CampaignId) -> Attempt<Attached, NotAttached> {
    let txn = store.begin().await.unwrap();
    let attached = uploads::attach(&txn, Reach::INSTANCE, upload, campaign, at(5)).await.unwrap();
    txn.commit().await.unwrap();
    attached
}

async fn a_new_file_takes_the_place_of_the_former(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let (first, second) = (rows::upload(store, &user).await, rows::upload(store, &user).await);
    let Attempt::Done(attached) = attach(store, first.id, campaign.id).await else { panic!("it is free") };
    assert_eq!((attached.replaced, attached.upload.status), (None, UploadStatus::Assigned));
    let Attempt::Done(again) = attach(store, first.id, campaign.id).await else { panic!("it is its own") };
    assert_eq!((again.replaced, again.upload.id), (None, first.id));

    let Attempt::Done(attached) = attach(store, second.id, campaign.id).await else { panic!("it is free") };
    assert_eq!(attached.replaced.unwrap().id, first.id);
    assert_eq!(uploads::of_campaign(store.db(), campaign.id).await.unwrap().unwrap().id, second.id);
    let all = uploads::of_campaigns(store.db(), &[campaign.id]).await.unwrap();
    assert_eq!(all.len(), 1);
    let former = uploads::by_id(store.db(), Reach::INSTANCE, first.id).await.unwrap().unwrap();
    assert_eq!((former.campaign_id, former.status), (None, UploadStatus::Uploaded));
}

async fn a_file_of_another_campaign_is_not_taken(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let one = rows::campaign(store, &user, "one").await;
    let other = rows::campaign(store, &user, "other").await;
    let (upload, kept) = (rows::upload(store, &user).await, rows::upload(store, &user).await);
    attach(store, upload.id, one.id).await;
    attach(store, kept.id, other.id).await;

    let txn = store.begin().await.unwrap();
    let refused = uploads::attach(&txn, Reach::INSTANCE, upload.id, other.id, at(6)).await.unwrap();
    txn.rollback().await.unwrap();
    assert_eq!(refused, Attempt::Refused(NotAttached::Taken(one.id)));
    assert_eq!(uploads::of_campaign(store.db(), other.id).await.unwrap().unwrap().id, kept.id);
}

async fn a_campaign_that_is_processing_keeps_its_file(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let (upload, late) = (rows::upload(store, &user).await, rows::upload(store, &user).await);
    attach(store, upload.id, campaign.id).await;
    rows::start(store, campaign.id, upload.id).await.unwrap();
    let refused = attach(store, late.id, campaign.id).await;
    assert!(matches!(refused, Attempt::Refused(NotAttached::Processing(_))), "{refused:?}");
}

async fn another_organisations_file_is_not_there(database: TestDatabase) {
    let store = database.store();
    let (ours, theirs) = (rows::manager(store).await, rows::manager(store).await);
    let campaign = rows::campaign(store, &ours, "c").await;
    let upload = rows::upload(store, &theirs).await;
    assert_eq!(
        attach(store, upload.id, campaign.id).await,
        Attempt::Missing,
        "not by the administrator either"
    );
    let reach = Reach::organization(ours.organization_id);
    assert_eq!(uploads::by_id(store.db(), reach, upload.id).await.unwrap(), None);
    let page = uploads::list(store.db(), reach, Window::first(10)).await.unwrap();
    assert_eq!(page.total, 0);
}

async fn delete(store: &Store, upload: &Upload) -> Attempt<Upload> {
    let txn = store.begin().await.unwrap();
    let deleted = uploads::delete(&txn, Reach::INSTANCE, upload.id).await.unwrap();
    txn.commit().await.unwrap();
    deleted
}

async fn a_file_is_deleted_unless_it_is_being_read(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let (read, free) = (rows::upload(store, &user).await, rows::upload(store, &user).await);
    attach(store, read.id, campaign.id).await;
    let run = rows::start(store, campaign.id, read.id).await.unwrap();
    assert!(matches!(delete(store, &read).await, Attempt::Refused(_)));
    assert_eq!(delete(store, &free).await, Attempt::Done(free.clone()));
    assert_eq!(delete(store, &free).await, Attempt::Missing);
    assert!(rows::publish(store, &run).await);
    assert!(matches!(delete(store, &read).await, Attempt::Done(_)));
    let run = caliber_store::runs::by_id(store.db(), campaign.id, run.id).await.unwrap().unwrap();
    assert_eq!(run.upload_id, None, "the run outlives its file");
}

async fn orphans_are_told_by_when_they_became_so(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let (orphan, former, current) = (
        rows::upload(store, &user).await,
        rows::upload(store, &user).await,
        rows::upload(store, &user).await,
    );
    attach(store, former.id, campaign.id).await;
    attach(store, current.id, campaign.id).await;
    let orphans = async |before| {
        let found = uploads::orphans(store.db(), before, 10).await.unwrap();
        found.into_iter().map(|upload| upload.id).collect::<Vec<_>>()
    };
    assert_eq!(orphans(at(0)).await, []);
    assert_eq!(orphans(at(5)).await, [orphan.id], "the former was let go at 5");
    assert_eq!(orphans(at(6)).await, [orphan.id, former.id]);
}

async fn a_status_is_noted(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let upload = rows::upload(store, &user).await;
    let set =
        uploads::set_status(store.db(), Reach::INSTANCE, upload.id, UploadStatus::Rejected).await.unwrap();
    assert_eq!(set.unwrap().status, UploadStatus::Rejected);
    let elsewhere = Reach::organization(rows::organization(store).await.id);
    let set = uploads::set_status(store.db(), elsewhere, upload.id, UploadStatus::Validated).await.unwrap();
    assert_eq!(set, None);
}
