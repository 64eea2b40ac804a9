//! What a form posts: urlencoded, or multipart when a document is chosen as a file without the script. Read once,
//! bounded, into [`Values`] that are wiped from memory. A field that comes twice or is not text refuses the whole; a
//! chosen file that is not text is said to be so at its field.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_multipart::{Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use zeroize::Zeroizing;

use super::error::Error;
use super::kept::Kept;
use crate::form::Values;
use crate::pasted;
use crate::usecases::users::Typed;

/// Bytes that a form may have.
pub const LIMIT: usize = 256 * 1024;
/// Bytes of one part of a form with documents that are kept: enough for more than the longest document, 256 KiB, in
/// UTF-16. A longer part is cut here, and its field says that it is too long; the rest of the form stays.
const PART_LIMIT: usize = 768 * 1024;
/// Bytes of all parts that are kept.
pub const DOCUMENTS_LIMIT: usize = 2 * 1024 * 1024;
/// Bytes that are read at most. What is too large is read up to here and dropped, since a browser that still sends shows
/// no answer.
const READ_LIMIT: usize = 16 * 1024 * 1024;

/// Longest that a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// The fields of a posted form.
#[derive(Debug, Default)]
pub struct Posted(pub Values);

impl Posted {
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name)
    }

    /// A new password, typed twice.
    pub fn typed_password(&self) -> Typed<'_> {
        Typed { password: self.get("password"), again: self.get("password_again") }
    }

    /// The version of the row that the form's page showed, where the form carries it.
    pub fn seen_version(&self) -> Option<i64> {
        self.get("row_version").parse().ok()
    }

    /// Refuses fields that the form does not have: nothing is bound by accident.
    pub fn only<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        let names: Vec<&str> = names.into_iter().collect();
        match self.0.names().find(|name| !names.contains(name)) {
            Some(_) => {
                Err(Error::Unacceptable("The form holds a field that does not belong to it. Reload the page.".into()))
            }
            None => Ok(()),
        }
    }
}

impl FromRequest for Posted {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
        let (request, payload) = (request.clone(), payload.take());
        let read = async move {
            let essence = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
            let (posted, full) = match essence.as_str() {
                "application/x-www-form-urlencoded" => urlencoded(payload).await?,
                "multipart/form-data" => whole_multipart(request.headers(), payload).await?,
                // A form without fields has no type either.
                "" => (empty(payload).await?, false),
                _ => return Err(Error::Malformed),
            };
            request.extensions_mut().insert(Kept::of(&posted.0));
            if full { Err(Error::TooLarge) } else { Ok(posted) }
        };
        Box::pin(async { tokio::time::timeout(PATIENCE, read).await.unwrap_or(Err(Error::TooSlow)) })
    }
}

async fn empty(mut payload: Payload) -> Result<Posted, Error> {
    match payload.next().await {
        None => Ok(Posted::default()),
        Some(_) => Err(Error::Malformed),
    }
}

/// A form in which a field ends with `&`, read as it comes.
struct Pairs {
    posted: Posted,
    /// The one that is not at its end yet.
    pair: Zeroizing<Vec<u8>>,
    /// Bytes that may still be kept.
    room: usize,
    /// This pair does not fit, so the rest of it is passed over.
    skips: bool,
    /// There was more than may be kept.
    full: bool,
}

