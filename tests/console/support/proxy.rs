//! A network between a test's app and its database, which the test can cut, freeze and mend. It also gives the unix
//! socket of the tests' cluster a port on loopback.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::db::Database;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    /// Connections are closed, new ones at once.
    Cut,
    /// Connections stay open and nothing passes.
    Frozen,
}

struct Wire {
    state: Mutex<State>,
    changed: Condvar,
    open: Mutex<Vec<(TcpStream, UnixStream)>>,
}

/// Lives as long as the test process; its connections end with the database's.
pub struct Proxy {
    wire: Arc<Wire>,
    address: SocketAddr,
    url: String,
}

impl Proxy {
    pub fn before(database: &Database) -> Self {
        let socket = database.url().split("host=").nth(1).and_then(|rest| rest.split('&').next()).expect("a socket");
        let socket = format!("{socket}/.s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let wire =
            Arc::new(Wire { state: Mutex::new(State::Whole), changed: Condvar::new(), open: Mutex::new(Vec::new()) });
        let accepting = Arc::clone(&wire);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *accepting.state.lock().expect("a lock") != State::Cut {
                    let _ = accepting.join(client, &socket);
                }
            }
        });
        let name = database.url().split('?').next().and_then(|url| url.rsplit('/').next()).expect("a database");
        Self { wire, address, url: format!("postgresql://strongroom@{address}/{name}?sslmode=disable") }
    }

    /// libpq URL over TCP.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn cut(&self) {
        self.set(State::Cut);
        for (client, server) in self.wire.open.lock().expect("a lock").drain(..) {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
    }

    pub fn freeze(&self) {
        self.set(State::Frozen);
    }

    pub fn mend(&self) {
        self.set(State::Whole);
    }

    fn set(&self, state: State) {
        *self.wire.state.lock().expect("a lock") = state;
        self.wire.changed.notify_all();
    }
}

impl Wire {
    fn join(self: &Arc<Self>, client: TcpStream, socket: &str) -> io::Result<()> {
        let server = UnixStream::connect(socket)?;
        client.set_nodelay(true)?;
        self.open.lock().expect("a lock").push((client.try_clone()?, server.try_clone()?));
        let (there, back) = (Arc::clone(self), Arc::clone(self));
        let (client_reads, server_writes) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || there.carry(client_reads, &server_writes, || server_writes.shutdown(Shutdown::Both)));
        thread::spawn(move || back.carry(server, &client, || client.shutdown(Shutdown::Both)));
        Ok(())
    }

    fn carry(&self, mut from: impl Read, mut to: impl Write, close: impl FnOnce() -> io::Result<()>) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let state = self.state.lock().expect("a lock");
            drop(self.changed.wait_while(state, |state| *state == State::Frozen).expect("a lock"));
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = close();
    }
}
