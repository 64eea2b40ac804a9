//! The parts of a scan of Google Cloud. Each reads one sort of thing, project by project, in the course of one [`Tour`].

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use crate::integrations::google::{Asked, Visit, because};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Judge, Scan};
use crate::providers::endpoints::Service;
use crate::providers::gcp::line::Line;
use crate::providers::gcp::{Api, Refusal, Right, Why};
use crate::providers::{Failure, ProviderError, finding};

/// What the names of all things begin with that are no keys.
pub(super) const RESOURCES: [&str; 3] = [ARTIFACTS, SERVERLESS, CLUSTERS];
pub(super) const ARTIFACTS: &str = "artifactregistry";
pub(super) const SERVERLESS: &str = "functions";
pub(super) const CLUSTERS: &str = "gke";

/// Projects that are read at once.
const AT_ONCE: usize = 8;

/// Something that a scan looks for.
pub(super) struct Part {
    /// The checkbox that switches it on.
    pub field: &'static str,
    /// `may list the keys of all service accounts`
    pub may: &'static str,
    /// The role of one's own that the commands on the credential's page make.
    pub role: &'static str,
    pub rights: &'static [&'static Right],
    /// What a further right adds, which may be left out: the same two of it, and the right.
    pub further: Option<(&'static str, &'static str, &'static Right)>,
    /// What the names of its items begin with; keys have none.
    pub paths: &'static [&'static str],
    pub read: for<'a> fn(&'a Tour<'a>) -> BoxFuture<'a, Result<Scan, Gap>>,
    /// What one page of it holds in the first project: `2 clusters`.
    pub check: for<'a> fn(&'a Tour<'a>) -> BoxFuture<'a, Result<String, Failure>>,
}

/// The projects, for one scan or test.
pub(super) struct Tour<'a> {
    pub visit: Visit<'a>,
    /// At least one.
    pub projects: Vec<String>,
    pub judge: Judge,
    /// Something was read and there is nothing.
    pub empty: AtomicBool,
}

/// One sort of thing that is read from one API.
pub(super) struct Listed {
    pub step: Step,
    pub api: &'static Api,
    pub service: Service,
    /// What the names of its items begin with.
    pub path: &'static str,
}

impl<'a> Tour<'a> {
    pub fn new(visit: Visit<'a>, projects: Vec<String>) -> Self {
        Self { visit, projects, judge: Judge::default(), empty: AtomicBool::new(false) }
    }

    /// The project that a test reads.
    pub fn first(&self) -> &str {
        let own = self.projects.iter().find(|project| **project == self.visit.own);
        own.or(self.projects.first()).unwrap_or(&self.visit.own)
    }
}

impl Listed {
    pub async fn line<'a>(&self, tour: &Tour<'a>) -> Result<Line<'a>, Gap> {
        let line = tour.visit.line(self.service, self.api).await;
        line.map_err(|cause| {
            let because = because(&cause);
            Gap::new(self.step, "", cause, because)
        })
    }

    /// Reads all projects. One where the API is switched off has nothing.
    pub async fn in_projects<F>(&self, tour: &Tour<'_>, read: impl Fn(String) -> F) -> Result<Scan, Gap>
    where
        F: Future<Output = Result<Scan, ProviderError>>,
    {
        let report = &tour.visit.cx.report;
        report.parts(self.step, tour.projects.len(), 0);
        let work = tour.projects.clone().into_iter().map(|project| {
            let found = read(project.clone());
            async move { (project, found.await) }
        });
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        let (mut scan, mut asked) = (Scan::default(), Asked::default());
        while let Some((project, found)) = finished.next().await {
            let Some(found) = asked.kept(&project, found) else {
                tour.empty.store(true, Ordering::Relaxed);
                continue;
            };
            let found = tour.judge.judged(found, |cause| self.gap(&project, cause))?.unwrap_or_else(Scan::gap);
            if found.items.is_empty() && found.gaps.is_empty() {
                tour.empty.store(true, Ordering::Relaxed);
            }
            scan.add(found);
            report.part(self.step, scan.items.len(), scan.gaps.len());
        }
        scan.gaps.extend(asked.own_is_off(&tour.visit.own, self.step, self.api));
        Ok(scan)
    }

    /// What of the sort a project has could not be read.
    pub fn gap(&self, project: &str, cause: ProviderError) -> Gap {
        let because = because(&cause);
        self.gap_below(project, project, self.path.to_owned(), cause, because)
    }

    /// The same of one of its locations.
    pub fn gap_in(&self, project: &str, location: &str, cause: ProviderError) -> Gap {
        let because = because(&cause);
        let at = format!("{project}/{location}");
        self.gap_below(project, &at, format!("{}/{location}", self.path), cause, because)
    }

    /// A gap that hides what of a project is named by a path or below it.
    pub fn gap_below(&self, project: &str, at: &str, path: String, cause: ProviderError, because: String) -> Gap {
        let hides = Hides::Below { place: project.to_owned(), paths: vec![path] };
        Gap::new(self.step, at, cause, because).hiding(hides)
    }

    /// A gap for a location that Google could not reach itself.
    pub fn unreachable(&self, project: &str, location: &str) -> Gap {
        let because = "Google could not reach this location. Try again later.".to_owned();
        let (at, path) = (format!("{project}/{location}"), format!("{}/{location}", self.path));
        self.gap_below(project, &at, path, ProviderError::ServerError { status: 503 }, because)
    }
}

/// What a test says of a part: what was seen, or that its API is switched off.
pub(super) fn seen(project: &str, result: Result<String, ProviderError>, nothing: &str) -> Result<String, Failure> {
    match result {
        Ok(text) => Ok(text),
        Err(ProviderError::Google(Refusal { why: Why::ApiOff { .. }, right })) => {
            Ok(format!("{nothing}, since the {} is switched off", right.api.name))
        }
        Err(cause) => {
            let mut found = finding(&cause, "Google");
            found.sentence = format!("In the project {project}: {}", cause.parts("Google").0);
            Err(found.into())
        }
    }
}

/// `1 cluster`, `2 clusters`
pub(super) fn counted(number: usize, one: &str, several: &str) -> String {
    match number {
        0 => format!("no {several}"),
        1 => format!("1 {one}"),
        number => format!("{number} {several}"),
    }
}
