//! Hears from the console that a rule has changed, or what it gives: one request waits there, so nobody asks again and
//! again. Also how soon each rule is looked at if nothing is heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::super::cache::jittered;
use super::super::source::Source;
use super::super::trouble::Trouble;
use super::plan::Plan;

/// Before the console is asked again after it was away.
const PAUSE: Duration = Duration::from_secs(10);

/// The names of rules that have changed, as the console tells it.
pub fn watch(source: Arc<Source>) -> Receiver<BTreeSet<String>> {
    let (tell, told) = channel(1);
    tokio::spawn(listen(source, tell));
    told
}

async fn listen(source: Arc<Source>, tell: Sender<BTreeSet<String>>) {
    let mut known: Option<(String, BTreeMap<String, String>)> = None;
    loop {
        let asked = Instant::now();
        match source.changes(known.as_ref().map(|(tag, _)| tag.as_str())).await {
            Ok(Some(now)) => {
                let differs = |(name, stamp): (&String, &String)| {
                    // At first everything may have changed since it was fetched.
                    let before = known.as_ref().and_then(|(_, rules)| rules.get(name));
                    (before != Some(stamp)).then(|| name.clone())
                };
                let changed: BTreeSet<String> = now.rules.iter().filter_map(differs).collect();
                known = Some((now.tag, now.rules));
                if !changed.is_empty() && tell.send(changed).await.is_err() {
                    return;
                }
            }
            // What does not wait, as while the console stops, is not asked again at once.
            Ok(None) if asked.elapsed() < PAUSE => sleep(jittered(PAUSE)).await,
            Ok(None) => {}
            // A console that does not know the call, or nothing that says which console it is.
            Err(Trouble::Unknown { .. } | Trouble::Local(_)) => return,
            Err(_) => sleep(jittered(PAUSE)).await,
        }
    }
}

/// When each rule is looked at next.
pub struct Timetable(BTreeMap<String, (Duration, Instant)>);

impl Timetable {
    /// As the rules say, else every `check`.
    pub fn new(plan: &Plan, watched: &BTreeSet<String>, check: Duration) -> Self {
        let now = Instant::now();
        let due = |rule: &String| {
            let said = plan.values[rule].delivery.as_ref().and_then(|said| said.refresh);
            let every = said.map_or(check, |minutes| Duration::from_secs(minutes.saturating_mul(60)));
            (!every.is_zero()).then(|| (rule.clone(), (every, now + every)))
        };
        Self(watched.iter().filter_map(due).collect())
    }

    /// Waits for the next; for ever where there is none.
    pub async fn wait(&self) {
        match self.0.values().map(|(_, at)| *at).min() {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// The rules whose time has come; each has its next time then.
    pub fn due(&mut self) -> BTreeSet<String> {
        let now = Instant::now();
        let mut due = BTreeSet::new();
        for (rule, (every, at)) in self.0.iter_mut().filter(|(_, (_, at))| *at <= now) {
            // Programs that were started together do not go on asking together.
            *at = now + *every + jittered(*every / 20);
            due.insert(rule.clone());
        }
        due
    }
}
