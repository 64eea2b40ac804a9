//! The commands of the binary and what each takes. What they do is in `commands`; the
//! settings are in [`crate::config`].

use std::error::Error;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::config::{Settings, StoreSettings};

pub mod audit;
pub mod proxy;

use audit::AuditArgs;
use proxy::ProxyArgs;

/// Exit status of a wrong setting (sysexits.h).
pub const EX_CONFIG: u8 = 78;

#[derive(Debug, Parser)]
#[command(
    name = "strongroom",
    version,
    about = "Keeps cloud credentials in one encrypted store and shows where each is used",
    after_help = "\
Examples:
  strongroom serve                            on http://127.0.0.1:8080, all data in ./data
  strongroom serve --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem
  DATABASE_URL='postgresql://strongroom@db/strongroom' strongroom serve
  strongroom user add alice --role operator   asks for the password, or reads it from a pipe
  strongroom verify                           opens every stored secret: is all well?
  strongroom proxy nginx                      prints the configuration of a reverse proxy

The first start prints a one-time link for the first administrator. Each setting is a flag
and an environment variable; `strongroom serve --help` lists them.
Exit status: 0 done, 1 failed, 2 wrong usage, 78 wrong setting."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the console
    #[command(after_help = "\
Without DATABASE_URL, a private Postgres is made and run under the data directory, reached
over a unix socket only. It stops with the console; one that a killed console left behind is
taken over. SIGTERM lets requests and runs finish, for 10 seconds at most.

Large installations run pages and jobs apart, on one DATABASE_URL and one key ring:
  strongroom serve --only web     as many as the pages need
  strongroom serve --only jobs --public-url https://strongroom.example.com")]
    Serve(Box<Settings>),
    /// Add users, disable them, set their passwords and roles
    #[command(after_help = "\
Examples:
  strongroom user add alice --role administrator --email alice@example.com
  strongroom user password alice < new-password.txt
  strongroom user roles alice auditor
  strongroom user disable alice               ends all sessions of alice at once")]
    User(Box<UserArgs>),
    /// Rotate the master keys that protect every stored secret
    #[command(after_help = "\
A rotation, while the console runs:
  strongroom key add          a new key in the key ring file; copy that to every replica
  strongroom key activate 2   new writes use it
  strongroom key rewrap       moves every secret to it; may be killed and run again
  strongroom key retire 1     refused while anything still needs key 1
Keep retired keys offline for as long as a backup needs them.")]
    Key(Box<KeyArgs>),
    /// Open every stored secret once, and say which ones fail (exit status 1)
    Verify(Box<StoreSettings>),
    /// Check the audit trail
    Audit(Box<AuditArgs>),
    /// Print the configuration of a reverse proxy for this console
    #[command(after_help = "\
Example:
  strongroom proxy nginx --public-url https://strongroom.example.com > strongroom.conf")]
    Proxy(ProxyArgs),
}

#[derive(Args, Debug)]
pub struct UserArgs {
    #[command(subcommand)]
    pub action: UserAction,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Subcommand)]
pub enum UserAction {
    /// Add a user; the password is asked for, or read from standard input if that is no terminal
    Add {
        /// Name to log in with
        name: String,
        /// What the user may do
        #[arg(long, value_name = "ROLE")]
        role: RoleName,
        /// Address for password resets
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The user must choose another password before anything else
        #[arg(long)]
        temporary: bool,
    },
    /// Keep a user from logging in, and end the user's sessions
    Disable { name: String },
    /// Set a password, asked for or read from standard input, and end the user's sessions
    Password {
        name: String,
        /// The user must choose another password before anything else
        #[arg(long)]
        temporary: bool,
    },
    /// Set what a user may do
    Roles { name: String, role: RoleName },
}

/// A role as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Everything
    Administrator,
    /// Uses and edits credentials and integrations
    Operator,
    /// Reads
    Auditor,
}

#[derive(Args, Debug)]
pub struct KeyArgs {
    #[command(subcommand)]
    pub action: KeyAction,
    #[command(flatten)]
    pub store: StoreSettings,
}

