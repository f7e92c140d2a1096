//! What holds for every request, and how whoever runs the service sees that it is well.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use caliber_store::Backend;
use serde_json::json;

use crate::people::report;
use crate::service::{Service, eventually};

crate::on_both_databases! {
    its_health_is_told,
    its_figures_are_told_to_prometheus,
    every_answer_has_an_id_and_the_headers_of_safety,
    only_listed_origins_and_hosts_are_served,
    answers_are_compressed_where_that_is_taken,
    the_pages_of_the_document_are_served_from_the_program,
    production_is_strict,
    what_is_under_way_is_finished_before_it_ends,
    a_stream_that_somebody_watches_ends_with_it,
}

fn its_health_is_told(on: Backend) {
    let service = Service::start(on);
    let root = service.client().at_root();
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(root.get(path).data(200)["status"], "healthy", "{path}");
    }
    let detailed = root.get("/health/detailed").data(200);
    assert_eq!(detailed["status"], "healthy");
    for part in ["database", "cache", "queue", "storage"] {
        assert_eq!(detailed[part]["status"], "healthy", "{detailed}");
        assert!(detailed[part]["latency_ms"].as_f64().unwrap() >= 0.0, "{detailed}");
    }
    let about = root.get("/").data(200);
    assert_eq!((&about["name"], &about["docs"]), (&json!("Caliber"), &json!("/docs")));
}

/// The samples of a text of figures: what is before the blank, and the figure behind it.
fn samples(text: &str) -> std::collections::BTreeMap<&str, f64> {
    assert!(text.ends_with("# EOF\n"), "it is whole");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, figure)| (name, figure.parse().unwrap()))
        .collect()
}

