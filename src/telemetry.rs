//! What the process says about itself: log lines on standard error and Prometheus metrics. A request's id is a field
//! of its span and is set by the web layer; counters are declared where they are counted, with the `metrics` macros.

use std::fs;
use std::io::{self, Write};
use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::LogFormat;

/// The recorder of a process is global by its nature, so is the way to read it.
static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Sends log lines to standard error; standard output is left to what scripts read, such as the set-up link. Fails
/// if the process logs already.
pub fn start_logging(format: LogFormat, filter: Targets) -> Result<(), TryInitError> {
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Human => Box::new(fmt::layer().with_ansi(false).with_writer(|| OneLine(io::stderr()))),
        LogFormat::Json => Box::new(fmt::layer().json().flatten_event(true).with_writer(io::stderr)),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter).with_filter(filter_fn(may_be_said))).try_init()
}

/// Libraries that write an ERROR for what a stranger sent: a request that cannot be read, a certificate that is not
/// trusted. Strongroom answers the one and names the other, and a stranger must not fill the log with alarms.
const STRANGERS: [&str; 2] = ["actix_http", "rustls_platform_verifier"];

/// Other libraries' details may hold requests and answers, and with them secrets: only their warnings pass, whatever
/// the filter asks for, and of [`STRANGERS`] nothing above a warning.
fn may_be_said(metadata: &Metadata<'_>) -> bool {
    let is_of = |library: &str| {
        metadata.target().strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    match *metadata.level() {
        Level::ERROR => !STRANGERS.into_iter().any(is_of),
        Level::WARN => true,
        _ => is_of("strongroom"),
    }
}

/// Escapes control characters, so that a value cannot forge a line or colour a terminal. An event comes as one write.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut safe = String::with_capacity(text.len() + 1);
        for character in text.chars() {
            if character.is_control() { safe.extend(character.escape_default()) } else { safe.push(character) }
        }
        safe.push('\n');
        self.0.write_all(safe.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

const GAUGES: &[(&str, &str)] = &[
    ("process_open_fds", "Open file descriptors."),
    ("process_resident_memory_bytes", "Resident memory, in bytes."),
    ("process_start_time_seconds", "When the process started, in seconds since 1970."),
    ("strongroom_alerts_open", "Alerts that are open, without warnings ahead."),
    ("strongroom_build_info", "Always 1; the version is a label."),
    ("strongroom_database_up", "Whether the database answered this scrape, 1 or 0."),
    ("strongroom_message_oldest_seconds", "Age of the oldest alert message that waits, in seconds; 0 without any."),
    ("strongroom_messages_parked", "Alert messages that wait for a person to try them again or give them up."),
    ("strongroom_messages_waiting", "Alert messages ready or on their way, of channels that are switched on."),
    (
        "strongroom_store_verified_seconds",
        "Seconds since the whole store was last verified, or since it was founded if it never was.",
    ),
    ("strongroom_runs_unfinished", "Scans that are queued or running."),
];

const COUNTERS: &[(&str, &str)] = &[
    ("strongroom_client_fetches_total", "Answers to clients that fetch, by outcome."),
    ("strongroom_client_login_failures_total", "Clients that did not show who they are."),
    ("strongroom_database_errors_total", "Connections to the database that failed."),
    ("strongroom_deliveries_total", "Attempts at alert messages, by outcome."),
    ("strongroom_integrity_failures_total", "Uses refused because a row was not what Strongroom saved."),
    ("strongroom_login_failures_total", "Logins with a wrong password or code."),
    ("strongroom_login_lockouts_total", "Logins that closed for a while."),
    ("strongroom_requests_total", "Requests answered, by status."),
    ("strongroom_runs_total", "Scans that ended, by outcome."),
    ("strongroom_tests_total", "Tests of credentials, by verdict."),
];

/// Upper bounds of the histograms, in seconds, as Prometheus' own clients have them: unlike quantiles they can be added
/// up over replicas, and each route takes as little memory after a day as after a minute.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const LABELLED: &[&str] = &[
    "strongroom_client_fetches_total",
    "strongroom_deliveries_total",
    "strongroom_requests_total",
    "strongroom_runs_total",
    "strongroom_tests_total",
];

/// Installs the recorder of metrics, once a process; further calls do nothing. Before it, metrics go nowhere.
pub fn start_metrics() {
    METRICS.get_or_init(|| {
        let recorder = PrometheusBuilder::new().set_buckets(SECONDS).unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        // Somebody else's recorder would only be there in a test of theirs.
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another recorder of metrics is installed");
        }
        for (name, help) in GAUGES {
            metrics::describe_gauge!(*name, *help);
        }
        for (name, help) in COUNTERS {
            metrics::describe_counter!(*name, *help);
            if !LABELLED.contains(name) {
                // Zero is worth telling: a rate needs a first value.
                metrics::counter!(*name).increment(0);
            }
        }
        metrics::describe_histogram!("strongroom_request_seconds", "Time to answer, in seconds, by route and method.");
        metrics::gauge!("strongroom_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        #[expect(clippy::disallowed_methods, reason = "the start of the process is the real one")]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        metrics::gauge!("process_start_time_seconds").set(now.as_secs_f64());
        handle
    });
}

/// Folds what was measured since the last time into the histograms. Until then each request's time is kept by itself,
/// which adds up where nobody reads the metrics.
pub fn fold_metrics() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}

