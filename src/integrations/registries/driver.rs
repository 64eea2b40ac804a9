//! The scan that all registries share: sign in, list the repositories, then the tags of each, keep the newest, and
//! describe those. Repositories are read a few at a time. It holds the cap, the order, the limits, the gaps and the
//! progress; an [`AnyCatalogue`] answers the questions.

use std::cmp::Reverse;
use std::collections::HashMap;

use futures_util::StreamExt;

use super::catalogue::{AnyCatalogue, Described, Listing, Missing, Open, Pages, Tag};
use super::failure::{all, odd_name, of_all_images, of_repository, of_tag};
use super::image::Facts;
use super::selection::{self, MAX_IMAGES, MAX_REPOSITORIES, Names, Selection};
use crate::integrations::context::Context;
use crate::integrations::progress::{Report, Step};
use crate::integrations::scan::{Gap, Item, Judge, Scan};
use crate::providers::ProviderError;
use crate::providers::oci_registry::AT_ONCE;

/// The place of a gap that all images share.
const ALL_PLATFORMS: &str = "all platforms";

/// Scans; stops soon after `cx.stop` is cancelled. An error when the registry itself fails, or nothing at all can be
/// read; else what cannot be read is a gap.
pub(super) async fn scan(open: Open, cx: &Context<'_>) -> Result<Scan, Gap> {
    let stopped = || Err(all(Step::SIGNING_IN, ProviderError::Stopped));
    cx.stop.run_until_cancelled(read(open, cx)).await.unwrap_or_else(stopped)
}

/// Signs in and reads one page, and nothing is changed. A sentence about what was found.
pub(super) async fn check(open: Open, cx: &Context<'_>) -> Result<String, Gap> {
    let catalogue = open(cx).await.map_err(|cause| all(Step::SIGNING_IN, cause))?;
    let names = Selection::of(cx.settings).names;
    if let Some(first) = names.exact().and_then(|names| names.into_iter().next()) {
        let tags = catalogue.tags(&first, Pages::First).await;
        let tags = tags.map_err(|cause| of_repository(&first, cause))?;
        return Ok(format!("The registry let Strongroom in and lists {} of {first}.", counted(tags.good.len(), "tag")));
    }
    let listing = catalogue.repositories(&names, Pages::First).await;
    let listing = listing.map_err(|cause| all(Step::LISTING_REPOSITORIES, cause))?;
    let selected = listing.good.iter().filter(|name| names.take(name)).count();
    let all = if listing.good.len() == selected { String::new() } else { format!(", of which it takes {selected}") };
    let listed = match listing.good.len() {
        0 => "no repositories: check that the account may read them".to_owned(),
        count => format!("{} on its first page{all}", counted(count, "repository")),
    };
    Ok(format!("The registry let Strongroom in and lists {listed}."))
}

fn counted(count: usize, noun: &str) -> String {
    let plural = noun.strip_suffix('y').map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies"));
    format!("{count} {}", if count == 1 { noun } else { &plural })
}

async fn read(open: Open, cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let catalogue = open(cx).await.map_err(|cause| all(Step::SIGNING_IN, cause))?;
    cx.report.step(Step::LISTING_REPOSITORIES);
    let selection = Selection::of(cx.settings);
    let exact = selection.names.exact();
    let listed = exact.is_none();
    let (repositories, gaps) = match (&cx.places, exact) {
        (Some(places), _) => (places.iter().filter(|name| selection.names.take(name)).cloned().collect(), Vec::new()),
        (None, Some(names)) => (names, Vec::new()),
        (None, None) => {
            let listing = catalogue.repositories(&selection.names, Pages::All).await;
            let listing = listing.map_err(|cause| all(Step::LISTING_REPOSITORIES, cause))?;
            selected(listing, &selection.names)
        }
    };
    let reader = Reader { catalogue: &*catalogue, selection, listed, judge: Judge::default() };
    let mut scan = reader.all(repositories, gaps, &cx.report).await?;
    scan.covers = catalogue.covers(cx.settings.get("registry"), &reader.selection);
    Ok(scan)
}

