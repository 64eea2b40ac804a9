//! Helpers that tools start when they need credentials, each by the tool's own protocol.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::settings::Connection;
use super::source::Source;
use super::trouble::{Result, Trouble};

mod aws;
mod docker;
mod git;
mod kubectl;
mod kubelet;
mod mapping;

pub use mapping::Mapping;

#[derive(Subcommand)]
pub enum Tool {
    /// AWS SDKs and CLI: credential_process = strongroom-client helper aws RULE
    Aws { rule: String },
    /// Docker, Podman, skopeo: link this program as docker-credential-strongroom
    Docker {
        /// get, store, erase or list
        action: String,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// Git: credential.helper = "!strongroom-client helper git HOST=RULE"
    Git {
        /// The rules of hosts, unless a file has them; then get, store or erase
        #[arg(required = true, value_names = ["HOST=RULE", "ACTION"])]
        words: Vec<String>,
        #[command(flatten)]
        hosts: Hosts,
    },
    /// kubectl and client-go: users[].user.exec in a kubeconfig
    Kubectl { rule: String },
    /// The kubelet: a credential provider plugin
    Kubelet {
        #[command(flatten)]
        hosts: Hosts,
    },
}

const HOSTS_HELP: &str = "File with lines `host = rule` [default: strongroom/hosts in ~/.config, then in /etc]";

#[derive(Args)]
pub struct Hosts {
    #[arg(long = "hosts", env = "STRONGROOM_HOSTS", value_name = "FILE", help = HOSTS_HELP)]
    file: Option<PathBuf>,
}

impl Hosts {
    fn read(&self) -> Result<Mapping> {
        Mapping::read(self.file.as_deref())
    }
}

pub async fn run(connection: &Connection, tool: Tool) -> Result<ExitCode> {
    let source = || Source::of(connection);
    match tool {
        Tool::Aws { rule } => aws::run(&source(), &rule).await,
        Tool::Docker { action, hosts } => Ok(docker::run(&source(), &action, &hosts).await),
        Tool::Git { words, hosts } => git::run(&source(), &words, &hosts).await,
        Tool::Kubectl { rule } => kubectl::run(&source(), &rule).await,
        Tool::Kubelet { hosts } => kubelet::run(connection, &hosts).await,
    }
}

/// What the tool asks, on standard input.
fn input() -> Result<String> {
    let mut text = String::new();
    let failed = |error| Trouble::Local(format!("cannot read the request: {error}"));
    std::io::stdin().lock().take(1 << 20).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
