//! What is counted, and the text that Prometheus reads: exposition format 0.0.4.
//!
//! Labels are routes of the table, classes of statuses and our own words, and the names of some organisations, of which
//! there are never more than [`NAMED`]: nobody can make the set of series grow.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use access::Reach;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use indelible::{Indelible, Lag};
use receivers::otlp::Noise;

use crate::auth::Caller;
use crate::door::{Door, UNIT};
use crate::health::lag;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::ROUTES;

/// Upper ends of the buckets, in microseconds.
const BUCKETS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];
/// Organisations that are told apart: those with the largest values.
const NAMED: usize = 50;
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What may become of an event that was sent.
const OUTCOMES: [&str; 4] = ["accepted", "duplicate", "conflict", "refused"];

/// Everything that is counted here.
pub(crate) struct Metrics {
    /// One for each route, and one for what is no route.
    routes: Vec<Route>,
    bytes_in: AtomicU64,
    events: [AtomicU64; OUTCOMES.len()],
    noise: [AtomicU64; Noise::ALL.len()],
    connections: AtomicI64,
    limited: [AtomicU64; LIMITS.len()],
}

/// The policies that may turn a request away.
pub(crate) const LIMITS: [&str; 3] = ["key", "address", "login"];

#[derive(Default)]
struct Route {
    classes: [AtomicU64; CLASSES.len()],
    /// Of each bucket alone; the text sums them up.
    buckets: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
}

/// What became of the events of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) accepted: usize,
    pub(crate) duplicates: usize,
    pub(crate) conflicts: usize,
    pub(crate) refused: usize,
}

/// A connection, for as long as it is open.
pub(crate) struct Connection(Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    pub(crate) fn new() -> Arc<Metrics> {
        let routes = (0..=ROUTES.len()).map(|_| Route::default()).collect();
        let (bytes_in, connections) = (AtomicU64::new(0), AtomicI64::new(0));
        Arc::new(Metrics {
            routes,
            bytes_in,
            connections,
            events: Default::default(),
            noise: Default::default(),
            limited: Default::default(),
        })
    }

    pub(crate) fn connection(self: &Arc<Metrics>) -> Connection {
        self.connections.fetch_add(1, Relaxed);
        Connection(self.clone())
    }

    /// An answer, by the number of its route in the table.
    pub(crate) fn answered(&self, route: Option<usize>, status: StatusCode, took: Duration) {
        let route = &self.routes[route.unwrap_or(ROUTES.len())];
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len());
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|end| took <= *end).unwrap_or(BUCKETS.len());
        route.classes[class - 1].fetch_add(1, Relaxed);
        route.buckets[bucket].fetch_add(1, Relaxed);
        route.microseconds.fetch_add(took, Relaxed);
    }

    /// Bytes of a body, as they came.
    pub(crate) fn received(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn events(&self, events: Events) {
        let counts = [events.accepted, events.duplicates, events.conflicts, events.refused];
        for (counter, count) in self.events.iter().zip(counts) {
            counter.fetch_add(count as u64, Relaxed);
        }
    }

    /// Spans and log records that are no events, by [`Noise::ALL`].
    pub(crate) fn noise(&self, counts: &[usize; Noise::ALL.len()]) {
        for (counter, count) in self.noise.iter().zip(counts) {
            counter.fetch_add(*count as u64, Relaxed);
        }
    }

    /// A request that was turned away by one of [`LIMITS`].
    pub(crate) fn limited(&self, policy: &str) {
        if let Some(at) = LIMITS.iter().position(|name| *name == policy) {
            self.limited[at].fetch_add(1, Relaxed);
        }
    }

    #[cfg(test)]
    pub(crate) fn limited_by(&self, policy: &str) -> u64 {
        self.limited[LIMITS.iter().position(|name| *name == policy).unwrap()].load(Relaxed)
    }

    fn write(&self, bodies_bytes: usize, out: &mut String) -> std::fmt::Result {
        let names = ROUTES.iter().map(|route| (route.method, route.path)).chain([("", "none")]);
        let routes: Vec<_> = names.zip(&self.routes).collect();
        head(out, "indelible_http_requests_total", "counter", "Requests that were answered.")?;
        for ((method, path), route) in &routes {
            for (class, count) in CLASSES.iter().zip(&route.classes) {
                let count = count.load(Relaxed);
                if count > 0 {
                    writeln!(
                        out,
                        "indelible_http_requests_total{{method=\"{method}\",route=\"{path}\",status=\"{class}\"}} {count}"
                    )?;
                }
            }
        }
        let name = "indelible_http_request_duration_seconds";
        head(out, name, "histogram", "Time from the head of a request to the head of its answer.")?;
        for ((method, path), route) in &routes {
            let labels = format!("method=\"{method}\",route=\"{path}\"");
            // Read once: what is counted meanwhile must not make the sum smaller than a bucket.
            let counts = route.buckets.each_ref().map(|bucket| bucket.load(Relaxed));
            let total: u64 = counts.iter().sum();
            if total == 0 {
                continue;
            }
            let mut sum = 0;
            for (end, count) in BUCKETS.iter().zip(counts) {
                sum += count;
                writeln!(out, "{name}_bucket{{{labels},le=\"{}\"}} {sum}", *end as f64 / 1e6)?;
            }
            writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {total}")?;
            writeln!(out, "{name}_sum{{{labels}}} {}", route.microseconds.load(Relaxed) as f64 / 1e6)?;
            writeln!(out, "{name}_count{{{labels}}} {total}")?;
        }
        let name = "indelible_http_received_bytes_total";
        head(out, name, "counter", "Bytes of bodies, as they came.")?;
        writeln!(out, "{name} {}", self.bytes_in.load(Relaxed))?;
        let name = "indelible_http_events_total";
        head(out, name, "counter", "Events that were sent, by what became of them.")?;
        for (outcome, count) in OUTCOMES.iter().zip(&self.events) {
            writeln!(out, "{name}{{outcome=\"{outcome}\"}} {}", count.load(Relaxed))?;
        }
        let name = "indelible_otlp_dropped_total";
        head(
            out,
            name,
            "counter",
            "Spans and log records that are no events, by the rule that dropped them.",
        )?;
        for (noise, count) in Noise::ALL.iter().zip(&self.noise) {
            writeln!(out, "{name}{{rule=\"{}\"}} {}", noise.name(), count.load(Relaxed))?;
        }
        let name = "indelible_http_limited_total";
        head(out, name, "counter", "Requests that were turned away because there were too many.")?;
        for (policy, count) in LIMITS.iter().zip(&self.limited) {
            writeln!(out, "{name}{{policy=\"{policy}\"}} {}", count.load(Relaxed))?;
        }
        let name = "indelible_http_connections";
        head(out, name, "gauge", "Connections that are open.")?;
        writeln!(out, "{name} {}", self.connections.load(Relaxed))?;
        let name = "indelible_http_bodies_bytes";
        head(out, name, "gauge", "Memory that is set aside for bodies.")?;
        writeln!(out, "{name} {bodies_bytes}")
    }
}