/// The repositories of a listing that are selected, in order, with a gap for each part of it that is missing.
fn selected(listing: Listing<String>, names: &Names) -> (Vec<String>, Vec<Gap>) {
    let gap = |cause| all(Step::LISTING_REPOSITORIES, cause);
    let odd = listing.odd.iter().filter(|name| names.take(name)).map(|name| gap(odd_name(name)));
    let mut gaps: Vec<Gap> = odd.chain(listing.rest.map(gap)).collect();
    let mut repositories = listing.good;
    repositories.retain(|name| names.take(name));
    repositories.sort();
    repositories.dedup();
    if repositories.len() > MAX_REPOSITORIES {
        repositories.truncate(MAX_REPOSITORIES);
        gaps.push(gap(ProviderError::TooLarge));
    }
    (repositories, gaps)
}

struct Reader<'a> {
    catalogue: &'a dyn AnyCatalogue,
    selection: Selection,
    /// The repositories came from the catalogue, or from a webhook: either may also name emptied ones.
    listed: bool,
    judge: Judge,
}

impl Reader<'_> {
    async fn all(&self, repositories: Vec<String>, gaps: Vec<Gap>, report: &Report) -> Result<Scan, Gap> {
        report.parts(Step::LISTING_TAGS, repositories.len(), gaps.len());
        let work = repositories.into_iter().map(|repository| async move {
            let found = self.repository(&repository).await;
            (repository, found)
        });
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        let mut scan = Scan { gaps, ..Scan::default() };
        while let Some((repository, found)) = finished.next().await {
            let mut found = found?;
            if scan.items.len() + found.items.len() > MAX_IMAGES {
                found = Scan::gap(of_repository(&repository, ProviderError::TooLarge));
            }
            scan.add(found);
            report.part(Step::READING_MANIFESTS, scan.items.len(), scan.gaps.len());
        }
        scan.finished(false)
    }

    async fn repository(&self, repository: &str) -> Result<Scan, Gap> {
        let failed = |cause| of_repository(repository, cause);
        let found = match self.catalogue.tags(repository, Pages::All).await {
            Err(ProviderError::NotFound) if self.listed => {
                self.judge.answered();
                return Ok(Scan::default());
            }
            found => self.judge.judged(found, failed)?,
        };
        let found = match found {
            Ok(found) => found,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let mut scan = Scan::default();
        let odd = found.odd.iter().filter(|name| self.selection.tags.take(name));
        scan.gaps.extend(odd.map(|name| failed(odd_name(name))));
        if let Some(cause) = found.rest {
            scan.gaps.push(self.judge.gap(failed(cause))?);
        }
        let tags = kept(found.good, &self.selection);
        let work = tags.into_iter().map(|tag| self.image(repository, tag));
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(found) = finished.next().await {
            scan.add(found?);
        }
        Ok(scan)
    }

    /// One tag: the image, a gap, or both, where a part of it is missing.
    async fn image(&self, repository: &str, tag: Tag) -> Result<Scan, Gap> {
        let failed = |cause| of_tag(repository, &tag.name, cause);
        let found = match self.judge.judged(self.catalogue.describe(repository, &tag).await, failed)? {
            Ok(found) => found,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let Described { details, missing } = found;
        let gap = match missing {
            None => None,
            Some(Missing::Here(cause)) => Some(self.judge.gap(failed(cause))?),
            Some(Missing::Everywhere(cause)) => Some(of_all_images(ALL_PLATFORMS, cause)),
        };
        let facts = Facts {
            size: i64::try_from(details.size_bytes).unwrap_or(i64::MAX),
            platforms: details.platforms,
            pushed: tag.pushed_at,
            pulled_from: self.catalogue.pulled_from(repository),
        };
        let image = Item::new(repository.to_owned(), tag.name, details.digest, &facts);
        Ok(Scan { items: vec![image], gaps: gap.into_iter().collect(), ..Scan::default() })
    }
}

/// The selected tags that the cap keeps: those of the highest version where the form says what a version is, then the
/// newest by date, and by name where dates are the same or missing.
fn kept(mut tags: Vec<Tag>, selection: &Selection) -> Vec<Tag> {
    tags.retain(|tag| selection.tags.take(&tag.name));
    let mut names: Vec<String> = tags.iter().map(|tag| tag.name.clone()).collect();
    selection::newest_first(&mut names);
    let places: HashMap<String, usize> = names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
    tags.sort_by_cached_key(|tag| {
        let newness = (selection.versions.version(&tag.name), tag.pushed_at);
        (Reverse(newness), places.get(&tag.name).copied())
    });
    tags.dedup_by(|a, b| a.name == b.name);
    tags.truncate(selection.cap.unwrap_or(usize::MAX));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Values;

    #[test]
    fn more_repositories_than_a_scan_takes_are_a_gap_and_so_is_every_odd_name() {
        let names = |wanted| Names::new(wanted, "");
        let listing = || Listing {
            good: (0..10_001).map(|number| format!("r{number:05}")).collect(),
            odd: vec!["x\u{7}y".to_owned()],
            rest: None,
        };
        let (repositories, gaps) = selected(listing(), &names(""));
        assert_eq!((repositories.len(), repositories[9_999].as_str()), (10_000, "r09999"));
        let causes: Vec<ProviderError> = gaps.into_iter().map(|gap| gap.cause).collect();
        assert_eq!(causes, [ProviderError::OddName { name: "xy".to_owned() }, ProviderError::TooLarge]);
        let (repositories, gaps) = selected(listing(), &names("r0000*"));
        assert_eq!((repositories.len(), gaps.len()), (10, 0), "what is not asked for is no gap");
    }

    #[test]
    fn the_cap_keeps_the_newest_by_date_and_then_by_name() {
        let at = |day: i64| chrono::DateTime::from_timestamp(day * 86_400, 0);
        let tag = |name: &str, day: i64| Tag { pushed_at: at(day), ..Tag::named(name.to_owned()) };
        let selection = Selection::of(&Values::from_iter([("cap", "3"), ("exclude_tags", "dev")]));
        let tags = vec![tag("1.0", 3), tag("dev", 9), tag("1.2", 1), tag("2.0", 1), tag("0.9", 5), tag("0.9", 5)];
        let kept: Vec<String> = kept(tags, &selection).into_iter().map(|tag| tag.name).collect();
        assert_eq!(kept, ["0.9", "1.0", "2.0"]);
    }

    #[test]
    fn a_version_pattern_wins_over_dates_and_what_does_not_fit_comes_last() {
        let at = |day: i64| chrono::DateTime::from_timestamp(day * 86_400, 0);
        let tag = |name: &str, day: i64| Tag { pushed_at: at(day), ..Tag::named(name.to_owned()) };
        let kept = |pattern: &str, cap: &str, tags: Vec<Tag>| -> Vec<String> {
            let settings = Values::from_iter([("cap", cap), ("version_pattern", pattern)]);
            kept(tags, &Selection::of(&settings)).into_iter().map(|tag| tag.name).collect()
        };
        let dated = || vec![tag("1.9", 9), tag("1.10", 1), tag("dev", 8), tag("main", 7), tag("1.10-a", 3)];
        assert_eq!(kept("%d.%d", "0", dated()), ["1.10", "1.9", "dev", "main", "1.10-a"]);
        assert_eq!(kept("%d.%d, %d.%d-*", "3", dated()), ["1.10-a", "1.10", "1.9"], "of one version, by date");
        assert_eq!(kept("", "1", dated()), ["1.9"]);
        let undated = ["r9", "r10", "latest", "r2"].map(|name| Tag::named(name.to_owned())).to_vec();
        assert_eq!(kept("r%d", "0", undated), ["r10", "r9", "r2", "latest"]);
    }
}
