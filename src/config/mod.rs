//! Every setting, once: its flag, its environment variable, its sentence and its default, parsed into the type that it
//! means. Nothing else reads the environment (but the AWS SDK, its own variables). A new setting is a field here, a new
//! type of one goes into [`values`]; the commands that take them are in [`crate::cli`].

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};
use url::Url;

use crate::providers::aws;
use crate::providers::endpoints::Endpoints;

mod doors;
mod egress;
mod notices;
mod store;
mod trail;
mod values;

pub use doors::CannotListen;
pub use store::StoreSettings;
use values::{DatabaseUrl, MetricsListen, Switch, machine_host, public_url, reachable, smtp_hello};
pub use values::{ForwardedHeader, Half, LogFormat, Networks, Tests, https_url, socket_address};

/// A setting that cannot be used, and what to do: exit status [`crate::cli::EX_CONFIG`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting --{flag} ({env}) is wrong: {remedy}")]
pub struct SettingError {
    pub flag: &'static str,
    pub env: &'static str,
    pub remedy: &'static str,
}

/// What `serve` takes.
#[derive(Args, Clone, Debug)]
#[allow(rustdoc::bare_urls, rustdoc::invalid_html_tags, reason = "--help says these sentences")]
pub struct Settings {
    #[command(flatten)]
    pub store: StoreSettings,