#[derive(Debug, Subcommand)]
pub enum KeyAction {
    /// Add a fresh key to the key ring file and make it known to the database
    Add,
    /// Let new writes use a key that every running replica has
    Activate { id: u32 },
    /// Move every secret to the active key, with progress; can be resumed
    Rewrap,
    /// Take a key out of use that no secret needs any more
    Retire { id: u32 },
    /// Sign every row again, after the store was back with the release before
    Sign,
    /// Show the keys, their states and how many secrets each protects
    List,
}

impl Command {
    /// Which store the command works on, if on any.
    pub fn store(&self) -> Option<&StoreSettings> {
        match self {
            Self::Serve(settings) => Some(&settings.store),
            Self::User(args) => Some(&args.store),
            Self::Key(args) => Some(&args.store),
            Self::Verify(store) => Some(store),
            Self::Audit(args) => Some(&args.store),
            Self::Proxy(_) => None,
        }
    }
}

/// Nothing to run: help was asked for, or the arguments are wrong.
#[derive(Debug)]
pub struct Refusal {
    pub text: String,
    /// Exit status; 0 for help and version, whose text belongs on standard output.
    pub status: u8,
}

impl Cli {
    /// Parses arguments (the program's name first) and the environment. A wrong setting is named, with its variable
    /// and the remedy, and never quoted: it may hold a password.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, Refusal> {
        let cli = Self::try_parse_from(arguments).map_err(|error| refusal(&error))?;
        if let Command::Serve(settings) = &cli.command {
            settings.check().map_err(|error| Refusal { text: format!("strongroom: {error}\n"), status: EX_CONFIG })?;
        }
        Ok(cli)
    }
}

fn refusal(error: &clap::Error) -> Refusal {
    if let ErrorKind::ValueValidation | ErrorKind::InvalidValue = error.kind()
        && let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg)
        && let Some((flag, env, choices)) = setting(&built(), invalid)
    {
        let remedy = match error.source() {
            Some(cause) => cause.to_string(),
            None if choices.is_empty() => "it is empty; give a value, or leave it out".to_owned(),
            None => format!("give one of {choices}"),
        };
        let text = format!("strongroom: the setting --{flag} ({env}) is wrong: {remedy}\n");
        return Refusal { text, status: EX_CONFIG };
    }
    if error.kind() == ErrorKind::InvalidUtf8 {
        let text = "strongroom: an argument or a STRONGROOM_ variable is not UTF-8; correct it\n".to_owned();
        return Refusal { text, status: EX_CONFIG };
    }
    Refusal { text: error.render().to_string(), status: u8::try_from(error.exit_code()).unwrap_or(2) }
}

