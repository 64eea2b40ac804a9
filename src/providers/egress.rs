//! The only place that builds an HTTP client. It keeps integrations away from addresses that are none of their
//! business, follows no redirect, uses no proxy but the operator's, and bounds time and size of every answer. What is
//! said over it belongs into a provider's own file; the address rules are in `addresses.rs`, the operator's proxy in
//! `proxy.rs`, connections for other protocols in `connection.rs`.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::{Request, redirect};
use secrecy::SecretString;
use url::Url;

use super::addresses::{Lookup, Reach, Rules, VettingResolver, shown, system_lookup};
pub use super::answer::Answer;
use super::answer::{not_led, read_or_lead};
use super::proxy::{self, Proxy};
use super::silence::translate;
use super::tls_faults::Form;
use super::{ProviderError, trust};

/// Longest answer unless a caller knows better, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Longest answer that lists tags or repositories, in bytes.
pub const LIST_LIMIT: usize = 8 * 1024 * 1024;

/// How much longer than a single answer a list may take: some registries walk through all that they store for it.
const LISTS_WAIT: u32 = 6;

pub(super) const USER_AGENT: &str = concat!("strongroom/", env!("CARGO_PKG_VERSION"));

/// The way out, with the operator's allow list.
#[derive(Clone)]
pub struct Egress {
    pub(super) rules: Arc<Rules>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) connect: Duration,
    pub(super) total: Duration,
    pub(super) proxy: Option<Arc<Proxy>>,
    /// The client without certificates of its own: its connections outlive a scan.
    common: Arc<OnceLock<Arc<Inner>>>,
}

impl Egress {
    /// `allow` are the address ranges that may be reached beyond public ones: loopback and private networks. Plain
    /// http and any port are allowed there. Metadata addresses stay out of reach whatever is listed.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self {
            rules: Arc::new(Rules { networks: allow, ..Rules::default() }),
            lookup: Arc::new(system_lookup),
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            proxy: None,
            common: Arc::default(),
        }
    }

    /// Sends https through the operator's proxy.
    pub fn through(self, proxy: Option<Proxy>) -> Self {
        Self { proxy: proxy.map(Arc::new), common: Arc::default(), ..self }
    }

    /// Lists host names besides address ranges; whatever they resolve to counts as listed.
    pub fn allow_hosts(self, hosts: Vec<String>) -> Self {
        let rules = Rules { hosts, ..(*self.rules).clone() };
        Self { rules: Arc::new(rules), common: Arc::default(), ..self }
    }

    /// Reaches these addresses besides, whatever the rules say of them, and uses no proxy. For one purpose: the services
    /// of a cloud that hand out the role of the machine that Strongroom runs on. Never for an address that somebody
    /// entered in a form.
    pub fn reaching(&self, exactly: Vec<IpAddr>) -> Self {
        let rules = Rules { exactly, ..(*self.rules).clone() };
        Self { rules: Arc::new(rules), proxy: None, common: Arc::default(), ..self.clone() }
    }

    /// Longest waits for a connection (3 s unless set) and for a whole answer (10 s unless set).
    pub fn within(self, connect: Duration, total: Duration) -> Self {
        Self { connect, total, common: Arc::default(), ..self }
    }

    /// Resolves names by `lookup` instead of the machine's resolver. Each answer is vetted all the same.
    pub fn resolving_by<F, A>(self, lookup: F) -> Self
    where
        F: Fn(String) -> A + Send + Sync + 'static,
        A: Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self { lookup: Arc::new(move |name| Box::pin(lookup(name))), common: Arc::default(), ..self }
    }

    /// Whether an address may be used at all, as far as it shows without being resolved: for a form, before saving.
    pub fn check_url(&self, url: &Url) -> Result<(), ProviderError> {
        self.rules.check(url).map(drop)
    }

    /// A warning for the page when an address is allowed but would carry secrets in the clear.
    pub fn warning(url: &Url) -> Option<&'static str> {
        match url.scheme() {
            "http" => {
                Some("Unencrypted (http): anyone on the network can read the credential. Use https where you can.")
            }
            "smtp-clear" => Some(
                "Mail goes to this server without encryption: anyone on the network can read it. Use \
                 STARTTLS or TLS where you can.",
            ),
            _ => None,
        }
    }

    /// The judge of every address that a name leads to.
    pub(super) fn resolver(&self, reach: Reach) -> VettingResolver {
        VettingResolver { rules: Arc::clone(&self.rules), reach, lookup: Arc::clone(&self.lookup) }
    }

    /// A client for one scan or test. Without certificates it is shared, with its connections.
    pub fn client(&self, tls: Tls) -> Result<Client, ProviderError> {
        let form = tls.form;
        if tls.is_default() {
            let inner = self.common.get_or_init(|| self.fresh(tls));
            return Ok(Client { inner: Arc::clone(inner), form });
        }
        let client = Client { inner: self.fresh(tls), form };
        client.http(Reach::Public, None)?;
        Ok(client)
    }

    fn fresh(&self, tls: Tls) -> Arc<Inner> {
        let (public, listed, proxied) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Arc::new(Inner { egress: self.detached(), tls, public, listed, proxied })
    }

    /// A copy without the shared client, which would hold itself otherwise.
    fn detached(&self) -> Self {
        Self { common: Arc::default(), ..self.clone() }
    }
}

