//! Who may come in: passwords, one-time codes, the throttle, the roles. Knows the store and the vault, no HTTP. Users are
//! rows of `models::users`; this module decides, `web::login` asks.

use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::models::events::{self, Actor, NewEvent};
use crate::models::logins::{self, Throttle};
use crate::models::users::{self, User};
use crate::models::{Db, DbError};
use crate::names;
use crate::vault::Vault;

pub mod password;
pub mod totp;

pub use password::{Busy, Hasher};

/// What a user may do. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Auditor,
    /// Uses and edits credentials and integrations.
    Operator,
    /// Everything.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Auditor, Self::Operator, Self::Administrator];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Auditor => "Auditor",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }

    /// `None` for a word that is no role.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.slug() == slug)
    }
}

/// Why nobody comes in. Says the same for an unknown user, a wrong password and a disabled user.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("That user name and password do not match.")]
    Wrong,
    /// Seconds to wait.
    #[error("Too many failed logins. Try again in {} minutes.", .0.div_euclid(60) + 1)]
    Throttled(i64),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What the gate needs.
#[derive(Clone)]
pub struct Gate {
    pub db: Db,
    pub vault: std::sync::Arc<Vault>,
    pub hasher: Hasher,
}

impl Gate {
    /// Checks name and password. Every try is counted before it is checked, so that parallel tries cannot outrun the
    /// count; a right password clears what was counted from its network.
    pub async fn password(&self, name: &str, password: &str, address: IpAddr) -> Result<User, Refused> {
        let (key, network) = (names::key(name), network(address));
        let user = self.count_try(key.clone(), network.clone()).await?;
        let hash = user.as_ref().and_then(|user| self.stored_hash(user));
        let right = self.hasher.verify(hash, password).await?;
        match user.filter(|user| right && !user.disabled) {
            Some(user) if user.check(&self.vault).is_ok() => {
                let (key, network) = (key, network);
                self.db.run(move |conn| logins::clear_failures(conn, &key, &network)).await?;
                Ok(user)
            }
            user => {
                self.record_failure(name, address, user.is_some()).await?;
                Err(Refused::Wrong)
            }
        }
    }

    async fn count_try(&self, key: String, network: String) -> Result<Option<User>, Refused> {
        let (throttle, user) = self
            .db
            .run(move |conn| {
                let throttle = logins::throttle(conn, &key, &network)?;
                if let Throttle::Closed(_) = throttle {
                    return Ok::<_, DbError>((throttle, None));
                }
                logins::record_failure(conn, &key, &network)?;
                Ok((throttle, users::find_by_key(conn, &key)?))
            })
            .await?;
        match throttle {
            Throttle::Closed(seconds) => Err(Refused::Throttled(seconds)),
            Throttle::Slow => {
                // Many places try one account: each try costs them half a minute, and the owner still gets in.
                tokio::time::sleep(std::time::Duration::from_secs(30)).await;
                Ok(user)
            }
            Throttle::Open => Ok(user),
        }
    }

    /// The PHC string; `None` when the row is not what was stored, which then takes as long as a wrong password.
    fn stored_hash(&self, user: &User) -> Option<String> {
        let opened = self.vault.open(&user.password_context(), &user.sealed_password());
        opened.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    async fn record_failure(&self, name: &str, address: IpAddr, row_is_wrong: bool) -> Result<(), DbError> {
        metrics::counter!("strongroom_login_failures_total").increment(1);
        let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let actor = Actor { name: shown.clone(), address: address.to_string() };
        let action = if row_is_wrong { "user.integrity_failure" } else { "login.failed" };
        let vault = self.vault.clone();
        self.db
            .transaction(move |conn| {
                let detail = String::new();
                let event = NewEvent { action, subject_kind: "user", subject_id: None, subject_name: &shown, detail };
                events::record(conn, &vault, &actor, &event)
            })
            .await
    }

    /// Whether this is the user's password; not throttled by itself, since the user is logged in already.
    pub async fn confirms(&self, user: &User, password: &str) -> Result<bool, Refused> {
        Ok(self.hasher.verify(self.stored_hash(user), password).await?)
    }
}

/// The /24 or /64 that an address belongs to: one visitor has many addresses of it.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Net::new(v4, 24).map_or_else(|_| v4.to_string(), |net| net.trunc().to_string()),
        IpAddr::V6(v6) => Ipv6Net::new(v6, 64).map_or_else(|_| v6.to_string(), |net| net.trunc().to_string()),
    }
}
