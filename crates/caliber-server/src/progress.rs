//! A campaign's progress as it changes, for whoever watches: the API in JSON, the pages as HTML.

use std::time::Duration;

use async_stream::stream;
use caliber_platform::campaigns::{Campaign, CampaignId, CampaignStatus};
use caliber_platform::identity::Caller;
use futures_util::Stream;

use crate::App;

/// How often it is looked, and how often it is said what has not changed.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS_A_SECOND: u32 = 4;

/// What is said.
pub(crate) enum Change<V> {
    /// How far it is.
    Progress(V),
    /// It has ended, with results or without.
    Done(V),
    /// It failed.
    Failed(V),
    /// It is no longer there, or the database is gone: whoever asks again is told.
    Gone,
}

/// A view of the campaign at once, at each change and each second; the last change ends it.
pub(crate) fn changes<V: PartialEq + Clone + Send + 'static>(
    app: App,
    caller: Caller,
    first: Campaign,
    view: impl Fn(Campaign) -> V + Send + 'static,
) -> impl Stream<Item = Change<V>> + Send + 'static {
    let stopping = app.stopping.clone();
    stream! {
        let (id, mut status) = (first.id, first.status);
        let mut said = view(first);
        yield Change::Progress(said.clone());
        let mut looks = 0;
        while status == CampaignStatus::Processing {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stopping.cancelled() => return,
            }
            looks += 1;
            let Some(found) = look(&app, &caller, id).await else {
                yield Change::Gone;
                return;
            };
            status = found.status;
            let now = view(found);
            if now != said || looks % LOOKS_A_SECOND == 0 {
                yield Change::Progress(now.clone());
                said = now;
            }
        }
        yield if status == CampaignStatus::Failed { Change::Failed(said) } else { Change::Done(said) };
    }
}

async fn look(app: &App, caller: &Caller, id: CampaignId) -> Option<Campaign> {
    app.platform.scoring().progress(caller, id).await.ok()
}