/// Certificates of one integration, in PEM form.
#[derive(Default)]
pub struct Tls {
    /// Trusted besides the system's authorities: authorities, or the certificate of the server itself.
    pub ca_certificates: Vec<String>,
    /// Client certificate chain with its private key.
    pub identity: Option<SecretString>,
    /// Where the two are entered, for the sentences about them.
    pub form: Form,
}

impl Tls {
    fn is_default(&self) -> bool {
        self.ca_certificates.is_empty() && self.identity.is_none()
    }
}

/// Sends requests by the rules. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    form: Form,
}

struct Inner {
    egress: Egress,
    tls: Tls,
    /// Two clients, since a resolver does not learn the scheme or port that it resolves for.
    public: OnceLock<reqwest::Client>,
    listed: OnceLock<reqwest::Client>,
    /// One more, since behind a proxy no name is resolved but the proxy's own.
    proxied: OnceLock<reqwest::Client>,
}

impl Client {
    /// Lets the answer take its time, as that of a list.
    pub fn allow_time(&self, request: &mut Request) {
        *request.timeout_mut() = Some(self.inner.egress.total * LISTS_WAIT);
    }

    /// The same without a certificate of ours, for other hosts than the one that it is for.
    pub fn without_identity(&self) -> Result<Self, ProviderError> {
        let Tls { ca_certificates, identity, form } = &self.inner.tls;
        match identity {
            None => Ok(self.clone()),
            Some(_) => {
                let tls = Tls { ca_certificates: ca_certificates.clone(), identity: None, form: *form };
                self.inner.egress.client(tls)
            }
        }
    }

    /// Sends one request and reads the answer, of at most `limit` bytes. Any status but a redirect is an answer.
    pub async fn send(&self, request: Request, limit: usize) -> Result<Answer, ProviderError> {
        let url = request.url().clone();
        not_led(self.send_or_lead(request, limit).await?, &url)
    }

    /// The same, where a redirect is an answer, too: without a body, and not followed.
    pub async fn send_or_lead(&self, request: Request, limit: usize) -> Result<Answer, ProviderError> {
        let url = request.url().clone();
        let total = request.timeout().copied().unwrap_or(self.inner.egress.total);
        let reach = self.inner.egress.rules.check(&url)?;
        let proxy = self.inner.egress.proxy_for(&url);
        let http = self.http(reach, proxy)?;
        let exchange = async {
            let failed = |error| translate(&error, &url, self.form, self.inner.tls.identity.is_some());
            let response = match proxy {
                None => http.execute(request).await.map_err(failed)?,
                Some(proxy) => {
                    self.inner.egress.vet(proxy, &url, reach).await?;
                    if let Some(refused) = proxy.refused_lately(&url) {
                        return Err(refused);
                    }
                    match http.execute(request).await {
                        Ok(response) => response,
                        Err(error) => {
                            let wants_login = proxy::wants_login(&error);
                            return Err(proxy.instead(failed(error), wants_login, &url).await);
                        }
                    }
                }
            };
            read_or_lead(response, limit, failed).await
        };
        let timeout = ProviderError::Timeout { host: shown(&url) };
        tokio::time::timeout(total, exchange).await.unwrap_or(Err(timeout))
    }

    fn http(&self, reach: Reach, proxy: Option<&Proxy>) -> Result<&reqwest::Client, ProviderError> {
        let slot = match (proxy, reach) {
            (Some(_), _) => &self.inner.proxied,
            (None, Reach::Public) => &self.inner.public,
            (None, Reach::Listed) => &self.inner.listed,
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built = self.build(reach, proxy)?;
        Ok(slot.get_or_init(|| built))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn build(&self, reach: Reach, proxy: Option<&Proxy>) -> Result<reqwest::Client, ProviderError> {
        let Inner { egress, tls, .. } = &*self.inner;
        let mut trusted = trust::config(&tls.ca_certificates, tls.identity.as_ref())?;
        trusted.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .https_only(reach == Reach::Public || proxy.is_some())
            .timeout(egress.total)
            .pool_max_idle_per_host(8)
            .pool_idle_timeout(Duration::from_secs(30))
            .tls_backend_preconfigured(trusted);
        builder = match proxy {
            None => builder.connect_timeout(egress.connect).dns_resolver(Arc::new(egress.resolver(reach))),
            // Two connections, one behind the other.
            Some(proxy) => {
                let proxy = proxy.for_client().map_err(|_| ProviderError::InvalidAddress)?;
                builder.connect_timeout(egress.connect * 2).proxy(proxy)
            }
        };
        let ours = !tls.is_default();
        builder.build().map_err(|_| if ours { ProviderError::BadCertificate } else { ProviderError::NoAuthorities })
    }
}
