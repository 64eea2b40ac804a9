//! Moving old events of the audit trail to files, a chunk a file. The file is on disk, whole, before anything is removed;
//! whoever is killed between leaves a file too many and nothing too few. What may go, and how the chain stays whole, is in
//! `models::exported`.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::models::events::{Actor, Event};
use crate::models::exported::{self, Chunk, Stretch};
use crate::models::{self, Conn, DbError};
use crate::vault::Vault;

/// Events of a file that is followed by another.
pub const FULL: u64 = exported::MOST as u64;
/// Format of the files.
const FORMAT: u32 = 1;

/// What was moved.
#[derive(Debug)]
pub struct Exported {
    pub count: u64,
    pub file: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportFailure {
    #[error("the events cannot be written to {0}: {1}")]
    Write(PathBuf, std::io::Error),
    #[error("{0} cannot be read: {1}")]
    Read(PathBuf, std::io::Error),
    #[error("{0} is no file of exported events, or was changed: line {1} cannot be read")]
    Line(PathBuf, usize),
    #[error("{0} holds {1} events, and the audit trail tells of {2} in a file of this name")]
    Count(PathBuf, u64, u64),
    #[error("{0} does not hold what was removed: events {2} and on of lane {1} differ")]
    Differs(PathBuf, i16, i64),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A line of a file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Header {
        format: u32,
        made_at: String,
    },
    /// The events that follow; links in hexadecimal.
    Stretch {
        lane: i16,
        first: i64,
        last: i64,
        link_before: String,
        link: String,
    },
    Event {
        lane: i16,
        seq: i64,
        at: String,
        actor: String,
        action: String,
        subject_kind: String,
        subject_id: Option<Uuid>,
        subject_name: String,
        detail: String,
        address: String,
        link: String,
    },
}

/// Moves the oldest events that are older than some days to a new file in a directory; `None` when there are none.
pub fn chunk(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    directory: &Path,
    days: u32,
) -> Result<Option<Exported>, ExportFailure> {
    let now = models::read(conn, models::clock)?;
    let before = now - TimeDelta::days(days.into());
    let found = models::read(conn, |conn| exported::due(conn, vault, before))?;
    if found.is_empty() {
        return Ok(None);
    }
    let file = write(&found, directory, now)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let remove = |conn: &mut Conn| exported::remove(conn, vault, actor, &found, &name);
    let count = models::transaction::<_, DbError>(conn, &remove)?;
    Ok(Some(Exported { count, file }))
}

/// Writes a chunk to a new file that only its owner may read.
pub fn write(chunk: &Chunk, directory: &Path, now: DateTime<Utc>) -> Result<PathBuf, ExportFailure> {
    let unique = Uuid::new_v4().simple().to_string();
    let name = format!("audit-{}-{}.jsonl", now.format("%Y%m%dT%H%M%SZ"), unique.get(..8).unwrap_or_default());
    let (path, part) = (directory.join(&name), directory.join(format!("{name}.part")));
    let write = || {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let mut out = BufWriter::new(file);
        put(&mut out, &Line::Header { format: FORMAT, made_at: now.to_rfc3339_opts(SecondsFormat::Secs, true) })?;
        for (stretch, events) in chunk {
            put(&mut out, &of_stretch(stretch))?;
            for event in events {
                put(&mut out, &of_event(event))?;
            }
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(directory)?.sync_all()
    };
    let written: std::io::Result<()> = write();
    match written {
        Ok(()) => Ok(path),
        Err(error) => {
            let _ = fs::remove_file(&part);
            Err(ExportFailure::Write(path, error))
        }
    }
}

fn put(out: &mut impl Write, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Checks that a file holds exactly what was removed; how many events.
pub fn verify(conn: &mut Conn, vault: &Vault, path: &Path) -> Result<u64, ExportFailure> {
    let wrong = |line: usize| ExportFailure::Line(path.to_owned(), line + 1);
    let file = File::open(path).map_err(|error| ExportFailure::Read(path.to_owned(), error))?;
    let (mut chunk, mut is_headed) = (Chunk::new(), false);
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| ExportFailure::Read(path.to_owned(), error))?;
        match serde_json::from_str(&line).map_err(|_| wrong(number))? {
            Line::Header { format: FORMAT, .. } if number == 0 => is_headed = true,
            line @ Line::Stretch { .. } => chunk.push((stretch(line).ok_or_else(|| wrong(number))?, Vec::new())),
            line => {
                let (_, list) = chunk.last_mut().ok_or_else(|| wrong(number))?;
                list.push(event(line).ok_or_else(|| wrong(number))?);
            }
        }
    }
    if !is_headed {
        return Err(wrong(0));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count: u64 = chunk.iter().map(|(stretch, _)| stretch.count()).sum();
    let told = models::read(conn, |conn| exported::told(conn, vault, &name))?;
    if told != Some(count) {
        return Err(ExportFailure::Count(path.to_owned(), count, told.unwrap_or_default()));
    }
    for part in &chunk {
        if !models::read(conn, |conn| exported::holds(conn, vault, part))? {
            return Err(ExportFailure::Differs(path.to_owned(), part.0.lane, part.0.first));
        }
    }
    Ok(count)
}

fn of_stretch(stretch: &Stretch) -> Line {
    Line::Stretch {
        lane: stretch.lane,
        first: stretch.first,
        last: stretch.last,
        link_before: hex::encode(&stretch.before_mac),
        link: hex::encode(&stretch.last_mac),
    }
}

fn stretch(line: Line) -> Option<Stretch> {
    let Line::Stretch { lane, first, last, link_before, link } = line else { return None };
    Some(exported::named(lane, (first, last), (hex::decode(link_before).ok()?, hex::decode(link).ok()?)))
}

fn of_event(event: &Event) -> Line {
    let text = |text: &str| text.to_owned();
    Line::Event {
        lane: event.lane,
        seq: event.seq,
        at: event.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        actor: text(&event.actor),
        action: text(&event.action),
        subject_kind: text(&event.subject_kind),
        subject_id: event.subject_id,
        subject_name: text(&event.subject_name),
        detail: text(&event.detail),
        address: text(&event.address),
        link: hex::encode(&event.mac),
    }
}

fn event(line: Line) -> Option<Event> {
    let Line::Event { lane, seq, at, actor, action, subject_kind, subject_id, subject_name, detail, address, link } =
        line
    else {
        return None;
    };
    let at: DateTime<Utc> = at.parse().ok()?;
    let (mac, subject_version) = (hex::decode(link).ok()?, None);
    Some(Event {
        lane,
        seq,
        at,
        actor,
        action,
        subject_kind,
        subject_id,
        subject_name,
        detail,
        address,
        mac,
        subject_version,
    })
}
