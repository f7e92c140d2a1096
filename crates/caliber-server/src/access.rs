//! Who may call an operation. Declared once where the route is registered: checked by a layer, and written into the
//! `OpenAPI` document, from the same value.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use caliber_platform::identity::permissions::Permission;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use crate::App;
use crate::failure::{Failure, FailureCode};
use crate::http::rate_limits::{self, Asks};
use crate::signed_in::{self, Identified};
use crate::words::Role;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody. A credential is not looked at.
    Public,
    /// Anybody, and a credential that is given must hold.
    Optional,
    /// Whoever has the permission.
    Needs(Permission),
    /// Anybody while only this machine can reach the server, else whoever has the permission.
    OnThisMachineOr(Permission),
}

/// Routes that say who may call them.
pub(crate) trait Declared {
    /// Adds operations and who may call them.
    #[must_use]
    fn with(self, app: &App, access: Access, routes: UtoipaMethodRouter<App>) -> Self;
}

impl Declared for OpenApiRouter<App> {
    fn with(self, app: &App, access: Access, (schemas, mut paths, methods): UtoipaMethodRouter<App>) -> Self {
        for (path, item) in &mut paths.paths {
            let has_parameter = path.contains('{');
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
                &mut item.head,
            ];
            for operation in operations.into_iter().flatten() {
                describe(operation, access, has_parameter);
            }
        }
        let checked = (schemas, paths, methods).layer(from_fn_with_state((app.clone(), access), check));
        self.routes(checked)
    }
}