    /// A direct connection to the same database, for a DATABASE_URL that leads through a transaction pooler such as
    /// PgBouncer. Without it, a session that another console has ended may last a second longer
    #[arg(
        long,
        env = "STRONGROOM_DATABASE_DIRECT_URL",
        hide_env_values = true,
        value_name = "URL",
        help_heading = "Store and log"
    )]
    database_direct_url: Option<DatabaseUrl>,

    /// Runs one half of the console only, so that several processes on one database can be scaled apart. Both halves
    /// answer /livez and /readyz, and serve metrics [default: both halves]
    #[arg(long, env = "STRONGROOM_ONLY", hide_env_values = true, value_name = "HALF", help_heading = "Console")]
    only: Option<Half>,

    /// Address and port that the console listens on; port 0 takes a free one
    #[arg(long, env = "STRONGROOM_LISTEN", hide_env_values = true, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080",
          value_parser = socket_address, help_heading = "Console")]
    pub listen: SocketAddr,

    /// Address that people open, for the links in pages and mails [default: http:// or https:// and ADDRESS:PORT; where
    /// that is all addresses, one of this machine]
    #[arg(long, env = "STRONGROOM_PUBLIC_URL", hide_env_values = true, value_name = "URL", value_parser = public_url, help_heading = "Console")]
    public_url: Option<Url>,

    /// Certificate chain (PEM) to serve https with, together with --tls-key
    #[arg(long, env = "STRONGROOM_TLS_CERT", hide_env_values = true, value_name = "FILE", help_heading = "Console")]
    tls_cert: Option<PathBuf>,

    /// Private key (PEM) of the certificate, together with --tls-cert
    #[arg(long, env = "STRONGROOM_TLS_KEY", hide_env_values = true, value_name = "FILE", help_heading = "Console")]
    tls_key: Option<PathBuf>,

    /// Addresses of reverse proxies that are believed who a visitor is: addresses or ranges, separated by commas
    #[arg(
        long,
        env = "STRONGROOM_TRUSTED_PROXIES",
        hide_env_values = true,
        value_name = "RANGES",
        default_value = "",
        hide_default_value = true,
        help_heading = "Console"
    )]
    pub trusted_proxies: Networks,

    /// The header in which those proxies say so; the other one is ignored, since it may come from the visitor
    #[arg(
        long,
        env = "STRONGROOM_FORWARDED_HEADER",
        hide_env_values = true,
        value_name = "HEADER",
        default_value = "x-forwarded-for",
        help_heading = "Console"
    )]
    pub forwarded_header: ForwardedHeader,

    /// Where Prometheus reads metrics, without a login, or off
    #[arg(
        long,
        env = "STRONGROOM_METRICS_LISTEN",
        hide_env_values = true,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:9464",
        help_heading = "Console"
    )]
    metrics_listen: MetricsListen,

    /// Host names that Prometheus may ask for the metrics by: names with commas between. Addresses, the public address,
    /// and names of the local network (without a dot, or ending in .local, .internal or .svc) need no mention
    #[arg(
        long,
        env = "STRONGROOM_METRICS_HOSTS",
        hide_env_values = true,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Console"
    )]
    pub metrics_hosts: Vec<String>,

    /// Whether an administrator can let a client fetch the stored value of a credential itself. While it is off, clients
    /// get only what ends by itself, and rules that were made before answer nothing
    #[arg(
        long,
        env = "STRONGROOM_RELEASE_VALUES",
        hide_env_values = true,
        value_name = "SWITCH",
        default_value = "off",
        help_heading = "Clients"
    )]
    release_values: Switch,

    /// Further host names by which programs reach this console, such as the name of a service inside a cluster: names
    /// with commas between, each with its port unless that is the scheme's own. They answer machines and no browser
    #[arg(
        long,
        env = "STRONGROOM_MACHINE_HOSTS",
        hide_env_values = true,
        value_name = "NAMES",
        value_delimiter = ',',
        value_parser = machine_host,
        help_heading = "Clients"
    )]
    pub machine_hosts: Vec<String>,

    /// Minutes without a request after which a session ends
    #[arg(long, env = "STRONGROOM_SESSION_IDLE_MINUTES", hide_env_values = true, value_name = "MINUTES", default_value_t = 15,
          value_parser = value_parser!(u32).range(1..=1440), help_heading = "Console")]
    session_idle_minutes: u32,

    /// Hours after login after which a session ends
    #[arg(long, env = "STRONGROOM_SESSION_HOURS", hide_env_values = true, value_name = "HOURS", default_value_t = 8,
          value_parser = value_parser!(u32).range(1..=168), help_heading = "Console")]
    session_hours: u32,

    /// Seconds between SIGTERM and the closing of the door, in which /readyz says no and all others are still answered,
    /// so that a load balancer sends nobody any more
    #[arg(long, env = "STRONGROOM_DRAIN_SECONDS", hide_env_values = true, value_name = "SECONDS", default_value_t = 0,
          value_parser = value_parser!(u32).range(0..=60), help_heading = "Console")]
    drain_seconds: u32,

    /// Seconds for which a database may answer and keep the audit trail back; after that no secret is used until the
    /// trail is read again. It is looked at four times as often
    #[arg(long, env = "STRONGROOM_TRAIL_PATIENCE_SECONDS", hide_env_values = true, value_name = "SECONDS",
          default_value_t = 20, value_parser = value_parser!(u32).range(2..=120), help_heading = "Console")]
    trail_patience_seconds: u32,

    /// Private addresses that integrations may reach beyond public ones: addresses or ranges, separated by commas
    /// [default: none; loopback with the private Postgres]
    #[arg(
        long,
        env = "STRONGROOM_EGRESS_ALLOW",
        hide_env_values = true,
        value_name = "RANGES",
        help_heading = "Integrations"
    )]
    egress_allow: Option<Networks>,

    #[command(flatten)]
    egress: egress::EgressSettings,

    /// Name by which mail servers are greeted (EHLO): a whole host name that they know, or an address [default: the host
    /// of the public URL, or the address of the connection where that is no whole name]
    #[arg(long, env = "STRONGROOM_SMTP_HELLO", hide_env_values = true, value_name = "NAME", value_parser = smtp_hello,
          help_heading = "Integrations")]
    smtp_hello: Option<String>,

    /// Other addresses for cloud providers, such as azure-login=https://login.example.com; separated by commas. They
    /// pass the same checks as any other address
    #[arg(
        long,
        env = "STRONGROOM_ENDPOINTS",
        hide_env_values = true,
        value_name = "SERVICE=URL",
        default_value = "",
        hide_default_value = true,
        help_heading = "Integrations"
    )]
    pub endpoints: Endpoints,

    /// Where all services of AWS are instead of at AWS, for a proxy or a test; AWS_ENDPOINT_URL_<SERVICE> is read for
    /// one of them, and AWS_ENDPOINT_URL_ECR_REGISTRY for the registry of ECR. Private hosts need --egress-allow
    #[arg(long, env = "AWS_ENDPOINT_URL", hide_env_values = true, value_name = "URL", help_heading = "Integrations")]
    aws_endpoint_url: Option<String>,

    /// Scans that run at once; up to 50 deployments run beside them
    #[arg(long, env = "STRONGROOM_RUNS_AT_ONCE", hide_env_values = true, value_name = "NUMBER", default_value_t = 4,
          value_parser = value_parser!(u32).range(1..=64), help_heading = "Integrations")]
    pub runs_at_once: u32,

    /// Days after which an access key is stale
    #[arg(long, env = "STRONGROOM_STALE_DAYS", hide_env_values = true, value_name = "DAYS", default_value_t = 90,
          value_parser = value_parser!(u32).range(1..=3650), help_heading = "Integrations")]
    pub stale_days: u32,

    /// Whether every stored credential is tested once a day, at a moment of its own
    #[arg(
        long,
        env = "STRONGROOM_TEST_CREDENTIALS",
        hide_env_values = true,
        value_name = "WHEN",
        default_value = "daily",
        help_heading = "Integrations"
    )]
    pub test_credentials: Tests,
    #[command(flatten)]
    pub trail: trail::TrailSettings,
}

