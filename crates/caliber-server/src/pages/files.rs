//! The reports that were uploaded.

use std::collections::HashMap;

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use caliber_platform::campaigns::CampaignId;
use caliber_platform::identity::permissions::{FILES_READ, FILES_WRITE};
use caliber_platform::uploads::{KEPT_FOR, Upload, UploadId, UploadStatus};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::notice::Notice;
use super::paging::{Asked, Place};
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::extract::{Id, Query};
use crate::failure::Failure;
use crate::signed_in::By;
use crate::texts;

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().page(app, "/files", Sees::Needs(FILES_READ), get(list)).page(
        app,
        "/files/{id}/delete",
        Sees::Needs(FILES_WRITE),
        post(delete),
    )
}

#[derive(Template, WebTemplate)]
#[template(path = "files.html")]
struct FilesPage {
    shell: Shell,
    files: Vec<File>,
    place: Place,
}

struct File {
    id: Uuid,
    name: String,
    size: i64,
    kind: String,
    status: UploadStatus,
    /// Its id and what it is called.
    campaign: Option<(Uuid, String)>,
    sha256: String,
    created_at: DateTime<Utc>,
    /// When it is cleared away, where no campaign has it.
    removed_at: Option<DateTime<Utc>>,
}

impl File {
    fn of(upload: Upload, campaigns: &HashMap<CampaignId, String>) -> Self {
        let packed = upload.compression.map(|packing| format!(" ({packing})")).unwrap_or_default();
        let name = |id: CampaignId| (id.0, campaigns.get(&id).cloned().unwrap_or_default());
        Self {
            id: upload.id.0,
            name: upload.filename,
            size: upload.size,
            kind: upload.format.to_uppercase() + &packed,
            status: upload.status,
            removed_at: upload.campaign_id.is_none().then(|| upload.updated_at + KEPT_FOR),
            campaign: upload.campaign_id.map(name),
            sha256: upload.sha256,
            created_at: upload.created_at,
        }
    }

    /// What is asked before it is deleted: what that costs.
    fn delete_question(&self) -> String {
        let name = ("name", self.name.as_str().into());
        match &self.campaign {
            None => texts::with("delete-file-question", &[name]),
            Some((_, campaign)) => {
                let campaign = ("campaign", campaign.as_str().into());
                texts::with("delete-file-question-used", &[name, campaign])
            }
        }
    }
}

impl File {
    fn status_key(&self) -> &'static str {
        match self.status {
            UploadStatus::Uploaded => "file-uploaded",
            UploadStatus::Assigned => "file-assigned",
            UploadStatus::Validated => "file-validated",
            UploadStatus::Rejected => "file-rejected",
        }
    }

    fn status_colour(&self) -> &'static str {
        match self.status {
            UploadStatus::Uploaded => "secondary",
            UploadStatus::Assigned | UploadStatus::Validated => "green",
            UploadStatus::Rejected => "red",
        }
    }
}

async fn list(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<FilesPage, Failure> {
    let page = app.platform.uploads().list(&caller, asked.window()).await?;
    let ids: Vec<CampaignId> = page.rows.iter().filter_map(|upload| upload.campaign_id).collect();
    let names = app.platform.campaigns().names(&caller, &ids).await?;
    let files: Vec<File> = page.rows.into_iter().map(|upload| File::of(upload, &names)).collect();
    let place = Place::new(&asked, files.len(), page.total, "/files", &[]);
    Ok(FilesPage { shell, files, place })
}

async fn delete(State(app): State<App>, By(caller): By, Id(id): Id) -> Result<Response, Failure> {
    app.platform.uploads().delete(&caller, UploadId(id)).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/files")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn files_lead_to_their_campaign_or_to_a_new_one() {
        let file = |campaign: Option<(Uuid, String)>| File {
            id: Uuid::nil(),
            name: "<b>Pérez.csv".to_owned(),
            size: 4_500_000,
            kind: "CSV".to_owned(),
            status: UploadStatus::Rejected,
            removed_at: campaign.is_none().then(samples::time),
            campaign,
            sha256: "9f86d081".to_owned(),
            created_at: samples::time(),
        };
        let place = Place::new(&Asked::default(), 2, 2, "/files", &[]);
        let used = (Uuid::nil(), "Spring <b>P\u{e9}rez".to_owned());
        let page = FilesPage { shell: samples::shell(), files: vec![file(None), file(Some(used))], place };
        let html = samples::checked(&page);
        assert!(html.contains("href=\"/campaigns/new/0") && html.contains("href=\"/campaigns/0"), "{html}");
        assert_eq!(html.matches("Removed on").count(), 1, "what a campaign has stays: {html}");
        assert_eq!(html.matches("cannot be scored again").count(), 1, "{html}");
        let place = Place::new(&Asked::default(), 0, 0, "/files", &[]);
        let html = samples::checked(&FilesPage { shell: samples::shell(), files: Vec::new(), place });
        assert!(html.contains("href=\"/campaigns/new\""), "{html}");
    }
}
