//! Owns a client that sends exactly what it is told.

use std::io;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::server::PATIENCE;

pub(crate) struct Line<S> {
    pub(crate) stream: S,
    pub(crate) unread: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn says_close(&self) -> bool {
        self.head.to_lowercase().contains("connection: close")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(crate) fn new(stream: S) -> Line<S> {
        Line { stream, unread: Vec::new() }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) {
        let length = body.len();
        self.say(&format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}")).await;
    }

    pub(crate) async fn ask(&mut self, path: &str, body: &str) -> Heard {
        self.post(path, body).await;
        self.hear().await.unwrap()
    }

    /// One answer by its `content-length`.
    pub(crate) async fn hear(&mut self) -> io::Result<Heard> {
        let head = self.hear_head().await?;
        let length = head
            .to_lowercase()
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
        while self.unread.len() < length {
            self.more().await?;
        }
        let body = String::from_utf8(self.unread.drain(..length).collect()).unwrap();
        let status = head[9..12].parse().unwrap();
        Ok(Heard { status, head, body })
    }

    pub(crate) async fn hear_head(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                return Ok(String::from_utf8(self.unread.drain(..end + 4).collect()).unwrap());
            }
            self.more().await?;
        }
    }

    pub(crate) async fn more(&mut self) -> io::Result<()> {
        let count = self.read().await?;
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Whether the server has closed without saying anything further.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && !matches!(self.read().await, Ok(count) if count > 0)
    }

    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await.expect("the server does something")
    }
}
