//! The token server of a registry: checks a password and signs RS256 tokens with their certificate in `x5c`.
//! <https://distribution.github.io/distribution/spec/auth/jwt/>

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, SigningKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use super::certificates::Authority;

pub const ISSUER: &str = "Test issuer";
pub const SERVICE: &str = "Test registry";

pub struct TokenIssuer {
    pub address: SocketAddr,
    /// Signed the certificate that it serves https with.
    pub authority: Authority,
    shared: Arc<Shared>,
    server: actix_web::dev::ServerHandle,
}

struct Shared {
    key: KeyPair,
    certificate: rcgen::Certificate,
    /// `user:password`
    login: Mutex<String>,
    /// Repositories that nobody may pull.
    closed: Mutex<HashSet<String>>,
    log: Mutex<Vec<Option<String>>>,
}

impl TokenIssuer {
    pub async fn start(user: &str, password: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let certificate = CertificateParams::new(["issuer.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        let shared = Arc::new(Shared {
            key,
            certificate,
            login: Mutex::new(format!("{user}:{password}")),
            closed: Mutex::default(),
            log: Mutex::default(),
        });
        let authority = Authority::new();
        let state = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || App::new().app_data(state.clone()).route("/token", web::get().to(issue)))
            .workers(1)
            .disable_signals()
            .bind_rustls_0_23(("127.0.0.1", 0), tls(&authority))
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, authority, shared, server: handle }
    }

    pub fn realm(&self) -> String {
        format!("https://{}/token", self.address)
    }

    /// What the registry trusts, PEM.
    pub fn certificate(&self) -> String {
        self.shared.certificate.pem()
    }

    pub fn set_login(&self, user: &str, password: &str) {
        *self.shared.login.lock().unwrap() = format!("{user}:{password}");
    }

    pub fn close(&self, repository: &str) {
        self.shared.closed.lock().unwrap().insert(repository.to_owned());
    }

    /// A token for these scopes, asked by nobody.
    pub fn token(&self, scopes: &[&str]) -> String {
        self.shared.token(scopes)
    }

    /// The Authorization headers that arrived, in order.
    pub fn authorizations(&self) -> Vec<Option<String>> {
        self.shared.log.lock().unwrap().clone()
    }
}

impl Drop for TokenIssuer {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Shared {
    fn token(&self, scopes: &[&str]) -> String {
        let access: Vec<_> = scopes
            .iter()
            .filter_map(|scope| {
                let (kind, rest) = scope.split_once(':')?;
                let (name, actions) = rest.rsplit_once(':')?;
                Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
            })
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(self.certificate.der())]});
        let claims = json!({"iss": ISSUER, "aud": SERVICE, "sub": "", "iat": now, "nbf": now - 10, "exp": now + 300,
            "jti": uuid::Uuid::new_v4(), "access": access});
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn tls(authority: &Authority) -> rustls::ServerConfig {
    let (certificate, key) = authority.server("127.0.0.1");
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
}

async fn issue(
    request: HttpRequest,
    query: web::Query<Vec<(String, String)>>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let sent = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    shared.log.lock().unwrap().push(sent.clone());
    let wanted = format!("Basic {}", STANDARD.encode(shared.login.lock().unwrap().as_bytes()));
    if sent != Some(wanted) {
        return HttpResponse::Unauthorized().json(json!({"errors": [{"code": "UNAUTHORIZED"}]}));
    }
    let closed = shared.closed.lock().unwrap().clone();
    let scopes = query.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| scope.as_str());
    let granted: Vec<&str> = scopes
        .filter(|scope| !closed.contains(scope.split(':').nth(1).unwrap_or_default()))
        .filter(|scope| scope.ends_with(":pull") || *scope == "registry:catalog:*")
        .collect();
    HttpResponse::Ok().json(json!({"token": shared.token(&granted), "expires_in": 300}))
}
