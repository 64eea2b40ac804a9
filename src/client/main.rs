//! The program that runs beside other programs and fetches for them what their client in the console may have. It is a
//! binary of its own, small and static, and shares no code with the console: what they have in common is the wire.
//! `cli` says what can be asked of it; each subcommand has a file or a folder.

#![allow(clippy::disallowed_methods, reason = "it has an environment, a clock and a child of its own")]

use std::process::ExitCode;

mod agent;
mod cache;
mod cli;
mod console;
mod endpoints;
mod environment;
mod exec;
mod hardening;
mod helper;
mod identity;
mod login;
mod net;
mod private_file;
mod saved_login;
mod session_file;
mod settings;
mod source;
mod trouble;
mod wire;

fn main() -> ExitCode {
    hardening::keep_memory_private();
    let arguments = cli::read();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(arguments.run());
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(trouble::Trouble::Local(format!("cannot start: {error}"))),
    };
    match ended {
        Ok(status) => status,
        Err(trouble) => {
            eprintln!("strongroom-client: {trouble}");
            ExitCode::FAILURE
        }
    }
}