/// The files to serve https with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Settings {
    /// What clap cannot see in one value: settings that need each other.
    pub fn check(&self) -> Result<(), SettingError> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => Err(SettingError {
                flag: "tls-key",
                env: "STRONGROOM_TLS_KEY",
                remedy: "it is missing beside --tls-cert; give both, or neither to serve plain http",
            }),
            (None, Some(_)) => Err(SettingError {
                flag: "tls-cert",
                env: "STRONGROOM_TLS_CERT",
                remedy: "it is missing beside --tls-key; give both, or neither to serve plain http",
            }),
            _ if self.database_direct_url().is_some() && self.store.database_url().is_none() => Err(SettingError {
                flag: "database-direct-url",
                env: "STRONGROOM_DATABASE_DIRECT_URL",
                remedy: "it is for a database behind a pooler; give DATABASE_URL beside it, or leave both out",
            }),
            _ if self.only.is_some() && self.store.database_url().is_none() => Err(SettingError {
                flag: "only",
                env: "STRONGROOM_ONLY",
                remedy: "the other half runs in another process, on the same database; give DATABASE_URL beside it",
            }),
            _ if self.only == Some(Half::Jobs) && self.public_url.is_none() => Err(SettingError {
                flag: "public-url",
                env: "STRONGROOM_PUBLIC_URL",
                remedy: "with --only jobs the pages are elsewhere; give the address at which people open them",
            }),
            _ => self.egress_proxy().map(drop),
        }
    }

    /// Whether rules of clients may give out stored values.
    pub fn releases_values(&self) -> bool {
        self.release_values == Switch::On
    }

    /// Whether this process shows pages.
    pub fn has_pages(&self) -> bool {
        self.only != Some(Half::Jobs)
    }

    /// Whether this process scans, tests, sends and verifies.
    pub fn has_jobs(&self) -> bool {
        self.only != Some(Half::Web)
    }

    /// Where to listen beside a pooler. An empty variable counts as none.
    pub fn database_direct_url(&self) -> Option<&str> {
        self.database_direct_url.as_ref().map(|url| url.0.as_str()).filter(|url| !url.is_empty())
    }

    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles { certificate: self.tls_cert.clone()?, key: self.tls_key.clone()? })
    }

    /// The address for links, ending with a slash. `bound` is where the console really listens.
    pub fn public_url(&self, bound: SocketAddr) -> Url {
        let scheme = if self.tls().is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| {
            Url::parse(&format!("{scheme}://{}/", reachable(bound))).expect("a socket address is a valid host and port")
        })
    }

    /// The operator's name for greeting mail servers. An empty variable counts as none.
    pub fn smtp_hello(&self) -> Option<String> {
        self.smtp_hello.clone().filter(|name| !name.is_empty())
    }

    /// `None`: no metrics are served.
    pub fn metrics_listen(&self) -> Option<SocketAddr> {
        self.metrics_listen.0
    }

    pub fn drain(&self) -> Duration {
        Duration::from_secs(u64::from(self.drain_seconds))
    }

    pub fn trail_patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.trail_patience_seconds))
    }

    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_idle_minutes) * 60)
    }

    pub fn session_absolute(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_hours) * 3600)
    }

    /// Ranges that integrations may reach beyond public addresses. The embedded default, for a first look on one
    /// machine, lists loopback; see [`Settings::notices`].
    pub fn egress_allow(&self) -> Networks {
        match &self.egress_allow {
            Some(networks) => networks.clone(),
            None if self.store.database_url().is_none() => Networks::loopback(),
            None => Networks::default(),
        }
    }

    /// What the AWS SDK's own variables say: endpoints, region, and the role of this environment.
    pub fn aws_endpoints(&self) -> aws::Endpoints {
        let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let found = aws::Endpoints::new(std::env::vars_os().filter_map(text));
        match &self.aws_endpoint_url {
            Some(url) if !url.is_empty() => found.with("AWS_ENDPOINT_URL", url),
            _ => found,
        }
    }
}
