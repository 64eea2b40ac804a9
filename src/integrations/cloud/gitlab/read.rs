//! The scan: the tokens of groups and projects, a few places at a time, then those of people. An administrator's list of
//! all tokens has those of groups and projects too: each counts once, where it belongs.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt;

use super::places;
use super::plan::Plan;
use super::token::{Owner, Token, item};
use super::visit::{User, Visit};
use crate::integrations::context::Context;
use crate::integrations::gitlab::{Place, list};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{AT_ONCE, Pages, Sign};

/// A scan takes in no more tokens.
const MOST_TOKENS: usize = 200_000;

#[derive(Default)]
struct Found {
    scan: Scan,
    ids: HashSet<u64>,
    /// A part was read, whether or not it has tokens.
    any: bool,
}

impl Found {
    /// Takes the tokens of an owner; `false` when there is no room for more.
    fn take(&mut self, visit: &Visit<'_>, owner: &Owner, tokens: impl IntoIterator<Item = Token>) -> bool {
        self.any = true;
        for token in tokens {
            if self.ids.len() >= MOST_TOKENS {
                return false;
            }
            if self.ids.insert(token.id) {
                self.scan.items.push(item(visit, owner, token));
            }
        }
        true
    }
}

pub(super) async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let (plan, visit) = (Plan::of(cx.settings), Visit::start(cx).await?);
    let mut found = Found::default();
    if plan.places {
        cx.report.step(Step::LISTING_PROJECTS);
        let (places, gaps) = places::chosen(&visit, &plan, Pages::All).await?;
        found.scan.gaps = gaps;
        of_places(&visit, places, &mut found).await?;
    }
    if plan.personal {
        cx.report.step(Step::LISTING_PERSONAL);
        of_people(&visit, &plan, &mut found).await?;
    }
    found.scan.finished(found.any)
}

async fn of_places(visit: &Visit<'_>, places: Vec<Place>, found: &mut Found) -> Result<(), Gap> {
    let report = &visit.cx.report;
    report.parts(Step::LISTING_TOKENS, places.len(), found.scan.gaps.len());
    let work = places.into_iter().map(async |place| (places::tokens(visit, &place, Pages::All).await, place));
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    while let Some((tokens, place)) = finished.next().await {
        let owner = Owner::of(&place);
        let gap = |cause| visit.gap(Step::LISTING_TOKENS, &place.to_string(), cause, &[&owner.beginning()]);
        match visit.judge.judged(tokens, gap)? {
            Err(gap) => found.scan.gaps.push(gap),
            Ok((tokens, rest)) => {
                let room = found.take(visit, &owner, tokens);
                if let Some(cause) = rest {
                    found.scan.gaps.push(visit.judge.gap(gap(cause))?);
                }
                if !room {
                    found.scan.gaps.push(visit.gap(
                        Step::LISTING_TOKENS,
                        "",
                        ProviderError::TooLarge,
                        &["group", "project"],
                    ));
                    return Ok(());
                }
            }
        }
        report.part(Step::LISTING_TOKENS, found.scan.items.len(), found.scan.gaps.len());
    }
    Ok(())
}

async fn of_people(visit: &Visit<'_>, plan: &Plan, found: &mut Found) -> Result<(), Gap> {
    // A token that is missing there can be anybody's.
    let gap = |cause| visit.gap(Step::LISTING_PERSONAL, "", cause, &["personal"]);
    let (mut tokens, rest) = match visit.judge.judged(places::personal(visit, Pages::All).await, gap)? {
        Ok(list) => list,
        Err(gap) => {
            found.scan.gaps.push(gap);
            return Ok(());
        }
    };
    found.any = true;
    if let Some(cause) = rest {
        found.scan.gaps.push(visit.judge.gap(gap(cause))?);
    }
    tokens.retain(|token| !found.ids.contains(&token.id));
    let names = names(visit, &tokens).await?;
    for token in tokens {
        let user = token.user_id.unwrap_or(visit.me.id);
        let owner = names.get(&user).map_or_else(|| Owner::User(format!("user {user}")), |name| Owner::named(name));
        let of_place = matches!(owner, Owner::Place { .. });
        if of_place && !(plan.places && plan.all) {
            continue;
        }
        if !found.take(visit, &owner, [token]) {
            found.scan.gaps.push(gap(ProviderError::TooLarge));
            break;
        }
    }
    Ok(())
}

/// Names by number. A name is there to be shown, and nothing else: the list of users may be closed.
async fn names(visit: &Visit<'_>, tokens: &[Token]) -> Result<HashMap<u64, String>, Gap> {
    let mut names = HashMap::from([(visit.me.id, visit.me.username.clone())]);
    if tokens.iter().any(|token| token.user_id.is_some_and(|id| id != visit.me.id)) {
        match visit.line.vendor_list("users?per_page=100", Sign::Login, Pages::All, list::<User>).await {
            Ok((users, _)) => names.extend(users.into_iter().map(|user| (user.id, user.username))),
            Err(cause @ ProviderError::Stopped) => return Err(visit.gap(Step::LISTING_PERSONAL, "", cause, &[])),
            Err(_) => {}
        }
    }
    Ok(names)
}
