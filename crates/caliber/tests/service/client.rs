//! A client: one call, one answer.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Request, Response};
use ureq::{AsSendBody, Body, SendBody};

/// Calls the service, with the headers it was given.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    address: String,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What was asked, for messages.
    call: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// A server-sent event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Client {
    /// A client of `http://ADDRESS`, without a credential.
    pub(crate) fn of(address: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("")
            .proxy(None)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        Self { agent, address: address.to_owned(), base: format!("{address}/api/v1"), headers: Vec::new() }
    }

    /// The same client, of a server that has another address now.
    pub(crate) fn to(&self, address: &str) -> Self {
        Self { address: address.to_owned(), base: format!("{address}/api/v1"), ..self.clone() }
    }

    /// The same client, whose paths begin at the root and not at `/api/v1`.
    pub(crate) fn at_root(&self) -> Self {
        Self { base: self.address.clone(), ..self.clone() }
    }

    /// The same client, sending a header more.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        Self { headers, ..self.clone() }
    }

    /// The same client with an access token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// What it sends as `Authorization`, for a client with connections of its own.
    pub(crate) fn credential(&self) -> &str {
        let header = self.headers.iter().find(|(name, _)| name == "authorization");
        &header.expect("the client is signed in").1
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None, ())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None, ())
    }

    /// Without a body.
    pub(crate) fn bare(&self, method: &str, path: &str) -> Answer {
        self.call(method, path, None, ())
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is called with json!")]
    pub(crate) fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, &body)
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is called with json!")]
    pub(crate) fn put(&self, path: &str, body: Value) -> Answer {
        self.json("PUT", path, &body)
    }

    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json", body.to_string().into_bytes())
    }

    /// Any body, its length stated.
    pub(crate) fn send(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        self.call(method, path, Some(kind), body)
    }

    /// Any body in chunks, its length not stated.
    pub(crate) fn send_chunked(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: impl Read + 'static,
    ) -> Answer {
        self.call(method, path, Some(kind), SendBody::from_owned_reader(body))
    }

    /// Uploads a file as the part `file` of a form.
    pub(crate) fn upload(&self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        self.send("POST", path, FORM, form(&[], name, bytes))
    }

    /// The events of a stream, until the server ends it.
    pub(crate) fn events(&self, path: &str) -> Vec<Event> {
        let response = self.ask("GET", path, None, ());
        assert_eq!(response.status(), 200, "GET {path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let (mut events, mut name) = (Vec::new(), String::new());
        for line in BufReader::new(response.into_body().into_reader()).lines() {
            let line = line.unwrap();
            if let Some(said) = line.strip_prefix("event: ") {
                said.clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(data).unwrap();
                events.push(Event { name: std::mem::take(&mut name), data });
            }
        }
        events
    }

    fn call(&self, method: &str, path: &str, kind: Option<&str>, body: impl AsSendBody) -> Answer {
        let response = self.ask(method, path, kind, body);
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(1 << 30).read_to_vec();
        let bytes = bytes.unwrap_or_else(|error| panic!("{method} {path}: the answer breaks off: {error}"));
        let below = self.base.strip_prefix(&self.address).unwrap_or_default();
        crate::document::knows(method, &format!("{below}{path}"), parts.status.as_u16(), &bytes);
        Answer {
            call: format!("{method} {path}"),
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes,
        }
    }

    fn ask(&self, method: &str, path: &str, kind: Option<&str>, body: impl AsSendBody) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let response = self.agent.run(request.body(body).unwrap());
        response.unwrap_or_else(|error| panic!("{method} {path}: no answer: {error}"))
    }
}

/// The media type of [`form`].
pub(crate) const FORM: &str = "multipart/form-data; boundary=----caliber-test";

/// A form of text parts, and then a file.
pub(crate) fn form(parts: &[(&str, &str)], name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut form = Vec::new();
    for (part, text) in parts {
        form.extend(
            format!(
                "------caliber-test\r\ncontent-disposition: form-data; name=\"{part}\"\r\n\r\n{text}\r\n"
            )
            .bytes(),
        );
    }
    form.extend(
        format!(
            "------caliber-test\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        )
        .bytes(),
    );
    form.extend(bytes);
    form.extend(b"\r\n------caliber-test--\r\n");
    form
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The whole body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.call, self.text()))
    }

    /// The whole body of a success of this status, its envelope checked.
    #[track_caller]
    pub(crate) fn body(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text());
        let body = self.json();
        assert_eq!(body["success"], true, "{}: {body}", self.call);
        for (field, must) in [("message", ["null", "string"]), ("errors", ["null", "null"])] {
            assert!(must.contains(&kind(body.get(field))), "{}: `{field}` in {body}", self.call);
        }
        assert!(body.get("data").is_some(), "{}: {body}", self.call);
        body
    }

    /// The data of a success.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        self.body(status)["data"].take()
    }

    /// The body of a failure with this status and code, its envelope checked.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text());
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.call);
        let body = self.json();
        let shape: Vec<_> = ["success", "data", "message", "errors", "code", "request_id"]
            .iter()
            .map(|field| kind(body.get(field)))
            .collect();
        assert_eq!(
            shape,
            ["boolean", "null", "string", "array", "string", "string"],
            "{}: {body}",
            self.call
        );
        assert_eq!(body["success"], false, "{}: {body}", self.call);
        assert_eq!(body["code"], code, "{}: {body}", self.call);
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{}: {body}", self.call);
        assert!(!body["message"].as_str().unwrap().is_empty(), "{}: {body}", self.call);
        body
    }

    /// A 422 about this field; its message.
    #[track_caller]
    pub(crate) fn invalid(&self, field: &str) -> String {
        let body = self.refused(422, "invalid");
        let problems = body["errors"].as_array().unwrap();
        let problem = problems.iter().find(|problem| problem["field"] == field);
        let problem = problem.unwrap_or_else(|| panic!("{}: nothing about `{field}`: {body}", self.call));
        problem["message"].as_str().unwrap().to_owned()
    }
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
