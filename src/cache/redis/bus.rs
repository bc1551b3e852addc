//! Owns what nodes tell each other through Redis: sealed messages on one channel.

use std::sync::Arc;

use redis::Value;
use serde::Deserialize;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::mpsc;

use crate::cache::bus::BACKLOG_MAX;
use crate::cache::bus::Bus;
use crate::cache::bus::Message;
use crate::cache::redis::event::Event;
use crate::cache::redis::event::Use;
use crate::cache::redis::link::Link;
use crate::cache::redis::veil::Veil;
use crate::domain::calendar::Instant;
use crate::vault::hex;
use crate::vault::random_id;

/// Messages sent in one round trip.
const TOGETHER_MAX: usize = 64;

/// A message on its way. The form has a version: nodes of two releases may run side by side.
#[derive(Deserialize, Serialize)]
struct Letter {
    from: String,
    message: Message,
}

/// Tells this node's listeners at once, and the others through Redis.
pub struct RedisBus {
    here: broadcast::Sender<Message>,
    outgoing: mpsc::Sender<Message>,
    link: Arc<Link>,
    post: Arc<Post>,
}

/// How letters are written and read.
pub(super) struct Post {
    veil: Arc<Veil>,
    channel: String,
    /// This node, to know its own letters when they come back.
    me: String,
    here: broadcast::Sender<Message>,
}

impl RedisBus {
    /// The bus, and what must be polled for letters to leave.
    pub(super) fn new(link: Arc<Link>, veil: Arc<Veil>) -> (RedisBus, impl Future<Output = ()> + Send) {
        let here = broadcast::channel(BACKLOG_MAX).0;
        let (outgoing, queue) = mpsc::channel(BACKLOG_MAX);
        let post = Arc::new(Post {
            channel: veil.plain_name("bus", "1"),
            veil,
            me: hex::encode(&random_id()),
            here: here.clone(),
        });
        let sending = send_all(Arc::clone(&link), Arc::clone(&post), queue);
        (RedisBus { here, outgoing, link, post }, sending)
    }

    pub(super) fn post(&self) -> Arc<Post> {
        Arc::clone(&self.post)
    }
}

impl Bus for RedisBus {
    fn publish(&self, message: Message) {
        // Without Redis nobody else hears it; a full queue means that others are told enough.
        if !self.link.is_up() || self.outgoing.try_send(message.clone()).is_err() {
            self.link.observe(Event::FellBack(Use::Bus));
        }
        let _ = self.here.send(message); // nobody may listen
    }

    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.here.subscribe()
    }
}

impl Post {
    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    pub(super) fn write(&self, message: Message) -> Vec<u8> {
        let letter = Letter { from: self.me.clone(), message };
        let text = serde_json::to_vec(&letter).expect("text alone");
        self.veil.seal(&self.channel, &text, Instant(i64::MAX))
    }

    /// Hands a letter of another node to the listeners. What does not open was written by none of us.
    pub(super) fn receive(&self, told: &[Value]) {
        let [Value::BulkString(channel), Value::BulkString(sealed)] = told else { return };
        if channel != self.channel.as_bytes() {
            return;
        }
        let Some(text) = self.veil.open(&self.channel, sealed, Instant(0)) else { return };
        match serde_json::from_slice::<Letter>(&text) {
            Ok(letter) if letter.from != self.me => self.tell_here(letter.message),
            Ok(_) | Err(_) => {} // our own, or of a release that knows more kinds
        }
    }

    pub(super) fn tell_here(&self, message: Message) {
        let _ = self.here.send(message); // nobody may listen
    }
}

async fn send_all(link: Arc<Link>, post: Arc<Post>, mut queue: mpsc::Receiver<Message>) {
    let mut together = Vec::with_capacity(TOGETHER_MAX);
    while queue.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let mut pipeline = redis::pipe();
        for message in together.drain(..) {
            pipeline.cmd("PUBLISH").arg(post.channel()).arg(post.write(message)).ignore();
        }
        let sent = link.ask(async |mut connection| pipeline.query_async::<()>(&mut connection).await);
        if sent.await.is_none() {
            link.observe(Event::FellBack(Use::Bus));
        }
    }
}
