//! The committed document, held against every answer that any test gets.

use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
});

/// Fails where the document knows the operation and not that it can answer so.
#[track_caller]
pub(crate) fn knows(method: &str, path: &str, status: u16, body: &[u8]) {
    let Some(operation) = operation(method, path) else { return };
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "the document does not say that {method} {path} can answer {status}");
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(code) = body["code"].as_str() {
        let said = response["description"].as_str().unwrap_or_default();
        assert!(
            said.contains(&format!("`{code}`")),
            "the document does not say that {method} {path} can answer {status} `{code}`"
        );
    }
}

/// The operation of a call. What is literal in a path goes before what is a parameter.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next()?.trim_end_matches('/');
    let fits = |template: &str| {
        let (parts, asked) = (template.split('/'), path.split('/'));
        template.matches('/').count() == path.matches('/').count()
            && parts.zip(asked).all(|(part, asked)| part.starts_with('{') || part == asked)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let found = paths
        .iter()
        .filter(|(template, _)| fits(template))
        .min_by_key(|(template, _)| template.matches('{').count());
    found?.1.get(method.to_lowercase())
}
