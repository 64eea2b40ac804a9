//! The application: everything that lives as long as the process. `main` and the tests build the same one, bind it and
//! run it until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App as Actix, HttpServer, middleware};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::accounts::{Gate, Hasher};
use crate::config::{CannotListen, Settings, StoreSettings};
use crate::integrations::alerts::email;
use crate::integrations::context::Outside;
use crate::models::deployment;
use crate::models::logins::Setup;
use crate::models::resign::Again;
use crate::models::sessions::Limits;
use crate::models::{self, Conn, Db, DbError, credentials, logins, resign};
use crate::providers::aws;
use crate::providers::egress::Egress;
use crate::providers::tokens::Tokens;
use crate::trail::Trail;
use crate::vault::{KeyRing, KeyRingError, Vault};
use crate::web::credentials::draft;
use crate::web::limiter::Limiter;
use crate::{alerting, jobs, web};

mod reach;
mod start_error;

pub use start_error::StartError;

/// Longest that requests and runs have to finish after a SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// What every handler and job shares.
pub struct App {
    pub settings: Settings,
    pub db: Db,
    pub vault: Arc<Vault>,
    pub gate: Gate,
    pub egress: Egress,
    pub aws: aws::Sessions,
    /// Access tokens of Azure, Google and IBM.
    pub tokens: Tokens,
    /// Connections to mail servers that are kept between two letters.
    pub smtp: email::Connections,
    pub sessions: web::session::Cache,
    /// How often each user presses Test.
    pub tests: Limiter,
    /// How often each user has a confirmation sent.
    pub invitations: Limiter,
    pub public_url: Url,
    /// This process among the replicas.
    pub replica: Uuid,
    pub stopping: CancellationToken,
    /// Told when a run has been queued, so that it starts at once.
    pub queued: tokio::sync::Notify,
    pub alerts: alerting::Known,
    /// What is known of the audit trail; also what is broken, for every page.
    pub trail: Arc<Trail>,
}

impl App {
    pub fn session_limits(&self) -> Limits {
        let minutes = |duration: Duration| i32::try_from(duration.as_secs() / 60).unwrap_or(i32::MAX);
        Limits {
            idle_minutes: minutes(self.settings.session_idle()),
            hours: minutes(self.settings.session_absolute()) / 60,
        }
    }

    pub fn stale_days(&self) -> i32 {
        i32::try_from(self.settings.stale_days).unwrap_or(i32::MAX)
    }

    /// From when on the secrets of each type count as old, as of a few seconds ago.
    pub fn limits(&self) -> models::credential_limits::Limits {
        alerting::limits(&self.alerts.settings(), self.stale_days())
    }

    /// What a call of an integration may use of the world outside.
    pub fn outside(&self) -> Outside<'_> {
        Outside {
            egress: &self.egress,
            endpoints: &self.settings.endpoints,
            aws: &self.aws,
            tokens: &self.tokens,
            smtp: &self.smtp,
        }
    }

    /// Whether visitors come over https, here or at the proxy.
    pub fn secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// Opens the store behind a database: migrates it, founds the deployment on the very first start, and checks that the
/// key ring belongs to it. Nothing is written before the keys have proved right.
pub fn open_store(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    if models::read(&mut conn, models::logs_statements).unwrap_or(false) {
        tracing::warn!(
            "the database writes statements into its log (log_statement or log_min_duration_statement): secrets in them \
             are sealed, but names, notes and addresses are not. Switch that off for Strongroom's database"
        );
    }
    let path = settings.keyring_file();
    // A database in use must not be migrated under the wrong keys, so those are checked first.
    if let Ok(Some(id)) = models::read(&mut conn, deployment::id) {
        let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
        models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
        models::migrate(&mut conn).map_err(StartError::Prepare)?;
        sign_and_check(&mut conn, &vault, Again::No)?;
        return Ok(Arc::new(vault));
    }
    models::migrate(&mut conn).map_err(StartError::Prepare)?;
    found(&mut conn, &path)
}

