//! The distribution registry (Debian's `docker-registry`), with any sign-in it knows. Images are pushed over its own
//! API: <https://distribution.github.io/distribution/spec/api/>

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::certificates::Authority;
use super::free_port;
use super::recorder::{Recorder, Seen};
use super::token_issuer::{ISSUER, SERVICE, TokenIssuer};

pub enum Auth {
    None,
    Htpasswd { user: &'static str, password: &'static str },
    Token { user: &'static str, password: &'static str },
    Tls,
    ClientCertificate,
}

pub struct Registry {
    process: Child,
    directory: TempDir,
    address: SocketAddr,
    recorder: Option<Recorder>,
    issuer: Option<TokenIssuer>,
    authority: Option<Authority>,
    login: Option<(&'static str, String)>,
    http: reqwest::Client,
}

impl Registry {
    pub async fn start(auth: Auth) -> Self {
        Self::launch(auth, free_port(), "").await
    }

    /// One that anybody may use, at that port, and that calls an address when something changes.
    pub async fn notifying(port: u16, address: &str) -> Self {
        let endpoint =
            format!("name: console\n      url: {address}\n      timeout: 10s\n      threshold: 9\n      backoff: 1s\n");
        Self::launch(Auth::None, port, &format!("notifications:\n  endpoints:\n    - {endpoint}")).await
    }

