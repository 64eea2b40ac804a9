//! A server that answers as a test says, also in ways that no honest server would: endless, silent, one byte at a
//! time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::recorder::{Seen, parse};

pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// A body without end.
    Endless,
    /// A body that comes one byte at a time, and would take minutes.
    Trickle,
    /// The request is read, and that is all.
    Silent,
    /// A head that never ends: one header line after the other.
    EndlessHead,
    /// These bytes, and the end of the connection.
    Raw(&'static str),
}

impl Reply {
    pub fn json(body: impl serde::Serialize) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Answer { status: 200, headers, body: serde_json::to_vec(&body).unwrap() }
    }

    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

pub struct Scripted {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
    busy: Arc<AtomicUsize>,
    busiest: Arc<AtomicUsize>,
    task: AbortHandle,
}

type Script = dyn Fn(&str, &str) -> Reply + Send + Sync;

impl Scripted {
    /// `script` gets the path with its query.
    pub async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::scripted(move |path, _| script(path)).await
    }

    /// `script` gets the body.
    pub async fn answering(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::scripted(move |_, body| script(body)).await
    }

    /// `script` gets the path with its query, and the body.
    pub async fn scripted(script: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, script): (Arc<Mutex<Vec<Seen>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let (busy, busiest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (shared, open, peak) = (Arc::clone(&log), Arc::clone(&busy), Arc::clone(&busiest));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, script) = (Arc::clone(&shared), Arc::clone(&script));
                let (busy, peak) = (Arc::clone(&open), Arc::clone(&peak));
                tokio::spawn(async move {
                    peak.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let _ = serve(stream, &*script, &log).await;
                    busy.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, log, busy, busiest, task: task.abort_handle() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    /// Most connections at once so far; each carries one request.
    pub fn busiest(&self) -> usize {
        self.busiest.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 {
            return Ok(());
        }
        head.extend_from_slice(&byte);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    // A connection that is closed over an unread body may take its answer with it.
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let seen = parse(&String::from_utf8_lossy(&head));
    let path = seen.line.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(seen);
    match script(&path, &String::from_utf8_lossy(&body)) {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
            for (name, value) in headers {
                head += &format!("{name}: {value}\r\n");
            }
            stream.write_all((head + "\r\n").as_bytes()).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").await?;
            loop {
                stream.write_all(&[b' '; 65536]).await?;
            }
        }
        Reply::Trickle => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n").await?;
            let mut beat = tokio::time::interval(std::time::Duration::from_millis(20));
            for _ in 0..10_000 {
                beat.tick().await;
                stream.write_all(b" ").await?;
            }
            Ok(())
        }
        Reply::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for number in 0.. {
                stream.write_all(format!("X-{number}: {}\r\n", "x".repeat(1000)).as_bytes()).await?;
            }
            Ok(())
        }
        Reply::Raw(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await
        }
        Reply::Silent => {
            // Ends when the client hangs up.
            while stream.read(&mut byte).await? != 0 {}
            Ok(())
        }
    }
}