/// Opens a store that was back with the release before: brings it up to date, and signs its rows again.
pub fn open_returned(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    let Ok(Some(id)) = models::read(&mut conn, deployment::id) else { return Err(StartError::Empty) };
    let path = settings.keyring_file();
    let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
    models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
    models::migrate(&mut conn).map_err(StartError::Prepare)?;
    sign_and_check(&mut conn, &vault, Again::Yes)?;
    Ok(Arc::new(vault))
}

/// Opens a store that is there already, and writes nothing.
pub fn open_existing(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    let Ok(Some(id)) = models::read(&mut conn, deployment::id) else { return Err(StartError::Empty) };
    let path = settings.keyring_file();
    let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
    models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
    if !models::read(&mut conn, models::is_migrated)? {
        return Err(StartError::Outdated);
    }
    models::read(&mut conn, |conn| deployment::check_rows(conn, &vault))?;
    Ok(Arc::new(vault))
}

/// Signs what the release before left, once, and checks the rows without which nothing can be trusted.
fn sign_and_check(conn: &mut Conn, vault: &Vault, again: Again) -> Result<(), StartError> {
    models::transaction(conn, &|conn: &mut Conn| resign::once(conn, vault, again))?;
    Ok(models::read(conn, |conn| deployment::check_rows(conn, vault))?)
}

fn found(conn: &mut Conn, path: &std::path::Path) -> Result<Arc<Vault>, StartError> {
    // Replicas that start together may share the file: one makes it, the others read it.
    let ring = match KeyRing::create(path) {
        Err(KeyRingError::Exists(_)) => KeyRing::read(path)?,
        created => created?,
    };
    let vault = Vault::new(Uuid::new_v4(), ring, Some(path.to_owned()));
    let shipped = draft::shipped().map_err(|_| StartError::Prepare(DbError::Other))?;
    let founding = |conn: &mut Conn| {
        deployment::found(conn, &vault)?;
        if deployment::id(conn)? == Some(vault.deployment()) {
            credentials::ship(conn, &vault, &shipped.row())?;
        }
        Ok::<(), DbError>(())
    };
    models::transaction(conn, &founding).map_err(StartError::Prepare)?;
    // Another replica may have been first: then its deployment counts.
    let id = models::read(conn, deployment::id)?.ok_or(StartError::Prepare(DbError::NotFound))?;
    let vault = Vault::new(id, KeyRing::read(path)?, Some(path.to_owned()));
    models::read(conn, |conn| deployment::check_keys(conn, &vault))?;
    models::read(conn, |conn| deployment::check_rows(conn, &vault))?;
    Ok(Arc::new(vault))
}

/// A console that listens but does not answer yet.
pub struct Console {
    app: Data<App>,
    server: actix_web::dev::Server,
    address: SocketAddr,
    metrics: Option<actix_web::dev::Server>,
}

