//! Which names this server answers to: a page that rebinds its own name to this address gets nothing.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use crate::App;
use crate::failure::{Failure, FailureCode};

/// Refuses requests for other hosts.
pub(crate) async fn allowed(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let host = request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or_else(|| request.headers().get(header::HOST)?.to_str().ok());
    let name = host.map(without_port).unwrap_or_default();
    let allowed = &app.config.allowed_hosts;
    if allowed.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(name)) {
        return Ok(next.run(request).await);
    }
    Err(Failure::new(
        FailureCode::HostNotAllowed,
        "this server does not answer for that host; CALIBER_ALLOWED_HOSTS names those it does",
    ))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::without_port;

    #[test]
    fn ports_are_left_out_also_of_ipv6() {
        for (host, name) in [
            ("localhost:8000", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8000", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:80", "127.0.0.1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
