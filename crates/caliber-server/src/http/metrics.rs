//! What is counted of every request, for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::App;

/// Upper ends of the buckets of the response time, in seconds.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What this process has counted since it started.
#[derive(Debug)]
pub(crate) struct RequestMetrics {
    answered: Family<Answered, Counter<u64, AtomicU64>>,
    seconds: Family<Endpoint, Histogram, fn() -> Histogram>,
    under_way: Gauge,
}

/// Which requests a time is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    method: &'static str,
    /// The route, as `/api/v1/campaigns/{id}`: there are only so many, however many campaigns there are.
    endpoint: String,
}

/// Which requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    endpoint: String,
    status: u16,
}

impl RequestMetrics {
    pub(crate) fn new() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(BUCKETS);
        Self {
            answered: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            under_way: Gauge::default(),
        }
    }

    /// Has what was counted told with everything else in the registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests that were answered", self.answered.clone());
        let help = "Time from a request to the head of its answer";
        registry.register_with_unit("response_time", help, Unit::Seconds, self.seconds.clone());
        registry.register(
            "http_requests_under_way",
            "Requests without an answer yet",
            self.under_way.clone(),
        );
    }
}

/// Counts a request and the time until its answer begins.
pub(crate) async fn counted(State(app): State<App>, request: Request, next: Next) -> Response {
    let metrics = &app.metrics;
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let endpoint = route.unwrap_or("none").to_owned();
    let begun = Instant::now();
    // Given back also where the client leaves and the rest of this is dropped.
    let under_way = UnderWay::new(&metrics.under_way);
    let response = next.run(request).await;
    drop(under_way);
    let status = response.status().as_u16();
    metrics.answered.get_or_create(&Answered { method, endpoint: endpoint.clone(), status }).inc();
    metrics.seconds.get_or_create(&Endpoint { method, endpoint }).observe(begun.elapsed().as_secs_f64());
    response
}

struct UnderWay<'a>(&'a Gauge);

impl<'a> UnderWay<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A stranger may send any word as a method; each would be a series of its own.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
