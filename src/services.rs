//! What all work shares as long as the process lives: the database, the vault, the ways out, the caches. Handlers and
//! jobs are given the same one. It names no page, no request and no job, so that a room that needs it needs no web.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::accounts::fetches::Fetches;
use crate::accounts::limiter::Limiter;
use crate::accounts::sessions::Cache;
use crate::accounts::{Gate, Hasher};
use crate::config::{SettingError, Settings};
use crate::integrations::alerts::email;
use crate::integrations::context::Outside;
use crate::integrations::issue;
use crate::models::credential_limits::Limits;
use crate::models::sessions::Limits as SessionLimits;
use crate::models::totals::Totals;
use crate::models::{Db, ReplicaId, UserId};
use crate::providers::aws;
use crate::providers::egress::Egress;
use crate::providers::identity::issuer::Issuers;
use crate::providers::tokens::Tokens;
use crate::trail::Trail;
use crate::vault::Vault;

mod alert_state;
mod waiting;

pub use alert_state::AlertState;
pub use waiting::Waiting;

/// Identities of programs that are checked for one address within a minute: each may ask a cluster, an issuer or AWS.
const IDENTITY_CHECKS: usize = 300;

/// What every handler and job shares.
pub struct Services {
    pub settings: Settings,
    pub db: Db,
    pub vault: Arc<Vault>,
    pub gate: Gate,
    pub egress: Egress,
    pub aws: aws::Sessions,
    /// Access tokens of Azure, Google and IBM.
    pub tokens: Tokens,
    /// Public keys of those who sign identity tokens.
    pub issuers: Issuers,
    /// How often each address has an identity checked.
    pub identity_checks: Limiter<String>,
    /// Connections to mail servers that are kept between two letters.
    pub smtp: email::Connections,
    pub sessions: Cache,
    /// What clients fetched within the last minute.
    pub fetches: Fetches,
    /// Sessions and tokens that were issued to clients.
    pub issued: issue::Kept,
    /// What clients were given of secret stores, as long as their rules allow.
    pub entries: issue::Entries,
    /// Clients that wait for a change.
    pub waiting: Waiting,
    /// How often each user has values read anew.
    pub refreshes: Limiter,
    /// How often each user presses Test.
    pub checkups: Limiter,
    /// Whose password was shown with a call of the API within the last minute, and from where: recorded once.
    pub api_logins: Limiter<(UserId, IpAddr)>,
    /// How often each user has a confirmation sent.
    pub invitations: Limiter,
    pub public_url: Url,
    /// This process among the replicas.
    pub replica: ReplicaId,
    pub stopping: CancellationToken,
    pub wake: Wake,
    pub alerts: AlertState,
    totals: RwLock<Totals>,
    /// What is known of the audit trail; also what is broken, for every page.
    pub trail: Arc<Trail>,
}

/// Wakes the jobs of this process, so that they need not wait for their next look.
#[derive(Default)]
pub struct Wake {
    /// A run has been queued.
    pub runs: Notify,
    /// An alert, or a setting of alerts, has changed.
    pub alerts: Notify,
    /// A message waits in the outbox.
    pub messages: Notify,
    /// Something was added or deleted.
    pub totals: Notify,
}

impl Services {
    /// `public_url` is where visitors open the console. `listen_at` is the direct URL of the database at which ended
    /// sessions are announced; `None` behind a pooler.
    pub fn new(
        mut settings: Settings,
        (db, vault): (Db, Arc<Vault>),
        public_url: Url,
        listen_at: Option<String>,
    ) -> Result<Self, SettingError> {
        settings.endpoints = std::mem::take(&mut settings.endpoints).with_aws(settings.aws_endpoints());
        let egress = Egress::new(settings.egress_allow().into_vec()).through(settings.egress_proxy()?);
        let hello = settings.smtp_hello().or_else(|| Some(email::host(&public_url)));
        Ok(Self {
            gate: Gate { db: db.clone(), vault: vault.clone(), hasher: Hasher::default() },
            aws: aws::Sessions::new(egress.clone(), settings.endpoints.aws().clone()),
            tokens: Tokens::new(egress.clone(), settings.endpoints.clone()),
            issuers: Issuers::new(egress.clone()),
            identity_checks: Limiter::new(IDENTITY_CHECKS, "logins"),
            egress,
            smtp: email::Connections::default().greeting_as(hello),
            sessions: Cache::of_sessions(listen_at.clone()),
            fetches: Fetches::new(listen_at),
            issued: issue::Kept::default(),
            entries: issue::Entries::default(),
            waiting: Waiting::default(),
            refreshes: Limiter::new(30, "refreshes"),
            checkups: Limiter::new(10, "tests"),
            api_logins: Limiter::new(1, "logins"),
            invitations: Limiter::new(30, "invitations"),
            public_url,
            replica: ReplicaId(Uuid::new_v4()),
            stopping: CancellationToken::new(),
            wake: Wake::default(),
            alerts: AlertState::default(),
            totals: RwLock::default(),
            trail: vault.trail.clone(),
            db,
            vault,
            settings,
        })
    }

    pub fn session_limits(&self) -> SessionLimits {
        let minutes = |duration: Duration| i32::try_from(duration.as_secs() / 60).unwrap_or(i32::MAX);
        SessionLimits {
            idle_minutes: minutes(self.settings.session_idle()),
            hours: minutes(self.settings.session_absolute()) / 60,
        }
    }

    /// What is wrong with the store, in sentences for every page. From the memory of this process, so that nobody silences
    /// it by changing the database.
    pub fn troubles(&self) -> Vec<String> {
        self.trail.broken().into_iter().chain(self.alerts.troubles()).collect()
    }

    /// What the sidebar counts, as of a few seconds ago: no page asks the database for it.
    pub fn totals(&self) -> Totals {
        *self.totals.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_totals(&self, totals: Totals) {
        *self.totals.write().unwrap_or_else(PoisonError::into_inner) = totals;
    }

    pub fn stale_days(&self) -> i32 {
        i32::try_from(self.settings.stale_days).unwrap_or(i32::MAX)
    }

    /// From when on the secrets of each type count as old, as of a few seconds ago.
    pub fn limits(&self) -> Limits {
        Limits::of(&self.alerts.settings(), self.stale_days())
    }

    /// What a call of an integration may use of the world outside.
    pub fn outside(&self) -> Outside<'_> {
        Outside {
            egress: &self.egress,
            endpoints: &self.settings.endpoints,
            aws: &self.aws,
            tokens: &self.tokens,
            smtp: &self.smtp,
        }
    }

    /// Whether visitors come over https, here or at the proxy.
    pub fn secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}
