//! GitLab's own API: the repositories of groups and projects, and the dates of tags where the registry tells none.
//! <https://docs.gitlab.com/api/container_registry/>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use crate::integrations::gitlab::{self, Place, Sort};
use crate::integrations::registries::catalogue::{Details, Listing, Pages, Tag};
use crate::integrations::registries::places::{gather, list, repositories};
use crate::integrations::registries::reach::denied;
use crate::integrations::registries::selection::{Names, is_below};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{AT_ONCE, Entries, Registry, Sign, is_digest};

/// Of the role Reporter, the lowest that may read a private registry.
/// <https://docs.gitlab.com/api/access_requests/#valid-access-levels>
const REPORTER: u8 = 20;
/// Tags of a repository whose dates are asked for one by one; where there are more, none is.
const MOST_DATED: usize = 300;

pub(super) struct Api {
    line: Registry,
    /// The path in the API of each repository that was listed.
    places: Mutex<HashMap<String, String>>,
}

impl Api {
    pub fn new(line: Registry) -> Self {
        Self { line: line.explaining(unscoped), places: Mutex::default() }
    }

    pub async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        match names.paths() {
            Some(paths) => gather(Listing::default(), paths, pages, |path| self.below(path, pages)).await,
            None => {
                let (places, rest) = self.visible().await?;
                let known = Listing { rest, ..Listing::default() };
                gather(known, places, pages, |place| self.registry_of(place, pages)).await
            }
        }
    }

    /// Groups and projects that the token belongs to: the topmost groups, and projects outside of them.
    async fn visible(&self) -> Result<Entries<String>, ProviderError> {
        let paths = |places: Vec<Place>| -> Vec<String> { places.into_iter().map(|place| place.path).collect() };
        let (groups, missing) = gitlab::groups(&self.line, REPORTER, Pages::All).await?;
        let all = paths(groups);
        let groups: Vec<&String> = all.iter().filter(|path| !all.iter().any(|other| is_below(path, other))).collect();
        let (projects, rest) = gitlab::projects(&self.line, REPORTER, Pages::All).await?;
        let projects = paths(projects).into_iter().filter(|path| !groups.iter().any(|group| is_below(path, group)));
        let mut places: Vec<String> = groups.iter().map(|path| Sort::Group.at(path)).collect();
        places.extend(projects.map(|path| Sort::Project.at(&path)));
        Ok((places, missing.or(rest)))
    }

    /// The repositories of a group or project, or of the nearest one above: what follows is the rest of a repository's
    /// name.
    async fn below(&self, path: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let mut path = path.as_str();
        loop {
            for sort in [Sort::Group, Sort::Project] {
                match self.registry_of(sort.at(path), pages).await {
                    Err(ProviderError::NotFound) => {}
                    found => return found,
                }
            }
            path = path.rsplit_once('/').ok_or(ProviderError::NotFound)?.0;
        }
    }

    /// `GET /groups/<group>/registry/repositories`, with those of its subgroups, or the same of a project.
    async fn registry_of(&self, place: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Repository {
            id: u64,
            project_id: Option<u64>,
            path: String,
            status: Option<String>,
        }
        let path = format!("{place}/registry/repositories?per_page=100");
        let (mut found, rest) = self.line.vendor_list(&path, Sign::Login, pages, list::<Repository>).await?;
        // One that is being deleted still stands in the list.
        found.retain(|repository| repository.status.as_deref().is_none_or(|status| !status.contains("delete")));
        let known = found.iter().filter_map(|repository| {
            let place = format!("projects/{}/registry/repositories/{}", repository.project_id?, repository.id);
            Some((repository.path.clone(), place))
        });
        self.places.lock().unwrap_or_else(PoisonError::into_inner).extend(known);
        Ok(repositories(found.into_iter().map(|repository| repository.path).collect(), rest))
    }

    /// The tags of a repository with the dates that the API tells, one call a tag. The reason for those that are
    /// missing stands beside the tags.
    pub async fn dated(&self, repository: &str, tags: Listing<Tag>) -> Result<Listing<Tag>, ProviderError> {
        let place = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned();
        let Some(place) = place.filter(|_| tags.good.len() <= MOST_DATED) else { return Ok(tags) };
        let Listing { good, odd, mut rest } = tags;
        let mut found = Vec::new();
        let work: Vec<_> = good.into_iter().map(|tag| self.dated_tag(&place, tag)).collect();
        let mut work = stream::iter(work).buffered(AT_ONCE);
        while let Some((tag, missing)) = work.next().await {
            if missing == Some(ProviderError::Stopped) {
                return Err(ProviderError::Stopped);
            }
            found.push(tag);
            rest = rest.or(missing);
        }
        Ok(Listing { good: found, odd, rest })
    }

    /// `GET /projects/<id>/registry/repositories/<id>/tags/<tag>`
    async fn dated_tag(&self, place: &str, tag: Tag) -> (Tag, Option<ProviderError>) {
        #[derive(Deserialize)]
        struct Detail {
            created_at: Option<DateTime<Utc>>,
            digest: Option<String>,
        }
        let answer = self.line.vendor_get(&format!("{place}/tags/{}", tag.name), Sign::Login).await;
        match answer.and_then(|answer| answer.json::<Detail>()) {
            Ok(Detail { created_at: pushed_at, digest }) => {
                let digest = digest.filter(|digest| is_digest(digest)).unwrap_or_default();
                (Tag { name: tag.name, pushed_at, details: Details { digest, ..Details::default() } }, None)
            }
            Err(cause) => (tag, Some(cause)),
        }
    }
}

fn unscoped(answer: &Answer) -> Option<ProviderError> {
    gitlab::lacks_scope(answer).then(|| {
        denied(
            "the token lacks the scope read_api.",
            "Create a token with the scopes read_api and read_registry, and replace the credential's token.",
        )
    })
}
