//! The gate: judges passwords and one-time codes, counts what was wrong, and tells the audit trail. Sessions are made by
//! `web::login`, which asks here first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::{Ipv4Net, Ipv6Net};
use uuid::Uuid;

use super::{Busy, Hasher, Refused, totp};
use crate::models::alerts::{self, Subject};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::logins::{self, Attempt, Throttle};
use crate::models::trust::{Seen, Trusted};
use crate::models::users::{self, Proof, User};
use crate::models::{Conn, Db, DbError, UserId, altered};
use crate::names;
use crate::vault::Vault;

/// How long a try takes at least while an account is tried from many places.
const DELAY: Duration = Duration::from_secs(30);

/// In the trail and in alerts, a name that no user has.
const UNKNOWN: &str = "an unknown name";

/// What the gate needs.
#[derive(Clone)]
pub struct Gate {
    pub db: Db,
    pub vault: Arc<Vault>,
    pub hasher: Hasher,
}

/// A try that has been counted.
struct Counted {
    attempt: Attempt,
    /// Whether this failure closes the gate to the next.
    closes: bool,
}

impl Gate {
    /// Checks name and password. Every try is counted before it is checked, so that parallel tries cannot outrun the
    /// count; a right password clears what was counted from its network.
    pub async fn password(&self, name: &str, password: &str, address: IpAddr) -> Result<Trusted<User>, Refused> {
        self.judge(name, password, address, |_| true).await
    }

    /// Checks name and password of a program, which cannot show a second factor. If the account needs one, a right password
    /// does not reset the count of failed logins: knowing the password alone proves too little.
    pub async fn password_alone(&self, name: &str, password: &str, address: IpAddr) -> Result<Trusted<User>, Refused> {
        self.judge(name, password, address, User::is_open_by_password).await
    }

    async fn judge(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        suffices: fn(&User) -> bool,
    ) -> Result<Trusted<User>, Refused> {
        let key = names::key(name);
        let counted = self.count(logins::of_passwords(&self.vault, &key), address).await?;
        let vault = self.vault.clone();
        let seen = self.db.run(move |conn| users::find_by_key(conn, &vault, &key)).await?;
        let hash = seen.as_ref().and_then(|seen| self.stored_hash(seen.shown()));
        let moved = seen.is_some() && hash.is_none();
        let weak = hash.as_deref().is_some_and(Hasher::is_weak);
        let Ok(right) = self.hasher.verify(hash, password).await else {
            // Nobody looked at the password, so it was not wrong.
            self.db.transaction(move |conn| logins::uncount(conn, &counted.attempt)).await?;
            return Err(Busy.into());
        };
        let (user, why) = match seen.map(Seen::judged) {
            None => (None, Why::Password),
            Some(Ok(user)) if right && !user.disabled => {
                let settle = if suffices(&user) { logins::clear_failures } else { logins::uncount };
                self.db.transaction(move |conn| settle(conn, &counted.attempt)).await?;
                return if weak { Ok(self.strengthen(user, password, address).await) } else { Ok(user) };
            }
            Some(Ok(user)) if moved => (Some((*user).clone()), Why::Tampered("the password was moved")),
            Some(Ok(user)) => (Some((*user).clone()), Why::Password),
            Some(Err((user, doubt))) if right && doubt.is_tampering() => (Some(user), Why::Tampered(doubt.words())),
            Some(Err((user, _))) => (Some(user), Why::Password),
        };
        self.record_failure(user, address, counted.closes, why).await?;
        Err(Refused::Wrong)
    }

