//! An identity token of an OpenID Connect issuer: GitHub Actions, GitLab CI, or any other. A token is good where its claims
//! have exactly the values that are set here. Of GitHub and GitLab the ids are asked for: a name that was given up can be
//! registered by somebody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fields::{AUDIENCE, JWKS, issuer, required};
use crate::form::{Control, Errors, Field, Values};

/// Most conditions of one login.
const MOST: usize = 30;
/// Claims that are checked anyway, or that differ from token to token.
const NOT_CONDITIONS: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "azp"];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oidc {
    /// Exactly as the token's `iss` names it; its keys are found from there.
    pub issuer: String,
    pub audience: String,
    /// JSON; `None`: from the issuer.
    pub jwks: Option<String>,
    /// Claim and exact value; all must hold. At least one.
    pub conditions: BTreeMap<String, String>,
}

pub const FIELDS: [Field; 16] = [
    Field::choice(
        "issuer_kind",
        "Issuer",
        &[("github", "GitHub Actions"), ("gitlab", "GitLab CI"), ("other", "Another issuer")],
    ),
    Field::text("github_issuer", "Issuer address")
        .when("issuer_kind", &["github"])
        .default("https://token.actions.githubusercontent.com")
        .check(issuer)
        .help("Change it only for GitHub Enterprise."),
    Field::text("repository_id", "Repository ID")
        .when("issuer_kind", &["github"])
        .placeholder("123456789")
        .check(number)
        .help("Not its name, which somebody else could register again: gh api repos/OWNER/NAME --jq .id"),
    Field::text("repository_owner_id", "Owner ID")
        .when("issuer_kind", &["github"])
        .placeholder("9876543")
        .check(number)
        .help("gh api repos/OWNER/NAME --jq .owner.id"),
    Field::text("github_ref", "Branch or tag")
        .optional()
        .when("issuer_kind", &["github"])
        .placeholder("refs/heads/main")
        .check(reference)
        .help("Leave blank for all."),
    Field::text("github_environment", "Environment")
        .optional()
        .when("issuer_kind", &["github"])
        .placeholder("production")
        .help("Leave blank for all. An environment can require a review before the job runs."),
    Field::text("job_workflow_ref", "Reusable workflow")
        .optional()
        .when("issuer_kind", &["github"])
        .placeholder("octo/ci/.github/workflows/deploy.yml@refs/heads/main"),
    Field::text("gitlab_issuer", "GitLab address")
        .when("issuer_kind", &["gitlab"])
        .default("https://gitlab.com")
        .check(issuer),
    Field::text("project_id", "Project ID")
        .when("issuer_kind", &["gitlab"])
        .placeholder("12345")
        .check(number)
        .help("Not its path, which somebody else could take. It is on the project's page, under its name."),
    Field::checkbox("ref_protected", "Only protected branches and tags").when("issuer_kind", &["gitlab"]).default("on"),
    Field::text("gitlab_ref", "Branch or tag")
        .optional()
        .when("issuer_kind", &["gitlab"])
        .placeholder("main")
        .help("Leave blank for all."),
    Field::text("gitlab_environment", "Environment")
        .optional()
        .when("issuer_kind", &["gitlab"])
        .placeholder("production")
        .help("Leave blank for all."),
    Field::text("issuer", "Issuer address")
        .when("issuer_kind", &["other"])
        .placeholder("https://login.example.com")
        .check(issuer)
        .help("Exactly as the tokens name it in iss."),
    Field { control: Control::Document, ..Field::text("conditions", "Conditions") }
        .when("issuer_kind", &["other"])
        .max(16_384)
        .placeholder("sub = service:billing")
        .check(conditions)
        .help("One claim = value a line. All of them must be exactly so."),
    Field { help: "Only for an issuer that this console can't reach.", required: false, ..JWKS }
        .when("issuer_kind", &["other"]),
    AUDIENCE,
];

impl Oidc {
    /// Of checked values.
    pub fn read(values: &Values) -> Result<Self, Errors> {
        let (issuer, conditions) = match values.get("issuer_kind") {
            "gitlab" => ("gitlab_issuer", gitlab(values)),
            "other" => {
                let lines = parse(&required(values, "conditions")?);
                ("issuer", lines.map_err(|error| Errors::one("conditions", error))?)
            }
            _ => ("github_issuer", github(values)),
        };
        if conditions.is_empty() {
            return Err(Errors::one("conditions", "Enter at least one condition."));
        }
        let jwks = Some(values.get("jwks").to_owned()).filter(|jwks| !jwks.is_empty());
        Ok(Self { issuer: required(values, issuer)?, audience: required(values, "audience")?, jwks, conditions })
    }

    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let conditions: Vec<String> =
            self.conditions.iter().map(|(claim, value)| format!("{claim} = {value}")).collect();
        let keys = self.jwks.as_ref().map(|_| ("Keys", "Pasted".to_owned()));
        let lines = [("Issuer", self.issuer.clone()), ("Conditions", conditions.join(", "))];
        lines.into_iter().chain(keys).chain([("Audience", self.audience.clone())]).collect()
    }
}

fn of(values: &Values, claims: &[(&str, &str)]) -> BTreeMap<String, String> {
    let filled = claims.iter().filter(|(_, field)| !values.get(field).is_empty());
    filled.map(|(claim, field)| ((*claim).to_owned(), values.get(field).to_owned())).collect()
}

fn github(values: &Values) -> BTreeMap<String, String> {
    of(
        values,
        &[
            ("repository_id", "repository_id"),
            ("repository_owner_id", "repository_owner_id"),
            ("ref", "github_ref"),
            ("environment", "github_environment"),
            ("job_workflow_ref", "job_workflow_ref"),
        ],
    )
}

fn gitlab(values: &Values) -> BTreeMap<String, String> {
    let claims = [("project_id", "project_id"), ("ref", "gitlab_ref"), ("environment", "gitlab_environment")];
    let mut conditions = of(values, &claims);
    if values.get("ref_protected") == "on" {
        // GitLab's claims are text.
        conditions.insert("ref_protected".to_owned(), "true".to_owned());
    }
    conditions
}

fn number(text: &str) -> Result<String, String> {
    match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number.to_string()),
        _ => Err("Enter the number, not the name.".to_owned()),
    }
}

fn reference(text: &str) -> Result<String, String> {
    match text.starts_with("refs/") {
        true => Ok(text.to_owned()),
        false => Err("Write it in full: refs/heads/main or refs/tags/v1.".to_owned()),
    }
}

fn conditions(text: &str) -> Result<String, String> {
    let lines: Vec<String> = parse(text)?.iter().map(|(claim, value)| format!("{claim} = {value}")).collect();
    Ok(lines.join("\n"))
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (claim, value) = line.split_once('=').ok_or("Write each as claim = value.")?;
        let (claim, value) = (claim.trim(), value.trim());
        if claim.is_empty() || value.is_empty() || claim.contains(char::is_whitespace) {
            return Err("Write each as claim = value.".to_owned());
        }
        if NOT_CONDITIONS.contains(&claim) {
            return Err(format!(
                "{claim} is not a condition: Strongroom checks it anyway, or every token has another."
            ));
        }
        if value.contains('*') {
            return Err("Values are compared exactly: * has no meaning here.".to_owned());
        }
        if found.insert(claim.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{claim} is there twice."));
        }
    }
    match found.len() {
        0 => Err("Enter at least one.".to_owned()),
        count if count > MOST => Err(format!("At most {MOST} conditions fit here.")),
        _ => Ok(found),
    }
}
