//! *Test connection*: a page of each list, and the tokens of the first groups and projects.

use super::places;
use super::plan::Plan;
use super::visit::{Visit, failed, failure};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::Failure;
use crate::providers::calls::shown;
use crate::providers::oci_registry::Pages;

/// Groups and projects that are tried.
const TRIED: usize = 8;

/// Says what the token sees. An error when it sees nothing of what the settings ask for.
pub(super) async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let (plan, visit) = (Plan::of(cx.settings), Visit::start(cx).await.map_err(failure)?);
    let who = shown(&visit.me.username).unwrap_or_else(|| "somebody".to_owned());
    let mut said = vec![format!("GitLab knows the token as {who}'s.")];
    if plan.personal {
        said.push(personal(&visit).await.map_err(failure)?);
    }
    if plan.places {
        said.extend(of_places(&visit, &plan).await.map_err(failure)?);
    }
    Ok(said.join(" "))
}

fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

async fn personal(visit: &Visit<'_>) -> Result<String, Gap> {
    let list = places::personal(visit, Pages::First).await;
    let (tokens, _) = list.map_err(|cause| failed(Step::LISTING_PERSONAL, "", cause))?;
    let others = tokens.iter().any(|token| token.user_id.is_some_and(|id| id != visit.me.id));
    let whose = if others { "all users" } else { "that user alone" };
    Ok(format!("It lists {} of {whose} on its first page.", counted(tokens.len(), "personal access token")))
}

async fn of_places(visit: &Visit<'_>, plan: &Plan) -> Result<Vec<String>, Gap> {
    let (places, mut gaps) = places::chosen(visit, plan, Pages::First).await?;
    let number = places.len();
    let (mut tokens, mut read) = (0, 0);
    for place in places.iter().take(TRIED) {
        match places::tokens(visit, place, Pages::First).await {
            Ok((found, _)) => (tokens, read) = (tokens + found.len(), read + 1),
            Err(cause) => gaps.push(failed(Step::LISTING_TOKENS, &place.to_string(), cause)),
        }
    }
    let more = gaps.len().saturating_sub(1);
    match gaps.into_iter().next() {
        Some(first) if read == 0 => Err(first.with_others(more)),
        first => {
            let tried = if number > TRIED { format!(" of the first {TRIED}") } else { String::new() };
            let seen = match number {
                1 => "1 group or project".to_owned(),
                number => format!("{number} groups and projects"),
            };
            let mut said = vec![format!("It sees {seen}, and lists {}{tried}.", counted(tokens, "token"))];
            said.extend(first.map(|gap| gap.with_others(more).to_string()));
            Ok(said)
        }
    }
}
