//! A link between a node and a server that can be cut, slowed down, or made to carry one way only.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Connections break, and new ones too.
    Cut,
    /// Connections stay, new ones are taken, and not a byte arrives until the link is mended.
    Silent,
    /// Requests arrive and no answer does: what was asked for happens, and nobody learns of it.
    AnswersLost,
    /// Each piece arrives so much later.
    Slow(Duration),
}

pub(crate) struct Link {
    pub(crate) address: SocketAddr,
    way: watch::Sender<Way>,
    listening: JoinHandle<()>,
}

impl Link {
    pub(crate) async fn to(server: SocketAddr) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, seen) = watch::channel(Way::Open);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, seen.clone()));
            }
        });
        Link { address, way, listening }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Until either side ends, or the link is cut or gone.
async fn carry(client: TcpStream, server: SocketAddr, mut way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (requests, answers) = (way.clone(), way.clone());
    tokio::select! {
        () = pump(from_client, to_server, requests, false) => {}
        () = pump(from_server, to_client, answers, true) => {}
        _ = way.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>, answers: bool) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return };
        let Ok(now) = way.wait_for(|way| *way != Way::Silent).await.map(|way| *way) else { return };
        match now {
            Way::AnswersLost if answers => {
                // What lacks a piece is of no use any more, but nobody is told so as long as nothing arrives.
                let _mended = way.wait_for(|way| *way != Way::AnswersLost).await;
                return;
            }
            Way::Slow(by) => tokio::time::sleep(by).await,
            _ => {}
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
