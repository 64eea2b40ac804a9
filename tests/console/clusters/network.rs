//! A bad network between console and cluster: delays, dropped connections, 429 and 500. And two consoles at once.

use std::time::Duration;

use super::rig::Rig;
use crate::support::kubernetes::{Between, Fate, Lab};

/// What a bad network and a busy server do to each request, by its number.
fn bad(number: usize) -> Fate {
    match number % 11 {
        3 => Fate::LostThere,
        5 => Fate::LostBack,
        7 => Fate::Answered(500),
        8 => Fate::Late(Duration::from_millis(300)),
        9 if number < 40 => Fate::Answered(429),
        _ => Fate::Passes,
    }
}

#[tokio::test]
async fn a_bad_network_and_a_busy_server_only_slow_it_down() {
    let lab = Lab::open("bad-network").await;
    let login = lab.almighty().await;
    let direct = Rig::new(&lab, lab.kubeconfig(&login), "a");
    let between = Between::before(&lab, |number, _| bad(number));
    let rig = direct.by(lab.kubeconfig_at(&between.url(), &login));
    let outcome = rig.apply().await.expect("deployed");
    assert!(outcome.state.finished, "{:?}", outcome.state);
    direct.assert_whole(&lab).await;
    assert!(rig.observe().await.expect("seen").state.drift.is_empty());
    let removed = rig.remove().await.expect("removed");
    assert!(removed.state.removed, "{:?}", removed.state.trouble);
    direct.assert_gone(&lab).await;
}

#[tokio::test]
async fn a_server_that_stays_busy_or_broken_is_an_error() {
    let lab = Lab::open("stays-busy").await;
    let login = lab.almighty().await;
    for status in [429, 500] {
        let between =
            Between::before(&lab, move |number, _| if number < 4 { Fate::Passes } else { Fate::Answered(status) });
        let rig = Rig::new(&lab, lab.kubeconfig_at(&between.url(), &login), &format!("s{status}"));
        let gap = rig.apply().await.expect_err("not deployed");
        assert!(gap.because.ends_with('.') && !gap.because.contains("of the tests' proxy"), "{gap:?}");
        rig.assert_gone(&lab).await;
    }
}

#[tokio::test]
async fn two_applies_at_once_end_in_one_deployment() {
    let lab = Lab::open("two").await;
    let login = lab.almighty().await;
    for round in 0..2 {
        let one = Rig::new(&lab, lab.kubeconfig(&login), &format!("r{round}"));
        let other = one.by(lab.kubeconfig(&login));
        let (first, second) = tokio::join!(one.apply(), other.apply());
        assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
        for gap in [first.err(), second.err()].into_iter().flatten() {
            assert!(gap.because.contains("at the same moment"), "{gap:?}");
        }
        assert!(one.apply().await.expect("deployed").state.finished);
        one.assert_whole(&lab).await;
        let (first, second) = tokio::join!(one.remove(), other.remove());
        assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
        assert!(one.remove().await.expect("removed").state.removed);
        one.assert_gone(&lab).await;
    }
}