/// The command as clap completes it: only then can its arguments be shown.
fn built() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Flag, variable and possible values of the setting that clap calls `shown` ("--listen <ADDRESS:PORT>").
fn setting(command: &clap::Command, shown: &str) -> Option<(String, String, String)> {
    let here = command.get_arguments().find(|argument| argument.to_string() == shown).and_then(|argument| {
        let values = argument.get_possible_values();
        let choices = values.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>().join(", ");
        Some((argument.get_long()?.to_owned(), argument.get_env()?.to_str()?.to_owned(), choices))
    });
    here.or_else(|| command.get_subcommands().find_map(|inner| setting(inner, shown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<Settings, Refusal> {
        let all = [&["strongroom", "serve"], arguments].concat();
        Cli::read(all).map(|cli| match cli.command {
            Command::Serve(settings) => *settings,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_need_no_setting() {
        let settings = serve(&[]).expect("no setting is required");
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.store.keyring_file().to_str(), Some("data/keyring"));
        assert_eq!(settings.public_url(settings.listen).as_str(), "http://127.0.0.1:8080/");
        assert_eq!(settings.session_idle().as_secs(), 900);
    }

    #[test]
    fn the_private_postgres_comes_with_loopback_allowed_and_says_so() {
        let settings = serve(&[]).expect("defaults");
        assert!(settings.egress_allow().contains("127.0.0.1".parse().expect("an address")));
        assert!(settings.notices()[0].contains("STRONGROOM_EGRESS_ALLOW"));
        for arguments in [&["--database-url", "postgresql://db/x"][..], &["--egress-allow", ""]] {
            let settings = serve(arguments).expect("valid");
            assert!(settings.egress_allow().is_empty());
            assert!(settings.notices().is_empty());
        }
    }

    #[test]
    fn a_tls_key_that_others_may_read_brings_one_notice() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("a path");
        let arguments = ["--database-url", "postgresql://db/x", "--tls-cert", path, "--tls-key", path];
        for (mode, notices) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o644, 1)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, permissions).expect("a mode");
            assert_eq!(serve(&arguments).expect("valid").notices().len(), notices, "{mode:o}");
        }
    }

    #[test]
    fn a_wrong_setting_names_itself_its_variable_and_the_remedy() {
        for (flag, value, variable, remedy) in [
            ("--listen", "here", "STRONGROOM_LISTEN", "127.0.0.1:8080"),
            ("--database-url", "mysql://u:SECRET@h/d", "DATABASE_URL", "postgresql://"),
            ("--public-url", "https://u:SECRET@host/", "STRONGROOM_PUBLIC_URL", "https://"),
            ("--egress-allow", "10.0.0.0/33", "STRONGROOM_EGRESS_ALLOW", "10.0.0.0/8"),
            ("--trusted-proxies", "proxy", "STRONGROOM_TRUSTED_PROXIES", "10.0.0.0/8"),
            ("--metrics-listen", "on", "STRONGROOM_METRICS_LISTEN", "off"),
            ("--log-format", "xml", "STRONGROOM_LOG_FORMAT", "human, json"),
            ("--log", "a=b=c", "STRONGROOM_LOG", "level"),
            ("--keyring-file", "", "STRONGROOM_KEYRING_FILE", "leave it out"),
            ("--db-pool", "0", "STRONGROOM_DB_POOL", "1..=90"),
            ("--session-hours", "many", "STRONGROOM_SESSION_HOURS", "invalid digit"),
            ("--tls-cert", "cert.pem", "STRONGROOM_TLS_KEY", "give both"),
        ] {
            let refusal = serve(&[flag, value]).map(|_| ()).expect_err(flag);
            assert_eq!(refusal.status, EX_CONFIG, "{flag}");
            assert!(refusal.text.contains(variable) && refusal.text.contains(remedy), "{}", refusal.text);
            assert!(!refusal.text.contains("SECRET"), "{}", refusal.text);
        }
    }

    #[test]
    fn every_setting_is_a_flag_and_a_variable_with_a_sentence() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").expect("serve");
        for argument in serve.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str())) {
            let id = argument.get_id().as_str();
            let variable = argument.get_env().and_then(|name| name.to_str()).expect(id);
            let expected = id.to_uppercase();
            // These two are other programs' names for the same thing.
            let known = ["DATABASE_URL", "AWS_ENDPOINT_URL"].contains(&variable);
            assert!(known || variable == format!("STRONGROOM_{expected}"), "{variable}");
            assert_eq!(argument.get_long(), Some(id.replace('_', "-").as_str()));
            assert!(argument.get_help().is_some(), "{id}");
        }
    }

    #[test]
    fn a_subcommand_takes_the_settings_of_the_store_after_its_name() {
        let cli = Cli::read(["strongroom", "key", "activate", "2", "--data-dir", "/d"]).expect("valid");
        assert_eq!(cli.command.store().and_then(|store| store.data_dir.to_str()), Some("/d"));
        let cli = Cli::read(["strongroom", "user", "add", "alice", "--role", "operator"]).expect("valid");
        assert!(matches!(cli.command, Command::User(_)));
    }

    #[test]
    fn the_debug_output_of_the_settings_hides_the_database_password() {
        let settings = serve(&["--database-url", "postgresql://u:SECRET@h/d"]).expect("valid");
        assert!(!format!("{settings:?}").contains("SECRET"));
    }
}
