//! Where the console is, who we are there, and where the agent listens: flags and environment variables.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;
use zeroize::Zeroizing;

use super::console::Console;
use super::environment::variable;
use super::identity::{self, Named, Proof, Workload};
use super::net::Trust;
use super::saved_login::Saved;
use super::trouble::{Result, Trouble};

#[derive(Args)]
#[command(next_help_heading = "Console")]
#[allow(rustdoc::bare_urls, reason = "--help says these sentences")]
pub struct Connection {
    /// Address of the console, for example https://strongroom.example.com
    #[arg(long, env = "STRONGROOM_URL", global = true)]
    pub url: Option<Url>,
    /// File with the client's token (or set STRONGROOM_TOKEN)
    #[arg(long, env = "STRONGROOM_TOKEN_FILE", global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Name of the client, to log in with this workload's own identity
    #[arg(long, env = "STRONGROOM_CLIENT", global = true, value_name = "NAME")]
    pub client: Option<String>,
    /// The identity to use, if this workload has several
    #[arg(long, env = "STRONGROOM_IDENTITY", global = true, value_name = "KIND")]
    pub identity: Option<Workload>,
    /// File with the identity token of a Kubernetes service account
    #[arg(
        long,
        env = "STRONGROOM_IDENTITY_FILE",
        global = true,
        value_name = "FILE",
        default_value = "/var/run/secrets/strongroom/token",
        hide_default_value = true
    )]
    pub identity_file: PathBuf,
    /// Audience to ask an identity token for
    #[arg(long, env = "STRONGROOM_AUDIENCE", global = true, default_value = "strongroom")]
    pub audience: String,
    /// Server ID that an AWS-signed request names [default: host of the console]
    #[arg(long, env = "STRONGROOM_AWS_SERVER_ID", global = true, value_name = "ID")]
    pub aws_server_id: Option<String>,
    /// PEM file of a private CA, trusted besides the system's CAs
    #[arg(long, env = "STRONGROOM_CA_FILE", global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Allow http:// to a console on another machine: anyone on the network can read what is fetched
    #[arg(long, env = "STRONGROOM_ALLOW_HTTP", global = true)]
    pub allow_http: bool,
    /// Socket of the agent [default: strongroom/agent.sock in $XDG_RUNTIME_DIR, or in /run for root]
    #[arg(long, env = "STRONGROOM_AGENT", global = true, value_name = "SOCKET")]
    pub agent: Option<PathBuf>,
    /// Ask the console even if an agent runs
    #[arg(long, global = true)]
    pub no_agent: bool,
    /// Seconds to keep trying while the console cannot be reached
    #[arg(long, env = "STRONGROOM_PATIENCE", global = true, default_value_t = 10, value_name = "SECONDS")]
    pub patience: u64,
}

impl Connection {
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }

    /// `None` where no folder is private to this user.
    pub fn socket(&self) -> Option<PathBuf> {
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let root = || rustix::process::geteuid().is_root().then(|| PathBuf::from("/run"));
        let default = || Some(runtime.or_else(root)?.join("strongroom/agent.sock"));
        self.agent.clone().or_else(default)
    }

    pub fn trust(&self) -> Trust {
        Trust::new(self.ca_file.clone())
    }

    /// The console by the flags, the environment, or the saved login.
    pub fn console(&self) -> Result<Console> {
        let saved = Saved::read()?;
        let url = self.url.clone().or_else(|| saved.as_ref().map(|saved| saved.url.clone()));
        let url = url.ok_or_else(|| Trouble::local("which console? Set STRONGROOM_URL, or log in"))?;
        let proof = self.proof(&url, saved)?;
        self.console_with(&url, proof)
    }

    pub fn console_with(&self, url: &Url, proof: Proof) -> Result<Console> {
        Console::new(url, proof, self.trust(), self.allow_http)
    }

    /// Who we are by the flags and the environment; `None` where that is left to a saved login or the agent.
    pub fn named(&self) -> Option<Named> {
        self.token().map(Named::Token).or_else(|| self.client.clone().map(Named::Client))
    }

    fn token(&self) -> Option<Proof> {
        let of_environment = || variable("STRONGROOM_TOKEN").map(|token| Zeroizing::new(token.trim().to_owned()));
        self.token_file.clone().map(Proof::TokenFile).or_else(|| of_environment().map(Proof::Token))
    }

    fn proof(&self, url: &Url, saved: Option<Saved>) -> Result<Proof> {
        if let Some(proof) = self.token() {
            return Ok(proof);
        }
        // A saved login is for the console it was saved for, and for no other.
        let saved = saved.filter(|saved| saved.url == *url);
        let client = self.client.clone().or_else(|| saved.as_ref().and_then(|saved| saved.client.clone()));
        if let Some(client) = client {
            return self.workload(url, client);
        }
        let token = saved.and_then(|saved| saved.token);
        token.map(Proof::Token).ok_or_else(|| {
            Trouble::local(
                "not logged in: set STRONGROOM_TOKEN_FILE or STRONGROOM_CLIENT, or run `strongroom-client login`",
            )
        })
    }

    pub fn workload(&self, url: &Url, client: String) -> Result<Proof> {
        let kind = match self.identity {
            Some(kind) => kind,
            None => identity::found(&self.identity_file)?,
        };
        let server_id = self.aws_server_id.clone().or_else(|| url.host_str().map(str::to_owned)).unwrap_or_default();
        let (audience, file) = (self.audience.clone(), self.identity_file.clone());
        Ok(Proof::Workload { client, kind, audience, server_id, file })
    }
}
