//! Registry scans: list repositories, their tags, and each tag's manifest; apply patterns and the cap; return the
//! inventory. One registry version a file, and a line in [`VERSIONS`].

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::credentials::Kind;
use crate::form::{Field, Values};
use crate::providers::ProviderError;
use crate::providers::egress::Egress;

/// One way to speak to a registry: `Docker Registry v2`, `Amazon ECR` …
pub trait Version: Sync {
    fn slug(&self) -> &'static str;
    fn label(&self) -> &'static str;
    /// All settings of the form but name, credential and schedule, which every integration has.
    fn fields(&self) -> &'static [Field];
    /// Slugs of the credential kinds it can use.
    fn credential_kinds(&self) -> &'static [&'static str];
    fn needs_credential(&self) -> bool;
    /// The host that the credential is sent to, as bound by the integration: `registry.example.com:5000`.
    fn host(&self, settings: &Values) -> Option<String>;
    /// Scans; stops soon after `job.stop` is cancelled.
    fn scan<'a>(&'a self, job: Job<'a>) -> BoxFuture<'a, Result<Vec<Image>, ScanError>>;
}

/// Everything one scan works with.
pub struct Job<'a> {
    pub settings: &'a Values,
    pub credential: Option<(&'static Kind, &'a Values)>,
    pub egress: &'a Egress,
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    pub stop: CancellationToken,
}

/// How far a scan is; shown on the page while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub step: Step,
    pub repositories_done: u32,
    pub repositories_total: u32,
    pub images: u32,
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

/// A failed scan: which step, on what, and why.
#[derive(Debug)]
pub struct ScanError {
    pub step: Step,
    /// The repository or tag it happened on; empty when it was the registry as a whole.
    pub at: String,
    pub cause: ProviderError,
}
