//! OpenBao in its development mode: a mount of KV version 2 at `secret/`, everything in memory, the token `root`.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::free_port;

pub struct OpenBao {
    process: Child,
    directory: TempDir,
    address: SocketAddr,
    http: reqwest::Client,
    tls: bool,
}

pub const ROOT: &str = "root-token-of-the-test";

impl OpenBao {
    pub async fn start() -> Self {
        Self::start_as(false).await
    }

    /// By https with a certificate of its own authority, asking for client certificates.
    pub async fn start_with_tls() -> Self {
        Self::start_as(true).await
    }

    async fn start_as(tls: bool) -> Self {
        for _ in 0..5 {
            if let Some(peer) = Self::on_a_free_port(tls).await {
                return peer;
            }
        }
        panic!("OpenBao did not start");
    }

    async fn on_a_free_port(tls: bool) -> Option<Self> {
        let program = std::env::var("STRONGROOM_TEST_OPENBAO").expect("script/test sets it");
        let directory = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = Command::new(program);
        command.args(["server", "-dev", "-dev-no-store-token", &format!("-dev-root-token-id={ROOT}")]);
        command.arg(format!("-dev-listen-address={address}"));
        if tls {
            command.args(["-dev-tls", &format!("-dev-tls-cert-dir={}", directory.path().display())]);
        }
        command.env("HOME", directory.path()).stdout(Stdio::null());
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let process = command.stderr(log).spawn().expect("OpenBao is installed by script/test");
        let (mut peer, patience) = (
            Self { process, directory, address, http: reqwest::Client::new(), tls },
            Instant::now() + Duration::from_secs(60),
        );
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        loop {
            beat.tick().await;
            if peer.process.try_wait().unwrap().is_some() || Instant::now() > patience {
                return None;
            }
            let trusted = if tls { peer.trusting() } else { reqwest::Client::builder().no_proxy().build().ok() };
            let Some(http) = trusted else { continue };
            peer.http = http;
            let health = peer.http.get(format!("{}/v1/secret/config", peer.url())).header("x-vault-token", ROOT);
            if health.send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Some(peer);
            }
        }
    }

    fn trusting(&self) -> Option<reqwest::Client> {
        let authority = reqwest::Certificate::from_pem(self.authority()?.as_bytes()).ok()?;
        reqwest::Client::builder().no_proxy().add_root_certificate(authority).build().ok()
    }

    /// Of its certificate, in PEM.
    pub fn authority(&self) -> Option<String> {
        std::fs::read_to_string(self.directory.path().join("vault-ca.pem")).ok()
    }

    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// One call as root.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.ask_in("", method, path, body).await
    }

    /// The same in a namespace.
    pub async fn ask_in(&self, namespace: &str, method: &str, path: &str, body: Value) -> Value {
        let request = self.http.request(method.parse().unwrap(), format!("{}/v1/{path}", self.url()));
        let request = request.header("x-vault-token", ROOT).header("x-vault-namespace", namespace);
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// An entry of the mount `secret`, of KV version 2.
    pub async fn holds(&self, name: &str, data: Value) {
        self.ask("POST", &format!("secret/data/{name}"), json!({ "data": data })).await;
    }

    /// A token of a policy in Vault's own language.
    pub async fn token(&self, policy: &str) -> String {
        self.ask("PUT", "sys/policies/acl/of-the-test", json!({ "policy": policy })).await;
        let made = self.ask("POST", "auth/token/create", json!({ "policies": ["of-the-test"] })).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// How many tokens there are.
    pub async fn tokens(&self) -> usize {
        let listed = self.ask("LIST", "auth/token/accessors", json!({})).await;
        listed["data"]["keys"].as_array().map_or(0, Vec::len)
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
