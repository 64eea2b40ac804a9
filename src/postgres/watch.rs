//! The watch over the private Postgres while the console runs: a server that dies is started again within a second or
//! two. How one is started is not decided here. Pages answer 503 meanwhile, since the pool finds nobody.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::{PostgresError, Private, io};

/// Between two looks.
const BEAT: Duration = Duration::from_secs(1);

/// A private Postgres that is looked after by a thread until [`Watch::stop`].
pub struct Watch {
    thread: JoinHandle<Private>,
    until: Sender<()>,
}

impl Watch {
    pub fn over(private: Private) -> Result<Self, PostgresError> {
        let place = private.place.cluster.clone();
        let (until, stopped) = channel();
        let thread = Builder::new().name("postgres watch".to_owned()).spawn(move || watch(private, &stopped));
        thread.map(|thread| Self { thread, until }).map_err(io("watch", &place))
    }

    /// Ends the watch, then the server, as [`Private::stop`] does.
    pub fn stop(self) -> Result<(), PostgresError> {
        drop(self.until);
        match self.thread.join() {
            Ok(private) => private.stop(),
            // The server was dropped, and so stopped, as its thread unwound.
            Err(_) => Ok(()),
        }
    }
}

fn watch(private: Private, stopped: &Receiver<()>) -> Private {
    while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
        if let Err(error) = private.revive() {
            tracing::error!(%error, "the private Postgres could not be started again");
        }
    }
    private
}
