//! What is counted and measured, for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

/// Seconds, and requests of a batch, between which answers are counted.
const BUCKETS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 4.0, 16.0, 32.0, 64.0,
];

/// The server's own recorder: programs may have others.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    waiting: Gauge,
    batch: Histogram,
    rows: Gauge,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new();
        // Refused where there are no buckets alone.
        let builder = match builder.set_buckets(&BUCKETS) {
            Ok(builder) => builder,
            Err(_) => PrometheusBuilder::new(),
        };
        let recorder = builder.build_recorder();
        let described = [
            ("clover_queue_waiting", "Requests that wait for the model."),
            ("clover_index_rows", "Rows of the index that is searched."),
        ];
        for (name, text) in described {
            recorder.describe_gauge(name.into(), None, text.into());
        }
        recorder.describe_counter(
            "clover_requests_total".into(),
            None,
            "Requests answered.".into(),
        );
        recorder.describe_histogram(
            "clover_request_seconds".into(),
            None,
            "From a request to the beginning of its answer.".into(),
        );
        recorder.describe_histogram(
            "clover_batch_requests".into(),
            None,
            "Requests that passed the model together.".into(),
        );
        let about = about();
        Self {
            waiting: recorder.register_gauge(&Key::from_name("clover_queue_waiting"), &about),
            batch: recorder.register_histogram(&Key::from_name("clover_batch_requests"), &about),
            rows: recorder.register_gauge(&Key::from_name("clover_index_rows"), &about),
            recorder: Arc::new(recorder),
        }
    }

    pub(crate) fn waiting(&self, requests: usize) {
        self.waiting.set(requests as f64);
    }

    pub(crate) fn batch(&self, requests: usize) {
        self.batch.record(requests as f64);
    }

    pub(crate) fn rows(&self, rows: usize) {
        self.rows.set(rows as f64);
    }

    /// A request to one of the known routes was answered.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let labels = vec![
            Label::new("route", route.to_owned()),
            Label::new("status", status.to_string()),
        ];
        let counter = Key::from_parts("clover_requests_total", labels.clone());
        let counter: Counter = self.recorder.register_counter(&counter, &about());
        counter.increment(1);
        let histogram = Key::from_parts("clover_request_seconds", labels);
        let histogram = self.recorder.register_histogram(&histogram, &about());
        histogram.record(took.as_secs_f64());
    }

    /// All of it, in Prometheus's text form.
    pub(crate) fn render(&self) -> String {
        let handle = self.recorder.handle();
        handle.run_upkeep();
        handle.render()
    }
}

fn about() -> Metadata<'static> {
    Metadata::new(module_path!(), Level::INFO, None)
}