fn head(out: &mut String, name: &str, kind: &str, about: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {about}\n# TYPE {name} {kind}")
}

/// What the product tells of itself.
fn write_product(product: &Indelible, lags: Vec<Lag>, out: &mut String) -> std::fmt::Result {
    let name = "indelible_ledgers_open";
    head(out, name, "gauge", "Ledgers that are open now.")?;
    writeln!(out, "{name} {}", lags.len())?;
    let named = |value: fn(&Lag) -> Option<u64>| {
        let mut values: Vec<(u64, &str)> =
            lags.iter().filter_map(|lag| Some((value(lag)?, lag.organisation.as_str()))).collect();
        values.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        values.truncate(NAMED);
        values
    };
    let mut write = |name: &str, about: &str, value: fn(&Lag) -> Option<u64>| {
        head(out, name, "gauge", about)?;
        named(value).into_iter().try_for_each(|(value, organisation)| {
            writeln!(out, "{name}{{organisation=\"{organisation}\"}} {value}")
        })
    };
    write("indelible_ledger_leaves", "Leaves of the largest open ledgers.", |lag| Some(lag.size))?;
    write("indelible_index_lag_events", "Events that are recorded and can't be found yet.", lag)?;
    write("indelible_index_bytes", "Bytes of indexes on the disk.", |lag| Some(lag.bytes))?;
    let (hits, misses, bytes) = product.index_cache();
    let name = "indelible_index_cache_hits_total";
    head(out, name, "counter", "Blocks of indexes that were in memory when they were wanted.")?;
    writeln!(out, "{name} {hits}")?;
    let name = "indelible_index_cache_misses_total";
    head(out, name, "counter", "Blocks of indexes that were read from the disk.")?;
    writeln!(out, "{name} {misses}")?;
    let name = "indelible_index_cache_bytes";
    head(out, name, "gauge", "Memory that blocks of indexes take.")?;
    writeln!(out, "{name} {bytes}")?;
    let (refused, skipped) = product.unrecorded();
    let name = "indelible_unrecorded_events";
    head(out, name, "gauge", "Events that could not be recorded since the last that was.")?;
    writeln!(out, "{name}{{outcome=\"refused\"}} {refused}")?;
    writeln!(out, "{name}{{outcome=\"skipped\"}} {skipped}")
}

/// `GET /metrics`
pub(crate) async fn metrics(
    State(door): State<Arc<Door>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri(), &[])?;
    let told = door.read(move |product| {
        let mut text = String::new();
        let lags = product.stats(&caller.viewer, &Reach::All)?;
        write_product(product, lags, &mut text).expect("writing to a string does not fail");
        Ok(text)
    });
    let told = told.await?;
    let held =
        door.limits.bodies_bytes - (door.bodies.available_permits() * UNIT).min(door.limits.bodies_bytes);
    let mut text = told;
    door.metrics.write(held, &mut text).expect("writing to a string does not fail");
    if let Some(more) = door.more_metrics.clone() {
        // Whoever is asked may look at the disk.
        text += &door.blocking(move |_| Ok(more())).await?;
    }
    let mut response = Response::new(text.into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