impl Pairs {
    fn new(room: usize) -> Self {
        Self { posted: Posted::default(), pair: Zeroizing::default(), room, skips: false, full: false }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        for (number, part) in chunk.split(|byte| *byte == b'&').enumerate() {
            if number > 0 {
                self.end()?;
            }
            match self.room.checked_sub(part.len()) {
                Some(room) if !self.skips => {
                    self.room = room;
                    self.pair.extend_from_slice(part);
                }
                _ => {
                    self.room += self.pair.len();
                    self.pair.clear();
                    (self.skips, self.full) = (true, true);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        let pair = std::mem::take(&mut self.pair);
        if std::mem::take(&mut self.skips) || pair.is_empty() {
            return Ok(());
        }
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (&pair[..], &[][..]),
        };
        self.posted.take(decoded(name)?, decoded(value)?)
    }
}

/// How much of a form with parts may still be read and kept, in bytes.
struct Room {
    read: usize,
    kept: usize,
    /// There was more than may be kept.
    full: bool,
}

impl Room {
    /// A part, and whether it was cut.
    async fn take(&mut self, mut part: actix_multipart::Field) -> Result<(Zeroizing<Vec<u8>>, bool), Error> {
        let (mut body, mut cut) = (BytesMut::new(), false);
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(unread)?;
            self.read = self.read.checked_sub(chunk.len()).ok_or(Error::TooLarge)?;
            let fits = chunk.len().min(PART_LIMIT - body.len());
            cut |= fits < chunk.len();
            match self.kept.checked_sub(fits) {
                Some(rest) => self.kept = rest,
                None => {
                    self.full = true;
                    continue;
                }
            }
            body.extend_from_slice(&chunk[..fits]);
        }
        Ok((Zeroizing::new(body.into()), cut))
    }
}

/// The bytes without a last character that was cut in two.
fn whole(bytes: &[u8], cut: bool) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if cut && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// The fields, and whether some did not fit.
async fn urlencoded(mut payload: Payload) -> Result<(Posted, bool), Error> {
    let (mut pairs, mut total) = (Pairs::new(LIMIT), 0);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::Malformed)?;
        total += chunk.len();
        if total > READ_LIMIT {
            return Ok((pairs.posted, true));
        }
        pairs.take(&chunk)?;
    }
    pairs.end()?;
    Ok((pairs.posted, pairs.full))
}

/// Percent-decoding that refuses what is not UTF-8, where the usual decoders put a replacement character.
fn decoded(text: &[u8]) -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).ok_or(Error::Malformed);
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            byte => byte,
        });
    }
    std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Error::Malformed)
}

/// The same for a form with parts. One that ends before its last part does would keep the parser waiting.
async fn whole_multipart(headers: &HeaderMap, mut payload: Payload) -> Result<(Posted, bool), Error> {
    let ended = Rc::new(Cell::new(false));
    let told = Rc::clone(&ended);
    let body = stream::poll_fn(move |cx| {
        let chunk = payload.poll_next_unpin(cx);
        if matches!(chunk, Poll::Ready(None)) {
            told.set(true);
        }
        chunk
    });
    let mut reading = std::pin::pin!(multipart(Multipart::new(headers, body)));
    std::future::poll_fn(|cx| match reading.as_mut().poll(cx) {
        Poll::Pending if ended.get() => Poll::Ready(Err(Error::Incomplete)),
        polled => polled,
    })
    .await
}

fn unread(error: MultipartError) -> Error {
    match error {
        MultipartError::Incomplete => Error::Incomplete,
        _ => Error::Malformed,
    }
}

async fn multipart(mut parts: Multipart) -> Result<(Posted, bool), Error> {
    let mut posted = Posted::default();
    let mut files = Vec::new();
    let mut room = Room { read: READ_LIMIT, kept: DOCUMENTS_LIMIT, full: false };
    while let Some(part) = parts.try_next().await.map_err(unread)? {
        let name = part.name().ok_or(Error::Malformed)?.to_owned();
        let before = std::mem::take(&mut room.full);
        let taken = room.take(part).await;
        let over = room.full;
        room.full |= before;
        let (bytes, cut) = match taken {
            Ok(_) if over => continue,
            Err(Error::TooLarge) => return Ok((posted, true)),
            taken => taken?,
        };
        let bytes = whole(&bytes, cut);
        match name.strip_suffix(".file") {
            Some(field) => files.push((field.to_owned(), pasted::as_text(bytes))),
            None => {
                let text = std::str::from_utf8(bytes).map_err(|_| Error::Malformed)?.to_owned();
                posted.take(Zeroizing::new(name), Zeroizing::new(text))?;
            }
        }
    }
    for (field, text) in files.into_iter().filter(|(_, text)| !text.is_empty()) {
        // Both pasted and chosen: what was pasted is in sight, so it counts.
        if posted.get(&field).trim().is_empty() {
            posted.0.set(field, text.as_str());
        }
    }
    Ok((posted, room.full))
}

impl Posted {
    fn take(&mut self, name: Zeroizing<String>, value: Zeroizing<String>) -> Result<(), Error> {
        if self.0.contains(&name) {
            return Err(Error::Unacceptable("A field came twice. Reload the page and try again.".to_owned()));
        }
        // A file input of a form that is not multipart sends the file's name: of no use to anybody.
        if !name.ends_with(".file") {
            self.0.set(name.as_str(), value.as_str());
        }
        Ok(())
    }
}
