//! The addresses at which the SDKs of clouds ask for credentials on their own, on loopback: AWS containers, Azure App
//! Service, Google Compute Engine. Each protocol has a file; here is who is served.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::net::Body;
use super::trouble::{Result, Trouble};

mod aws;
mod azure;
mod google;
mod peer;
mod shared;

use shared::plain;
pub use shared::{Clouds, Endpoints, json, new_secret};

/// Listens on loopback; port 0 for a free one.
pub async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    if !address.ip().is_loopback() {
        return Err(Trouble::Local(format!("{address} is not an address of loopback: other machines could ask")));
    }
    let failed = |error| Trouble::Local(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

/// Google's protocol has no secret, so it is served only where the kernel says whose a process is.
pub fn must_know_users(clouds: &Clouds, address: SocketAddr) -> Result<()> {
    if clouds.google.is_some() { peer::table(address).map(drop) } else { Ok(()) }
}

/// Until the task is ended.
pub async fn serve(listener: TcpListener, endpoints: Arc<Endpoints>) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let (endpoints, local) = (endpoints.clone(), stream.local_addr());
        let answer = move |request| {
            let endpoints = endpoints.clone();
            let local = local.as_ref().ok().copied();
            async move { endpoints.answer(&request, local.map(|local| (peer, local))).await }
        };
        tokio::spawn(connection(stream, answer));
    }
}

/// One connection, for as long as it asks.
pub async fn connection<S, F, W>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Fn(Request<Incoming>) -> W,
    W: Future<Output = Response<Body>>,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(std::time::Duration::from_secs(30));
    // A client that goes away in the middle is no matter.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

impl Endpoints {
    async fn answer(&self, request: &Request<Incoming>, ends: Option<(SocketAddr, SocketAddr)>) -> Response<Body> {
        if request.method() != Method::GET {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "");
        }
        if !request.headers().get(HOST).is_some_and(|host| is_of_loopback(host.as_bytes())) {
            return plain(StatusCode::FORBIDDEN, "This address is called by another name.");
        }
        let path = request.uri().path();
        if let Some(rule) = self.rule("/aws", path, self.clouds.aws.as_ref()) {
            return aws::answer(self, rule, request).await;
        }
        if let Some(rule) = self.rule("/azure", path, self.clouds.azure.as_ref()) {
            return azure::answer(self, rule, request).await;
        }
        match &self.clouds.google {
            Some(rule) => match ends.map_or(Ok(false), |(peer, local)| peer::is_ours(peer, local)) {
                Ok(true) => google::answer(self, rule, request).await,
                Ok(false) => plain(StatusCode::FORBIDDEN, "This process belongs to another user."),
                Err(trouble) => plain(StatusCode::FORBIDDEN, &trouble.to_string()),
            },
            None => plain(StatusCode::NOT_FOUND, ""),
        }
    }

    fn rule<'a>(&'a self, protocol: &str, path: &'a str, own: Option<&'a String>) -> Option<&'a str> {
        let rest = path.strip_prefix(protocol)?;
        match rest.strip_prefix('/') {
            None | Some("") => own.filter(|_| rest.len() < 2).map(String::as_str),
            Some(rule) => Some(rule).filter(|_| self.every_rule),
        }
    }
}

/// A page in a browser of this machine comes here under a name of its own.
fn is_of_loopback(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    ["localhost", "metadata.google.internal"].contains(&name) || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_lead_here() {
        for host in ["127.0.0.1:80", "127.0.0.1", "[::1]:80", "[::1]", "localhost:9", "metadata.google.internal"] {
            assert!(is_of_loopback(host.as_bytes()), "{host}");
        }
        for host in ["evil.example:80", "127.0.0.1.evil.example", "192.0.2.1", "", "localhost.evil.example:80"] {
            assert!(!is_of_loopback(host.as_bytes()), "{host}");
        }
    }
}