    /// Judges a one-time code or a recovery code; [`users::log_in`] uses it up. Tries are counted like passwords, but
    /// apart from them: whoever knows the password must not clear the count of the codes with it.
    pub async fn code(&self, user: &Trusted<User>, code: &str, address: IpAddr) -> Result<Proof, Refused> {
        let key = logins::of_codes(&self.vault, &user.name_key);
        let Counted { attempt, closes } = self.count(key, address).await?;
        let secret = user.sealed_totp().map(|sealed| self.vault.open(&user.totp_context(), &sealed)).transpose();
        let secret = secret.map_err(DbError::from)?.unwrap_or_default();
        let seconds = u64::try_from(self.db.run(users::seconds).await?).unwrap_or_default();
        let recovery = totp::recovery_macs(&self.vault, user.id, code);
        let proof = match totp::step(&secret, code, seconds) {
            Some(step) => Some(Proof::Step(step)).filter(|_| step > user.totp_last_step),
            None => recovery.into_iter().find(|mac| user.recovery_codes.contains(mac)).map(Proof::RecoveryCode),
        };
        if let Some(proof) = proof {
            self.db.run(move |conn| logins::clear_failures(conn, &attempt)).await?;
            return Ok(proof);
        }
        self.record_failure(Some((**user).clone()), address, closes, Why::Code).await?;
        Err(Refused::Wrong)
    }

    /// Counts and records a wrong API token of a name, apart from its passwords. A right one is never counted, so that no
    /// program is shut out by the failures of another.
    pub async fn wrong_token(&self, name: &str, address: IpAddr, tampered: Option<&'static str>) -> Refused {
        let key = names::key(name);
        let counted = match self.count_as(client_attempt(&logins::of_tokens(&self.vault, &key), address)).await {
            Ok(counted) => counted,
            Err(refused) => return refused,
        };
        let vault = self.vault.clone();
        let user = match self.db.run(move |conn| users::find_by_key(conn, &vault, &key)).await {
            Ok(seen) => seen.map(Seen::into_shown),
            Err(error) => return error.into(),
        };
        let why = tampered.map_or(Why::Token, Why::Tampered);
        match self.record_failure(user, address, counted.closes, why).await {
            Ok(()) => Refused::Wrong,
            Err(error) => error.into(),
        }
    }

    /// Records that somebody knows the password of a user who must show more than that.
    pub async fn insufficient(&self, user: &User, address: IpAddr, missing: &'static str) -> Result<(), DbError> {
        self.record_failure(Some(user.clone()), address, false, Why::Missing(missing)).await
    }

    /// Counts a request for a password reset, by what was typed and from where, whether somebody has that name or not.
    pub async fn reset(&self, typed: &str, address: IpAddr) -> Result<(), Refused> {
        self.count(logins::of_resets(&self.vault, &names::key(typed)), address).await.map(drop)
    }

    async fn count(&self, key: String, address: IpAddr) -> Result<Counted, Refused> {
        self.count_as(attempt(&key, address)).await
    }

    async fn count_as(&self, attempt: Attempt) -> Result<Counted, Refused> {
        let counted = attempt.clone();
        let throttle = self.db.transaction(move |conn| logins::count(conn, &counted)).await?;
        match throttle {
            Throttle::Closed(seconds) => Err(Refused::Throttled(seconds)),
            Throttle::Open { closes } => Ok(Counted { attempt, closes }),
            Throttle::Slow { closes } => {
                // Many places try one account: each try costs them half a minute, and the owner still gets in.
                tokio::time::sleep(DELAY).await;
                Ok(Counted { attempt, closes })
            }
        }
    }

    /// Hashes a right password at today's cost. What is in the way of that is not in the way of the login.
    async fn strengthen(&self, user: Trusted<User>, password: &str, address: IpAddr) -> Trusted<User> {
        let Ok(hash) = self.hasher.hash(password).await else { return user };
        let (vault, same) = (self.vault.clone(), user.clone());
        let actor = Actor { name: user.name.clone(), address: address.to_string() };
        let stored = self.db.transaction(move |conn| users::rehash(conn, &vault, &actor, same.clone(), &hash)).await;
        stored.unwrap_or(user)
    }

