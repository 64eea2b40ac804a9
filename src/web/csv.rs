//! CSV files (RFC 4180) that people download. What is in them belongs to the page that offers each; how rows are
//! written, and that no spreadsheet runs a cell as a formula (OWASP, CSV injection), is here.

use std::borrow::Cow;
use std::future::Future;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::{StreamExt, stream};

use crate::models::DbError;

/// The media type of such a file.
pub const TYPE: &str = "text/csv; charset=utf-8";

/// An answer that a browser saves under a name.
pub fn attachment(name: &str) -> HttpResponseBuilder {
    attachment_of(TYPE, name)
}

/// The same for a file of another media type.
pub fn attachment_of(kind: &'static str, name: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    response
}

/// Rows as lines; cells that a spreadsheet would run get an apostrophe.
pub fn lines<R: AsRef<[C]>, C: AsRef<str>>(rows: impl IntoIterator<Item = R>) -> Bytes {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        // Writing to memory does not fail.
        let _ = writer.write_record(row.as_ref().iter().map(|cell| harmless(cell.as_ref()).into_owned()));
    }
    writer.into_inner().unwrap_or_default().into()
}

/// A piece of a table: its rows, and where the next piece starts.
pub type Piece<K> = (Vec<Vec<String>>, Option<K>);

/// A whole table, read and sent a piece at a time, so its size is not limited. The first piece is read beforehand, so
/// that an unreachable database leads to an error page and not to half a file.
pub fn in_pieces<K, F, L>(name: &str, head: &[&str], first: Piece<K>, load: L) -> HttpResponse
where
    K: 'static,
    F: Future<Output = Result<Piece<K>, DbError>> + 'static,
    L: Fn(K) -> F + Clone + 'static,
{
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let (rows, next) = first;
    let begin = lines(std::iter::once(head).chain(rows));
    let rest = stream::try_unfold(next, move |next| {
        let load = load.clone();
        async move {
            let Some(next) = next else { return Ok::<_, DbError>(None) };
            let (rows, next) = load(next).await?;
            Ok(Some((lines(rows), next)))
        }
    });
    attachment(name).streaming(stream::once(async { Ok::<Bytes, DbError>(begin) }).chain(Box::pin(rest)))
}

/// A cell that no spreadsheet takes for a formula: names from elsewhere are not ours to trust.
fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠') => {
            format!("'{cell}").into()
        }
        _ => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_starts_a_formula_gets_an_apostrophe() {
        for bad in ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "＝1"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["", "prod", "a=b", "1", " =1"] {
            assert_eq!(harmless(good), good);
        }
    }

    #[test]
    fn rows_read_back_as_they_were() {
        let odd = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM", "\t=1", "a\"b,c\r\nd"];
        let text = lines([odd]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
        let row = reader.records().next().unwrap().unwrap();
        let cells: Vec<&str> = row.iter().collect();
        assert_eq!(cells, ["'=HYPERLINK(\"http://x\")", "'+1", "'-1", "'@SUM", "'\t=1", "a\"b,c\r\nd"]);
    }
}
