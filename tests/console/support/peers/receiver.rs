//! The frame of the small servers that stand for cloud providers: reads a whole request, hands it to the peer's own
//! rules and logs it. Plain, or TLS that asks for a client certificate. Also ways to answer that no honest server has.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::certificates::Authority;

/// Stands in every text of a peer, and must never come out of the product.
pub const UPSTREAM: &str = "UPSTREAM-WORDS";

#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// With its query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// DER of the client certificate, which the peer's authority has signed.
    pub certificate: Option<Vec<u8>>,
    /// Seconds since 1970 by the peer's clock.
    pub now: i64,
}

impl Call {
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<String> {
        pair(self.target.split_once('?').unwrap_or_default().1.as_bytes(), name)
    }

    /// A field of a posted form, once.
    pub fn field(&self, name: &str) -> Option<String> {
        let posted = self.header("content-type") == Some("application/x-www-form-urlencoded");
        posted.then(|| pair(&self.body, name)).flatten()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

fn pair(text: &[u8], name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(text).filter(|(other, _)| other == name);
    let value = found.next()?.1.into_owned();
    assert!(found.next().is_none(), "{name} is given twice");
    Some(value)
}

#[derive(Clone, Debug)]
pub enum Said {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Less than the head announced.
    Half,
    /// A body without end.
    Endless,
    /// The request is read, and that is all.
    Silent,
    /// The request is read, and the connection ends.
    Gone,
}

impl Said {
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Answer { status, headers, body: body.to_string().into_bytes() }
    }

    pub fn html(status: u16) -> Self {
        let body = format!("<!doctype html><title>{UPSTREAM}</title>").into_bytes();
        Self::Answer { status, headers: vec![("Content-Type", "text/html".to_owned())], body }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Rules = dyn Fn(&Call) -> Said + Send + Sync;

pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    rules: Box<Rules>,
    tls: Option<Arc<ServerConfig>>,
    log: Mutex<Vec<Call>>,
    /// What a test says instead of the peer.
    instead: Mutex<Option<Said>>,
    /// Seconds that the peer's clock is ahead.
    ahead: AtomicI64,
    stopped: AtomicBool,
}

impl Receiver {
    pub fn start(rules: impl Fn(&Call) -> Said + Send + Sync + 'static) -> Self {
        Self::over(None, Box::new(rules))
    }

    /// https for 127.0.0.1; client certificates of the same authority are taken, and not demanded.
    pub fn start_tls(authority: &Authority, rules: impl Fn(&Call) -> Said + Send + Sync + 'static) -> Self {
        Self::start_tls_as(authority, authority.server("127.0.0.1"), rules)
    }

    /// With a certificate and key of one's own.
    pub fn start_tls_as(
        authority: &Authority,
        (certificate, key): (String, String),
        rules: impl Fn(&Call) -> Said + Send + Sync + 'static,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap());
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        Self::over(Some(Arc::new(config.with_single_cert(chain, key).unwrap())), Box::new(rules))
    }

    fn over(tls: Option<Arc<ServerConfig>>, rules: Box<Rules>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rules,
            tls,
            log: Mutex::default(),
            instead: Mutex::default(),
            ahead: AtomicI64::new(0),
            stopped: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if served.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let served = Arc::clone(&served);
                std::thread::spawn(move || serve(stream, &served));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.log.lock().unwrap().clone()
    }

    /// From now on, every answer is this.
    pub fn say(&self, instead: Said) {
        *self.shared.instead.lock().unwrap() = Some(instead);
    }

    pub fn set_clock_ahead(&self, seconds: i64) {
        self.shared.ahead.store(seconds, Ordering::SeqCst);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let Some(config) = &shared.tls else {
        let _ = converse(stream, shared, |_| None);
        return;
    };
    let Ok(session) = ServerConnection::new(Arc::clone(config)) else { return };
    let stream = StreamOwned::new(session, stream);
    let _ = converse(stream, shared, |stream| Some(stream.conn.peer_certificates()?.first()?.to_vec()));
}

fn converse<S: Read + Write>(
    stream: S,
    shared: &Shared,
    certificate: impl Fn(&S) -> Option<Vec<u8>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap() + shared.ahead.load(Ordering::SeqCst);
    let call = Call { method, target, headers, body, certificate: certificate(reader.get_ref()), now };
    shared.log.lock().unwrap().push(call.clone());
    let instead = shared.instead.lock().unwrap().clone();
    let said = instead.unwrap_or_else(|| (shared.rules)(&call));
    answer(reader.get_mut(), said, now)
}

fn answer(stream: &mut (impl Read + Write), said: Said, now: i64) -> std::io::Result<()> {
    let date = DateTime::from_timestamp(now, 0).unwrap().format("%a, %d %b %Y %H:%M:%S GMT");
    let start = |status: u16| format!("HTTP/1.1 {status} X\r\nDate: {date}\r\nConnection: close\r\n");
    match said {
        Said::Answer { status, headers, body } => {
            let mut head = start(status) + &format!("Content-Length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
            stream.write_all((head + "\r\n").as_bytes())?;
            stream.write_all(&body)?;
        }
        Said::Half => {
            stream.write_all((start(200) + "Content-Length: 1000\r\n\r\n{\"access_token\":").as_bytes())?;
        }
        Said::Endless => {
            stream.write_all((start(200) + "\r\n").as_bytes())?;
            loop {
                stream.write_all(&[b' '; 65536])?;
            }
        }
        Said::Gone => return Ok(()),
        Said::Silent => while stream.read(&mut [0; 64])? != 0 {},
    }
    stream.flush()
}
