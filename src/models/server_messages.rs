//! What an error of the server means when Diesel does not tell its SQLSTATE: a lock or statement that took too long, a
//! deadlock, a full disk, a missing right. Only the message is left to go by, and the server writes it in its own
//! language: `lc_messages` may be changed by superusers only. So PostgreSQL's own translations are kept in
//! `server_messages.txt` beside this file. To ask the server for its words instead would mean to provoke deadlocks and
//! refusals at every start, which fill its log and its statistics. A language that is not in the table is still
//! understood: errors that break the connection need no words, and [`super::db`] tells time-outs by their duration.

use std::sync::LazyLock;

use super::DbError;

/// Meaning, and the parts of the message between its values.
type Pattern = (DbError, Vec<&'static str>);

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let lines = include_str!("server_messages.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).filter_map(pattern).collect()
});

fn pattern((meaning, message): (&str, &'static str)) -> Option<Pattern> {
    let error = match meaning {
        "again" => DbError::TryAgain,
        "unavailable" => DbError::Unavailable,
        "read-only" => DbError::ReadOnly,
        // A name that grows when it is normalised can outgrow its index.
        "too-long" => DbError::Check("too_long".to_owned()),
        _ => return None,
    };
    Some((error, message.split('*').collect()))
}

/// The meaning of a message or hint of the server; `None` for one that is not in the table.
pub fn meaning(text: &str) -> Option<DbError> {
    let found = PATTERNS.iter().find(|(_, parts)| matches(text, parts));
    found.map(|(error, _)| error.clone())
}

/// Whether `text` consists of the parts in their order, with anything between them.
fn matches(text: &str, parts: &[&str]) -> bool {
    let Some((first, others)) = parts.split_first() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some((last, middle)) = others.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn messages_are_recognised_whatever_values_they_hold() {
        let known = [
            ("canceling statement due to lock timeout", DbError::Unavailable),
            ("storniere Anfrage wegen Zeitüberschreitung einer Sperre", DbError::Unavailable),
            ("Verklemmung (Deadlock) entdeckt", DbError::TryAgain),
            ("droit refusé pour la table events", DbError::ReadOnly),
            ("テーブル events へのアクセスが拒否されました", DbError::ReadOnly),
            ("konnte Datei »base/5/16384« nicht erweitern: Auf dem Gerät ist kein Platz", DbError::ReadOnly),
            (
                "el tamaño de fila de índice 2800 excede el máximo 2704 para btree versión 4 para el índice «a»",
                DbError::Check("too_long".to_owned()),
            ),
        ];
        for (text, error) in known {
            assert_eq!(meaning(text), Some(error), "{text}");
        }
    }

    #[test]
    fn messages_of_another_kind_mean_nothing() {
        for text in
            ["", "division by zero", "a deadlock detected here", "keine Berechtigung", "relation \"x\" does not exist"]
        {
            assert_eq!(meaning(text), None, "{text}");
        }
    }

    /// Messages that must be understood in every language, with what each means.
    const NEEDED: [(&str, DbError); 8] = [
        ("deadlock detected", DbError::TryAgain),
        ("canceling statement due to lock timeout", DbError::Unavailable),
        ("canceling statement due to statement timeout", DbError::Unavailable),
        ("canceling statement due to user request", DbError::Unavailable),
        ("canceling statement due to conflict with recovery", DbError::Unavailable),
        ("permission denied for table %s", DbError::ReadOnly),
        ("could not extend file \"%s\": %m", DbError::ReadOnly),
        ("Check free disk space.", DbError::ReadOnly),
    ];

    /// The translations in a catalogue: <https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html>
    fn catalogue(bytes: &[u8]) -> HashMap<String, String> {
        let number = |at: usize| bytes[at..at + 4].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let text = |table: usize, index: usize| {
            let (length, start) = (number(table + 8 * index), number(table + 8 * index + 4));
            String::from_utf8_lossy(&bytes[start..start + length]).into_owned()
        };
        (0..number(8)).map(|index| (text(number(12), index), text(number(16), index))).collect()
    }

    #[test]
    fn the_installed_translations_of_postgresql_are_understood() {
        let languages = std::fs::read_dir("/usr/share/locale").into_iter().flatten().flatten();
        let folders = languages.flat_map(|language| std::fs::read_dir(language.path().join("LC_MESSAGES")));
        let files = folders.flatten().flatten().map(|file| file.path());
        let is_server = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with("postgres-") && name.ends_with(".mo")
        };
        for path in files.filter(is_server) {
            let known = catalogue(&std::fs::read(&path).expect("a catalogue"));
            for (original, expected) in &NEEDED {
                if let Some(translation) = known.get(*original) {
                    let message = translation.replace("%s", "x").replace("%m", "y");
                    assert_eq!(meaning(&message).as_ref(), Some(expected), "{}: {message}", path.display());
                }
            }
        }
    }

    #[test]
    fn every_line_of_the_table_has_a_meaning() {
        let lines = include_str!("server_messages.txt").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), PATTERNS.len());
    }
}
