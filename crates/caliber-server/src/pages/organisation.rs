//! The organisation: its name, its colours and logo, the names it never blocks.

use std::io;

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use caliber_platform::identity::permissions::{ORGANIZATION_READ, ORGANIZATION_WRITE};
use caliber_platform::identity::{Caller, MOST_OF_A_LOGO, Organization, OrganizationUpdate};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::{Fields, Problems};
use super::notice::Notice;
use super::shell::Shell;
use super::{Guarded, Sees, filters};
use crate::App;
use crate::api::upload::Form as Upload;
use crate::failure::{Failure, FailureCode};
use crate::signed_in::By;

/// Where no colour is chosen.
const PRIMARY: &str = "#0f766e";
const ACCENT: &str = "#d97706";

pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .page(app, "/organisation", Sees::Needs(ORGANIZATION_READ), get(show).post(save))
        .page(app, "/organisation/logo", Sees::Needs(ORGANIZATION_WRITE), post(set_logo))
        .page(app, "/organisation/logo/remove", Sees::Needs(ORGANIZATION_WRITE), post(remove_logo))
}

#[derive(Template, WebTemplate)]
#[template(path = "organisation.html")]
struct OrganisationPage {
    shell: Shell,
    may_write: bool,
    form: Form,
    problems: Vec<String>,
    /// Names the picture, where there is one: another has another address.
    logo: Option<String>,
    logo_problem: Option<String>,
}

impl OrganisationPage {
    fn of(shell: Shell, caller: &Caller, organization: &Organization) -> Self {
        let may_write = ORGANIZATION_WRITE.is_of(caller.user.role);
        let logo = organization.logo_key.as_deref().and_then(|key| key.rsplit('/').next());
        Self {
            shell,
            may_write,
            form: Form::of(organization),
            problems: Vec::new(),
            logo: logo.map(str::to_owned),
            logo_problem: None,
        }
    }
}

#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
struct Form {
    name: String,
    primary: String,
    accent: String,
    /// A line a name.
    #[serde(default)]
    protected: String,
}

impl Form {
    fn of(organization: &Organization) -> Self {
        let colour = |name: &str, usual: &str| {
            let colours = organization.colours.as_deref();
            let chosen = colours.and_then(|colours| colours[name].as_str());
            chosen.filter(|colour| is_colour(colour)).unwrap_or(usual).to_owned()
        };
        let protected: Vec<String> =
            serde_json::from_value(organization.protected_names.0.clone()).unwrap_or_default();
        Self {
            name: organization.name.clone(),
            primary: colour("primary", PRIMARY),
            accent: colour("accent", ACCENT),
            protected: protected.join("\n"),
        }
    }

    fn protected_names(&self) -> Vec<String> {
        let names = self.protected.lines().map(str::trim).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }
}

