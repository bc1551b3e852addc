//! Owns the bytes' way over one socket, plain or TLS, and a civil end to it.

use crate::transport::Refusal;
use crate::transport::Settings;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Plain or TLS. One type, so that the HTTP machine is compiled once.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Last words if any, then closes our sending side, then (after an answer given early) reads on for a while.
    pub(crate) async fn goodbye(
        &mut self,
        words: Option<Refusal>,
        read_on: bool,
        settings: &Settings,
    ) -> io::Result<()> {
        if let Some(refusal) = words {
            self.write_all(&refusal.last_words()).await?;
        }
        self.shutdown().await?;
        if read_on { self.discard(settings.linger_bytes_max).await } else { Ok(()) }
    }

    /// Closing a socket with bytes unread makes the system send a reset, which destroys our answer on its way.
    async fn discard(&mut self, bytes_max: usize) -> io::Result<()> {
        let socket = match self {
            Stream::Plain(socket) => socket,
            Stream::Tls(tls) => tls.get_mut().0, // nobody will read it, so nobody need decrypt it
        };
        let mut scratch = vec![0; 16 * 1024];
        let mut left = bytes_max;
        while left > 0 {
            let count = socket.read(&mut scratch).await?;
            if count == 0 {
                break;
            }
            left = left.saturating_sub(count);
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_read(context, into),
            Stream::Tls(tls) => Pin::new(tls).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(context, pieces),
            Stream::Tls(tls) => Pin::new(tls).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true // both are
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_flush(context),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