    /// The PHC string; `None` when the row is not what was stored, which then takes as long as a wrong password.
    fn stored_hash(&self, user: &User) -> Option<String> {
        let opened = self.vault.open(&user.password_context(), &user.sealed_password());
        opened.ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    async fn record_failure(&self, user: Option<User>, address: IpAddr, closes: bool, why: Why) -> Result<(), DbError> {
        metrics::counter!("strongroom_login_failures_total").increment(1);
        if closes {
            metrics::counter!("strongroom_login_lockouts_total").increment(1);
            tracing::warn!(%address, "too many failed logins: further ones from there are refused for a while");
        }
        // A name that nobody has may be a password in the wrong field: it is not kept.
        let shown = user.as_ref().map_or_else(|| UNKNOWN.to_owned(), |user| user.name.clone());
        // Nobody has shown who they are, so the trail names no user as the one who did it.
        let actor = Actor { name: "somebody".to_owned(), address: address.to_string() };
        let vault = self.vault.clone();
        self.db
            .transaction(move |conn| {
                let user_id = user.as_ref().map(|user| user.id);
                let event = |action, detail: &str| NewEvent {
                    action,
                    subject_kind: "user",
                    subject_id: user_id.map(|id| id.0),
                    subject_name: &shown,
                    detail: detail.to_owned(),
                };
                match (why, &user) {
                    (Why::Tampered(words), Some(user)) => {
                        altered::refuse_user(conn, &vault, &actor, user, &format!("login refused: {words}"))?;
                    }
                    _ => events::record(conn, &vault, &actor, &event(Action::LoginFailed, why.detail()))?,
                }
                if closes {
                    events::record(conn, &vault, &actor, &event(Action::LoginLocked, "15 minutes"))?;
                    alert(conn, &vault, user_id, &shown, address)?;
                }
                Ok(())
            })
            .await
    }
}

/// One alert a user; for names that nobody has one a network, or guessing names would flood the alerts.
fn alert(conn: &mut Conn, vault: &Vault, user: Option<UserId>, name: &str, address: IpAddr) -> Result<(), DbError> {
    let network = network(address);
    let id = user
        .map(|user| user.0)
        .or_else(|| Uuid::from_slice(vault.mac("alerts/lockout", &[network.as_bytes()]).get(..16)?).ok());
    let subject = Subject { kind: "user", id: id.unwrap_or_default(), name };
    alerts::raise(conn, "lockout", subject, &format!("from {network}"))
}

/// A person's try from an address.
fn attempt(key: &str, address: IpAddr) -> Attempt {
    Attempt::new(key, network(address), visitor_key(address))
}

/// A program's try from an address: counted apart from those of people, so that neither shuts the other out.
pub fn client_attempt(key: &str, address: IpAddr) -> Attempt {
    let apart = |place: String| format!("client {place}");
    Attempt::new(key, apart(network(address)), apart(visitor_key(address)))
}

/// Under which key failures of a visitor are counted: the IPv4 address, or the /64 network of an IPv6 address, since
/// whoever has such a network may use any address in it.
pub fn visitor_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        v6 => network(v6),
    }
}

/// What was wrong with a try, for the trail only.
#[derive(Clone, Copy)]
enum Why {
    Password,
    Code,
    Token,
    /// The password was right.
    Missing(&'static str),
    Tampered(&'static str),
}

impl Why {
    fn detail(self) -> &'static str {
        match self {
            Self::Code => "one-time code",
            Self::Token => "API token",
            Self::Missing(what) => what,
            Self::Password | Self::Tampered(_) => "user name or password",
        }
    }
}

/// The /24 or /64 that an address belongs to: one visitor has many addresses of it.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Net::new(v4, 24).map_or_else(|_| v4.to_string(), |net| net.trunc().to_string()),
        IpAddr::V6(v6) => Ipv6Net::new(v6, 64).map_or_else(|_| v6.to_string(), |net| net.trunc().to_string()),
    }
}