/// Whether it is `#` and six hexadecimal digits.
fn is_colour(colour: &str) -> bool {
    colour
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

async fn show(State(app): State<App>, shell: Shell, By(caller): By) -> Result<OrganisationPage, Failure> {
    let organization = app.platform.identity().organization(&caller).await?;
    Ok(OrganisationPage::of(shell, &caller, &organization))
}

/// Puts the picture of the form in place of the logo before.
async fn set_logo(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    mut form: Upload,
) -> Result<Response, Failure> {
    let identity = app.platform.identity();
    let set = async {
        let picture = start_of(form.file().await?.bytes).await?;
        identity.set_logo(&caller, picture).await.map_err(Failure::from)
    };
    match set.await {
        Ok(_) => Ok(Redirect::to(&Notice::Saved.at("/organisation")).into_response()),
        Err(failure) if failure.code.status().is_server_error() => Err(failure),
        Err(failure) => {
            let page = OrganisationPage::of(shell, &caller, &identity.organization(&caller).await?);
            let status = failure.code.status();
            Ok((status, OrganisationPage { logo_problem: Some(failure.message), ..page }).into_response())
        }
    }
}

/// A file, of one that is too large for a logo a byte more than may be: all of it is taken, so that the answer arrives.
async fn start_of(mut bytes: BoxStream<'static, io::Result<Bytes>>) -> Result<Bytes, Failure> {
    let mut start = Vec::new();
    while let Some(chunk) = bytes.next().await {
        let broken = |error| Failure::new(FailureCode::MalformedJson, format!("the form broke off: {error}"));
        let chunk = chunk.map_err(broken)?;
        start.extend_from_slice(&chunk[..chunk.len().min((MOST_OF_A_LOGO + 1).saturating_sub(start.len()))]);
    }
    Ok(start.into())
}

async fn remove_logo(State(app): State<App>, By(caller): By) -> Result<Redirect, Failure> {
    app.platform.identity().remove_logo(&caller).await?;
    Ok(Redirect::to(&Notice::Deleted.at("/organisation")))
}

async fn save(
    State(app): State<App>,
    shell: Shell,
    By(caller): By,
    Fields(form): Fields<Form>,
) -> Result<Response, Failure> {
    caller.must(ORGANIZATION_WRITE)?;
    let identity = app.platform.identity();
    let saved = async {
        for (field, colour) in [("primary", &form.primary), ("accent", &form.accent)] {
            if !is_colour(colour) {
                return Err(Failure::invalid(field, "is no colour; write # and six digits"));
            }
        }
        // What else the colours hold is not this page's to drop.
        let mut colours = identity.organization(&caller).await?.colours.map_or_else(|| json!({}), |it| it.0);
        if let Value::Object(fields) = &mut colours {
            fields.insert("primary".to_owned(), json!(form.primary));
            fields.insert("accent".to_owned(), json!(form.accent));
        }
        let update = OrganizationUpdate {
            name: Some(form.name.clone()),
            colours: Some(Some(colours)),
            protected_names: Some(form.protected_names()),
            ..OrganizationUpdate::default()
        };
        identity.update_organization(&caller, update).await.map_err(Failure::from)
    };
    match saved.await {
        Ok(_) => Ok(Redirect::to(&Notice::Saved.at("/organisation")).into_response()),
        Err(failure) => {
            let status = failure.code.status();
            let problems = Problems::of_form(failure)?.outside(&[]);
            let page = OrganisationPage::of(shell, &caller, &identity.organization(&caller).await?);
            Ok((status, OrganisationPage { form, problems, ..page }).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::samples;

    #[test]
    fn protected_names_stand_a_line_each() {
        let form = Form { protected: " news.example \r\n\r\nb.example".to_owned(), ..Form::default() };
        assert_eq!(form.protected_names(), ["news.example", "b.example"]);
    }

    #[test]
    fn whoever_may_not_write_sees_and_cannot_save() {
        let page = |may_write| OrganisationPage {
            shell: samples::shell(),
            may_write,
            form: Form {
                name: "<b>Pérez".into(),
                primary: PRIMARY.into(),
                accent: ACCENT.into(),
                protected: "</textarea>".into(),
            },
            problems: vec!["name: has 1 to 255 characters".to_owned()],
            logo: may_write.then(|| "0198".to_owned()),
            logo_problem: may_write.then(|| "the picture is <b>P\u{e9}rez".to_owned()),
        };
        let html = samples::checked(&page(true));
        assert!(html.contains("&#60;/textarea&#62;") && html.contains("type=\"color\""), "{html}");
        assert!(
            html.contains("/logo?v=0198\"") && html.contains("action=\"/organisation/logo?csrf=c5f\""),
            "{html}"
        );
        assert!(!samples::checked(&page(false)).contains("action=\"/organisation"));
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert!(is_colour("#0F766e"));
        for wrong in ["", "#fff", "0f766e0", "#0f766g", "red"] {
            assert!(!is_colour(wrong), "{wrong}");
        }
    }
}
