//! The parts of an AWS account's scan. Each reads one sort of thing, in the course of one [`Visit`].

use std::sync::atomic::AtomicBool;

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::form::Values;
use crate::integrations::aws::{self, Place};
use crate::integrations::context::Context;
use crate::integrations::scan::{Gap, Judge, Scan};
use crate::providers::aws::{Region, SignedCalls, regions};
use crate::providers::{Failure, ProviderError};

/// What the names of the things of each service begin with that is in regions: `ecr/eu-central-1`. Keys have no slash.
pub(super) const ECR: &str = "ecr";
pub(super) const LAMBDA: &str = "lambda";
pub(super) const EKS: &str = "eks";
pub(super) const ECS: &str = "ecs";
pub(super) const REGIONAL: [&str; 4] = [ECR, LAMBDA, EKS, ECS];

/// Something that a scan looks for.
pub(super) struct Part {
    /// The checkbox that switches it on.
    pub field: &'static str,
    /// `may list the keys of all users`
    pub may: &'static str,
    pub rights: &'static [&'static str],
    /// Rights that add to what is found and may be left out, and what they add.
    pub further: Option<(&'static str, &'static [&'static str])>,
    pub read: for<'a> fn(&'a Visit<'a>) -> BoxFuture<'a, Result<Scan, Gap>>,
    /// A sentence about what one page of it holds.
    pub check: for<'a> fn(&'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>>,
}

/// A session in the account, for one scan or test.
pub(super) struct Visit<'a> {
    pub cx: &'a Context<'a>,
    /// With the session in the account.
    pub calls: SignedCalls,
    /// Twelve digits.
    pub account: String,
    /// The name of the account; empty when it has none, or when nobody asked for it.
    pub alias: String,
    pub judge: Judge,
    /// Something was read and there is nothing.
    pub empty: AtomicBool,
    /// That the regions cannot be listed was told.
    pub told: AtomicBool,
    regions: OnceCell<Result<Vec<Region>, ProviderError>>,
}

impl<'a> Visit<'a> {
    pub fn new(cx: &'a Context<'a>, calls: SignedCalls, account: String) -> Self {
        let (alias, judge, empty, told) = (String::new(), Judge::default(), false.into(), false.into());
        Self { cx, calls, account, alias, judge, empty, told, regions: OnceCell::new() }
    }

    /// The regions to look into, asked for once: those of the settings, else all that are switched on.
    pub async fn regions(&self) -> Result<&[Region], ProviderError> {
        let regions = self.regions.get_or_init(|| async {
            match aws::regions(self.cx.settings.get("regions")) {
                Some(chosen) if !chosen.is_empty() => Ok(chosen),
                _ => regions::enabled(&self.calls, &region(self.cx.settings)).await,
            }
        });
        regions.await.as_deref().map_err(Clone::clone)
    }

    /// The fields of a form that would cover a thing of this account, with the role as a whole, as any form takes it.
    pub fn form(&self, fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let home = region(self.cx.settings);
        let place = Place { region: &home, account: Some(&self.account) };
        let role = place.role(self.cx.settings).and_then(Result::ok);
        let role = role.as_ref().map(|role| ("role", role.as_str()));
        let fields = fields.iter().copied().chain(role);
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// IAM has one place a partition, and signs there.
pub(super) fn region(settings: &Values) -> Region {
    Region::first_of(settings.get("partition"))
}
