//! Sessions read a moment ago, so that turning a page costs no query. Triggers in the database announce every change of
//! a session or a user, by whichever replica or hand; a thread listens and forgets. Without the listener nothing is
//! remembered.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::Visitor;
use crate::models::{self, Conn};

/// Longest that an entry is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// How often the listener looks while there is something to forget. Looking is one call to the system.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Its connection has nothing to say for hours.
const LISTEN: &str = "SET idle_session_timeout = 0; LISTEN strongroom_sessions";

/// Shared by all workers of the process.
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
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
pub struct Ticket(u64);

impl Cache {
    /// Starts the listener on a connection of its own.
    pub fn new(database_url: &str) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), filled: Condvar::new() });
        let (weak, url) = (Arc::downgrade(&shared), database_url.to_owned());
        let started = std::thread::Builder::new().name("sessions".to_owned()).spawn(move || listen(&weak, &url));
        if started.is_err() {
            tracing::warn!("sessions are read from the database at every request: the listener did not start");
        }
        Self { shared }
    }

    pub fn get(&self, hash: &[u8]) -> Option<Arc<Visitor>> {
        let state = self.shared.lock();
        state.entries.get(hash).filter(|(_, at)| at.elapsed() < BELIEVED).map(|(visitor, _)| visitor.clone())
    }

    pub fn ticket(&self) -> Ticket {
        Ticket(self.shared.lock().epoch)
    }

    pub fn put(&self, ticket: Ticket, hash: Vec<u8>, visitor: Arc<Visitor>) {
        let mut state = self.shared.lock();
        if state.listening && state.epoch == ticket.0 {
            state.entries.insert(hash, (visitor, Instant::now()));
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
        if let Ok(mut conn) = models::connect(url)
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
