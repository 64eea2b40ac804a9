//! moto's server (<https://docs.getmoto.org/en/latest/docs/server_mode.html>): STS, IAM, ECR and Security Hub. Open at
//! first; from [`Moto::enforce`] on it verifies signatures, identity policies and trust policies (`IAM_AUTH`), and
//! inside [`Moto::arrange`] it is open again. Its own recorder keeps every request.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::free_port;

/// moto's one account.
pub const ACCOUNT: &str = "123456789012";

pub struct Moto {
    process: Child,
    directory: TempDir,
    address: SocketAddr,
    http: reqwest::Client,
}

/// A request as it came.
pub struct Request {
    pub authorization: String,
    /// Of the query protocol: `AssumeRole`; of the JSON protocol: `AmazonEC2….DescribeImages`.
    pub action: String,
    /// Of the query protocol.
    form: Vec<(String, String)>,
}

impl Request {
    /// A parameter of the query protocol: `DurationSeconds`.
    pub fn parameter(&self, name: &str) -> &str {
        self.form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl Moto {
    /// Another program may take the port between its choice and moto's start: then on another one.
    pub async fn start() -> Self {
        let mut log = String::new();
        for _ in 0..5 {
            match Self::on_a_free_port().await {
                Ok(peer) => return peer,
                Err(ended) => log = ended,
            }
        }
        panic!("moto ended: {log}");
    }

    /// What moto logged, when it ended at once.
    async fn on_a_free_port() -> Result<Self, String> {
        let program = std::env::var("STRONGROOM_TEST_MOTO").expect("STRONGROOM_TEST_MOTO is set by script/test");
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_ENABLE_RECORDING", "true")
            .env("MOTO_RECORDER_FILEPATH", directory.path().join("requests"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .expect("moto is installed by script/test");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut peer = Self { process, directory, address, http };
        let patience = Instant::now() + Duration::from_secs(60);
        let mut beat = tokio::time::interval(Duration::from_millis(50));
        while tokio::net::TcpStream::connect(peer.address).await.is_err() {
            let log = || fs::read_to_string(peer.directory.path().join("log")).unwrap_or_default();
            if peer.process.try_wait().unwrap().is_some() {
                return Err(log());
            }
            assert!(Instant::now() < patience, "moto did not start: {}", log());
            beat.tick().await;
        }
        match peer.process.try_wait().unwrap() {
            None => Ok(peer),
            Some(_) => Err(fs::read_to_string(peer.directory.path().join("log")).unwrap_or_default()),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Verifies everything from now on.
    pub async fn enforce(&self) {
        self.free_actions("0").await;
    }

    async fn free_actions(&self, number: &'static str) {
        let request = self.http.post(format!("{}/moto-api/reset-auth", self.url()));
        let answer = request.header("content-type", "text/plain").body(number).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// One call of the query protocol as an almighty; afterwards moto enforces.
    pub async fn arrange(&self, service: &str, action: &str, parameters: &[(&str, &str)]) -> String {
        self.free_actions("1000").await;
        let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
        let mut form = vec![("Action", action), ("Version", version)];
        form.extend(parameters);
        let request = self.http.post(self.url()).header("authorization", signature(service)).form(&form);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {text}");
        self.enforce().await;
        text
    }

    /// A user without any permission; its key's id and secret.
    pub async fn user(&self, name: &str) -> (String, String) {
        self.arrange("iam", "CreateUser", &[("UserName", name)]).await;
        self.key(name).await
    }

    /// One more key of a user.
    pub async fn key(&self, name: &str) -> (String, String) {
        let made = self.arrange("iam", "CreateAccessKey", &[("UserName", name)]).await;
        (inside(&made, "AccessKeyId"), inside(&made, "SecretAccessKey"))
    }

    /// Gives a user one statement: `sts:AssumeRole` on a role.
    pub async fn allow(&self, user: &str, action: &str, resource: &str) {
        let policy = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
        .to_string();
        let name = action.replace(':', "-");
        let parameters = [("UserName", user), ("PolicyName", &name), ("PolicyDocument", &policy)];
        self.arrange("iam", "PutUserPolicy", &parameters).await;
    }

    /// A role that trusts one principal, and may read ECR; its ARN.
    pub async fn role(&self, name: &str, trusts: &str) -> String {
        let trust = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": trusts}, "Action": "sts:AssumeRole"}]})
        .to_string();
        self.arrange("iam", "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]).await;
        let read = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
            "Action": ["ecr:GetAuthorizationToken", "ecr:DescribeRepositories", "ecr:DescribeImages"]}]})
        .to_string();
        self.arrange("iam", "PutRolePolicy", &[("RoleName", name), ("PolicyName", "read"), ("PolicyDocument", &read)])
            .await;
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// Changes whom a role trusts.
    pub async fn trust(&self, name: &str, trusts: &str) {
        let trust = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": trusts}, "Action": "sts:AssumeRole"}]})
        .to_string();
        self.arrange("iam", "UpdateAssumeRolePolicy", &[("RoleName", name), ("PolicyDocument", &trust)]).await;
    }

    /// Lets a role do one thing more.
    pub async fn allow_role(&self, role: &str, action: &str) {
        let policy = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
        .to_string();
        let name = action.replace(':', "-");
        let parameters = [("RoleName", role), ("PolicyName", &name), ("PolicyDocument", &policy)];
        self.arrange("iam", "PutRolePolicy", &parameters).await;
    }

    /// What Security Hub holds in a region.
    pub async fn findings(&self, region: &str) -> Vec<Value> {
        self.free_actions("1000").await;
        let signed = signature("securityhub").replace("us-east-1", region);
        let request = self.http.post(format!("{}/findings", self.url())).header("authorization", signed);
        let answer = request.header("content-type", "application/json").body("{}").send().await.unwrap();
        let text = answer.text().await.unwrap();
        self.enforce().await;
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        body["Findings"].as_array().cloned().unwrap_or_default()
    }

    async fn ecr(&self, action: &str, body: &Value) {
        self.free_actions("1000").await;
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        let request = self.http.post(self.url()).header("authorization", signature("ecr"));
        let request = request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{action}: {text}");
        self.enforce().await;
    }

    pub async fn repository(&self, name: &str) {
        self.ecr("CreateRepository", &json!({"repositoryName": name})).await;
    }

    /// Puts an image of its own under a tag.
    pub async fn image(&self, repository: &str, tag: &str) {
        let digest = format!("sha256:{}", hex::encode(sha(&format!("{repository}:{tag}"))));
        let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 100, "digest": digest},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 1000, "digest": digest}]});
        let body = json!({"repositoryName": repository, "imageTag": tag, "imageManifest": manifest.to_string()});
        self.ecr("PutImage", &body).await;
    }

