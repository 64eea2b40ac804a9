//! The groups and projects whose tokens a scan lists.

use futures_util::{StreamExt, stream};

use super::plan::Plan;
use super::token::Token;
use super::visit::Visit;
use crate::integrations::gitlab::{self, Described, Place, Sort};
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::ProviderError;
use crate::providers::oci_registry::{AT_ONCE, Entries, Pages, Sign};

/// Of the role Guest: all that the user is a member of. Which of them let it list their tokens, each says itself.
/// <https://docs.gitlab.com/api/access_requests/#valid-access-levels>
const GUEST: u8 = 10;

/// Those that the plan takes, and a gap for each list or name that could not be read. An error ends the scan.
pub(super) async fn chosen(visit: &Visit<'_>, plan: &Plan, pages: Pages) -> Result<(Vec<Place>, Vec<Gap>), Gap> {
    if let Some(names) = plan.names.exact() {
        return named(visit, names).await;
    }
    let (groups, projects) =
        tokio::join!(gitlab::groups(&visit.line, GUEST, pages), gitlab::projects(&visit.line, GUEST, pages));
    let (mut places, mut gaps) = (Vec::new(), Vec::new());
    let lists = [(Step::LISTING_GROUPS, groups, "group"), (Step::LISTING_PROJECTS, projects, "project")];
    for (step, list, hidden) in lists {
        let gap = |cause| visit.gap(step, "", cause, &[hidden]);
        match visit.judge.judged(list, gap)? {
            Err(gap) => gaps.push(gap),
            Ok((found, rest)) => {
                places.extend(found.into_iter().filter(|place| plan.names.take(&place.path)));
                if let Some(cause) = rest {
                    gaps.push(visit.judge.gap(gap(cause))?);
                }
            }
        }
    }
    Ok((places, gaps))
}

/// By names that need no list: each is a group or a project.
async fn named(visit: &Visit<'_>, names: Vec<String>) -> Result<(Vec<Place>, Vec<Gap>), Gap> {
    let (mut places, mut gaps) = (Vec::new(), Vec::new());
    let work = names.into_iter().map(async |name| (find(visit, &name).await, name));
    let mut finished = stream::iter(work).buffered(AT_ONCE);
    while let Some((found, name)) = finished.next().await {
        // What it is called inside is not known: nothing of groups and projects is taken for gone.
        let gap = |cause| visit.gap(Step::LISTING_TOKENS, &name, cause, &["group", "project"]);
        match visit.judge.judged(found, gap)? {
            Ok(place) => places.push(place),
            Err(gap) => gaps.push(gap),
        }
    }
    Ok((places, gaps))
}

/// `GET /groups/<path>`, or the same of projects.
async fn find(visit: &Visit<'_>, path: &str) -> Result<Place, ProviderError> {
    let group = format!("{}?with_projects=false", Sort::Group.at(path));
    match visit.line.vendor_get(&group, Sign::Login).await {
        Ok(answer) => return Ok(answer.json::<Described>()?.place(Sort::Group)),
        Err(ProviderError::NotFound) => {}
        Err(cause) => return Err(cause),
    }
    let answer = visit.line.vendor_get(&Sort::Project.at(path), Sign::Login).await?;
    Ok(answer.json::<Described>()?.place(Sort::Project))
}

/// `GET /projects/<id>/access_tokens`, or the same of a group.
pub(super) async fn tokens(visit: &Visit<'_>, place: &Place, pages: Pages) -> Result<Entries<Token>, ProviderError> {
    let path = format!("{}/{}/access_tokens?per_page=100", place.sort.word(), place.id);
    visit.line.vendor_list(&path, Sign::Login, pages, gitlab::list::<Token>).await
}

/// `GET /personal_access_tokens`: the user's own; of all users for administrators.
pub(super) async fn personal(visit: &Visit<'_>, pages: Pages) -> Result<Entries<Token>, ProviderError> {
    visit.line.vendor_list("personal_access_tokens?per_page=100", Sign::Login, pages, gitlab::list::<Token>).await
}
