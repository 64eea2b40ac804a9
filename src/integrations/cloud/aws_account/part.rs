//! The parts of an AWS account's scan. Each reads one sort of thing, in the course of one [`Visit`].

use futures_util::future::BoxFuture;

use crate::form::Values;
use crate::integrations::context::Context;
use crate::integrations::scan::{Gap, Judge, Scan};
use crate::providers::Failure;
use crate::providers::aws::{Region, Session};

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
    pub session: Session,
    /// Twelve digits.
    pub account: String,
    pub judge: Judge,
}

/// IAM has one place a partition, and signs there.
pub(super) fn region(settings: &Values) -> Region {
    Region::first_of(settings.get("partition"))
}
