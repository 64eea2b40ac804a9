//! A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager on loopback, shared by all tests
//! of the process, with a stand-in for the kubelets ([`kubelet`]). It starts when the first test needs it and stops with
//! the process, however that ends. A test uses it through a [`Lab`] with its own logins, namespaces and names.
//! `script/test` builds it and names its folder in `STRONGROOM_TEST_KUBERNETES`.
#![allow(clippy::disallowed_methods, reason = "its parts are run as an operator runs them")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::db::Scratch;
use super::peers::certificates::Authority;
use super::peers::free_port;

mod between;
mod caller;
mod kubelet;
mod lab;

pub use between::{Between, Fate};
pub use caller::Caller;
pub use lab::{Lab, Login, rule};

/// Nodes for any pod, and one only for pods that tolerate `dedicated=gpu:NoSchedule`.
pub const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];
pub const TAINTED: &str = "node-gpu";
const LOGINS: usize = 2000;
const ADMINISTRATOR: &str = "administrator-of-the-tests-cluster";
/// An audience that tokens may have, other than the API server itself.
const AUDIENCES: &str = "--api-audiences=https://kubernetes.default.svc,strongroom";

static PLANE: OnceCell<Plane> = OnceCell::const_new();

struct Plane {
    server: String,
    authority: Authority,
    scratch: Scratch,
}