/// Lets a request pass, with its caller, or refuses it.
async fn check(State((app, access)): State<(App, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_open = match access {
        Access::Public => true,
        Access::OnThisMachineOr(_) => app.config.is_local,
        Access::Optional | Access::Needs(_) => false,
    };
    let found = if is_open { Ok(None) } else { signed_in::identified(&app, &parts).await };
    let who = found.as_ref().ok().and_then(Option::as_ref);
    let quota = match app.limits.take(&app, &parts, who, Asks::Operation) {
        Ok(quota) => quota,
        Err(full) => return rate_limits::told(rate_limits::refusal(full).into_response(), Some(full)),
    };
    let allowed = if is_open { Ok(()) } else { allow(&app, &mut parts, access, found) };
    let response = match allowed {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(failure) => failure.into_response(),
    };
    rate_limits::told(response, quota)
}

/// Gives the request its caller, where that is somebody who may call the operation.
fn allow(
    app: &App,
    parts: &mut Parts,
    access: Access,
    found: Result<Option<Identified>, Failure>,
) -> Result<(), Failure> {
    let caller = signed_in::writer(app, parts, found?)?;
    let (Access::Needs(permission) | Access::OnThisMachineOr(permission)) = access else {
        parts.extensions.insert(signed_in::MaybeCaller(caller));
        return Ok(());
    };
    let missing = "sign in first: this needs a bearer token or a session";
    let caller = caller.ok_or_else(|| Failure::new(FailureCode::NotSignedIn, missing))?;
    caller.must(permission)?;
    parts.extensions.insert(caller);
    Ok(())
}

/// Writes into the document who may call the operation, and every failure that its form allows.
fn describe(operation: &mut Operation, access: Access, has_parameter: bool) {
    // Handlers are named within their resource, and ids hold for the whole document.
    let tag = operation.tags.iter().flatten().next();
    if let (Some(tag), Some(id)) = (tag, &mut operation.operation_id) {
        *id = format!("{tag}_{id}");
    }
    let mut failures = vec![
        FailureCode::HostNotAllowed,
        FailureCode::RateLimited,
        FailureCode::Internal,
        FailureCode::Unavailable,
    ];
    let mut extensions = ExtensionsBuilder::new();
    match access {
        Access::Public => operation.security = Some(Vec::new()),
        Access::Optional => {
            operation.security = Some(schemes(true));
            failures.push(FailureCode::NotSignedIn);
        }
        Access::Needs(permission) | Access::OnThisMachineOr(permission) => {
            operation.security = Some(schemes(matches!(access, Access::OnThisMachineOr(_))));
            let role = json!(Role::from(permission.role));
            extensions = extensions.add("x-caliber-role", role);
            extensions = extensions.add("x-caliber-permission", json!(permission.name));
            failures.extend([FailureCode::NotSignedIn, FailureCode::Forbidden]);
        }
    }
    operation.extensions.get_or_insert_default().merge(extensions.build());
    if has_parameter {
        failures.push(FailureCode::NotFound);
    }
    if operation.request_body.is_some() {
        failures.extend([
            FailureCode::MalformedJson,
            FailureCode::WrongKind,
            FailureCode::TooLarge,
            FailureCode::Invalid,
        ]);
    }
    let has_query = operation.parameters.iter().flatten().any(|parameter| {
        matches!(parameter, RefOr::T(it) if it.parameter_in == utoipa::openapi::path::ParameterIn::Query)
    });
    if has_query {
        failures.push(FailureCode::Invalid);
    }
    for code in failures {
        fails_with(operation, code);
    }
}

fn schemes(or_none: bool) -> Vec<SecurityRequirement> {
    let scheme = |name: &str| SecurityRequirement::new(name, [] as [&str; 0]);
    let mut schemes = vec![scheme("bearer"), scheme("session")];
    if or_none {
        schemes.push(SecurityRequirement::default());
    }
    schemes
}

/// Adds a failure to an operation's answers, with an example of its body.
pub(crate) fn fails_with(operation: &mut Operation, code: FailureCode) {
    let status = code.status().as_u16().to_string();
    let name = json!(code).as_str().unwrap_or_default().to_owned();
    let example = json!({
        "success": false, "data": null, "message": example_message(code),
        "errors": if code == FailureCode::Invalid { json!([{"field": "name", "message": "has 1 to 255 characters"}]) } else { json!([]) },
        "code": name, "request_id": "0198c0de-0000-7000-8000-000000000000",
    });
    let known = operation.responses.responses.entry(status);
    let response = known.or_insert_with(|| {
        let content = Content::builder().schema(Some(Ref::from_schema_name("FailureBody"))).build();
        ResponseBuilder::new().description("").content("application/json", content).build().into()
    });
    if let RefOr::T(response) = response {
        if !response.description.is_empty() {
            response.description.push_str(", ");
        }
        response.description.push_str(&["`", &name, "`"].concat());
        if let Some(RefOr::T(content)) = response.content.get_mut("application/json") {
            let example = utoipa::openapi::example::ExampleBuilder::new().value(Some(example)).build();
            content.examples.insert(name, example.into());
        }
    }
}

fn example_message(code: FailureCode) -> &'static str {
    match code {
        FailureCode::MalformedJson => "the body is not JSON: EOF while parsing an object at line 1 column 1",
        FailureCode::WrongKind => {
            "send JSON, with `Content-Type: application/json`; this had no Content-Type"
        }
        FailureCode::NotSignedIn => "sign in first: this needs a bearer token or a session",
        FailureCode::RefreshReused => {
            "this refresh token was used before, so its session has been ended: sign in again"
        }
        FailureCode::Forbidden => "your role does not allow this: it needs campaigns:write",
        FailureCode::NotFound => "there is no campaign with this id",
        FailureCode::MethodNotAllowed => "this address does not take POST",
        FailureCode::WrongState => "the campaign is being scored; wait, or cancel it",
        FailureCode::AlreadyRunning => "the campaign is being scored already",
        FailureCode::AlreadyScored => "the campaign is scored; give force_reprocess to score it again",
        FailureCode::NotScored => "the campaign has not been scored yet",
        FailureCode::NoFile => "the campaign has no report yet; upload one",
        FailureCode::InUse => "2 campaigns were made from this template",
        FailureCode::Conflict => "this address is taken",
        FailureCode::TooLarge => "the file is larger than the 50 MB that are taken",
        FailureCode::Invalid => "name: has 1 to 255 characters",
        FailureCode::HostNotAllowed => "this server does not answer for that host",
        FailureCode::RateLimited => "too many attempts; try again in 60 s",
        FailureCode::Internal => "something went wrong on our side",
        FailureCode::Unavailable => "the database does not answer; try again",
    }
}
