//! One request and its answer over HTTP/1.1, to a TCP address, over TLS, or to a socket of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::super::trouble::Trouble;
use super::tls::Trust;
use super::{dns, hosts_file};

pub type Body = Full<Bytes>;

const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(20);
/// More than any answer that is expected.
const LARGEST: usize = 1 << 20;

#[derive(Clone, Debug)]
pub enum Place {
    Socket(PathBuf),
    Tcp { host: String, port: u16, tls: bool },
}

pub struct Ask {
    pub method: Method,
    /// From the `/`, with its query.
    pub path: String,
    pub headers: Vec<(HeaderName, Zeroizing<String>)>,
    pub body: Vec<u8>,
    /// Longest until the answer is there.
    pub within: Duration,
}

impl Ask {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: vec![], body: vec![], within: WHOLE }
    }

    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, Zeroizing::new(value.into())));
        self
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub fn text(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
}

/// Why there is no answer, without the address.
#[derive(Debug)]
pub enum Failed {
    Away(String),
    /// The other side has no certificate that we trust. Another attempt changes nothing.
    Untrusted(String),
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Self::Away(reason)
    }
}

impl Failed {
    pub fn reason(self) -> String {
        match self {
            Self::Away(reason) | Self::Untrusted(reason) => reason,
        }
    }
}

/// Sends it once.
pub async fn send(place: &Place, trust: &Trust, ask: &Ask) -> Result<Answer, Failed> {
    timeout(ask.within, exchange(place, trust, ask))
        .await
        .unwrap_or_else(|_| Err("it does not answer in time".to_owned().into()))
}

async fn exchange(place: &Place, trust: &Trust, ask: &Ask) -> Result<Answer, Failed> {
    match place {
        Place::Socket(path) => {
            let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
            let peer = stream.peer_cred().map_err(|error| error.to_string())?.uid();
            // A socket that somebody else has made may be a trap.
            if peer != 0 && peer != rustix::process::geteuid().as_raw() {
                return Err("the socket belongs to another user".to_owned().into());
            }
            Ok(over(stream, ask, "localhost").await?)
        }
        Place::Tcp { host, port, tls: false } => {
            let stream = connect(host, *port).await?;
            Ok(over(stream, ask, &authority(host, *port, 80)).await?)
        }
        Place::Tcp { host, port, tls: true } => {
            let connector =
                trust.connector().await.map_err(|trouble: Trouble| Failed::Untrusted(trouble.to_string()))?;
            let name = host.trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(name).map_err(|_| "no certificate can have this name".to_owned())?;
            let stream = connect(host, *port).await?;
            let stream = timeout(CONNECT, connector.connect(name, stream)).await;
            let stream = stream.map_err(|_| "TLS does not begin in time".to_owned())?;
            let stream = stream.map_err(not_secure)?;
            Ok(over(stream, ask, &authority(host, *port, 443)).await?)
        }
    }
}

fn not_secure(error: std::io::Error) -> Failed {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Failed::Untrusted(error.to_string()),
        _ => Failed::Away(format!("no secure connection: {error}")),
    }
}

fn authority(host: &str, port: u16, default: u16) -> String {
    if port == default { host.to_owned() } else { format!("{host}:{port}") }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let mut reason = "the name has no address".to_owned();
    for address in resolve(host).await? {
        match timeout(CONNECT, TcpStream::connect(SocketAddr::new(address, port))).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => reason = error.to_string(),
            Err(_) => reason = "no connection in time".to_owned(),
        }
    }
    Err(reason)
}

async fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![address]);
    }
    let listed = hosts_file::addresses(host.trim_end_matches('.'));
    if !listed.is_empty() {
        return Ok(listed);
    }
    if host == "localhost" || host.ends_with(".localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    dns::addresses(&dns::Configuration::of_system(), host).await
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ask: &Ask,
    host: &str,
) -> Result<Answer, String> {
    let text = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(text)?;
    let driving = tokio::spawn(connection);
    let answer = sender.send_request(request(ask, host)?).await.map_err(text);
    let answer = match answer {
        Ok(answer) => read(answer).await,
        Err(error) => Err(error),
    };
    driving.abort();
    answer
}

fn request(ask: &Ask, host: &str) -> Result<Request<Body>, String> {
    let unfit = |_| "a value cannot stand in a header".to_owned();
    let mut request = Request::new(Full::new(Bytes::from(ask.body.clone())));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = ask.path.parse().map_err(|_| "no such address can be".to_owned())?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(host).map_err(unfit)?);
    for (name, value) in &ask.headers {
        let mut value = HeaderValue::from_str(value).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(request)
}

async fn read(answer: Response<hyper::body::Incoming>) -> Result<Answer, String> {
    let (parts, body) = answer.into_parts();
    let body =
        Limited::new(body, LARGEST).collect().await.map_err(|_| "the answer breaks off or is too long".to_owned())?;
    let body = Zeroizing::new(body.to_bytes().to_vec());
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}