impl Plane {
    async fn shared() -> &'static Self {
        PLANE.get_or_init(Self::start).await
    }

    /// Starts on other ports if another program takes one in the meantime.
    async fn start() -> Self {
        let mut log = String::new();
        for _ in 0..5 {
            match Self::on_free_ports().await {
                Ok(plane) => return plane,
                Err(ended) => log = ended,
            }
        }
        panic!("the control plane does not start: {log}");
    }

    async fn on_free_ports() -> Result<Self, String> {
        let (scratch, authority) = (Scratch::new(), Authority::new());
        let [etcd, peer, port] = [(); 3].map(|()| free_port());
        let server = format!("https://127.0.0.1:{port}");
        let plane = Self { server, authority, scratch };
        plane.write_files();
        let mut parts = vec![plane.run(Path::new("/usr/bin/etcd"), &plane.etcd(etcd, peer))];
        parts.push(plane.run(&program("kube-apiserver"), &plane.api_server(port, etcd)));
        plane.wait_until_ready(&mut parts).await?;
        plane.add_nodes().await;
        parts.push(plane.run(&program("kube-controller-manager"), &plane.controllers()));
        kubelet::start(&plane);
        Ok(plane)
    }

    fn path(&self, name: &str) -> String {
        self.scratch.path.join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    fn write_files(&self) {
        let (certificate, key) = self.authority.server("127.0.0.1");
        let signing = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let mut tokens = format!("{ADMINISTRATOR},administrator,0,system:masters\n");
        for number in 0..LOGINS {
            let login = Login::number(number);
            writeln!(tokens, "{},{},{}", login.token, login.name, number + 1).expect("a line");
        }
        self.write("ca.pem", &self.authority.pem);
        self.write("server.pem", &certificate);
        self.write("server.key", &key);
        self.write("accounts.key", &signing.serialize_pem());
        self.write("accounts.pub", &signing.public_key_pem());
        self.write("tokens.csv", &tokens);
        self.write("controllers.json", &self.kubeconfig(&self.server, ADMINISTRATOR));
    }

    /// <https://etcd.io/docs/v3.4/op-guide/configuration/>
    fn etcd(&self, port: u16, peer: u16) -> Vec<String> {
        let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
        vec![
            "--unsafe-no-fsync".to_owned(),
            format!("--data-dir={}", self.path("etcd")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
        ]
    }

    /// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/>
    fn api_server(&self, port: u16, etcd: u16) -> Vec<String> {
        let mut flags: Vec<String> = [
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            AUDIENCES,
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            "--profiling=false",
        ]
        .map(str::to_owned)
        .into();
        flags.push(format!("--secure-port={port}"));
        flags.push(format!("--etcd-servers=http://127.0.0.1:{etcd}"));
        for (flag, file) in [
            ("cert-dir", "."),
            ("tls-cert-file", "server.pem"),
            ("tls-private-key-file", "server.key"),
            ("client-ca-file", "ca.pem"),
            ("token-auth-file", "tokens.csv"),
            ("service-account-key-file", "accounts.pub"),
            ("service-account-signing-key-file", "accounts.key"),
        ] {
            flags.push(format!("--{flag}={}", self.path(file)));
        }
        flags
    }

    /// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/>
    fn controllers(&self) -> Vec<String> {
        let mut flags: Vec<String> = [
            "--controllers=daemonset,namespace,garbagecollector,serviceaccount,serviceaccount-token,\
             clusterrole-aggregation",
            "--leader-elect=false",
            "--port=0",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]
        .map(str::to_owned)
        .into();
        for (flag, file) in [
            ("kubeconfig", "controllers.json"),
            ("service-account-private-key-file", "accounts.key"),
            ("root-ca-file", "ca.pem"),
        ] {
            flags.push(format!("--{flag}={}", self.path(file)));
        }
        flags
    }

    /// Starts a program and keeps its pid where the watchdog finds it.
    fn run(&self, program: &Path, flags: &[String]) -> Part {
        let name = program.file_name().expect("a program").to_string_lossy().into_owned();
        let log = self.scratch.path.join(format!("{name}.log"));
        let output = fs::File::create(&log).expect("a log");
        let mut command = Command::new(program);
        command.args(flags).current_dir(&self.scratch.path).env_clear().env("HOME", &self.scratch.path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} is installed by script/test: {error}"));
        let mut pids = fs::OpenOptions::new().create(true).append(true).open(self.path("pids")).expect("a list");
        std::io::Write::write_all(&mut pids, format!("{}\n", child.id()).as_bytes()).expect("written");
        Part { child, log }
    }

    async fn wait_until_ready(&self, parts: &mut [Part]) -> Result<(), String> {
        let patience = Instant::now() + Duration::from_secs(120);
        let administrator = self.administrator();
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        loop {
            beat.tick().await;
            if administrator.answers("/readyz").await {
                return Ok(());
            }
            if let Some(ended) = parts.iter_mut().find_map(Part::ended) {
                parts.iter_mut().for_each(Part::kill);
                return Err(ended);
            }
            assert!(Instant::now() < patience, "the control plane is not ready: {}", parts[1].last_words());
        }
    }

    /// An admission plugin taints new nodes as not ready. Without kubelets, the taint has to be removed here.
    async fn add_nodes(&self) {
        let administrator = self.administrator();
        for (name, pool) in NODES.into_iter().zip(["a", "a", "b"]).chain([(TAINTED, "gpu")]) {
            let labels = json!({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64", "pool": pool});
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}});
            administrator.create("/api/v1/nodes", &node).await;
            let taints = if name == TAINTED {
                json!([{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}])
            } else {
                json!([])
            };
            let path = format!("/api/v1/nodes/{name}");
            administrator.merge(&path, "tests", &json!({"spec": {"taints": taints}})).await;
            let status = json!({"status": {
                "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "500"},
                "capacity": {"cpu": "8", "memory": "16Gi", "pods": "500"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}]}});
            administrator.merge(&format!("{path}/status"), "tests", &status).await;
        }
    }

    fn administrator(&self) -> Caller {
        Caller::new(&self.authority.pem, &self.server, ADMINISTRATOR)
    }

    /// A kubeconfig with one context, the certificate authority and a token.
    fn kubeconfig(&self, server: &str, token: &str) -> String {
        let authority = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &self.authority.pem);
        let cluster = json!({"server": server, "certificate-authority-data": authority});
        config(&cluster, &json!({"token": token}))
    }
}

fn config(cluster: &Value, user: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "tests",
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "clusters": [{"name": "tests", "cluster": cluster}], "users": [{"name": "tests", "user": user}]})
    .to_string()
}

fn program(name: &str) -> PathBuf {
    let place =
        std::env::var_os("STRONGROOM_TEST_KUBERNETES").expect("STRONGROOM_TEST_KUBERNETES is set by script/test");
    PathBuf::from(place).join(name)
}

/// A program of the control plane.
struct Part {
    child: Child,
    log: PathBuf,
}

impl Part {
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn ended(&mut self) -> Option<String> {
        self.child.try_wait().expect("our child").map(|_| self.last_words())
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
