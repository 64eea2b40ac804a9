//! A transparent proxy in front of a plain-http peer that notes each request's first line and Authorization header.
//! For requests without a body only: what follows a head is taken as the next head.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET /v2/ HTTP/1.1`
    pub line: String,
    pub authorization: Option<String>,
}

pub struct Recorder {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
    task: AbortHandle,
}

impl Recorder {
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&log);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, upstream, Arc::clone(&shared)));
            }
        });
        Self { address, log, task: task.abort_handle() }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(client: TcpStream, upstream: SocketAddr, log: Arc<Mutex<Vec<Seen>>>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let (mut pending, mut chunk) = (Vec::new(), [0; 8192]);
    while let Ok(read @ 1..) = from_client.read(&mut chunk).await {
        pending.extend_from_slice(&chunk[..read]);
        while let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = pending.drain(..end + 4).collect();
            log.lock().unwrap().push(parse(&String::from_utf8_lossy(&head)));
        }
        if to_server.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}

/// The first line and the Authorization header of a request's head.
pub fn parse(head: &str) -> Seen {
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let authorization = lines
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned()));
    Seen { line, authorization }
}
