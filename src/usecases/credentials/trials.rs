//! A value tried before it is relied on: by the Test of its type, and on the usages that are to work with it. What is
//! looked up is read before the first call, so no connection to the database is held while providers are asked.

use std::time::{Duration, Instant};

use crate::checkup;
use crate::connection_test::Outcome;
use crate::connection_test::usages::{self as tests, Tried};
use crate::credentials::Kind;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::Secret;
use crate::models::integration_list::{self, Line};
use crate::models::integrations::Integration;
use crate::models::trust::Trusted;
use crate::models::{CredentialId, DbError, IntegrationId, usages};
use crate::providers;
use crate::providers::aws::roles::Wanted;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::usecases::read;

/// Most usages that are tried at once; any more are counted, and said to be untried.
pub const MOST: i64 = 500;

/// Everywhere a credential is used, as it was read.
pub struct Uses {
    pub lines: Vec<Line>,
    rows: Vec<Trusted<Integration>>,
    roles: Vec<Wanted>,
    /// Usages beyond [`MOST`].
    rest: usize,
}

/// What came of trying a value.
pub struct Trials {
    /// The Test of the type; `None` where it has none.
    pub test: Option<(Finding, Duration)>,
    pub usages: Vec<OnUsage>,
    /// Usages that were not tried because there are too many.
    pub rest: usize,
    pub took: Duration,
}

/// What came of trying it on one usage.
pub struct OnUsage {
    pub line: Line,
    /// ARN of the role that the integration goes on to with the credential.
    pub via: Option<String>,
    pub tried: Tried,
}

impl OnUsage {
    /// One that is switched off works with nothing, so its failure is shown and stops nobody.
    pub fn fails(&self) -> bool {
        self.line.active && matches!(self.tried.outcome, Outcome::Failed(_))
    }
}

impl Trials {
    pub fn all_well(&self) -> bool {
        let test = self.test.as_ref().is_none_or(|(found, _)| !found.verdict.is_unproven());
        test && self.rest == 0 && !self.usages.iter().any(OnUsage::fails)
    }
}

impl Uses {
    /// Reads where the credential is used.
    pub async fn of(services: &Services, id: CredentialId) -> Result<Self, DbError> {
        read(services, move |conn, vault| {
            let lines = integration_list::usages(conn, id, MOST)?;
            let rows = usages::of(conn, vault, id, MOST)?;
            let all = integration_list::count(conn, id)?;
            let rest = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(lines.len());
            Ok(Self { lines, rows, roles: checkup::roles(conn, vault, id)?, rest })
        })
        .await
    }

    fn row(&self, id: IntegrationId) -> Option<&Integration> {
        self.rows.iter().map(|row| &**row).find(|row| row.id == id)
    }

    /// Tries the secret at its provider and on every usage, all at once.
    pub async fn try_all(self, services: &Services, secret: Secret<'_>) -> Trials {
        let begun = Instant::now();
        let (test, usages) =
            tokio::join!(self.test(services, secret.kind, secret.values), self.usages(services, secret));
        let via = |line: &Line| {
            let settings = Values::from_json(self.row(line.id)?.settings.as_bytes())?;
            Spec::find(&line.version)?.role(&settings)
        };
        let lines = self.lines.iter().zip(usages);
        let usages = lines.map(|(line, tried)| OnUsage { via: via(line), line: line.clone(), tried }).collect();
        Trials { test, usages, rest: self.rest, took: begun.elapsed() }
    }

    async fn test(&self, services: &Services, kind: &'static Kind, values: &Values) -> Option<(Finding, Duration)> {
        if !providers::has_test(kind) {
            return None;
        }
        let begun = Instant::now();
        let found = checkup::probe(services, kind, values, &self.roles).await;
        Some((found, begun.elapsed()))
    }

    /// In the order of the lines.
    async fn usages(&self, services: &Services, secret: Secret<'_>) -> Vec<Tried> {
        let known = self.lines.iter().map(|line| self.row(line.id).map(|row| tests::Usage { row, role: &line.role }));
        let known: Vec<Option<tests::Usage<'_>>> = known.collect();
        let usages: Vec<tests::Usage<'_>> = known.iter().flatten().copied().collect();
        let mut tried = tests::on_each(services, &usages, secret).await.into_iter();
        let altered = || {
            let sentence = "Not tested: this integration is not what Strongroom saved. Its page says what to do.";
            Tried { outcome: Outcome::Failed(sentence.to_owned()), took: Duration::ZERO }
        };
        known.iter().map(|known| known.and_then(|_| tried.next()).unwrap_or_else(altered)).collect()
    }
}