impl Console {
    /// Binds the ports and prepares everything. `database_url` is the server to use, private or not.
    pub fn build(mut settings: Settings, database_url: &str) -> Result<Self, StartError> {
        let vault = open_store(database_url, &settings.store)?;
        let (route, announced) = reach::find(database_url, settings.database_direct_url(), &vault)?;
        let db = Db::new(database_url, settings.store.db_pool, route);
        let refused = |error| CannotListen::pages(settings.listen, &error);
        let listener = std::net::TcpListener::bind(settings.listen).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        settings.endpoints = std::mem::take(&mut settings.endpoints).with_aws(settings.aws_endpoints());
        let egress = Egress::new(settings.egress_allow().into_vec()).through(settings.egress_proxy()?);
        let app = Data::new(App {
            gate: Gate { db: db.clone(), vault: vault.clone(), hasher: Hasher::default() },
            aws: aws::Sessions::new(egress.clone(), settings.endpoints.aws().clone()),
            tokens: Tokens::new(egress.clone(), settings.endpoints.clone()),
            egress,
            smtp: email::Connections::default().greeting_as(settings.smtp_hello()),
            sessions: web::session::Cache::new(announced),
            tests: Limiter::new(10, "tests"),
            invitations: Limiter::new(30, "invitations"),
            public_url: settings.public_url(address),
            replica: Uuid::new_v4(),
            stopping: CancellationToken::new(),
            queued: tokio::sync::Notify::new(),
            alerts: alerting::Known::default(),
            trail: vault.trail.clone(),
            db,
            vault,
            settings,
        });
        let server = serve(app.clone(), listener)?;
        let metrics = match app.settings.metrics_listen() {
            Some(at) => Some(web::metrics::server(app.clone(), at).map_err(|error| CannotListen::metrics(at, &error))?),
            None => None,
        };
        Ok(Self { app, server, address, metrics })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn app(&self) -> Data<App> {
        self.app.clone()
    }

    /// A one-time link for the first administrator; `None` when there is a user, or ever was one.
    pub async fn setup_link(&self) -> Result<Option<Url>, DbError> {
        let token = hex::encode(crate::vault::random::<32>());
        let (hash, vault) = (web::session::hash(&token), self.app.vault.clone());
        let offered = self
            .app
            .db
            .transaction(move |conn| match logins::setup(conn)? {
                Setup::Open => logins::offer_setup(conn, &vault, &hash, logins::SETUP_MINUTES).map(|()| true),
                Setup::Done => Ok::<_, DbError>(false),
                Setup::UsersGone => {
                    tracing::error!(
                        "there is no user, and the audit trail knows of one: the users were taken out of the database. \
                         Restore it from a backup"
                    );
                    Ok(false)
                }
            })
            .await?;
        let link = self.app.public_url.join(&format!("setup?token={token}"));
        Ok(link.ok().filter(|_| offered))
    }

    /// Answers requests and works through the queue until `stop` is cancelled; then lets both finish, for ten seconds.
    pub async fn run_until_stopped(self, stop: CancellationToken) -> io::Result<()> {
        let handle = self.server.handle();
        let metrics_handle = self.metrics.as_ref().map(actix_web::dev::Server::handle);
        let jobs = jobs::start(self.app.clone());
        if let Some(metrics) = self.metrics {
            tokio::spawn(metrics);
        }
        let server = tokio::spawn(self.server);
        stop.cancelled().await;
        // From here on it is not ready. Only who asks before sending can be kept from a door that closes.
        self.app.stopping.cancel();
        tokio::time::sleep(self.app.settings.drain()).await;
        tracing::info!("stopping: requests and runs have ten seconds to finish");
        let (_, _) =
            tokio::join!(tokio::time::timeout(GRACE, handle.stop(true)), tokio::time::timeout(GRACE, jobs.stopped()));
        if let Some(handle) = metrics_handle {
            handle.stop(false).await;
        }
        server.await.unwrap_or(Ok(()))
    }
}

fn serve(app: Data<App>, listener: std::net::TcpListener) -> Result<actix_web::dev::Server, StartError> {
    let tls = app.settings.tls();
    let address = app.settings.listen;
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(app.clone())
            .wrap(middleware::from_fn(web::security::guard))
            .configure(web::routes)
            .default_service(actix_web::web::to(web::error::not_found))
    })
    .disable_signals()
    .shutdown_timeout(GRACE.as_secs())
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(15));
    let io = |error: io::Error| CannotListen::pages(address, &error);
    let server = match tls {
        Some(files) => server.listen_rustls_0_23(listener, tls_config(&files)?).map_err(io)?,
        None => server.listen(listener).map_err(io)?,
    };
    Ok(server.run())
}

fn tls_config(files: &crate::config::TlsFiles) -> Result<rustls::ServerConfig, StartError> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.certificate).map_err(|_| StartError::Tls)?.collect();
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|_| StartError::Tls)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| StartError::Tls)?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|_| StartError::Tls)?, key)
        .map_err(|_| StartError::Tls)
}