fn its_figures_are_told_to_prometheus(on: Backend) {
    let service = Service::start(on);
    let ana = service.manager("ana");
    let campaign = ana.scored(&crate::people::report());
    for _ in 0..3 {
        ana.get(&format!("/scoring/results/{campaign}")).data(200);
    }
    ana.get("/campaigns/no-id").refused(404, "not_found");
    ana.at_root().bare("TRACE", "/of/no/route").refused(404, "not_found");
    let answer = ana.at_root().get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(
        answer.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0")
    );
    let text = answer.text();
    assert!(!text.contains(&campaign), "a route is a series, not each of its addresses");
    let told = samples(&text);
    let results = r#"method="GET",endpoint="/api/v1/scoring/results/{id}""#;
    assert_eq!(told[format!("http_requests_total{{{results},status=\"200\"}}").as_str()], 3.0, "{text}");
    assert_eq!(told[format!("response_time_seconds_count{{{results}}}").as_str()], 3.0);
    assert_eq!(told[format!("response_time_seconds_bucket{{le=\"+Inf\",{results}}}").as_str()], 3.0);
    assert_eq!(
        told[r#"http_requests_total{method="GET",endpoint="/api/v1/campaigns/{id}",status="404"}"#],
        1.0
    );
    assert_eq!(told[r#"http_requests_total{method="other",endpoint="none",status="404"}"#], 1.0);
    assert_eq!(told["http_requests_under_way"], 1.0, "this one");
    for state in ["queued", "running", "dead"] {
        assert_eq!(
            told[format!("caliber_jobs{{queue=\"scoring\",state=\"{state}\"}}").as_str()],
            0.0,
            "{text}"
        );
    }
    assert_eq!(told["caliber_results_cached"], 1.0);
    assert!(told["caliber_results_cache_bytes"] > 0.0);
}

fn every_answer_has_an_id_and_the_headers_of_safety(on: Backend) {
    let service = Service::start(on);
    let root = service.client().at_root();
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/health", "/nothing", "/api/v1/auth/me", "/docs/index.html", "/redoc", "/openapi.json"] {
        let answer = root.get(path);
        assert!(ids.insert(answer.header("x-request-id").unwrap().to_owned()), "{path}: an id of its own");
        for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        for name in ["content-security-policy", "referrer-policy", "permissions-policy"] {
            assert!(answer.header(name).is_some(), "{path}: {name}");
        }
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    }
    assert_eq!(
        root.with("x-request-id", "my-id_9").get("/nothing").refused(404, "not_found")["request_id"],
        "my-id_9"
    );
    for id in ["a b", "x/y", "", &"x".repeat(65)] {
        assert_ne!(root.with("x-request-id", id).get("/health").header("x-request-id"), Some(id));
    }
    eventually("it is in the log", || service.log().contains("my-id_9").then_some(()));
}

fn only_listed_origins_and_hosts_are_served(on: Backend) {
    let settings = [
        ("CALIBER_CORS_ORIGINS", "https://app.example"),
        ("CALIBER_ALLOWED_HOSTS", "127.0.0.1,caliber.example"),
    ];
    let service = Service::with(on, &settings);
    let root = service.client().at_root();
    let listed = root.with("origin", "https://app.example").get("/health");
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://app.example"));
    let asked = root
        .with("origin", "https://app.example")
        .with("access-control-request-method", "PUT")
        .bare("OPTIONS", "/api/v1/auth/profile");
    assert!(asked.header("access-control-allow-methods").unwrap().contains("PUT"));
    for origin in ["https://evil.example", "null", "http://app.example", "https://app.example.evil.example"] {
        for (method, path) in [("GET", "/health"), ("OPTIONS", "/api/v1/campaigns"), ("GET", "/nothing")] {
            let answer =
                root.with("origin", origin).with("access-control-request-method", "PUT").bare(method, path);
            let told: Vec<_> =
                answer.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
            assert!(told.is_empty(), "{origin} {method} {path}: {told:?}");
        }
    }
    root.with("host", "caliber.example").get("/health").data(200);
    root.with("host", "CALIBER.example:8000").get("/health").data(200);
    for host in ["evil.example", "localhost", "caliber.example.evil.example", "127.0.0.1.evil.example:80"] {
        root.with("host", host).get("/health").refused(421, "host_not_allowed");
    }
    let usual = Service::start(on);
    for host in ["localhost", "127.0.0.1", "[::1]:17", "LOCALHOST:80"] {
        usual.client().at_root().with("host", host).get("/health").data(200);
    }
    usual.client().at_root().with("host", "evil.example").get("/health").refused(421, "host_not_allowed");
}

fn answers_are_compressed_where_that_is_taken(on: Backend) {
    let service = Service::start(on);
    let root = service.client().at_root();
    let plain = root.get("/openapi.json");
    assert_eq!(plain.header("content-encoding"), None);
    for encoding in ["gzip", "br"] {
        let packed = root.with("accept-encoding", encoding).get("/openapi.json");
        assert_eq!(packed.header("content-encoding"), Some(encoding));
        assert!(packed.bytes.len() < plain.bytes.len() / 4);
        if encoding == "gzip" {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(&packed.bytes[..]).read_to_end(&mut text).unwrap();
            assert_eq!(text, plain.bytes);
        }
    }
}

fn the_pages_of_the_document_are_served_from_the_program(on: Backend) {
    let service = Service::start(on);
    let root = service.client().at_root();
    let document = root.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(["/api/v1/", "/health", "/metrics"].iter().any(|start| path.starts_with(start)), "{path}");
    }
    let moved = root.get("/docs");
    assert_eq!((moved.status, moved.header("location")), (303, Some("/docs/index.html")));
    assert_eq!(root.get("/docs/").status, 303);
    for path in ["/docs/index.html", "/redoc"] {
        let page = root.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        assert!(!page.text().contains("https://"), "{path} is whole by itself");
    }
    assert!(root.get("/docs/swagger-initializer.js").text().contains("/openapi.json"));
    assert!(root.get("/redoc/redoc.standalone.js").bytes.len() > 100_000);
    root.get("/docs/nothing.js").refused(404, "not_found");
}

fn production_is_strict(on: Backend) {
    let key = "r7Qm2vX9pL4tK8wZ1nB6cD3fG5hJ0sAyEuIoWqVb";
    let settings = [("CALIBER_ENVIRONMENT", "production"), ("CALIBER_SECRET_KEY", key)];
    let service = Service::with(on, &settings);
    service.manager("ana");
    let login = json!({"email": "ana@example.com", "password": crate::people::PASSWORD});
    let answer = service.client().post("/auth/login?session=cookie", login);
    answer.data(200);
    assert!(
        answer.headers.get_all("set-cookie").iter().all(|cookie| cookie.to_str().unwrap().contains("Secure"))
    );
    assert!(answer.header("strict-transport-security").is_some());
    for (name, value) in [
        ("CALIBER_SECRET_KEY", ""),
        ("CALIBER_SECRET_KEY", "secret"),
        ("CALIBER_CORS_ORIGINS", "*"),
        ("CALIBER_DEV_SIGN_IN", "on"),
    ] {
        let mut refused = Service::prepared(on, &settings);
        refused.set(name, value);
        let said = refused.run(&["serve", "--bind", "127.0.0.1:0"], "");
        assert_eq!(said.status.code(), Some(2), "{name}={value}");
        assert!(String::from_utf8_lossy(&said.stderr).contains(name), "{name}={value}");
    }
}

fn what_is_under_way_is_finished_before_it_ends(on: Backend) {
    let mut service = Service::start(on);
    let ana = service.manager("ana");
    let address = service.address().strip_prefix("http://").unwrap().to_owned();
    let body = json!({"name": "x", "campaign_type": "trade_desk", "goal": "awareness", "channel": "display"})
        .to_string();
    let mut call = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /api/v1/campaigns HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        ana.credential(),
        body.len()
    );
    call.write_all(head.as_bytes()).unwrap();
    let mut taken_up = [0; 25];
    call.read_exact(&mut taken_up).unwrap();
    assert_eq!(&taken_up, b"HTTP/1.1 100 Continue\r\n\r\n", "the body is waited for");
    service.ask_to_stop();
    eventually("it says that it stops", || service.log().contains("stopping").then_some(()));
    call.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    call.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(service.ended().success());
}