    async fn launch(auth: Auth, port: u16, notifications: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let (mut issuer, mut authority, mut login) = (None, None, None);
        let mut http = reqwest::Client::builder().no_proxy();
        let (mut auth_yaml, mut tls_yaml) = (String::new(), String::new());
        match auth {
            Auth::None => {}
            Auth::Htpasswd { user, password } => {
                write_htpasswd(&path("htpasswd"), user, password);
                auth_yaml = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", path("htpasswd"));
                login = Some((user, password.to_owned()));
            }
            Auth::Token { user, password } => {
                let started = TokenIssuer::start(user, password).await;
                fs::write(path("issuer.pem"), started.certificate()).unwrap();
                auth_yaml = format!(
                    "auth:\n  token:\n    realm: {}\n    service: {SERVICE}\n    issuer: {ISSUER}\n    rootcertbundle: {}\n",
                    started.realm(),
                    path("issuer.pem")
                );
                login = Some((user, password.to_owned()));
                issuer = Some(started);
            }
            Auth::Tls | Auth::ClientCertificate => {
                let own = Authority::new();
                let (certificate, key) = own.server("127.0.0.1");
                fs::write(path("server.pem"), certificate).unwrap();
                fs::write(path("server.key"), key).unwrap();
                fs::write(path("ca.pem"), &own.pem).unwrap();
                tls_yaml =
                    format!("  tls:\n    certificate: {}\n    key: {}\n", path("server.pem"), path("server.key"));
                http = http.tls_certs_only([reqwest::Certificate::from_pem(own.pem.as_bytes()).unwrap()]);
                if matches!(auth, Auth::ClientCertificate) {
                    tls_yaml += &format!("    clientcas:\n      - {}\n", path("ca.pem"));
                    http = http.identity(reqwest::Identity::from_pem(own.client("pusher").as_bytes()).unwrap());
                }
                authority = Some(own);
            }
        }
        let config = format!(
            "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  inmemory: {{}}\n\
             http:\n  addr: 127.0.0.1:{port}\n  relativeurls: true\n  secret: test\n{tls_yaml}{auth_yaml}{notifications}"
        );
        fs::write(path("config.yml"), config).unwrap();
        let process = Command::new("docker-registry")
            .args(["serve", &path("config.yml")])
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("log")).unwrap())
            .spawn()
            .expect("docker-registry is installed by script/test");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut peer =
            Self { process, directory, address, recorder: None, issuer, authority, login, http: http.build().unwrap() };
        peer.wait().await;
        if peer.authority.is_none() {
            peer.recorder = Some(Recorder::start(address).await);
        }
        peer
    }

    /// Until it accepts connections.
    async fn wait(&mut self) {
        let patience = Instant::now() + Duration::from_secs(20);
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            let log = || fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            assert!(self.process.try_wait().unwrap().is_none(), "the registry ended: {}", log());
            assert!(Instant::now() < patience, "the registry did not start: {}", log());
            beat.tick().await;
        }
    }

    /// As an integration enters it: through the recorder where the registry is plain.
    pub fn url(&self) -> String {
        match &self.recorder {
            Some(recorder) => format!("http://{}", recorder.address),
            None => format!("https://{}", self.address),
        }
    }

    /// Requests that came by [`Registry::url`], in order; none is seen where the registry speaks TLS.
    pub fn seen(&self) -> Vec<Seen> {
        self.recorder.as_ref().map(Recorder::seen).unwrap_or_default()
    }

    /// The Authorization headers among them.
    pub fn authorizations(&self) -> Vec<String> {
        self.seen().into_iter().filter_map(|seen| seen.authorization).collect()
    }

    /// The private authority to trust for a scan of it, PEM: its own, or its token server's. Blank when there is none.
    pub fn ca_certificate(&self) -> &str {
        let authority = self.authority.as_ref().or(self.issuer.as_ref().map(|issuer| &issuer.authority));
        authority.map_or("", |authority| &authority.pem)
    }

    pub fn issuer(&self) -> &TokenIssuer {
        self.issuer.as_ref().expect("started with Auth::Token")
    }

    pub fn authority(&self) -> &Authority {
        self.authority.as_ref().expect("started with TLS")
    }

    /// From now on only the new password is good.
    pub fn set_password(&mut self, password: &str) {
        let (user, known) = self.login.as_mut().expect("started with a login");
        *known = password.to_owned();
        match &self.issuer {
            Some(issuer) => issuer.set_login(user, password),
            None => write_htpasswd(&self.directory.path().join("htpasswd").display().to_string(), user, password),
        }
    }

    /// One Linux image under many tags; returns its digest.
    pub async fn push_image(&self, repository: &str, tags: &[&str]) -> String {
        let manifest = self.image(repository, "amd64", "").await;
        let mut digest = String::new();
        for tag in tags {
            digest = self.put_manifest(repository, tag, IMAGE, &manifest).await;
        }
        digest
    }

    /// One index of Linux images, by (architecture, variant); returns its digest.
    pub async fn push_index(&self, repository: &str, tag: &str, platforms: &[(&str, &str)]) -> String {
        let mut children = Vec::new();
        for (architecture, variant) in platforms {
            let manifest = self.image(repository, architecture, variant).await;
            let digest = self.put_manifest(repository, &sha256(&manifest), IMAGE, &manifest).await;
            children.push(json!({"mediaType": IMAGE, "digest": digest, "size": manifest.len(),
                "platform": {"os": "linux", "architecture": architecture, "variant": variant}}));
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).to_string().into_bytes();
        self.put_manifest(repository, tag, INDEX, &index).await
    }

    /// A manifest of one layer of [`LAYER`] bytes.
    async fn image(&self, repository: &str, architecture: &str, variant: &str) -> Vec<u8> {
        let config = json!({"os": "linux", "architecture": architecture, "variant": variant,
            "rootfs": {"type": "layers", "diff_ids": []}});
        let config = config.to_string().into_bytes();
        let layer = vec![b'x'; LAYER];
        let descriptor =
            |media: &str, blob: &[u8]| json!({"mediaType": media, "digest": sha256(blob), "size": blob.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)]});
        for blob in [config, layer] {
            self.put_blob(repository, blob).await;
        }
        manifest.to_string().into_bytes()
    }

    async fn put_blob(&self, repository: &str, blob: Vec<u8>) {
        let base = self.direct();
        let begun = self.http.post(base.join(&format!("v2/{repository}/blobs/uploads/")).unwrap());
        let begun = self.signed(begun, repository).send().await.unwrap();
        assert_eq!(begun.status(), 202, "{}", begun.text().await.unwrap());
        let mut place = base.join(begun.headers()["location"].to_str().unwrap()).unwrap();
        place.query_pairs_mut().append_pair("digest", &sha256(&blob));
        let put = self.signed(self.http.put(place).body(blob), repository).send().await.unwrap();
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
    }

    async fn put_manifest(&self, repository: &str, reference: &str, media: &str, manifest: &[u8]) -> String {
        let url = self.direct().join(&format!("v2/{repository}/manifests/{reference}")).unwrap();
        let put = self.http.put(url).header("content-type", media).body(manifest.to_vec());
        let put = self.signed(put, repository).send().await.unwrap();
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        sha256(manifest)
    }

    /// Past the recorder.
    pub fn direct(&self) -> url::Url {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", self.address).parse().unwrap()
    }

    fn signed(&self, request: reqwest::RequestBuilder, repository: &str) -> reqwest::RequestBuilder {
        match (&self.issuer, &self.login) {
            (Some(issuer), _) => request.bearer_auth(issuer.token(&[&format!("repository:{repository}:pull,push")])),
            (None, Some((user, password))) => request.basic_auth(user, Some(password)),
            (None, None) => request,
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Bytes of the one layer of each image.
pub const LAYER: usize = 1000;
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn write_htpasswd(path: &str, user: &str, password: &str) {
    let line = Command::new("htpasswd").args(["-Bbn", user, password]).output();
    fs::write(path, line.expect("apache2-utils is installed by script/test").stdout).unwrap();
}
