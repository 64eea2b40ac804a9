//! The console: built, bound to its ports, and run until it is told to stop. `main` and the tests build the same one.
//! The only file that names pages and jobs together; `--only` leaves out the one or the other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpServer, middleware};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::accounts::tokens;
use crate::config::{CannotListen, Settings};
use crate::models::logins::Setup;
use crate::models::{Db, DbError, logins};
use crate::services::Services;
use crate::store::{StartError, open_store, reach};
use crate::{api, jobs, web};

/// Longest that requests and runs have to finish after a SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// A console that listens but does not answer yet.
pub struct Console {
    services: Arc<Services>,
    server: actix_web::dev::Server,
    address: SocketAddr,
    metrics: Option<actix_web::dev::Server>,
}

impl Console {
    /// Binds the ports and prepares everything. `database_url` is the server to use, private or not.
    pub fn build(settings: Settings, database_url: &str) -> Result<Self, StartError> {
        let vault = open_store(database_url, &settings.store)?;
        let (route, announced) = reach::find(database_url, settings.database_direct_url(), &vault)?;
        let db = Db::new(database_url, settings.store.db_pool, route);
        let refused = |error| CannotListen::pages(settings.listen, &error);
        let listener = std::net::TcpListener::bind(settings.listen).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let public_url = settings.public_url(address);
        // Only pages ask who a visitor is.
        let listen_at = announced.filter(|_| settings.has_pages());
        let services = Arc::new(Services::new(settings, (db, vault), public_url, listen_at)?);
        let server = serve(Data::from(services.clone()), listener)?;
        let metrics = match services.settings.metrics_listen() {
            Some(at) => Some(
                web::metrics::server(Data::from(services.clone()), at)
                    .map_err(|error| CannotListen::metrics(at, &error))?,
            ),
            None => None,
        };
        Ok(Self { services, server, address, metrics })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn services(&self) -> Arc<Services> {
        self.services.clone()
    }

    /// A one-time link for the first administrator; `None` when there is a user, or ever was one, and where there are
    /// no pages to open it on.
    pub async fn setup_link(&self) -> Result<Option<Url>, DbError> {
        if !self.services.settings.has_pages() {
            return Ok(None);
        }
        let token = tokens::new_token();
        let (hash, vault) = (tokens::hash(&token), self.services.vault.clone());
        let offered = self
            .services
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
        let link = self.services.public_url.join(&format!("setup?token={token}"));
        Ok(link.ok().filter(|_| offered))
    }

    /// Answers requests and works through the queue until `stop` is cancelled; then lets both finish, for ten seconds.
    pub async fn run_until_stopped(self, stop: CancellationToken) -> io::Result<()> {
        let handle = self.server.handle();
        let metrics_handle = self.metrics.as_ref().map(actix_web::dev::Server::handle);
        let jobs = jobs::start(self.services.clone());
        if let Some(metrics) = self.metrics {
            tokio::spawn(metrics);
        }
        let server = tokio::spawn(self.server);
        stop.cancelled().await;
        // From here on it is not ready. Only who asks before sending can be kept from a door that closes.
        self.services.stopping.cancel();
        tokio::time::sleep(self.services.settings.drain()).await;
        tracing::info!("stopping: requests and runs have ten seconds to finish");
        let (_, _) =
            tokio::join!(tokio::time::timeout(GRACE, handle.stop(true)), tokio::time::timeout(GRACE, jobs.stopped()));
        jobs::tell_last_heads(self.services).await;
        if let Some(handle) = metrics_handle {
            handle.stop(false).await;
        }
        server.await.unwrap_or(Ok(()))
    }
}

fn serve(services: Data<Services>, listener: std::net::TcpListener) -> Result<actix_web::dev::Server, StartError> {
    let (tls, pages) = (services.settings.tls(), services.settings.has_pages());
    let address = services.settings.listen;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(services.clone())
            .wrap(middleware::from_fn(web::security::guard))
            .configure(if pages { web::routes } else { web::probes })
            .configure(|config| {
                if pages {
                    api::routes(config)
                }
            })
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