    /// Adds a function with an environment variable of that value, and leaves moto open: it refuses right signatures for
    /// Lambda while it enforces.
    pub async fn function(&self, name: &str, environment: &str) {
        let role = self.role(name, "arn:aws:iam::123456789012:root").await;
        self.free_actions("100000").await;
        let body = json!({"FunctionName": name, "Runtime": "python3.12", "Role": role, "Handler": "index.handler",
            "Code": {"ZipFile": BASE64_STANDARD.encode(EMPTY_ZIP)}, "Environment": {"Variables": {"TOKEN": environment}}});
        let request = self.http.post(format!("{}/2015-03-31/functions", self.url()));
        let request = request.header("authorization", signature("lambda")).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{text}");
    }

    /// Makes something as an almighty, by a call with a document: of a JSON 1.1 service with its target, else of a REST
    /// service. Leaves moto open.
    pub async fn make(&self, service: &str, path: &str, target: &str, body: &Value) {
        self.free_actions("100000").await;
        let request = self.http.post(format!("{}{path}", self.url())).header("authorization", signature(service));
        let request = match target {
            "" => request.header("content-type", "application/json"),
            target => request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1"),
        };
        let answer = request.body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{text}");
    }

    /// Every request so far but those of [`Moto::arrange`] and its like.
    pub fn seen(&self) -> Vec<Request> {
        let text = fs::read_to_string(self.directory.path().join("requests")).unwrap_or_default();
        let requests = text.lines().map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            let header = |name: &str| {
                let all = entry["headers"].as_object().unwrap().iter();
                all.filter(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, v)| v.as_str().unwrap().to_owned())
                    .next()
            };
            let body = entry["body"].as_str().unwrap_or_default();
            let body = BASE64_STANDARD.decode(body).unwrap_or_else(|_| body.as_bytes().to_vec());
            let form: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
            let named = || form.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
            let action = header("x-amz-target").or_else(named).unwrap_or_default();
            Request { authorization: header("authorization").unwrap_or_default(), action, form }
        });
        requests
            .filter(|request| !request.authorization.is_empty() && !request.authorization.contains(ARRANGER))
            .collect()
    }

    pub fn actions(&self) -> Vec<String> {
        self.seen().into_iter().map(|request| request.action).collect()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The text of the first element of that name.
pub fn inside(xml: &str, tag: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{tag}>")).unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

/// An archive without entries: its end record alone.
const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

const ARRANGER: &str = "AKIAARRANGER";

/// Enough of one for moto to find the service.
fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={ARRANGER}/20200101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn sha(text: &str) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}
