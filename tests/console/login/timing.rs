//! Who has no account, and whose account is off, is told no by the clock either (A3): the times of wrong logins cannot
//! be told apart.

use std::time::{Duration, Instant};

use strongroom::models::events::Actor;
use strongroom::models::users;

use super::log_in;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::process::Random;
use crate::support::scale::{self, A3_DISABLED, A3_KNOWN};
use crate::support::sql;

const NAMES: [&str; 3] = ["known", "unknown", "disabled"];

/// Seconds of wrong logins by kind of name, in a random order, so that a busy machine is busy for all.
async fn measure(app: &TestApp, random: &mut Random) -> [Vec<f64>; 3] {
    let mut left = [A3_KNOWN.now(), A3_KNOWN.now(), A3_DISABLED.now()];
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for number in 0.. {
        let all: usize = left.iter().sum();
        if all == 0 {
            break;
        }
        let at = random.below(all);
        let kind = if at < left[0] { 0 } else { 1 + usize::from(at >= left[0] + left[1]) };
        left[kind] -= 1;
        if number % 4 == 0 {
            sql::run(app, "DELETE FROM login_failures");
        }
        let mut visit = app.visitor();
        visit.get("/livez").await;
        let started = Instant::now();
        assert_eq!(log_in(&mut visit, NAMES[kind], "wrong").await.status, 422);
        times[kind].push(started.elapsed().as_secs_f64());
    }
    times
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

/// The two-sided p of Mann and Whitney's test, by its normal approximation (good from twenty values on).
fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let wins = one.iter().flat_map(|a| other.iter().map(move |b| (a > b) as u8 as f64 + 0.5 * (a == b) as u8 as f64));
    let u: f64 = wins.sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let z = (u - n * m / 2.0).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt();
    // Abramowitz and Stegun, 26.2.17.
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let tail: f64 = series.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    2.0 * tail * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn the_test_tells_what_differs_from_what_does_not() {
    let (even, odd): (Vec<f64>, Vec<f64>) =
        ((0..200).map(|n| f64::from(n * 2)).collect(), (0..200).map(|n| f64::from(n * 2 + 1)).collect());
    assert!(mann_whitney(&even, &odd) > 0.9);
    let later: Vec<f64> = even.iter().map(|n| n + 60.0).collect();
    assert!(mann_whitney(&even, &later) < 0.001);
}

/// At the real cost of a hash.
#[actix_web::test]
async fn an_unknown_user_takes_as_long_as_a_known_one() {
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let mut random = Random(seed);
    let app = TestApp::start();
    let hash = app.services.gate.hasher.hash(PASSWORD).await.unwrap();
    let actor = Actor::command_line();
    for name in ["known", "disabled"] {
        let id = app.transaction(|conn| users::create(conn, &app.services.vault, &actor, name, "auditor", &hash));
        if name == "disabled" {
            let change = users::Change::Disabled(true);
            users::change(&mut app.connect(), &app.services.vault, &actor, id, &change, None).unwrap();
        }
    }
    // One test in fifty finds a difference where there is none, so one repetition is granted.
    let mut worst = Vec::new();
    for attempt in 1..=2 {
        let times = measure(&app, &mut random).await;
        let [known, unknown, disabled] = [0, 1, 2].map(|kind| median(&times[kind]));
        let apart = [unknown, disabled].map(|other| (other / known - 1.0).abs());
        let p = [1, 2].map(|kind| mann_whitney(&times[0], &times[kind]));
        let millis = |seconds: f64| scale::millis(Duration::from_secs_f64(seconds));
        worst = vec![p[0].min(p[1]), apart[0].max(apart[1])];
        scale::report(
            "A3",
            &[
                ("logins", &times.iter().map(Vec::len).sum::<usize>()),
                ("median of a known name", &millis(known)),
                ("unknown", &format!("{:+.1} % (p {:.2})", 100.0 * (unknown / known - 1.0), p[0])),
                ("disabled", &format!("{:+.1} % (p {:.2})", 100.0 * (disabled / known - 1.0), p[1])),
                ("attempt", &attempt),
            ],
        );
        if worst[0] > 0.01 && worst[1] < 0.05 {
            break;
        }
    }
    let bars = if scale::full() { [0.01, 0.05] } else { [0.0, 1.0] };
    assert!(worst[0] > bars[0] && worst[1] < bars[1], "p {}, medians {} apart", worst[0], worst[1]);
}
