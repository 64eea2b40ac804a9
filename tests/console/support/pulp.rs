//! Pulp with its container plugin (<https://pulpproject.org/pulp_container/>): a registry of another family than
//! distribution's, with a token server of its own that gives the member `token` only, a catalogue, and absolute links
//! from page to page. `script/test` installs it and names its folder in `STRONGROOM_TEST_PULP`; its migrated database
//! is made once and kept there.
#![allow(clippy::disallowed_methods, reason = "its parts are run as an operator runs them")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::{QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::cluster::Cluster;
use super::peers::free_port;

pub const USER: &str = "admin";
pub const PASSWORD: &str = "sekret-of-pulp";

pub struct Pulp {
    parts: Vec<Child>,
    programs: PathBuf,
    directory: TempDir,
    _cluster: Cluster,
    port: u16,
    http: reqwest::Client,
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

impl Pulp {
    /// `None` where it is not installed.
    pub async fn start() -> Option<Self> {
        let programs = PathBuf::from(std::env::var_os("STRONGROOM_TEST_PULP")?);
        let (cluster, directory) = (Cluster::start(), tempfile::tempdir().unwrap());
        let (port, content) = (free_port(), free_port());
        cluster.sql("CREATE DATABASE pulp");
        let ask = |sql: &str| {
            let text = sql_query(format!("SELECT {sql} AS text")).get_result::<Text>(&mut cluster.connect());
            // A path may be quoted.
            text.expect("an answer").text.trim_matches('"').to_owned()
        };
        let (socket, user) = (ask("current_setting('unix_socket_directories')"), ask("current_user::text"));
        write_settings(directory.path(), (port, content), &socket, &user);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut peer = Self { parts: Vec::new(), programs, directory, _cluster: cluster, port, http };
        peer.fill_database(&socket, &user);
        let (api, content) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{content}"));
        let parts: [&[&str]; 3] = [
            &["pulpcore-api", "-b", &api, "--workers", "1"],
            &["pulpcore-content", "-b", &content, "--workers", "1"],
            &["pulpcore-worker"],
        ];
        for part in parts {
            let running = peer.command(part).spawn().expect("Pulp is installed by script/test");
            peer.parts.push(running);
        }
        peer.wait().await;
        Some(peer)
    }

    fn command(&self, words: &[&str]) -> Command {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.directory.path().join("log"));
        let mut command = Command::new(self.programs.join("bin").join(words[0]));
        command.args(&words[1..]).env("PULP_SETTINGS", self.directory.path().join("settings.py"));
        command.stdout(Stdio::null()).stderr(log.expect("a log"));
        command
    }

    /// Migrating takes a minute: it is done once a machine.
    fn fill_database(&self, socket: &str, user: &str) {
        let kept = self.programs.join("migrated.sql");
        let at = ["-h", socket, "-U", user, "-d", "pulp", "-q"];
        if kept.exists() {
            let filled = Command::new("psql").args(at).arg("-f").arg(&kept).stdout(Stdio::null()).status();
            assert!(filled.expect("psql is installed by script/test").success());
            return;
        }
        for words in [
            &["pulpcore-manager", "migrate", "--noinput"][..],
            &["pulpcore-manager", "reset-admin-password", "--password", PASSWORD],
        ] {
            assert!(self.command(words).status().expect("it runs").success(), "{}", self.log());
        }
        let fresh = kept.with_extension(format!("sql.{}", std::process::id()));
        let dumped = Command::new("pg_dump").args(&at[..6]).arg("--no-owner").arg("-f").arg(&fresh).status();
        assert!(dumped.expect("pg_dump is installed by script/test").success());
        fs::rename(fresh, kept).expect("kept");
    }

