//! Sessions read a moment ago, so that turning a page costs no query. Triggers in the database announce every change of
//! a session or a user, by whichever replica or hand; a thread listens and forgets. Without the listener nothing is
//! remembered. Behind a pooler, where nobody can listen, each session is looked up once a second instead.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::visitor::Visitor;
use crate::models::{self, Conn, Route};

/// Longest that an entry is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// The same where nobody listens.
const UNHEARD: Duration = Duration::from_secs(1);
/// How often the listener looks while there is something to forget. Looking is one call to the system.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Its connection has nothing to say for hours.
const LISTEN: &str = "SET idle_session_timeout = 0; LISTEN strongroom_sessions";

/// Shared by all workers of the process.
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    believed: Duration,
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    entries: HashMap<Vec<u8>, (Arc<Visitor>, Instant)>,
    /// Grows with every announcement: what was read before one must not be remembered after it.
    epoch: u64,
    listening: bool,
}

/// Taken before reading the database; tells whether anything was announced since.
#[derive(Clone, Copy)]
pub struct Ticket(u64, Instant);

impl Cache {
    /// Starts the listener on a connection of its own, to the server itself; `None`: nobody listens.
    pub fn new(direct_url: Option<String>) -> Self {
        let state = State { listening: direct_url.is_none(), ..State::default() };
        let believed = if direct_url.is_some() { BELIEVED } else { UNHEARD };
        let shared = Arc::new(Shared { believed, state: Mutex::new(state), filled: Condvar::new() });
        let Some(url) = direct_url else { return Self { shared } };
        let weak = Arc::downgrade(&shared);
        let started = std::thread::Builder::new().name("sessions".to_owned()).spawn(move || listen(&weak, &url));
        if started.is_err() {
            tracing::warn!("sessions are read from the database at every request: the listener did not start");
        }
        Self { shared }
    }

    pub fn get(&self, hash: &[u8]) -> Option<Arc<Visitor>> {
        let state = self.shared.lock();
        state
            .entries
            .get(hash)
            .filter(|(_, at)| at.elapsed() < self.shared.believed)
            .map(|(visitor, _)| visitor.clone())
    }

    pub fn ticket(&self) -> Ticket {
        Ticket(self.shared.lock().epoch, Instant::now())
    }

    pub fn put(&self, ticket: Ticket, hash: Vec<u8>, visitor: Arc<Visitor>) {
        let mut state = self.shared.lock();
        if state.listening && state.epoch == ticket.0 {
            // As old as what was read. Those that nobody asks for again go with it.
            state.entries.retain(|_, (_, at)| at.elapsed() < self.shared.believed);
            state.entries.insert(hash, (visitor, ticket.1));
            self.shared.filled.notify_one();
        }
    }

    /// What this process changes itself it need not hear about.
    pub fn forget(&self) {
        self.shared.lock().forget();
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

fn listen(shared: &Weak<Shared>, url: &str) {
    while shared.strong_count() > 0 {
        // Through a pooler LISTEN succeeds, and nothing is ever heard.
        if let Ok((mut conn, Route::Direct)) = models::connect_by(url)
            && conn.batch_execute(LISTEN).is_ok()
        {
            follow(shared, &mut conn);
        }
        if let Some(shared) = shared.upgrade() {
            let mut state = shared.lock();
            state.listening = false;
            state.forget();
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Returns when the connection breaks or the cache is gone.
fn follow(shared: &Weak<Shared>, conn: &mut Conn) {
    let mut first = true;
    while let Some(shared) = shared.upgrade() {
        let mut announced = first;
        for notification in conn.notifications_iter() {
            if notification.is_err() {
                return;
            }
            announced = true;
        }
        let mut state = shared.lock();
        state.listening = true;
        if announced {
            state.forget();
        }
        state.entries.retain(|_, (_, at)| at.elapsed() < BELIEVED);
        // Nothing to forget: sleep until there is, and look in now and then whether the connection still holds.
        let idle = state.entries.is_empty();
        if idle {
            drop(shared.filled.wait_timeout(state, Duration::from_millis(250)));
        } else {
            drop(state);
            std::thread::sleep(LOOK_EVERY);
        }
        first = false;
    }
}
