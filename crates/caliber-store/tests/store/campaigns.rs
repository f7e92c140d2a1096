//! Campaigns, runs, templates and list versions.

use caliber_store::campaigns::{
    self, Campaign, CampaignChange, CampaignStatus, Channel, Filter, Outcome, Progress, Settings,
};
use caliber_store::list_versions::{self, ListType, NewListVersion};
use caliber_store::runs::{self, RunState};
use caliber_store::{Attempt, Reach, RunId, Store, StoreError, TemplateId, Window, templates};
use caliber_testing::{TestDatabase, on_both_databases};
use futures_util::future::join_all;
use serde_json::json;

use super::rows::{self, at};

on_both_databases!(
    what_is_written_is_read_back_to_the_last_digit,
    a_list_is_newest_first_in_pages,
    a_search_takes_every_character_for_itself,
    reach_is_part_of_every_query,
    settings_change_while_nothing_was_scored,
    twenty_starts_at_once_make_one_run,
    a_run_is_published_once_and_by_the_active_run_alone,
    after_a_failure_the_older_results_stand,
    after_a_cancel_the_campaign_is_as_complete_as_before,
    progress_is_the_active_runs_alone,
    an_outside_worker_moves_only_where_it_may,
    a_template_in_use_is_not_deleted,
    a_template_that_is_not_there_is_told,
    a_campaign_is_deleted_with_all_that_is_its_own,
    versions_are_numbered_one_after_another,
);

