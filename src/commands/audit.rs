//! `strongroom audit verify`: follows the audit trail. The heads that it prints, kept elsewhere, prove later that the trail
//! was not rolled back.

use std::process::ExitCode;

use super::{Wants, fail, open, say};
use crate::cli::{AuditAction, AuditArgs};
use crate::models::chain;
use crate::verification::Failure;

pub fn run(args: &AuditArgs) -> ExitCode {
    let AuditAction::Verify = args.action;
    let mut store = match open(&args.store, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let walk = match chain::verify(&mut store.conn, &store.vault) {
        Ok(Ok(walk)) => walk,
        Ok(Err(broken)) => return fail(&Failure::Trail(broken)),
        Err(error) => return fail(&error),
    };
    for head in &walk.heads {
        say(&format_args!("lane {:>2}  event {:>10}  {}", head.lane, head.seq, hex::encode(&head.mac)));
    }
    say(&format_args!("{} events, all as they were written", walk.count));
    ExitCode::SUCCESS
}
