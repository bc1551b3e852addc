//! Owns what operators ask: alive? ready? how many, how slow, how full? On a loopback address by default.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;

use crate::telemetry::health;
use crate::telemetry::metrics::Metrics;
use crate::transport::Answer;
use crate::transport::Handler;
use crate::transport::Request;

/// Why the gateway should get no calls at the moment; empty means that it should.
pub trait Readiness: Send + Sync + 'static {
    fn missing(&self) -> Vec<&'static str>;
}

/// The operators' face: `/live`, `/ready`, `/metrics`.
pub struct Ops<R> {
    pub metrics: Option<Metrics>,
    pub readiness: R,
}

impl<R: Readiness> Handler for Ops<R> {
    async fn handle(&self, request: Request) -> Answer {
        match request.parts.uri.path() {
            "/live" => text(StatusCode::OK, "live\n".to_owned()),
            "/ready" => self.ready(),
            "/metrics" => self.metrics(),
            _ => text(StatusCode::NOT_FOUND, "try /live, /ready or /metrics\n".to_owned()),
        }
    }
}

impl<R: Readiness> Ops<R> {
    fn ready(&self) -> Answer {
        let missing = self.readiness.missing();
        if missing.is_empty() {
            return text(StatusCode::OK, "ready\n".to_owned());
        }
        text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", missing.join(", ")))
    }

    fn metrics(&self) -> Answer {
        match &self.metrics {
            Some(metrics) => {
                health::ready(self.readiness.missing().is_empty());
                text(StatusCode::OK, metrics.render())
            }
            None => text(StatusCode::NOT_FOUND, "metrics are off in this process\n".to_owned()),
        }
    }
}

fn text(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let plain = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}
