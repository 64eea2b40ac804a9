//! `kill -9` at every call of an apply and of a removal, before the cluster gets the call or after it has carried it
//! out. The next attempt must finish the work, with nothing duplicated or left behind. The suite tries some calls,
//! `script/endurance` tries all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::rig::Rig;
use crate::support::kubernetes::{Between, Fate, Lab, Login};
use crate::support::scale;

/// Deployments at the same time.
const AT_ONCE: usize = 4;
/// More calls than an apply makes.
const MOST: usize = 200;

/// The calls to die at, before or after the cluster carries them out: all of them, or a few.
fn moments() -> Vec<(usize, Fate)> {
    let both = (1..MOST).flat_map(|call| [(call, Fate::LostThere), (call, Fate::LostBack)]);
    both.step_by(if scale::full() { 1 } else { 11 }).collect()
}

/// The process dies at this call. `false` if the work was finished before.
async fn dies_at<T>(
    lab: &Lab,
    (rig, login): (&Rig, &Login),
    (call, fate): (usize, Fate),
    work: impl AsyncFnOnce(&Rig) -> T,
) -> bool {
    let dead = CancellationToken::new();
    let (died, hit) = (dead.clone(), Arc::new(AtomicBool::new(false)));
    let seen = Arc::clone(&hit);
    let between = Between::before(lab, move |number, _| {
        if number < call {
            return Fate::Passes;
        }
        // The first of these calls reaches the cluster or not. After it, the process is dead and makes no more calls.
        let first = !seen.swap(true, Ordering::SeqCst);
        died.cancel();
        if first { fate } else { Fate::LostThere }
    });
    let rig = rig.by(lab.kubeconfig_at(&between.url(), login));
    let _ = dead.run_until_cancelled(work(&rig)).await;
    hit.load(Ordering::SeqCst)
}

#[tokio::test]
async fn an_apply_that_is_killed_at_any_call_is_finished_by_the_next() {
    let lab = Lab::open("killed-apply").await;
    let login = lab.almighty().await;
    let tries = stream::iter(moments()).map(|moment| {
        let (lab, login) = (&lab, &login);
        async move {
            let name = format!("{}-{}", moment.0, if moment.1 == Fate::LostThere { "there" } else { "back" });
            let rig = Rig::new(lab, lab.kubeconfig(login), &name);
            if !dies_at(lab, (&rig, login), moment, async |rig: &Rig| rig.apply().await).await {
                return false;
            }
            let outcome = rig.apply().await.unwrap_or_else(|gap| panic!("{name}: {gap:?}"));
            assert!(outcome.state.finished, "{name}: {:?}", outcome.state);
            rig.assert_whole(lab).await;
            let removed = rig.remove().await.unwrap_or_else(|gap| panic!("{name}: {gap:?}"));
            assert!(removed.state.removed, "{name}: {:?}", removed.state.trouble);
            rig.assert_gone(lab).await;
            true
        }
    });
    let survived = tries.buffered(AT_ONCE).take_while(|died| std::future::ready(*died)).count().await;
    assert!(survived > if scale::full() { 30 } else { 3 }, "{survived} tries");
    scale::report("R17", &[("applies killed", &survived)]);
}

#[tokio::test]
async fn a_removal_that_is_killed_at_any_call_is_finished_by_the_next() {
    let lab = Lab::open("killed-removal").await;
    let login = lab.almighty().await;
    let tries = stream::iter(moments()).map(|moment| {
        let (lab, login) = (&lab, &login);
        async move {
            let name = format!("{}-{}", moment.0, if moment.1 == Fate::LostThere { "there" } else { "back" });
            let rig = Rig::new(lab, lab.kubeconfig(login), &name);
            assert!(rig.apply().await.expect("deployed").state.finished);
            let died = dies_at(lab, (&rig, login), moment, async |rig: &Rig| rig.remove().await).await;
            let removed = rig.remove().await.unwrap_or_else(|gap| panic!("{name}: {gap:?}"));
            assert!(removed.state.removed, "{name}: {:?}", removed.state.trouble);
            rig.assert_gone(lab).await;
            died
        }
    });
    let survived = tries.buffered(AT_ONCE).take_while(|died| std::future::ready(*died)).count().await;
    assert!(survived > if scale::full() { 30 } else { 3 }, "{survived} tries");
    scale::report("R17", &[("removals killed", &survived)]);
}