    async fn wait(&self) {
        let patience = Instant::now() + Duration::from_secs(120);
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        while self.http.get(format!("{}/v2/", self.url())).send().await.is_err() {
            assert!(Instant::now() < patience, "Pulp did not start: {}", self.log());
            beat.tick().await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One image under many tags; returns its digest.
    pub async fn push_image(&self, repository: &str, tags: &[&str]) -> String {
        let token = self.token(&format!("repository:{repository}:pull,push")).await;
        let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}});
        let (config, layer) = (config.to_string().into_bytes(), vec![b'x'; 1000]);
        let descriptor =
            |media: &str, blob: &[u8]| json!({"mediaType": media, "digest": sha256(blob), "size": blob.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &layer)]});
        let manifest = manifest.to_string().into_bytes();
        for blob in [config, layer] {
            let begun = self.http.post(format!("{}/v2/{repository}/blobs/uploads/", self.url())).bearer_auth(&token);
            let begun = begun.send().await.unwrap();
            let place = begun.headers()["location"].to_str().unwrap().to_owned();
            let place = format!("{}{place}?digest={}", self.url(), sha256(&blob));
            let put = self.http.put(place).bearer_auth(&token).body(blob).send().await.unwrap();
            assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        }
        for tag in tags {
            let put = self.http.put(format!("{}/v2/{repository}/manifests/{tag}", self.url())).bearer_auth(&token);
            let put = put.header("content-type", MANIFEST).body(manifest.clone()).send().await.unwrap();
            assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        }
        sha256(&manifest)
    }

    async fn token(&self, scope: &str) -> String {
        let asked = self.http.get(format!("{}/token/", self.url()));
        let asked = asked.query(&[("service", format!("127.0.0.1:{}", self.port).as_str()), ("scope", scope)]);
        let answer: Value = asked.basic_auth(USER, Some(PASSWORD)).send().await.unwrap().json().await.unwrap();
        answer["token"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Pulp {
    fn drop(&mut self) {
        for part in &mut self.parts {
            // Each has workers of its own, which go with it when it is asked to.
            let _ =
                rustix::process::kill_process(rustix::process::Pid::from_child(part), rustix::process::Signal::TERM);
        }
        for part in &mut self.parts {
            let _ = part.wait();
        }
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// <https://pulpproject.org/pulpcore/docs/admin/reference/settings/>
fn write_settings(at: &Path, (api, content): (u16, u16), socket: &str, user: &str) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    fs::write(at.join("private.pem"), key.serialize_pem()).unwrap();
    fs::write(at.join("public.pem"), key.public_key_pem()).unwrap();
    fs::write(at.join("fields.key"), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
    for folder in ["media", "static", "work", "tmp"] {
        fs::create_dir(at.join(folder)).unwrap();
    }
    let place = at.display();
    let settings = format!(
        "SECRET_KEY = \"of-a-test\"\nCONTENT_ORIGIN = \"http://127.0.0.1:{content}\"\nCACHE_ENABLED = False\n\
         ANALYTICS = False\nDEPLOY_ROOT = \"{place}\"\nMEDIA_ROOT = \"{place}/media\"\n\
         STATIC_ROOT = \"{place}/static\"\nWORKING_DIRECTORY = \"{place}/work\"\n\
         FILE_UPLOAD_TEMP_DIR = \"{place}/tmp\"\nDB_ENCRYPTION_KEY = \"{place}/fields.key\"\n\
         TOKEN_SERVER = \"http://127.0.0.1:{api}/token/\"\nTOKEN_SIGNATURE_ALGORITHM = \"ES256\"\n\
         PUBLIC_KEY_PATH = \"{place}/public.pem\"\nPRIVATE_KEY_PATH = \"{place}/private.pem\"\n\
         DATABASES = {{\"default\": {{\"ENGINE\": \"django.db.backends.postgresql\", \"NAME\": \"pulp\", \
         \"USER\": \"{user}\", \"HOST\": \"{socket}\"}}}}\n"
    );
    fs::write(at.join("settings.py"), settings).unwrap();
}
