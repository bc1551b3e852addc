//! What stands in front of the nodes: it takes the next one when a connection is refused, or was closed while it lay idle.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use banyan::sandbox::his::Connection;
use banyan::sandbox::his::Line;
use banyan::sandbox::his::NoAnswer;
use bytes::Bytes;

use crate::hospitals::PATH;
use crate::support::answer::Answer;

/// The connections of one client, who has one call under way at a time.
pub(crate) struct Balancer {
    lines: [Line; 2],
    kept: [Option<Connection>; 2],
    next: usize,
}

/// Over all clients.
#[derive(Default)]
pub(crate) struct Passed {
    /// To the next node, for nobody listened.
    pub(crate) refused: AtomicUsize,
    /// To the next node, for a kept connection was closed before anything was sent.
    pub(crate) closed: AtomicUsize,
    /// To the next node, for a kept connection was closed when the call was on its way: nothing was answered.
    pub(crate) crossed: AtomicUsize,
}

impl Balancer {
    pub(crate) fn new(lines: [Line; 2]) -> Balancer {
        Balancer { lines, kept: [None, None], next: 0 }
    }

    /// Both nodes in turn; each at most twice, once over the connection that was kept.
    pub(crate) async fn post(&mut self, body: &Bytes, passed: &Passed) -> Result<Answer, NoAnswer> {
        let mut last = None;
        for _ in 0..4 {
            let node = self.next;
            self.next = 1 - node;
            let (mut connection, kept) = match self.kept[node].take() {
                Some(connection) => (connection, true),
                None => match self.lines[node].open().await {
                    Ok(connection) => (connection, false),
                    Err(cause) => {
                        passed.refused.fetch_add(1, Relaxed);
                        last = Some(cause);
                        continue;
                    }
                },
            };
            match connection.post(PATH, &[], body.clone()).await {
                Ok((_, bytes)) => {
                    self.kept[node] = Some(connection);
                    return Ok(Answer::read(bytes));
                }
                Err(NoAnswer::Broken(cause)) if kept && (cause.is_canceled() || cause.is_closed()) => {
                    passed.closed.fetch_add(1, Relaxed);
                    last = Some(NoAnswer::Broken(cause));
                }
                Err(NoAnswer::Broken(cause)) if kept && cause.is_incomplete_message() => {
                    passed.crossed.fetch_add(1, Relaxed);
                    last = Some(NoAnswer::Broken(cause));
                }
                Err(other) => return Err(other),
            }
        }
        Err(last.expect("each try that ends here has failed"))
    }
}