fn a_stream_that_somebody_watches_ends_with_it(on: Backend) {
    let mut service = Service::with(on, &[("CALIBER_WORKERS", "0")]);
    let ana = service.manager("ana");
    let id = ana.campaign_with(&report());
    ana.post("/scoring/start", json!({"campaign_id": id})).data(202);
    let events = std::thread::scope(|scope| {
        let watching = scope.spawn(|| ana.events(&format!("/scoring/progress/{id}/stream")));
        let opened = || service.log().contains("/stream").then_some(());
        eventually("the stream is open", opened);
        assert!(service.stop().success(), "nobody waits for what never ends by itself");
        watching.join().unwrap()
    });
    assert!(
        !events.is_empty() && events.iter().all(|event| event.data["status"] == "processing"),
        "{events:?}"
    );
}

/// A way to a database that can be cut.
struct Way {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Way {
    fn to(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, host, is_cut) =
            (listener.local_addr().unwrap().port(), host.to_owned(), Arc::new(AtomicBool::new(false)));
        let way = Self { port, is_cut: Arc::clone(&is_cut) };
        std::thread::spawn(move || {
            for inward in listener.incoming().map_while(Result::ok) {
                let Ok(outward) = TcpStream::connect(&host) else { return };
                for (from, to) in [(inward.try_clone(), outward.try_clone()), (Ok(outward), Ok(inward))] {
                    let (from, to, is_cut) = (from.unwrap(), to.unwrap(), Arc::clone(&is_cut));
                    std::thread::spawn(move || carry(from, to, &is_cut));
                }
            }
        });
        way
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if is_cut.load(Ordering::SeqCst) || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both));
}

#[test]
fn without_its_database_it_is_alive_and_not_ready_until_the_database_is_back() {
    let mut service = Service::prepared(Backend::Postgres, &[]);
    let url = service.database().unwrap().url().to_owned();
    let (credentials, place) = url.rsplit_once('@').unwrap();
    let (host, database) = place.split_once('/').unwrap();
    let way = Way::to(host);
    service.set("DATABASE_URL", &format!("{credentials}@127.0.0.1:{}/{database}", way.port));
    service.start_again();
    let ana = service.manager("ana");
    let root = service.client().at_root();
    root.get("/health/ready").data(200);
    way.is_cut.store(true, Ordering::SeqCst);
    root.get("/health/ready").refused(503, "unavailable");
    root.get("/health/live").data(200);
    root.get("/health").data(200);
    assert_eq!(root.get("/health/detailed").json()["data"]["database"]["status"], "unhealthy");
    ana.get("/auth/me").refused(503, "unavailable");
    way.is_cut.store(false, Ordering::SeqCst);
    eventually("it is ready again", || (root.get("/health/ready").status == 200).then_some(()));
    ana.get("/auth/me").data(200);
}
