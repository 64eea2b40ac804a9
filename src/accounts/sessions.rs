//! Sessions read a moment ago, so that turning a page costs no query. Triggers in the database announce every change of
//! a session or a user, by whichever replica or hand. Before a remembered session is believed, its cache looks whether
//! anything was announced: one call to the system, so no thread has to wait or to wake. While the connection is away
//! nothing is remembered. Behind a pooler, where nobody can listen, each session is looked up once a second instead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::visitor::Visitor;
use crate::models::Conn;
use crate::models::announcements::{self, Topic};

/// Longest that an entry is used while the database announces ended sessions.
const BELIEVED: Duration = Duration::from_secs(5);
/// Longest that an entry is used without announcements.
const UNHEARD: Duration = Duration::from_secs(1);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// Shared by all workers of the process.
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    believed: Duration,
    /// The direct URL of the database; `None` behind a pooler.
    url: Option<String>,
    state: Mutex<State>,
}

struct State {
    entries: HashMap<Vec<u8>, (Arc<Visitor>, Instant)>,
    /// Grows with every announcement: what was read before one must not be remembered after it.
    epoch: u64,
    ears: Ears,
}

/// How the cache hears of changes.
enum Ears {
    /// Behind a pooler: not at all.
    None,
    /// A thread connects.
    Connecting,
    Listening(Conn),
}

/// Taken before reading the database; tells whether anything was announced since.
#[derive(Clone, Copy)]
pub struct Ticket(u64, Instant);

impl Cache {
    /// Listens on a connection of its own, to the server itself; `None`: nobody listens.
    pub fn new(direct_url: Option<String>) -> Self {
        let believed = if direct_url.is_some() { BELIEVED } else { UNHEARD };
        let state = State { entries: HashMap::new(), epoch: 0, ears: Ears::None };
        let cache = Self { shared: Arc::new(Shared { believed, url: direct_url, state: Mutex::new(state) }) };
        if cache.shared.url.is_some() {
            cache.connect(&mut cache.shared.lock());
        }
        cache
    }

    pub fn get(&self, hash: &[u8]) -> Option<Arc<Visitor>> {
        let state = self.looked();
        let found = state.entries.get(hash).filter(|(_, at)| at.elapsed() < self.shared.believed);
        found.map(|(visitor, _)| visitor.clone())
    }

    pub fn ticket(&self) -> Ticket {
        Ticket(self.looked().epoch, Instant::now())
    }

    pub fn put(&self, ticket: Ticket, hash: Vec<u8>, visitor: Arc<Visitor>) {
        let mut state = self.looked();
        if !matches!(state.ears, Ears::Connecting) && state.epoch == ticket.0 {
            // As old as what was read. Those that nobody asks for again go with it.
            state.entries.retain(|_, (_, at)| at.elapsed() < self.shared.believed);
            state.entries.insert(hash, (visitor, ticket.1));
        }
    }

    /// Drops all entries: this process has ended a session or changed a user, and does not wait for the announcement.
    pub fn forget(&self) {
        self.shared.lock().forget();
    }

    /// Takes what was announced off the connection. Also to be called now and then where nobody turns pages, so that
    /// announcements do not pile up at the server.
    pub fn look(&self) {
        drop(self.looked());
    }

    fn looked(&self) -> MutexGuard<'_, State> {
        let mut state = self.shared.lock();
        let Ears::Listening(conn) = &mut state.ears else { return state };
        match announcements::heard(conn) {
            Ok(false) => {}
            Ok(true) => state.forget(),
            Err(_) => {
                state.forget();
                self.connect(&mut state);
            }
        }
        state
    }

    fn connect(&self, state: &mut State) {
        state.ears = Ears::Connecting;
        let shared = Arc::downgrade(&self.shared);
        let started = std::thread::Builder::new().name("sessions".to_owned()).spawn(move || connect(&shared));
        if started.is_err() {
            tracing::warn!("sessions are read from the database at every request: no thread can start to listen");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self) {
        self.epoch += 1;
        self.entries.clear();
    }
}

/// Ends once it listens, or when the cache is gone.
fn connect(shared: &Weak<Shared>) {
    while let Some(url) = shared.upgrade().and_then(|shared| shared.url.clone()) {
        if let Some(conn) = announcements::listen(&url, Topic::Sessions)
            && let Some(shared) = shared.upgrade()
        {
            let mut state = shared.lock();
            state.forget();
            state.ears = Ears::Listening(conn);
            return;
        }
        std::thread::sleep(PAUSE);
    }
}
