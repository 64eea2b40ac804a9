//! A network's way out: an HTTP proxy that takes `CONNECT` (RFC 9110, 9.3.6), as squid does, and logs each.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What the proxy does with a request: leads to a server, or answers these bytes.
pub enum Leads {
    To(SocketAddr),
    Nowhere(&'static str),
}

/// Target (`host:port`) of a request, and its Proxy-Authorization.
pub type Asked = (String, Option<String>);

pub struct ConnectProxy {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
    task: AbortHandle,
}

impl ConnectProxy {
    pub async fn start(rules: impl Fn(&Asked) -> Leads + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (log, rules) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(rules));
        let shared = Arc::clone(&log);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, rules) = (Arc::clone(&shared), Arc::clone(&rules));
                tokio::spawn(async move { serve(stream, &*rules, &log).await });
            }
        });
        Self { address, log, task: task.abort_handle() }
    }

    /// Leads every name to one server.
    pub async fn to(server: SocketAddr) -> Self {
        Self::start(move |_| Leads::To(server)).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// The targets alone, each once.
    pub fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = self.asked().into_iter().map(|(target, _)| target).collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut client: TcpStream,
    rules: &(dyn Fn(&Asked) -> Leads + Send + Sync),
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte).await? == 0 {
            return Ok(());
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or("no CONNECT");
    let login = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
    });
    let asked = (target.to_owned(), login);
    log.lock().unwrap().push(asked.clone());
    match rules(&asked) {
        Leads::To(server) => {
            let mut server = TcpStream::connect(server).await?;
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut client, &mut server).await.map(drop)
        }
        Leads::Nowhere(answer) => {
            client.write_all(answer.as_bytes()).await?;
            client.shutdown().await
        }
    }
}