/// All metrics in Prometheus' text format, empty before [`start_metrics`]. Reads /proc, so it is cheap but not free.
pub fn render_metrics() -> String {
    let Some(handle) = METRICS.get() else { return String::new() };
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        // Reading the directory is one of them.
        metrics::gauge!("process_open_fds").set(descriptors.count().saturating_sub(1) as f64);
    }
    handle.run_upkeep();
    handle.render()
}

/// `VmRSS` of /proc/self/status (proc_pid_status(5)), which is in units of 1024 bytes.
fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kibibytes| kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_line_breaks_and_colours_stays_on_its_line() {
        let mut written = Vec::new();
        OneLine(&mut written).write_all("name=x\n{\"level\":\"INFO\"}\u{1b}[31m é\n".as_bytes()).expect("written");
        let written = String::from_utf8(written).expect("text");
        assert_eq!(written, "name=x\\n{\"level\":\"INFO\"}\\u{1b}[31m é\n");
    }

    #[test]
    fn the_metrics_name_the_version_and_the_process() {
        start_metrics();
        start_metrics();
        let text = render_metrics();
        for name in ["strongroom_build_info{version=", "process_start_time_seconds", "process_resident_memory_bytes"] {
            assert!(text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn other_libraries_say_no_more_than_warnings_even_at_trace() {
        use std::sync::{Arc, Mutex};
        #[derive(Clone, Default)]
        struct Sink(Arc<Mutex<Vec<u8>>>);
        impl Write for Sink {
            fn write(&mut self, line: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("a lock").extend_from_slice(line);
                Ok(line.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let sink = Sink::default();
        let writer = sink.clone();
        let filter: Targets = "trace".parse().expect("a filter");
        let lines = fmt::layer().with_writer(move || writer.clone()).with_filter(filter);
        let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter_fn(may_be_said)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "hyper::proto", "CANARY of a library");
            tracing::warn!(target: "hyper::proto", "a warning of a library");
            tracing::error!(target: "actix_http::h1::dispatcher", "CANARY of a visitor");
            tracing::error!(target: "rustls_platform_verifier::verification", "CANARY of a peer");
            tracing::error!(target: "actix_server", "an error of a library");
            tracing::trace!("a detail of ours");
        });
        let text = String::from_utf8(sink.0.lock().expect("a lock").clone()).expect("text");
        assert!(!text.contains("CANARY"), "{text}");
        for said in ["a warning of a library", "an error of a library", "a detail of ours"] {
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
