//! The connections that SMTP is spoken over, as the library takes them. What a server may say to one command is
//! bounded here: the library itself reads a line to its end, however long it is.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Most bytes between two of ours. Answers have lines of 512 (RFC 5321, section 4.5.3.1.5), and not many.
const MOST: usize = 64 * 1024;

/// What was read since we last said something.
#[derive(Debug, Default)]
struct Allowance(usize);

/// A server that does not stop talking.
#[derive(Debug, thiserror::Error)]
#[error("more than {MOST} bytes between two of ours")]
pub(super) struct Endless;

impl Endless {
    /// Whether it is what ended a conversation.
    pub fn ended(error: &lettre::transport::smtp::Error) -> bool {
        let mut link: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
        while let Some(current) = link {
            let inner = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if inner.is_some_and(|inner| inner.is::<Self>()) {
                return true;
            }
            link = current.source();
        }
        false
    }
}

impl Allowance {
    fn after(&mut self, read: Poll<io::Result<()>>, bytes: usize) -> Poll<io::Result<()>> {
        self.0 = self.0.saturating_add(bytes);
        if self.0 > MOST { Poll::Ready(Err(io::Error::other(Endless))) } else { read }
    }
}

/// A bare connection that can be taken back.
#[derive(Debug)]
pub(super) struct Clear {
    stream: Arc<Mutex<TcpStream>>,
    allowance: Allowance,
}

impl Clear {
    pub fn new(stream: Arc<Mutex<TcpStream>>) -> Self {
        Self { stream, allowance: Allowance::default() }
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        act(Pin::new(&mut *self.stream.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl AsyncRead for Clear {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.with(|stream| stream.poll_read(cx, buffer));
        self.allowance.after(read, buffer.filled().len() - before)
    }
}

impl AsyncWrite for Clear {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.allowance = Allowance::default();
        self.with(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

impl AsyncTokioStream for Clear {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|stream| stream.peer_addr())
    }
}

/// A connection over which the library says HELO where it means EHLO (RFC 5321, 3.2).
#[derive(Debug)]
pub(super) struct Helo<S> {
    stream: S,
    said: bool,
}

impl<S> Helo<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, said: false }
    }
}

impl<S: AsyncTokioStream> AsyncRead for Helo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncTokioStream> AsyncWrite for Helo<S> {
    /// The greeting is the first thing said, in one short line, which a new connection takes whole.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(name) = bytes.strip_prefix(b"EHLO ").filter(|_| !self.said) else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let line = [b"HELO ", name].concat();
        let written = Pin::new(&mut self.stream).poll_write(cx, &line);
        self.said = written.is_ready();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncTokioStream> AsyncTokioStream for Helo<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// An encrypted connection, and what is read before its first byte.
#[derive(Debug)]
pub(super) struct Encrypted {
    stream: TlsStream<TcpStream>,
    first: &'static [u8],
    allowance: Allowance,
}

impl Encrypted {
    pub fn new(stream: TlsStream<TcpStream>, first: &'static [u8]) -> Self {
        Self { stream, first, allowance: Allowance::default() }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            let before = buffer.filled().len();
            let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
            return self.allowance.after(read, buffer.filled().len() - before);
        }
        let (now, later) = self.first.split_at(self.first.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.first = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.allowance = Allowance::default();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}
