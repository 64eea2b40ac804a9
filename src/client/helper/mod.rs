//! Helpers that tools start when they need credentials, each by the tool's own protocol.

use std::process::ExitCode;

use clap::Subcommand;

use super::settings::Connection;
use super::source::Source;
use super::trouble::Result;

mod aws;
mod docker;
mod git;
mod input;
mod kubectl;
mod kubelet;
mod mapping;

use mapping::Hosts;

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
