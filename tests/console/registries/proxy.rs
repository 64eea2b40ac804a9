//! The way out through the operator's proxy: what takes it, what is refused before, and why it led nowhere.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use strongroom::providers::ProviderError;
use strongroom::providers::proxy::{Login, Proxy, ProxyFault};

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::connect_proxy::{ConnectProxy, Leads};
use crate::support::peers::free_port;
use crate::support::peers::receiver::{Call, Receiver, Said};

const NAME: &str = "registry.example.com";
/// base64 of `ada:pass:word`
const BASIC: &str = "Basic YWRhOnBhc3M6d29yZA==";

/// A registry without images, with a certificate for [`NAME`].
struct Inside {
    registry: Receiver,
    authority: Authority,
}

impl Inside {
    fn start() -> Self {
        let authority = Authority::new();
        let registry = Receiver::start_tls_as(&authority, authority.server(NAME), |call: &Call| {
            let body = if call.path() == "/v2/_catalog" { json!({"repositories": []}) } else { json!({}) };
            Said::json(200, &body)
        });
        Self { registry, authority }
    }

    fn address(&self) -> SocketAddr {
        self.registry.url().trim_start_matches("https://").parse().unwrap()
    }

    async fn scan(&self, registry: &str, egress: Egress) -> Result<Vec<Image>, ProviderError> {
        let scan = Scan::of(registry).with("ca_certificate", &self.authority.pem).egress(egress);
        scan.run().await.map_err(|error| error.cause)
    }
}

fn operators(proxy: &str, exceptions: &str) -> Option<Proxy> {
    Some(Proxy::new(proxy.parse().unwrap(), None, exceptions.parse().unwrap()))
}

/// A network whose resolver knows no name of the world.
fn behind(proxy: &str) -> Egress {
    let unknown = |_| async { Err(std::io::ErrorKind::NotFound.into()) };
    Egress::new(Vec::new()).resolving_by(unknown).through(operators(proxy, ""))
}

/// One whose resolver says this.
fn resolving(address: &'static str, proxy: &str) -> Egress {
    let found: IpAddr = address.parse().unwrap();
    Egress::new(Vec::new()).resolving_by(move |_| async move { Ok(vec![found]) }).through(operators(proxy, ""))
}

#[tokio::test]
async fn field_e01_https_leaves_through_the_proxy_and_stays_encrypted() {
    let inside = Inside::start();
    let proxy = ConnectProxy::to(inside.address()).await;
    for egress in [behind(&proxy.url()), resolving("203.0.114.7", &proxy.url())] {
        assert_eq!(inside.scan(&format!("https://{NAME}"), egress).await.unwrap().len(), 0);
    }
    assert_eq!(proxy.targets(), [format!("{NAME}:443")]);
    assert!(!inside.registry.calls().is_empty());
    // The certificate is the service's own: another name is not taken for it.
    let other = inside.scan("https://other.example.com", behind(&proxy.url())).await;
    assert!(matches!(other, Err(ProviderError::Certificate { .. })), "{other:?}");
}

#[tokio::test]
async fn field_e01_a_name_that_leads_to_an_inner_address_here_is_refused() {
    let inside = Inside::start();
    let proxy = ConnectProxy::to(inside.address()).await;
    for address in ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00:ec2::254"] {
        let refused = inside.scan(&format!("https://{NAME}"), resolving(address, &proxy.url())).await;
        assert!(matches!(refused, Err(ProviderError::RefusedByPolicy { .. })), "{address}: {refused:?}");
    }
    let listed = Egress::new(vec!["10.0.0.0/8".parse().unwrap()])
        .resolving_by(|_| async { Ok(vec!["10.0.0.7".parse().unwrap()]) })
        .through(operators(&proxy.url(), ""));
    assert_eq!(proxy.asked(), [], "the proxy was not asked");
    assert!(inside.scan(&format!("https://{NAME}"), listed).await.is_ok());
}

#[tokio::test]
async fn field_e01_where_only_the_proxy_resolves_literal_and_reserved_are_refused() {
    let inside = Inside::start();
    let proxy = ConnectProxy::to(inside.address()).await;
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "10.0.0.7",
        "169.254.169.254",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "localhost",
        "x.localhost",
        "metadata.google.internal",
        "metadata",
        // An unusual port is for listed addresses, and nobody here knows the address.
        "registry.example.com:22",
    ] {
        let url = format!("https://{host}/").parse().unwrap();
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        let client = behind(&proxy.url()).client(Default::default()).unwrap();
        let refused = client.send(request, 1024).await.map(|answer| answer.status);
        let policy = matches!(refused, Err(ProviderError::RefusedByPolicy { .. } | ProviderError::Reserved { .. }));
        assert!(policy, "{host}: {refused:?}");
    }
    assert_eq!(proxy.asked(), []);
    let egress = behind(&proxy.url());
    let sentence = egress.way_out(&format!("https://{NAME}/").parse().unwrap()).unwrap();
    let decides = format!("If only the proxy can resolve {NAME}, it decides where that leads.");
    assert_eq!(sentence, format!("Through the proxy {}. {decides}", proxy.address));
}

