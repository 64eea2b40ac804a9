//! How large the tests of security.md's reliability bars (R1–R16) and of A3 are. By default they are small, so that the
//! suite stays quick and a busy machine breaks none of them; `script/endurance` sets STRONGROOM_TEST_FULL=1 and runs
//! them as the document asks, with every limit of time asserted and a line of figures for each row.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fmt::Display;
use std::time::Duration;

/// A size in the suite, and the one that security.md asks for.
#[derive(Clone, Copy, Debug)]
pub struct Scale(usize, usize);

pub const A3_KNOWN: Scale = Scale(20, 200);
pub const A3_DISABLED: Scale = Scale(5, 50);
pub const R1_WRITES: Scale = Scale(200, 1_000);
pub const R1_CLIENTS: Scale = Scale(4, 8);
pub const R1_KILLS: Scale = Scale(8, 50);
pub const R2_RATE: Scale = Scale(20, 50);
pub const R2_SECONDS: Scale = Scale(2, 10);
pub const R2_ROUNDS: Scale = Scale(1, 3);
pub const R3_FROZEN_SECONDS: Scale = Scale(3, 20);
pub const R3_CUT_SECONDS: Scale = Scale(1, 300);
pub const R4_ROWS: Scale = Scale(1_500, 10_000);
pub const R4_KILLS: Scale = Scale(5, 20);
pub const R6_KEYS: Scale = Scale(200, 1_000);
pub const R7_KEYS: Scale = Scale(20, 1_000);
pub const R7_RECIPIENTS: Scale = Scale(60, 300);
pub const R7_KILLS: Scale = Scale(5, 20);
pub const R9_REQUESTS: Scale = Scale(3_000, 10_000);
pub const R10_ROUNDS: Scale = Scale(100, 500);
pub const R11_KEYS: Scale = Scale(5, 100);
pub const R15_ROWS: Scale = Scale(800, 10_000);
/// Clusters that are deployed to at once.
pub const R18_CLUSTERS: Scale = Scale(4, 50);

/// Whether this run is the whole of it.
pub fn full() -> bool {
    std::env::var_os("STRONGROOM_TEST_FULL").is_some_and(|value| value == "1")
}

impl Scale {
    pub fn now(self) -> usize {
        if full() { self.1 } else { self.0 }
    }

    pub fn seconds(self) -> Duration {
        Duration::from_secs(self.now() as u64)
    }
}

/// Fails when something took longer than its bar. In the suite, where others use the machine as well, five times as
/// long is granted.
#[track_caller]
pub fn within(what: &str, took: Duration, bar: Duration) {
    let bar = if full() { bar } else { bar * 5 };
    assert!(took <= bar, "{what}: {took:?}, and the bar is {bar:?}");
}

/// Fails in a full run when a figure misses its bar; prints it anyhow.
#[track_caller]
pub fn below(what: &str, figure: f64, bar: f64) {
    println!("{what}: {figure:.3} (bar {bar})");
    assert!(!full() || figure < bar, "{what}: {figure:.3}, and the bar is {bar}");
}

/// The line of a row, which `script/endurance` puts into its table.
pub fn report(row: &str, figures: &[(&str, &dyn Display)]) {
    let figures: Vec<String> = figures.iter().map(|(what, figure)| format!("{what} {figure}")).collect();
    println!("\nbar {row}: {}", figures.join(" · "));
}

/// `0.42 s`.
pub fn seconds(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}

/// `12 ms`.
pub fn millis(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// The value that a share of all others do not exceed: `percentile(&mut took, 0.99)`.
pub fn percentile(values: &mut [Duration], share: f64) -> Duration {
    values.sort_unstable();
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or_default()
}
