//! Connections to mail servers that are kept between two letters: for half a minute, each for one address, trust and
//! credential only, so that an edited credential is never spoken for by an old login. What is said is in `session.rs`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::super::{Failure, GoAhead, Retry};
use super::letter::Mail;
use super::limits::Limits;
use super::server::{Server, dropped, too_slow};
use super::session::{Failed, Session};
use crate::providers::tokens::Stored;

/// How long a connection is kept for the next letter.
const IDLE: Duration = Duration::from_secs(30);
/// As many as wait for one server.
const KEPT: usize = 8;

/// The connections of this process. Lives as long as the app.
#[derive(Default)]
pub struct Connections {
    idle: Arc<Idle>,
    limits: Limits,
    /// The operator's name for our greeting.
    hello: Option<String>,
}

/// By what is the same for all letters that may share a connection.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    address: String,
    ca_certificate: String,
    /// The stored credential and the version of its secret.
    login: Option<Stored>,
    /// As whom: one credential may open several mailboxes.
    user: Option<String>,
}

struct Kept {
    session: Session,
    until: Instant,
}

#[derive(Default)]
struct Idle(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    kept: HashMap<Key, Vec<Kept>>,
    /// Whether somebody closes what waits too long.
    swept: bool,
}

impl Connections {
    /// With the operator's name for our greeting: a whole host name, or an address.
    #[must_use]
    pub fn greeting_as(self, hello: Option<String>) -> Self {
        Self { hello, ..self }
    }

    /// With other limits than those of RFC 5321.
    pub fn within(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The name in our greeting; `host` is the console's.
    pub(super) fn hello<'a>(&'a self, host: &'a str) -> &'a str {
        self.hello.as_deref().unwrap_or(host)
    }

    /// Whether the server lets us in: connects, encrypts and logs in, and says goodbye.
    pub(super) async fn knock(&self, server: &Server<'_>) -> Result<(), Failure> {
        let visit = async {
            Session::open(server, self.limits).await?.close().await;
            Ok(())
        };
        timeout(self.limits.visit, visit).await.unwrap_or_else(|_| Err(too_slow(server)))
    }

    /// Sends one letter: over a connection that is there, else over a new one. A connection that proves dead is
    /// replaced, a new one that breaks at once too, as long as nothing of the letter was on its way.
    pub(super) async fn deliver(
        &self,
        server: &Server<'_>,
        stored: Option<Stored>,
        mail: &Mail,
        go_ahead: Option<&GoAhead>,
    ) -> Result<(), Failure> {
        // Also for a connection that stands already.
        server.egress.check_url(&server.address).map_err(|error| server.call(&error))?;
        // A credential that is not stored has no version to be kept by.
        let keeps = server.login.is_none() || stored.is_some();
        let login = stored.filter(|_| server.login.is_some());
        let (address, ca_certificate) = (server.address.to_string(), server.ca_certificate.to_owned());
        let user = server.login.as_ref().map(|login| login.user().to_owned());
        let key = Key { address, ca_certificate, login, user };
        let mut broken = 0;
        loop {
            let kept = self.idle.take(&key).filter(|_| keeps);
            let fresh = kept.is_none();
            let mut session = match kept {
                Some(session) => session,
                None => Session::open(server, self.limits).await?,
            };
            let failed = match session.send(server, mail, go_ahead).await {
                Ok(()) => {
                    if keeps {
                        self.idle.put(key, session);
                    }
                    return Ok(());
                }
                Err(failed) => failed,
            };
            match failed {
                Failed::Refused(error, stays) => {
                    if stays && keeps {
                        self.idle.put(key, session);
                    }
                    return Err(error);
                }
                // The server may have the letter, or choke on this one: others go first.
                Failed::Slow if session.begun => return Err(broken_off(too_slow(server))),
                Failed::Slow => return Err(too_slow(server)),
                Failed::Before if !fresh => self.idle.forget(&key),
                Failed::Before if broken == 0 => broken += 1,
                Failed::Before => return Err(dropped(server)),
                Failed::During => return Err(broken_off(dropped(server))),
            }
        }
    }
}

/// The same failure, of this letter and not of the server.
fn broken_off(error: Failure) -> Failure {
    error.with(Retry::ConnectionLost)
}

impl Idle {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last: it is the likeliest to live.
    fn take(&self, key: &Key) -> Option<Session> {
        let kept = self.waiting().kept.get_mut(key)?.pop()?;
        (kept.until > Instant::now()).then_some(kept.session)
    }

    fn put(self: &Arc<Self>, key: Key, session: Session) {
        let mut waiting = self.waiting();
        let kept = waiting.kept.entry(key).or_default();
        if kept.len() < KEPT {
            kept.push(Kept { session, until: Instant::now() + IDLE });
        }
        if !std::mem::replace(&mut waiting.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// When one is dead, the others to the same server are most likely too.
    fn forget(&self, key: &Key) {
        self.waiting().kept.remove(key);
    }

    /// Takes out what has waited too long; whether the sweeper is still needed.
    fn overdue(&self) -> (Vec<Session>, bool) {
        let (now, mut over, mut waiting) = (Instant::now(), Vec::new(), self.waiting());
        for kept in waiting.kept.values_mut() {
            over.extend(kept.extract_if(.., |kept| kept.until <= now).map(|kept| kept.session));
        }
        waiting.kept.retain(|_, kept| !kept.is_empty());
        waiting.swept = !waiting.kept.is_empty();
        (over, waiting.swept)
    }
}

/// Closes what nobody used again, until nothing is left.
async fn sweep(idle: Weak<Idle>) {
    loop {
        sleep(IDLE / 4).await;
        let Some(idle) = idle.upgrade() else { return };
        let (over, more) = idle.overdue();
        drop(idle);
        for session in over {
            let _ = timeout(Duration::from_secs(1), session.close()).await;
        }
        if !more {
            return;
        }
    }
}
