//! Sessions that are kept: one for each credential, version of its secret, role, region, external ID and length, until
//! five minutes before it ends. However many ask at once, one call is made. An edit changes the version, so that nobody
//! is given what the old secret opened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use uuid::Uuid;

use super::{Access, Assume, Endpoints, Region, Session};
use crate::providers::ProviderError;
use crate::providers::egress::Egress;
use crate::providers::tokens::Stored;

/// A session is renewed that long before it ends.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// What a session is made from.
pub struct Source<'a> {
    /// `None` for a credential that is not stored: nothing is kept of it.
    pub stored: Option<Stored>,
    pub access: &'a Access,
    pub region: Region,
    pub assume: Option<Assume>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    stored: Stored,
    region: Region,
    /// Role, external ID and minutes: whoever asks for a short session must not be given another's long one.
    role: Option<(String, String, u16)>,
}

#[derive(Default)]
struct Slot(tokio::sync::Mutex<Kept>);

#[derive(Default)]
struct Kept {
    session: Option<Session>,
    /// So that those who waited for a call that failed do not each make it again.
    failed: Option<(Instant, ProviderError)>,
}

/// The sessions of this process, and the way out that they take.
pub struct Sessions {
    egress: Egress,
    endpoints: Arc<Endpoints>,
    clock: SharedTimeSource,
    kept: Mutex<HashMap<Key, Arc<Slot>>>,
}

impl Sessions {
    pub fn new(egress: Egress, endpoints: Endpoints) -> Self {
        Self { egress, endpoints: Arc::new(endpoints), clock: SharedTimeSource::default(), kept: Mutex::default() }
    }

    /// Tells the time by another clock.
    pub fn by_clock(self, clock: impl TimeSource + 'static) -> Self {
        Self { clock: SharedTimeSource::new(clock), ..self }
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// A session that is good for five minutes at least, kept or new. Without a role, an access key needs no call.
    pub async fn get(&self, source: Source<'_>) -> Result<Session, ProviderError> {
        if source.assume.is_none() && source.access.origin.is_access_key() {
            return Session::open(&source.access.origin, &source.region, &self.egress, &self.endpoints).await;
        }
        let Some(stored) = source.stored else { return self.open(&source).await };
        let asked = Instant::now();
        let slot = self.slot(stored, &source);
        let mut kept = slot.0.lock().await;
        if let Some(session) = kept.session.as_ref().filter(|session| self.is_fresh(session)) {
            return Ok(session.clone());
        }
        if let Some((at, cause)) = &kept.failed
            && *at > asked
        {
            return Err(cause.clone());
        }
        let opened = self.open(&source).await;
        match &opened {
            Ok(session) => *kept = Kept { session: Some(session.clone()), failed: None },
            Err(cause) => *kept = Kept { session: None, failed: Some((Instant::now(), cause.clone())) },
        }
        opened
    }

    async fn open(&self, source: &Source<'_>) -> Result<Session, ProviderError> {
        let session = Session::open(&source.access.origin, &source.region, &self.egress, &self.endpoints).await?;
        match &source.assume {
            Some(role) => session.assume(role).await,
            None => Ok(session),
        }
    }

    /// Drops everything made from a credential: it was deleted, or its secret may not be used any more.
    pub fn forget(&self, credential: Uuid) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| key.stored.credential != credential);
    }

    /// How many are kept now.
    pub fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slot(&self, stored: Stored, source: &Source<'_>) -> Arc<Slot> {
        let role = source.assume.as_ref().map(|to| (to.role.clone(), to.external_id.clone(), to.minutes));
        let region = source.region.clone();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|key, slot| {
            let replaced =
                key.stored.credential == stored.credential && key.stored.secret_version < stored.secret_version;
            // One that is locked is just being made.
            let ended = slot
                .0
                .try_lock()
                .is_ok_and(|kept| kept.session.as_ref().is_some_and(|session| !self.is_fresh(session)));
            !replaced && !ended
        });
        Arc::clone(kept.entry(Key { stored, region, role }).or_default())
    }

    fn is_fresh(&self, session: &Session) -> bool {
        session.expires().is_none_or(|end| self.clock.now() + MARGIN < end)
    }
}