#[tokio::test]
async fn field_e01_exceptions_this_machine_and_plain_http_leave_directly() {
    let (direct, plain) = (Inside::start(), Receiver::start(|_| Said::json(200, &json!({"repositories": []}))));
    let proxy = ConnectProxy::to(direct.address()).await;
    let egress = loopback()
        .resolving_by(|_| async { Ok(vec!["127.0.0.1".parse().unwrap()]) })
        .through(operators(&proxy.url(), "example.com"));
    let port = direct.address().port();
    direct.scan(&format!("https://{NAME}:{port}"), egress.clone()).await.unwrap();
    assert!(matches!(
        direct.scan(&format!("https://127.0.0.1:{port}"), egress.clone()).await,
        Err(ProviderError::Certificate { .. })
    ));
    Scan::of(plain.url()).egress(egress.clone()).run().await.unwrap();
    assert_eq!(proxy.asked(), []);
    for address in [format!("https://{NAME}/"), plain.url(), "https://localhost/".into(), "smtp://mail.corp:25".into()]
    {
        assert_eq!(egress.way_out(&address.parse().unwrap()), None, "{address}");
    }
}

#[tokio::test]
async fn field_e01_the_login_comes_from_the_operator_and_is_asked_for_by_name() {
    let inside = Inside::start();
    let server = inside.address();
    let proxy = ConnectProxy::start(move |(_, login)| match login.as_deref() {
        Some(BASIC) => Leads::To(server),
        _ => Leads::Nowhere("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
    })
    .await;
    let with = |text: &str| {
        let proxy = Proxy::new(proxy.url().parse().unwrap(), Login::parse(text), Default::default());
        behind(&format!("http://127.0.0.1:{}", free_port())).through(Some(proxy))
    };
    inside.scan(&format!("https://{NAME}"), with("ada:pass:word\n")).await.unwrap();
    for (egress, given, setting) in
        [(behind(&proxy.url()), false, "user:password in a file"), (with("ada:wrong"), true, "refused the login")]
    {
        let before = proxy.asked().len();
        let error = inside.scan(&format!("https://{NAME}"), egress).await.unwrap_err();
        assert_eq!(proxy.asked().len(), before + 1, "a login that is refused is not given twice");
        assert!(matches!(error, ProviderError::Proxy { fault: ProxyFault::Login { given: g }, .. } if g == given));
        let text = error.to_string();
        assert!(text.contains(setting) && text.contains("STRONGROOM_EGRESS_PROXY_LOGIN_FILE"), "{text}");
        assert!(!text.contains("pass") || text.contains("user:password"), "{text}");
    }
    assert!(
        !format!("{:?}", Proxy::new(proxy.url().parse().unwrap(), Login::parse("ada:pw"), Default::default()))
            .contains("pw")
    );
}

#[tokio::test]
async fn field_e01_a_proxy_that_leads_nowhere_is_told_from_a_service_that_is_down() {
    for (answer, fault, words) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", ProxyFault::Refused { status: 403 }, "The proxy decides that"),
        (
            "HTTP/1.0 503 Unavailable\r\n\r\n",
            ProxyFault::NoRoute { status: 503 },
            "could not reach registry.example.com",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", ProxyFault::NoProxy, "is no proxy that takes CONNECT"),
    ] {
        let proxy = ConnectProxy::start(move |_| Leads::Nowhere(answer)).await;
        let error = Scan::of(format!("https://{NAME}")).egress(behind(&proxy.url())).run().await.unwrap_err().cause;
        assert!(matches!(&error, ProviderError::Proxy { fault: found, .. } if *found == fault), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let error = Scan::of(format!("https://{NAME}")).egress(behind(&nobody)).run().await.unwrap_err().cause;
    assert!(matches!(error, ProviderError::Proxy { fault: ProxyFault::Away, .. }), "{error:?}");
    assert!(error.to_string().starts_with("The proxy 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn field_e01_a_name_is_not_looked_up_for_every_request() {
    let inside = Inside::start();
    let proxy = ConnectProxy::to(inside.address()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let egress = Egress::new(Vec::new())
        .resolving_by(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            // A resolver that lets the question time out.
            async { std::future::pending().await }
        })
        .through(operators(&proxy.url(), ""));
    let started = std::time::Instant::now();
    inside.scan(&format!("https://{NAME}"), egress).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_host_that_the_proxy_refuses_is_not_asked_for_again_at_once() {
    let proxy = ConnectProxy::start(|_| Leads::Nowhere("HTTP/1.1 403 Forbidden\r\n\r\n")).await;
    let egress = behind(&proxy.url());
    for _ in 0..3 {
        let error = Scan::of(format!("https://{NAME}")).egress(egress.clone()).run().await.unwrap_err().cause;
        let refused = ProxyFault::Refused { status: 403 };
        assert!(matches!(&error, ProviderError::Proxy { fault, .. } if *fault == refused), "{error:?}");
    }
    assert_eq!(proxy.asked().len(), 2, "once, and once for the reason");
    let other = Scan::of("https://other.example.com").egress(egress).run().await;
    assert!(other.is_err() && proxy.asked().len() > 2, "other hosts are asked for");
}
