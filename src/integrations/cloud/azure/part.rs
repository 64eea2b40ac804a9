//! The parts of a scan of Azure. Each reads one sort of thing, in the course of one [`Look`].

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::integrations::azure::{Scope, Visit, because};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Judge, Scan};
use crate::providers::ProviderError;
use crate::providers::azure::line::Line;
use crate::providers::azure::management::{API, Subscription};

/// Something that a scan looks for.
pub(super) struct Part {
    /// The checkbox that switches it on.
    pub field: &'static str,
    /// What the names of all that it finds begin with, `acr` of `acr/westeurope/example`; blank for keys, whose names are
    /// IDs.
    pub path: &'static str,
    /// What it needs to be granted: a caption, and the commands.
    pub grant: fn(&Scope) -> (String, String),
    pub read: for<'l> fn(&'l Look<'_>) -> BoxFuture<'l, Result<Scan, Gap>>,
    /// A sentence about what one page of it holds.
    pub check: for<'l> fn(&'l Look<'_>) -> BoxFuture<'l, Result<String, Gap>>,
}

/// A signed-in principal that looks around, for one scan or test.
pub(super) struct Look<'a> {
    pub visit: Visit<'a>,
    pub judge: Judge,
    /// Something was read and there is nothing.
    pub empty: AtomicBool,
    around: OnceCell<Result<Around<'a>, Gap>>,
    /// That subscriptions are missing was told.
    missing: Mutex<Option<Gap>>,
}

/// The subscriptions to look into, and the line to ask about them.
pub(super) struct Around<'a> {
    pub line: Line<'a>,
    /// Never empty.
    pub subscriptions: Vec<Subscription>,
}

impl<'a> Look<'a> {
    pub fn new(visit: Visit<'a>) -> Self {
        let (judge, empty) = (Judge::default(), AtomicBool::new(false));
        Self { visit, judge, empty, around: OnceCell::new(), missing: Mutex::default() }
    }

    /// Asked for once by all parts.
    pub async fn around(&self) -> Result<&Around<'a>, Gap> {
        let found = self.around.get_or_init(|| async {
            let line = self.visit.line(&API).await.map_err(of_all)?;
            let (subscriptions, missing) = self.visit.subscriptions(&line).await?;
            *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = missing;
            Ok(Around { line, subscriptions })
        });
        found.await.as_ref().map_err(Clone::clone)
    }

    /// The gap of subscriptions that are missing, once.
    pub fn missing(&self) -> Option<Gap> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Azure as a whole failed while signing in.
pub(super) fn of_all(cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(Step::SIGNING_IN, "", cause, because)
}
