//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, and a line in [`VERSIONS`].

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Spec;
use crate::credentials::Kind;
use crate::form::Values;
use crate::providers::aws;
use crate::providers::egress::Egress;
use crate::providers::oci_registry::SentTo;

mod collect;
pub mod docker_v2;
pub mod ecr;
mod failure;
mod scan;
pub mod selection;

pub use failure::ScanError;
pub use scan::Scan;

/// Every version, in the order of the form's list.
pub static VERSIONS: &[&dyn Version] = &[&docker_v2::DockerV2, &ecr::Ecr];

/// The version of that slug; `None` for one that this release does not know.
pub fn version(slug: &str) -> Option<&'static dyn Version> {
    VERSIONS.iter().copied().find(|version| version.slug() == slug)
}

/// One way to speak to a registry: `Docker Registry v2`, `Amazon ECR` …
pub trait Version: Spec {
    /// Scans; stops soon after `job.stop` is cancelled. An error when the registry itself fails, or nothing at all can be
    /// read; else what cannot be read is a gap.
    fn scan<'a>(&'a self, job: Job<'a>) -> BoxFuture<'a, Result<Scan, ScanError>>;
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
    /// Parts that could not be read so far.
    #[serde(default)]
    pub gaps: u32,
    /// The registry has asked for a pause until then.
    #[serde(default)]
    pub waits_until: Option<DateTime<Utc>>,
}

/// Where a scan is, or where it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
