//! A cache of what was read from the database, so that the same request costs no query. Triggers announce every change of
//! the cached rows, whoever makes it. Before an entry is used, the cache reads the announcements that have arrived, which is
//! one system call and needs no thread. While the listening connection is away, nothing is cached. Behind a pooler, where
//! nobody can listen, an entry is used for as long as its owner allows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::models::Conn;
use crate::models::announcements::{self, Topic};

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_secs(1);

/// Shared by all workers of the process.
pub struct Memory<V> {
    shared: Arc<Shared<V>>,
}

struct Shared<V> {
    believed: Duration,
    topic: Topic,
    /// The direct URL of the database; `None` behind a pooler.
    url: Option<String>,
    state: Mutex<State<V>>,
}

struct State<V> {
    entries: HashMap<Vec<u8>, (Arc<V>, Instant)>,
    /// Grows with every announcement: what was read before one must not be remembered after it.
    epoch: u64,
    ears: Ears,
}

/// How the memory hears of changes.
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

/// Longest that an entry is used.
pub struct Believed {
    /// While the database announces changes.
    pub heard: Duration,
    /// Without announcements.
    pub unheard: Duration,
}

impl<V: Send + Sync + 'static> Memory<V> {
    /// Listens on a connection of its own, to the server itself; `None`: nobody listens.
    pub fn new(topic: Topic, direct_url: Option<String>, believed: &Believed) -> Self {
        let believed = if direct_url.is_some() { believed.heard } else { believed.unheard };
        let state = State { entries: HashMap::new(), epoch: 0, ears: Ears::None };
        let shared = Shared { believed, topic, url: direct_url, state: Mutex::new(state) };
        let memory = Self { shared: Arc::new(shared) };
        if memory.shared.url.is_some() {
            memory.connect(&mut memory.shared.lock());
        }
        memory
    }

    pub fn get(&self, key: &[u8]) -> Option<Arc<V>> {
        let state = self.looked();
        let found = state.entries.get(key).filter(|(_, at)| at.elapsed() < self.shared.believed);
        found.map(|(value, _)| value.clone())
    }

    pub fn ticket(&self) -> Ticket {
        Ticket(self.looked().epoch, Instant::now())
    }

    pub fn put(&self, ticket: Ticket, key: Vec<u8>, value: Arc<V>) {
        let mut state = self.looked();
        if !matches!(state.ears, Ears::Connecting) && state.epoch == ticket.0 {
            // As old as what was read. Those that nobody asks for again go with it.
            state.entries.retain(|_, (_, at)| at.elapsed() < self.shared.believed);
            state.entries.insert(key, (value, ticket.1));
        }
    }

    /// Another number whenever something was announced or forgotten.
    pub fn epoch(&self) -> u64 {
        self.looked().epoch
    }

    /// Whether announcements reach this process; not behind a pooler.
    pub fn hears(&self) -> bool {
        self.shared.url.is_some()
    }

    /// How many entries there are, also those that are over.
    pub fn len(&self) -> usize {
        self.looked().entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all entries: this process has changed what they say, and does not wait for the announcement.
    pub fn forget(&self) {
        self.shared.lock().forget();
    }

    /// Takes what was announced off the connection. Also to be called now and then where nobody asks, so that
    /// announcements do not pile up at the server, and that entries which are over are dropped.
    pub fn look(&self) {
        let believed = self.shared.believed;
        self.looked().entries.retain(|_, (_, at)| at.elapsed() < believed);
    }

    fn looked(&self) -> MutexGuard<'_, State<V>> {
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

    fn connect(&self, state: &mut State<V>) {
        state.ears = Ears::Connecting;
        let shared = Arc::downgrade(&self.shared);
        let started = std::thread::Builder::new().name("announcements".to_owned()).spawn(move || connect(&shared));
        if started.is_err() {
            tracing::warn!("the database is asked at every request: no thread can start to listen");
        }
    }
}

impl<V> Shared<V> {
    fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> State<V> {
    fn forget(&mut self) {
        self.epoch += 1;
        self.entries.clear();
    }
}

/// Ends once it listens, or when the memory is gone.
fn connect<V>(shared: &Weak<Shared<V>>) {
    while let Some((url, topic)) = shared.upgrade().and_then(|shared| Some((shared.url.clone()?, shared.topic))) {
        if let Some(conn) = announcements::listen(&url, topic)
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
