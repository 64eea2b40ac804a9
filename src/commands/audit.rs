//! `strongroom audit verify`: follows the audit trail. The heads that it prints, kept elsewhere, prove later that the trail
//! was not rolled back; `--anchor` compares those of a log or a mail with the trail. `strongroom audit export`: moves old
//! events to files. `strongroom audit accept`: takes a trail that is broken as it is, on the operator's word.

use std::path::Path;
use std::process::ExitCode;

use super::{Store, Wants, fail, misconfigured, open, say};
use crate::audit_export;
use crate::cli::audit::{AuditAction, AuditArgs};
use crate::models::anchors::{self, Held};
use crate::models::events::Actor;
use crate::models::{self, Conn, DbError, chain};
use crate::verification::Failure;

pub fn run(args: &AuditArgs) -> ExitCode {
    match &args.action {
        AuditAction::Verify { export: Some(file), .. } => verify_export(args, file),
        AuditAction::Verify { anchor, .. } => verify(args, anchor.as_deref()),
        AuditAction::Export { to, older_than } => export(args, to, *older_than),
        AuditAction::Accept { yes } => accept(args, *yes),
    }
}

fn accept(args: &AuditArgs, yes: bool) -> ExitCode {
    let mut store = match open(&args.store, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let Store { conn, vault, .. } = &mut store;
    let walk = match chain::verify(conn, vault) {
        Ok(walk) => walk,
        Err(error) => return fail(&error),
    };
    let breaks = walk.broken.iter().cloned().map(Failure::Trail);
    let found: Vec<Failure> = breaks.chain(walk.gaps.iter().cloned().map(Failure::Gap)).collect();
    for failure in &found {
        say(failure);
    }
    if found.is_empty() {
        say(&"the audit trail is not broken, so there is nothing to accept");
        return ExitCode::SUCCESS;
    }
    if !yes {
        return fail(&"compare the store with a backup, and then accept this with: strongroom audit accept --yes");
    }
    match models::transaction(conn, &|conn: &mut Conn| chain::accept(conn, vault, &walk)) {
        Ok::<(), DbError>(()) => {
            say(&format_args!("{} accepted: consoles go on within seconds", found.len()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn export(args: &AuditArgs, to: &Path, days: u32) -> ExitCode {
    let mut store = match open(&args.store, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let Store { conn, vault, .. } = &mut store;
    let mut count = 0;
    loop {
        let exported = audit_export::chunk(conn, vault, &Actor::command_line(), to, days);
        match exported {
            Ok(None) => break,
            Ok(Some(exported)) => {
                say(&format_args!("{} events: {}", exported.count, exported.file.display()));
                count += exported.count;
                // What an export itself makes old is left for the next one.
                if exported.count < audit_export::FULL {
                    break;
                }
            }
            Err(error) => return fail(&error),
        }
    }
    say(&format_args!("{count} events older than {days} days were exported"));
    ExitCode::SUCCESS
}

fn verify_export(args: &AuditArgs, file: &Path) -> ExitCode {
    let mut store = match open(&args.store, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    match audit_export::verify(&mut store.conn, &store.vault, file) {
        Ok(count) => {
            say(&format_args!("{count} events, exactly as they were removed"));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

fn verify(args: &AuditArgs, anchor: Option<&Path>) -> ExitCode {
    let text = match anchor.map(read).transpose() {
        Ok(text) => text,
        Err(status) => return status,
    };
    let mut store = match open(&args.store, Wants::Existing) {
        Ok(store) => store,
        Err(status) => return status,
    };
    let walk = match chain::verify(&mut store.conn, &store.vault) {
        Ok(walk) => walk,
        Err(error) => return fail(&error),
    };
    for head in walk.heads.iter().filter(|head| head.seq > 0) {
        say(&format_args!("lane {:>2}  event {:>10}  {}", head.lane, head.seq, hex::encode(&head.mac)));
    }
    let rolled_back = match text.map(|text| compare(&mut store, &text)).transpose() {
        Ok(rolled_back) => rolled_back.unwrap_or(0),
        Err(error) => return fail(&error),
    };
    for broken in &walk.broken {
        fail(&Failure::Trail(broken.clone()));
    }
    for gap in &walk.gaps {
        fail(&Failure::Gap(gap.clone()));
    }
    for &(table, id) in &walk.missing {
        fail(&Failure::Gone { table, id });
    }
    if !walk.broken.is_empty() || !walk.gaps.is_empty() || !walk.missing.is_empty() || rolled_back > 0 {
        return ExitCode::FAILURE;
    }
    if walk.exported > 0 {
        say(&format_args!("{} events were exported to files", walk.exported));
    }
    match walk.accepted {
        0 => say(&format_args!("{} events, all as they were written", walk.count)),
        accepted => say(&format_args!("{} events as they were written, and {accepted} accepted breaks", walk.count)),
    }
    ExitCode::SUCCESS
}

/// Logs may hold bytes that are no text.
fn read(path: &Path) -> Result<String, ExitCode> {
    let bytes = std::fs::read(path)
        .map_err(|error| misconfigured(&format!("the anchors in {} cannot be read: {error}", path.display())))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if anchors::find(&text).is_empty() {
        let why = "name a log of the console (\"the heads of the audit trail\") or a saved alert mail";
        return Err(misconfigured(&format!("{} holds no anchors: {why}", path.display())));
    }
    Ok(text)
}

/// Says which anchors the trail does not hold; returns how many.
fn compare(store: &mut Store, text: &str) -> Result<usize, DbError> {
    let found = anchors::find(text);
    let (mut rolled_back, mut exported) = (0, 0);
    let Store { conn, vault, .. } = store;
    for anchor in &found {
        let (lane, seq) = (anchor.lane, anchor.seq);
        match models::read(conn, |conn| anchors::compare(conn, vault, anchor))? {
            Held::Yes => continue,
            Held::Exported => {
                exported += 1;
                continue;
            }
            Held::Cut(last) => fail(&format!(
                "audit trail: lane {lane} was rolled back: it ends at event {last}, and the anchor names event {seq}"
            )),
            Held::Other => {
                fail(&format!("audit trail: lane {lane} was rolled back: event {seq} is not the one of the anchor"))
            }
        };
        rolled_back += 1;
    }
    say(&format_args!("{} of {} anchors are in the trail", found.len() - rolled_back - exported, found.len()));
    if exported > 0 {
        say(&format_args!("{exported} anchors name events that were exported: look for their links in the files"));
    }
    Ok(rolled_back)
}
