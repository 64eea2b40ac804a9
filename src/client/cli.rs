//! What can be asked on the command line, and by the name that the program is started under.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::settings::Connection;
use super::trouble::Result;
use super::{agent, exec, helper, login};

const ABOUT: &str = "Fetches credentials from a Strongroom console for the programs that need them.";
const LONG: &str = "Fetches credentials from a Strongroom console for the programs that need them.

A rule in the console says what this client can fetch. Name the rule; the client fetches it when it is needed, keeps it \
in memory only, and renews it before it ends.

Log in with a token (STRONGROOM_TOKEN_FILE, STRONGROOM_TOKEN, or `strongroom-client login`), or set STRONGROOM_CLIENT to \
the name of the client to log in with the identity of this workload: a Kubernetes service account, a GitHub Actions or \
GitLab CI job, or AWS credentials.";

#[derive(Parser)]
#[command(name = "strongroom-client", version, about = ABOUT, long_about = LONG, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program with the credentials it needs
    Exec(exec::Options),
    /// Share one login and one cache between the programs of this user
    Agent(agent::Options),
    /// Answer a tool that asks for credentials: aws, docker, git, kubectl or the kubelet
    #[command(subcommand)]
    Helper(helper::Tool),
    /// Save a token, read from standard input, or check this workload's own identity
    Login(login::Options),
    /// Delete the saved login
    Logout,
    /// List the rules of this client
    Rules,
}

/// Ends the process if the arguments are wrong, or ask for help.
pub fn read() -> Arguments {
    let words: Vec<OsString> = std::env::args_os().collect();
    Arguments::parse_from(with_name(words))
}

/// A tool finds its helper by the name of the program: `docker-credential-strongroom get` is `helper docker get`.
fn with_name(mut words: Vec<OsString>) -> Vec<OsString> {
    let first = words.first().map(Path::new).and_then(Path::file_name).and_then(|name| name.to_str());
    let tool = match first {
        Some(name) if name.starts_with("docker-credential-") => "docker",
        Some(name) if name.starts_with("git-credential-") => "git",
        Some("strongroom-aws") => "aws",
        Some("strongroom-kubectl") => "kubectl",
        Some("strongroom-kubelet") => "kubelet",
        _ => return words,
    };
    words.splice(1..1, ["helper".into(), tool.into()]);
    words
}

impl Arguments {
    pub async fn run(self) -> Result<ExitCode> {
        let connection = self.connection;
        match self.command {
            Command::Exec(options) => exec::run(&connection, options).await,
            Command::Agent(options) => agent::run(&connection, options).await,
            Command::Helper(tool) => helper::run(&connection, tool).await,
            Command::Login(options) => login::run(&connection, options).await,
            Command::Logout => login::forget(),
            Command::Rules => login::list(&connection).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_chooses_the_helper() {
        let words = |words: &[&str]| with_name(words.iter().map(OsString::from).collect());
        assert_eq!(
            words(&["/bin/git-credential-strongroom", "get"]),
            ["/bin/git-credential-strongroom", "helper", "git", "get"]
        );
        assert_eq!(words(&["strongroom-client", "rules"]), ["strongroom-client", "rules"]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
