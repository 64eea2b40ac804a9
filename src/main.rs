//! The commands of the binary; each does its work in the library.

#![warn(clippy::unwrap_used)]

use std::process::ExitCode;

use strongroom::cli::{Cli, Command};
use strongroom::commands;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(refusal) if refusal.status == 0 => {
            print!("{}", refusal.text);
            return ExitCode::SUCCESS;
        }
        Err(refusal) => {
            eprint!("{}", refusal.text);
            return ExitCode::from(refusal.status);
        }
    };
    if let Some(store) = cli.command.store()
        && strongroom::telemetry::start_logging(store.log_format, store.log.clone()).is_err()
    {
        eprintln!("strongroom: the log is started already");
    }
    match cli.command {
        Command::Serve(settings) => commands::serve::run(*settings),
        Command::User(args) => commands::user::run(&args),
        Command::Key(args) => commands::key::run(&args),
        Command::Verify(store) => commands::verify::run(&store),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Proxy(args) => commands::proxy::run(&args),
    }
}
