//! Shared by all integrations that look at projects of Google Cloud: the form's fields for them, the projects that they
//! come to, what to do where an API is switched off, and the commands that grant what is needed.

use std::collections::BTreeSet;

use super::context::Context;
use super::progress::Step;
use super::scan::{Gap, Hides};
use crate::credentials;
use crate::credentials::gcp::Payload;
use crate::form::{Field, Values};
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::gcp::line::{Line, Listed, Way};
use crate::providers::gcp::projects::{self, is_project};
use crate::providers::gcp::{Api, Refusal, Why};

const CHOSEN: &str = "chosen";
const ALL: &str = "all";

pub const PROJECTS: Field = Field::choice(
    "projects",
    "Projects",
    &[("own", "The credential's project"), (CHOSEN, "Chosen projects"), (ALL, "All projects that the credential sees")],
);
pub const PROJECT_IDS: Field = Field::text("project_ids", "Project IDs")
    .when("projects", &[CHOSEN])
    .placeholder("shop-prod, shop-test")
    .help("Separate several by commas.")
    .max(4096)
    .check(project_ids);

/// In their canonical form, each once.
fn project_ids(text: &str) -> Result<String, String> {
    let ids: Vec<&str> = listed(text).collect();
    if ids.is_empty() || !ids.iter().all(|id| is_project(id)) {
        return Err("Enter the IDs of projects, such as shop-prod, separated by commas.".to_owned());
    }
    let mut seen = BTreeSet::new();
    Ok(ids.into_iter().filter(|id| seen.insert(*id)).collect::<Vec<_>>().join(", "))
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', ' ']).map(str::trim).filter(|id| !id.is_empty())
}

/// Which projects the settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Own,
    Chosen(Vec<String>),
    All,
}

impl Scope {
    pub fn of(settings: &Values) -> Self {
        match settings.get("projects") {
            CHOSEN => Self::Chosen(listed(settings.get("project_ids")).map(str::to_owned).collect()),
            ALL => Self::All,
            _ => Self::Own,
        }
    }

    /// Whether a project may be one of them.
    pub fn takes(&self, project: &str) -> bool {
        match self {
            Self::Own | Self::All => true,
            Self::Chosen(ids) => ids.iter().any(|id| id == project),
        }
    }
}

/// A signed-in service account, for one scan or test.
pub struct Visit<'a> {
    pub cx: &'a Context<'a>,
    pub way: Way<'a>,
    pub scope: Scope,
    /// The project that the service account belongs to.
    pub own: String,
}

impl Step {
    pub const LISTING_PROJECTS: Self = Self { label: "Listing projects", doing: "Listing the projects" };
}

/// The cause and the way out, in the words of Google.
pub fn because(cause: &ProviderError) -> String {
    cause.sentence("Google")
}

impl<'a> Visit<'a> {
    pub async fn sign_in(cx: &'a Context<'a>) -> Result<Self, Gap> {
        let failed = |cause: ProviderError| {
            let because = because(&cause);
            Gap::new(Step::SIGNING_IN, "", cause, because)
        };
        let secret = cx.main().ok_or(ProviderError::WrongCredential).map_err(failed)?;
        let payload: Payload =
            credentials::payload(secret.values).ok_or(ProviderError::WrongCredential).map_err(failed)?;
        let outside = cx.outside;
        let way = Way {
            egress: outside.egress,
            endpoints: outside.endpoints,
            tokens: outside.tokens,
            values: secret.values,
            stored: secret.stored,
            stop: cx.stop.clone(),
        };
        way.token().await.map_err(failed)?;
        Ok(Self { cx, way, scope: Scope::of(cx.settings), own: payload.service_account.project_id })
    }

    pub async fn line(&self, service: Service, api: &'static Api) -> Result<Line<'a>, ProviderError> {
        let report = self.cx.report.clone();
        Line::open(&self.way, service, api, Box::new(move |until| report.pause(until))).await
    }

    /// The projects to look at, and a gap where some are missing. An error when there is none.
    pub async fn projects(&self) -> Result<(Vec<String>, Option<Gap>), Gap> {
        match &self.scope {
            Scope::Own => return Ok((vec![self.own.clone()], None)),
            Scope::Chosen(ids) => return Ok((ids.clone(), None)),
            Scope::All => {}
        }
        let found = async {
            let line = self.line(Service::GoogleProjects, &projects::API).await?;
            projects::search(&line).await
        };
        let failed = |cause: ProviderError| {
            let because = format!("{} Or choose the projects under Projects.", because(&cause));
            Gap::new(Step::LISTING_PROJECTS, "", cause, because)
        };
        let Listed { entries, rest, .. } = found.await.map_err(failed)?;
        if entries.is_empty() && rest.is_none() {
            let because = "the service account sees no project. Grant it the role Browser (roles/browser) on the \
                           organization, a folder or projects, or choose the projects under Projects.";
            return Err(Gap::new(Step::LISTING_PROJECTS, "", ProviderError::NotFound, because.to_owned()));
        }
        match rest {
            Some(cause) if entries.is_empty() => Err(failed(cause)),
            rest => Ok((entries, rest.map(failed))),
        }
    }
}

/// What came of asking one API about the projects.
#[derive(Debug, Default)]
pub struct Asked {
    /// Projects that the API answered for, or refused for a reason of their own.
    pub answered: BTreeSet<String>,
    /// Projects where it is switched off, and the project that Google named for it.
    pub off: Vec<(String, String)>,
}

impl Asked {
    /// Keeps the outcome for a project; `None` where the API is switched off.
    pub fn kept<T>(&mut self, project: &str, outcome: Result<T, ProviderError>) -> Option<Result<T, ProviderError>> {
        match outcome {
            Err(ProviderError::Google(Refusal { why: Why::ApiOff { consumer }, .. })) => {
                self.off.push((project.to_owned(), consumer));
                None
            }
            outcome => {
                self.answered.insert(project.to_owned());
                Some(outcome)
            }
        }
    }