async fn what_is_written_is_read_back_to_the_last_digit(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let made = rows::campaign(store, &user, "Größe").await;
    assert_eq!(rows::reload(store, made.id).await, made);
    assert_eq!((made.created_at, made.status), (at(0), CampaignStatus::Pending));

    let upload = rows::upload(store, &user).await;
    let run = rows::start(store, made.id, upload.id).await.unwrap();
    assert!(runs::begin(store.db(), run.id, at(1)).await.unwrap());
    assert!(runs::begin(store.db(), run.id, at(5)).await.unwrap(), "again after a crash");
    assert!(rows::publish(store, &run).await);
    let run = runs::by_id(store.db(), made.id, run.id).await.unwrap().unwrap();
    assert_eq!(run.config.to_string(), r#"{"b":1,"a":0.1}"#, "keys keep their order");
    assert_eq!(run.summary, Some(rows::published().summary.into()));
    assert_eq!(run.campaign_score, Some(0.1 + 0.2));
    assert_eq!((run.state, run.started_at, run.finished_at), (RunState::Published, Some(at(1)), Some(at(2))));
    assert!(!runs::begin(store.db(), run.id, at(6)).await.unwrap(), "it has ended");
}

async fn a_list_is_newest_first_in_pages(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    for index in [2, 0, 4, 1, 3] {
        let new = rows::new_campaign(&user, &format!("c{index}"));
        campaigns::create(store.db(), new, at(index)).await.unwrap();
    }
    let list = async |skip, limit| {
        let window = Window { skip, limit };
        let page = campaigns::list(store.db(), Reach::INSTANCE, &Filter::default(), window).await.unwrap();
        (page.total, page.rows.into_iter().map(|row| row.name).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(list(0, 3).await, (5, "c4 c3 c2".to_owned()));
    assert_eq!(list(3, 3).await, (5, "c1 c0".to_owned()));
    assert_eq!(list(5, 3).await, (5, String::new()));
    assert_eq!(list(u64::MAX, u64::MAX).await, (5, String::new()));
}

async fn a_search_takes_every_character_for_itself(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    for name in ["100% Video", "100 Video", "a_b", "aXb", r"back\slash", "ÄRGER"] {
        rows::campaign(store, &user, name).await;
    }
    let search = async |text: &str| {
        let filter = Filter { search: Some(text.to_owned()), status: None };
        let page = campaigns::list(store.db(), Reach::INSTANCE, &filter, Window::first(10)).await.unwrap();
        let mut names: Vec<_> = page.rows.into_iter().map(|row| row.name).collect();
        assert_eq!(page.total, names.len() as u64);
        names.sort();
        names.join("|")
    };
    assert_eq!(search("VIDEO").await, "100 Video|100% Video");
    assert_eq!(search("100%").await, "100% Video");
    assert_eq!(search("A_B").await, "a_b");
    assert_eq!(search(r"k\s").await, r"back\slash");
    assert_eq!(search("ärg").await, "ÄRGER");
    assert_eq!(search("\0").await, "");
    assert_eq!(search("' OR 1=1 --").await, "");

    let filter = Filter { search: None, status: Some(CampaignStatus::Failed) };
    let failed = campaigns::list(store.db(), Reach::INSTANCE, &filter, Window::first(10)).await.unwrap();
    assert_eq!(failed.total, 0);
}

async fn reach_is_part_of_every_query(database: TestDatabase) {
    let store = database.store();
    let (ours, theirs) = (rows::manager(store).await, rows::manager(store).await);
    let colleague =
        rows::user(store, ours.organization_id, "c@example.com", caliber_store::users::Role::Analyst);
    let colleague = colleague.await;
    let campaign = rows::campaign(store, &ours, "ours").await;
    let reaches = [
        (Reach::INSTANCE, true),
        (Reach::organization(ours.organization_id), true),
        (Reach::own(ours.organization_id, ours.id), true),
        (Reach::own(ours.organization_id, colleague.id), false),
        (Reach::organization(theirs.organization_id), false),
        (Reach::own(theirs.organization_id, ours.id), false),
    ];
    for (reach, within) in reaches {
        let found = campaigns::by_id(store.db(), reach, campaign.id).await.unwrap();
        assert_eq!(found.is_some(), within, "{reach:?}");
        let page = campaigns::list(store.db(), reach, &Filter::default(), Window::first(10)).await.unwrap();
        assert_eq!(page.total > 0, within, "{reach:?}");
        let change = CampaignChange { name: Some("renamed".to_owned()), settings: None };
        let changed = campaigns::update(store.db(), reach, campaign.id, change, at(1)).await.unwrap();
        assert_eq!(changed != Attempt::Missing, within, "{reach:?}");
        let set = campaigns::set_overrides(store.db(), reach, campaign.id, json!({}), at(1)).await.unwrap();
        assert_eq!(set.is_some(), within, "{reach:?}");
    }
}

async fn settings_change_while_nothing_was_scored(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let change = |name: Option<&str>| CampaignChange {
        name: name.map(str::to_owned),
        settings: Some(Settings { channel: Channel::Audio, ..rows::settings() }),
    };
    let update =
        async |change| campaigns::update(store.db(), Reach::INSTANCE, campaign.id, change, at(1)).await;
    let Attempt::Done(changed) = update(change(None)).await.unwrap() else { panic!("it is pending") };
    assert_eq!((changed.channel, changed.updated_at), (Channel::Audio, at(1)));

    let upload = rows::upload(store, &user).await;
    rows::start(store, campaign.id, upload.id).await.unwrap();
    let Attempt::Refused(as_it_is) = update(change(Some("no"))).await.unwrap() else {
        panic!("it is processing")
    };
    assert_eq!(as_it_is.name, "c", "nothing of it happened");
    let name = CampaignChange { name: Some("Yes".to_owned()), settings: None };
    let Attempt::Done(changed) = update(name).await.unwrap() else { panic!("a name changes always") };
    assert_eq!((changed.name.as_str(), changed.name_key.as_str()), ("Yes", "yes"));
}

async fn twenty_starts_at_once_make_one_run(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let upload = rows::upload(store, &user).await;
    let all = join_all((0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { rows::start(&store, campaign.id, upload.id).await })
    }))
    .await;
    let started: Vec<_> = all.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(started.len(), 1);
    let runs = runs::list(store.db(), campaign.id, Window::first(100)).await.unwrap();
    assert_eq!(runs.total, 1);
    let campaign = rows::reload(store, campaign.id).await;
    assert_eq!(campaign.active_run_id, Some(started[0].id));
    assert_eq!(campaign.status, CampaignStatus::Processing);
}

async fn started(store: &Store) -> (Campaign, runs::Run) {
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let upload = rows::upload(store, &user).await;
    let run = rows::start(store, campaign.id, upload.id).await.unwrap();
    (campaign, run)
}

async fn a_run_is_published_once_and_by_the_active_run_alone(database: TestDatabase) {
    let store = database.store();
    let (campaign, run) = started(store).await;
    let mut stranger = run.clone();
    stranger.id = RunId::new(at(9));
    assert!(!rows::publish(store, &stranger).await);
    assert!(rows::publish(store, &run).await);
    assert!(!rows::publish(store, &run).await, "it was published");

    let campaign = rows::reload(store, campaign.id).await;
    assert_eq!((campaign.current_run_id, campaign.active_run_id), (Some(run.id), None));
    assert_eq!(campaign.status, CampaignStatus::Completed);
    assert_eq!((campaign.total_records, campaign.processed_records), (Some(9), 9));
    assert_eq!(campaign.completed_at, Some(at(2)));
}

async fn end(store: &Store, run: &runs::Run, outcome: Outcome) -> bool {
    let txn = store.begin().await.unwrap();
    let ended = campaigns::fail(&txn, run.campaign_id, run.id, outcome, at(3)).await.unwrap();
    txn.commit().await.unwrap();
    ended
}

async fn after_a_failure_the_older_results_stand(database: TestDatabase) {
    let store = database.store();
    let (campaign, first) = started(store).await;
    assert!(rows::publish(store, &first).await);
    let second = rows::start(store, campaign.id, first.upload_id.unwrap()).await.unwrap();
    assert_eq!(rows::reload(store, campaign.id).await.current_run_id, Some(first.id));

    let failed = || Outcome::Failed { message: "no header".to_owned(), error: json!({ "code": "header" }) };
    assert!(end(store, &second, failed()).await);
    assert!(!end(store, &second, failed()).await, "it ended before");
    assert!(!rows::publish(store, &second).await, "too late");
    let campaign = rows::reload(store, campaign.id).await;
    assert_eq!(campaign.status, CampaignStatus::Failed);
    assert_eq!((campaign.current_run_id, campaign.active_run_id), (Some(first.id), None));
    assert_eq!(campaign.error_message.as_deref(), Some("no header"));
    let second = runs::by_id(store.db(), campaign.id, second.id).await.unwrap().unwrap();
    assert_eq!((second.state, second.error), (RunState::Failed, Some(json!({ "code": "header" }).into())));

    let third = rows::start(store, campaign.id, first.upload_id.unwrap()).await.unwrap();
    assert_eq!(rows::reload(store, campaign.id).await.error_message, None);
    assert!(rows::publish(store, &third).await);
}

async fn after_a_cancel_the_campaign_is_as_complete_as_before(database: TestDatabase) {
    let store = database.store();
    let (campaign, first) = started(store).await;
    assert!(end(store, &first, Outcome::Cancelled).await);
    let cancelled = rows::reload(store, campaign.id).await;
    assert_eq!(cancelled.status, CampaignStatus::Failed);
    assert_eq!(cancelled.error_message.as_deref(), Some("cancelled"));

    let second = rows::start(store, campaign.id, first.upload_id.unwrap()).await.unwrap();
    assert!(rows::publish(store, &second).await);
    let third = rows::start(store, campaign.id, first.upload_id.unwrap()).await.unwrap();
    assert!(end(store, &third, Outcome::Cancelled).await);
    let cancelled = rows::reload(store, campaign.id).await;
    assert_eq!((cancelled.status, cancelled.current_run_id), (CampaignStatus::Completed, Some(second.id)));
}

async fn progress_is_the_active_runs_alone(database: TestDatabase) {
    let store = database.store();
    let (campaign, run) = started(store).await;
    let progress = Progress {
        percentage: 12.5,
        step: "loading_data".to_owned(),
        total_records: Some(80),
        processed_records: 10,
        estimated_completion: Some(at(70)),
    };
    let note = async |run| campaigns::progress(store.db(), campaign.id, run, &progress, at(2)).await.unwrap();
    assert!(note(run.id).await);
    let now = rows::reload(store, campaign.id).await;
    assert_eq!((now.progress_percentage, now.processed_records), (12.5, 10));
    assert_eq!((now.current_step.as_deref(), now.estimated_completion), (Some("loading_data"), Some(at(70))));
    assert!(!note(RunId::new(at(9))).await);
    assert!(rows::publish(store, &run).await);
    assert!(!note(run.id).await, "what is published does not go back");
    assert_eq!(rows::reload(store, campaign.id).await.progress_percentage, 100.0);
}

async fn an_outside_worker_moves_only_where_it_may(database: TestDatabase) {
    use CampaignStatus::{Completed, Failed, Pending, Processing};
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let set = async |status| {
        let status = Some((status, Some("said outside".to_owned())));
        campaigns::set_outside(store.db(), Reach::INSTANCE, campaign.id, status, None, at(1)).await.unwrap()
    };
    let progress = Progress { percentage: 50.0, step: "scoring".to_owned(), ..Progress::default() };
    let note = async || {
        let reach = Reach::INSTANCE;
        campaigns::set_outside(store.db(), reach, campaign.id, None, Some(&progress), at(1)).await.unwrap()
    };
    let legal = |attempt: &Attempt<Campaign>| matches!(attempt, Attempt::Done(_));
    assert!(!legal(&note().await), "it is pending");
    assert!(!legal(&set(Failed).await) && !legal(&set(Completed).await) && !legal(&set(Pending).await));
    assert!(legal(&set(Processing).await));
    assert!(!legal(&set(Processing).await));
    let Attempt::Done(noted) = note().await else { panic!("it is processing") };
    assert_eq!((noted.progress_percentage, noted.status), (50.0, Processing));
    assert!(!legal(&set(Completed).await), "there are no results");
    let Attempt::Done(failed) = set(Failed).await else { panic!("it is processing") };
    assert_eq!(failed.error_message.as_deref(), Some("said outside"));

    let upload = rows::upload(store, &user).await;
    rows::start(store, campaign.id, upload.id).await.unwrap();
    let Attempt::Refused(ours) = set(Failed).await else { panic!("a job of ours runs") };
    assert!(ours.active_run_id.is_some());
    assert!(!legal(&note().await), "a job of ours runs");
}

async fn a_template_in_use_is_not_deleted(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let made = templates::create(store.db(), user.organization_id, user.id, "t", rows::settings(), at(0));
    let template = made.await.unwrap();
    let mut new = rows::new_campaign(&user, "c");
    new.template_id = Some(template.id);
    let campaign = campaigns::create(store.db(), new, at(0)).await.unwrap();
    let delete = async |reach| templates::delete(store.db(), reach, template.id).await.unwrap();
    let elsewhere = Reach::organization(rows::organization(store).await.id);
    assert_eq!(delete(elsewhere).await, Attempt::Missing);
    assert_eq!(delete(Reach::INSTANCE).await, Attempt::Refused(template.clone()));

    let txn = store.begin().await.unwrap();
    campaigns::delete(&txn, Reach::INSTANCE, campaign.id, false).await.unwrap();
    txn.commit().await.unwrap();
    assert_eq!(delete(Reach::INSTANCE).await, Attempt::Done(()));
    let left = templates::list(store.db(), Reach::INSTANCE, Window::first(10)).await.unwrap();
    assert_eq!(left.total, 0);
}

async fn a_template_that_is_not_there_is_told(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let mut new = rows::new_campaign(&user, "c");
    new.template_id = Some(TemplateId::new(at(0)));
    let made = campaigns::create(store.db(), new, at(0)).await;
    assert!(matches!(made, Err(StoreError::Reference(_))), "{made:?}");
}

async fn a_campaign_is_deleted_with_all_that_is_its_own(database: TestDatabase) {
    let store = database.store();
    let user = rows::manager(store).await;
    let campaign = rows::campaign(store, &user, "c").await;
    let upload = rows::upload(store, &user).await;
    let txn = store.begin().await.unwrap();
    let attached = caliber_store::uploads::attach(&txn, Reach::INSTANCE, upload.id, campaign.id, at(1));
    attached.await.unwrap();
    txn.commit().await.unwrap();
    let run = rows::start(store, campaign.id, upload.id).await.unwrap();

    let delete = async |completed_too| {
        let txn = store.begin().await.unwrap();
        let deleted = campaigns::delete(&txn, Reach::INSTANCE, campaign.id, completed_too).await.unwrap();
        txn.commit().await.unwrap();
        deleted
    };
    assert!(matches!(delete(true).await, Attempt::Refused(_)), "it is processing");
    assert!(rows::publish(store, &run).await);
    let version = version(&run, &user);
    let txn = store.begin().await.unwrap();
    list_versions::create(&txn, version, at(2)).await.unwrap().unwrap();
    txn.commit().await.unwrap();
    assert!(matches!(delete(false).await, Attempt::Refused(_)), "it is completed");
    assert_eq!(delete(true).await, Attempt::Done(vec![upload.storage_key.clone()]));
    assert_eq!(delete(true).await, Attempt::Missing);
    assert_eq!(runs::existing(store.db(), &[run.id]).await.unwrap(), vec![]);
    assert_eq!(list_versions::by_number(store.db(), campaign.id, 1).await.unwrap(), None);
    let keys = [upload.storage_key];
    assert!(caliber_store::uploads::existing_keys(store.db(), &keys).await.unwrap().is_empty());
}

fn version(run: &runs::Run, author: &caliber_store::users::User) -> NewListVersion {
    NewListVersion {
        campaign_id: run.campaign_id,
        run_id: run.id,
        list_type: ListType::Blacklist,
        author_id: Some(author.id),
        policy: "quartile".to_owned(),
        criteria: json!({ "share": 0.25 }),
        names_key: "lists/x".to_owned(),
        names_count: 3,
        added: 3,
        removed: 0,
        expires_at: Some(at(90)),
    }
}

async fn versions_are_numbered_one_after_another(database: TestDatabase) {
    let store = database.store();
    let (campaign, run) = started(store).await;
    let author = rows::manager(store).await;
    let version = version(&run, &author);
    let all = join_all((0..20).map(|_| {
        let (store, version) = (store.clone(), version.clone());
        tokio::spawn(async move {
            let txn = store.begin().await.unwrap();
            let made = list_versions::create(&txn, version, at(2)).await.unwrap().unwrap();
            txn.commit().await.unwrap();
            made.number
        })
    }))
    .await;
    let mut numbers: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let latest = list_versions::latest(store.db(), campaign.id, ListType::Blacklist).await.unwrap().unwrap();
    assert_eq!((latest.number, latest.author_id), (20, Some(author.id)));
    assert_eq!(list_versions::latest(store.db(), campaign.id, ListType::Whitelist).await.unwrap(), None);
    let page = list_versions::list(store.db(), campaign.id, Window { skip: 18, limit: 5 }).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1]);

    let txn = store.begin().await.unwrap();
    let other = NewListVersion { list_type: ListType::Whitelist, ..version.clone() };
    list_versions::create(&txn, other, at(3)).await.unwrap().unwrap();
    txn.commit().await.unwrap();
    let newest = async |reach| {
        let found = list_versions::latest_of_campaigns(store.db(), reach, &[campaign.id]).await.unwrap();
        let mut numbers: Vec<_> = found.iter().map(|version| version.number).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(newest(Reach::organization(campaign.organization_id)).await, [20, 21]);
    let elsewhere = rows::manager(store).await.organization_id;
    assert!(newest(Reach::organization(elsewhere)).await.is_empty(), "of somebody else there is nothing");

    let mut lost = version;
    lost.campaign_id = caliber_store::CampaignId::new(at(0));
    let txn = store.begin().await.unwrap();
    assert_eq!(list_versions::create(&txn, lost, at(2)).await.unwrap(), None);
}
