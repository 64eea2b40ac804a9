//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, and a line in [`VERSIONS`].

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Spec;
use crate::credentials::Kind;
use crate::form::Values;
use crate::providers::egress::Egress;
use crate::providers::oci_registry::SentTo;
use crate::providers::{ProviderError, aws};

pub mod docker_v2;
pub mod ecr;
pub mod selection;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&dyn Version] = &[&docker_v2::DockerV2, &ecr::Ecr];

/// The version of that slug; `None` for one that this release does not know.
pub fn version(slug: &str) -> Option<&'static dyn Version> {
    VERSIONS.iter().copied().find(|version| version.slug() == slug)
}

/// One way to speak to a registry: `Docker Registry v2`, `Amazon ECR` …
pub trait Version: Spec {
    /// Scans; stops soon after `job.stop` is cancelled.
    fn scan<'a>(&'a self, job: Job<'a>) -> BoxFuture<'a, Result<Vec<Image>, ScanError>>;
}

/// Everything one scan works with.
pub struct Job<'a> {
    pub settings: &'a Values,
    pub credential: Option<(&'static Kind, &'a Values)>,
    pub egress: &'a Egress,
    /// The integration's name, for the trail of whom it visits.
    pub name: &'a str,
    /// Which stored credential that is, and the version of its secret: sessions are kept by both.
    pub stored: Option<(Uuid, i32)>,
    pub aws: &'a aws::Sessions,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    pub stop: CancellationToken,
    /// Filled with the hosts that the registry had the credential sent to besides itself.
    pub sent_to: SentTo,
}

/// How far a scan is; shown on the page while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub step: Step,
    pub repositories_done: u32,
    pub repositories_total: u32,
    pub images: u32,
    /// How many of the images are in the database, while they are saved.
    #[serde(default)]
    pub saved: u32,
}

/// Where a scan is, or where it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    #[default]
    SigningIn,
    ListingRepositories,
    ListingTags,
    ReadingManifests,
    /// The scan is over, and its inventory is written to the database.
    Saving,
}

impl Step {
    /// What people read while it goes on, and after it failed.
    pub fn label(self) -> &'static str {
        match self {
            Self::SigningIn => "Signing in",
            Self::ListingRepositories => "Listing repositories",
            Self::ListingTags => "Listing tags",
            Self::ReadingManifests => "Reading manifests",
            Self::Saving => "Saving",
        }
    }
}

/// One tag of one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    /// `sha256:…` of the manifest or index that the tag names.
    pub digest: String,
    /// Compressed layers plus configuration, summed over platforms, in bytes.
    pub size_bytes: i64,
    /// `linux/amd64`, `linux/arm64/v8` …
    pub platforms: Vec<String>,
    pub pushed_at: Option<DateTime<Utc>>,
}

/// A failed scan: which step, on what, and why. Shown to people as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanError {
    pub step: Step,
    /// The repository or tag it happened on; empty when it was the registry as a whole.
    pub at: String,
    pub cause: ProviderError,
}

impl ScanError {
    pub fn new(step: Step, at: impl Into<String>, cause: ProviderError) -> Self {
        Self { step, at: at.into(), cause }
    }
}

impl fmt::Display for ScanError {
    /// `Listing the tags of team/app failed: the registry refused the user name or password. …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cause == ProviderError::Stopped {
            return f.write_str("The scan was stopped.");
        }
        match self.step {
            Step::SigningIn => f.write_str("Signing in")?,
            Step::ListingRepositories => f.write_str("Listing the repositories")?,
            Step::ListingTags => f.write_str("Listing the tags")?,
            Step::ReadingManifests => f.write_str("Reading the manifest")?,
            Step::Saving => f.write_str("Saving the inventory")?,
        }
        if !self.at.is_empty() {
            write!(f, " of {}", self.at)?;
        }
        write!(f, " failed: {}", self.cause.sentence("the registry"))?;
        match (self.step, &self.cause) {
            (
                Step::ListingRepositories,
                ProviderError::NotFound | ProviderError::Forbidden | ProviderError::Unauthorized { .. },
            ) => f.write_str(
                " Many registries do not list their repositories for everyone: enter their names under Repository.",
            ),
            (Step::ListingTags | Step::ReadingManifests, ProviderError::Forbidden) => {
                f.write_str(" Or add the repository to Repositories to exclude.")
            }
            (Step::ReadingManifests, ProviderError::BadAnswer | ProviderError::TooLarge) => {
                f.write_str(" Or add the tag to Tags to exclude.")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ScanError {}