    /// A gap where an API answers for no other project because it is switched off in the service account's own, `own`,
    /// by which Google counts the calls: whether the others have anything is unknown then. Both look the same but for
    /// the project that Google names.
    pub fn own_is_off(&self, own: &str, step: Step, api: &'static Api) -> Option<Gap> {
        let others: Vec<&(String, String)> = self.off.iter().filter(|(project, _)| project != own).collect();
        let (first, _) = others.first()?;
        let named: BTreeSet<&str> = self.off.iter().map(|(_, consumer)| consumer.as_str()).collect();
        // Each of several projects was named for itself.
        let apart = named.len() == self.off.len() && self.off.len() > 1;
        if !self.answered.is_empty() || apart {
            return None;
        }
        let because = format!(
            "the {} is switched off in the project that the service account belongs to, {own}, or in all of these \
             projects. Switch it on in {own}: gcloud services enable {} --project {own}.",
            api.name, api.host
        );
        Some(Gap::new(step, first, ProviderError::Forbidden, because).with_others(others.len() - 1))
    }
}

/// Stands in a command for what only the credential knows; the page of the credential fills it in.
pub const ACCOUNT: &str = "SERVICE_ACCOUNT_EMAIL";
pub const OWN_PROJECT: &str = "CREDENTIAL_PROJECT";

/// A caption, and the commands that grant the service account exactly these permissions, by a role of its own named
/// `role`. `may` as in `may list the functions`.
pub fn grant(scope: &Scope, may: &str, role: &str, permissions: &[&str]) -> (String, String) {
    let caption = format!("Permissions of {ACCOUNT}: {may}");
    let permissions = permissions.join(",");
    let commands = |place: &str, binding: &str, id: &str| {
        format!(
            "gcloud iam roles create {role} --{place} {id} \\\n  --permissions {permissions}\n\
             gcloud {binding} add-iam-policy-binding {id} \\\n  --member serviceAccount:{ACCOUNT} \\\n  \
             --role {binding}/{id}/roles/{role}"
        )
    };
    let text = match scope {
        Scope::Own => commands("project", "projects", OWN_PROJECT),
        Scope::Chosen(ids) => ids.iter().map(|id| commands("project", "projects", id)).collect::<Vec<_>>().join("\n"),
        Scope::All => commands("organization", "organizations", "ORGANIZATION_ID"),
    };
    (caption, text)
}

/// A gap that hides whatever a project has.
pub fn of_project(step: Step, project: &str, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, project, cause, because).hiding(Hides::PlacesBelow(project.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(consumer: &str) -> Result<(), ProviderError> {
        let why = Why::ApiOff { consumer: consumer.to_owned() };
        Err(ProviderError::Google(Refusal { why, right: &projects::SEES }))
    }

    fn asked(outcomes: &[(&str, Result<(), ProviderError>)]) -> Option<Gap> {
        let mut asked = Asked::default();
        for (project, outcome) in outcomes {
            asked.kept(project, outcome.clone());
        }
        asked.own_is_off("own", Step::LISTING_PROJECTS, &projects::API)
    }

    #[test]
    fn project_ids_are_each_named_once() {
        assert_eq!(
            project_ids(" shop-prod,\nexample.com:shop  shop-prod ").as_deref(),
            Ok("shop-prod, example.com:shop")
        );
        for bad in ["", ",", "Shop", "shop/../x", "projects/shop", "-shop"] {
            assert!(project_ids(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_api_that_is_off_where_the_account_lives_is_told_from_one_that_is_off_elsewhere() {
        assert!(asked(&[("own", off("projects/1"))]).is_none(), "its own project is asked about");
        assert!(asked(&[("own", Ok(())), ("a", off("projects/2"))]).is_none());
        assert!(asked(&[("a", Err(ProviderError::Forbidden)), ("b", off("projects/3"))]).is_none());
        assert!(asked(&[("a", off("projects/2")), ("b", off("projects/3"))]).is_none(), "each is named for itself");
        let own = asked(&[("a", off("projects/1")), ("b", off("projects/1"))]).unwrap();
        assert_eq!((own.at.as_str(), own.others), ("a", 1));
        assert!(own.to_string().contains("gcloud services enable cloudresourcemanager.googleapis.com --project own"));
        assert!(asked(&[("own", off("projects/1")), ("a", off("projects/1"))]).is_some());
        assert!(asked(&[("a", off("projects/2"))]).is_some(), "one alone may be either");
    }

    #[test]
    fn the_commands_grant_exactly_what_is_needed_where_it_is_needed() {
        let of = |scope: Scope| grant(&scope, "may list the functions", "strongroom", &["a.b.list", "c.d.list"]);
        let (caption, text) = of(Scope::Own);
        assert_eq!(caption, "Permissions of SERVICE_ACCOUNT_EMAIL: may list the functions");
        let role = "--role projects/CREDENTIAL_PROJECT/roles/strongroom";
        assert!(text.contains("--permissions a.b.list,c.d.list") && text.ends_with(role), "{text}");
        let (_, chosen) = of(Scope::Chosen(vec!["x".to_owned(), "y".to_owned()]));
        assert!(chosen.contains("--role projects/x/roles/strongroom\ngcloud iam roles create strongroom --project y"));
        assert!(of(Scope::All).1.contains("gcloud organizations add-iam-policy-binding ORGANIZATION_ID"));
    }
}
