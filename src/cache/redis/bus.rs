//! Owns what nodes tell each other through Redis: sealed messages, a channel for each topic.
//!
//! Deeds are sent while some node hears them: Redis says with each how many did, and when it was none, none are sent for
//! [`UNHEARD_MS`]. A node asks Redis for deeds while somebody on it listens.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use redis::RedisError;
use redis::Value;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::mpsc;
use tokio::time::Instant as Now;

use crate::cache::bus::Bus;
use crate::cache::bus::MemoryBus;
use crate::cache::bus::Message;
use crate::cache::bus::Topic;
use crate::cache::redis::event::Event;
use crate::cache::redis::event::Use;
use crate::cache::redis::link::Link;
use crate::cache::redis::veil::Veil;
use crate::domain::calendar::Instant;
use crate::vault::hex;
use crate::vault::random_id;

/// Messages that wait to be sent; one more is missed by the others.
const WAITING_MAX: usize = 1024;
/// Messages sent in one round trip.
const TOGETHER_MAX: usize = 64;
const UNHEARD_MS: u64 = 1_000;
/// Part of the channels' names: nodes of two releases hear each other only when they understand each other.
const FORM: &str = "1";

/// A message on its way.
#[derive(Deserialize, Serialize)]
struct Letter {
    from: String,
    message: Message,
}

/// Tells this node's listeners at once, and the others through Redis.
pub struct RedisBus {
    outgoing: mpsc::Sender<Message>,
    link: Arc<Link>,
    post: Arc<Post>,
}

/// How letters are written, sent and read.
pub(super) struct Post {
    veil: Arc<Veil>,
    /// This node, to know its own letters when they come back.
    me: String,
    here: MemoryBus,
    hears_deeds: AtomicBool,
    began: Now,
    /// Milliseconds since `began` until which no deeds are sent.
    unheard_until: AtomicU64,
}

impl RedisBus {
    /// The bus, and what must be polled for letters to leave.
    pub(super) fn new(link: Arc<Link>, veil: Arc<Veil>) -> (RedisBus, impl Future<Output = ()> + Send) {
        let (outgoing, queue) = mpsc::channel(WAITING_MAX);
        let post = Arc::new(Post {
            veil,
            me: hex::encode(&random_id()),
            here: MemoryBus::default(),
            hears_deeds: AtomicBool::new(false),
            began: Now::now(),
            unheard_until: AtomicU64::new(0),
        });
        let sending = send_all(Arc::clone(&link), Arc::clone(&post), queue);
        (RedisBus { outgoing, link, post }, sending)
    }

    /// Tells the others and waits until Redis has it, for a program that ends at once. Whether it was told.
    pub async fn tell(&self, message: Message) -> bool {
        let command = self.post.publishing(message);
        let told = self.link.ask(async |mut connection| command.query_async::<u64>(&mut connection).await);
        told.await.is_some()
    }

    pub(super) fn post(&self) -> Arc<Post> {
        Arc::clone(&self.post)
    }
}

impl Bus for RedisBus {
    fn publish(&self, message: Message) {
        let unheard = message.topic() == Topic::Deeds && self.post.is_unheard();
        // Without Redis nobody else hears it; a full queue means that others are told enough.
        if !unheard && (!self.link.is_up() || self.outgoing.try_send(message.clone()).is_err()) {
            self.link.observe(Event::FellBack(Use::Bus));
        }
        self.post.here.publish(message);
    }

    fn subscribe(&self, topic: Topic) -> broadcast::Receiver<Message> {
        self.post.here.subscribe(topic)
    }
}

impl Post {
    fn channel(&self, topic: Topic) -> String {
        self.veil.plain_name(topic.name(), FORM)
    }

    fn publishing(&self, message: Message) -> redis::Cmd {
        let channel = self.channel(message.topic());
        let letter = Letter { from: self.me.clone(), message };
        let text = serde_json::to_vec(&letter).expect("text and numbers");
        let sealed = self.veil.seal(&channel, &text, Instant(i64::MAX));
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(sealed);
        command
    }

    fn is_unheard(&self) -> bool {
        self.elapsed_ms() < self.unheard_until.load(Relaxed)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// On each new connection.
    pub(super) async fn listen(&self, connection: &MultiplexedConnection) -> Result<(), RedisError> {
        self.hears_deeds.store(false, Relaxed);
        connection.clone().subscribe(self.channel(Topic::Changes)).await?;
        self.follow_listeners(connection).await?;
        self.unheard_until.store(0, Relaxed);
        self.here.publish(Message::MayHaveMissed);
        Ok(())
    }

    /// Hears deeds while somebody here listens.
    pub(super) async fn follow_listeners(
        &self,
        connection: &MultiplexedConnection,
    ) -> Result<(), RedisError> {
        let wanted = self.here.is_heard(Topic::Deeds);
        if wanted == self.hears_deeds.load(Relaxed) {
            return Ok(());
        }
        let (mut connection, channel) = (connection.clone(), self.channel(Topic::Deeds));
        match wanted {
            true => connection.subscribe(channel).await?,
            false => connection.unsubscribe(channel).await?,
        }
        self.hears_deeds.store(wanted, Relaxed);
        Ok(())
    }

    /// Hands a letter of another node to the listeners. What does not open was written by none of us.
    pub(super) fn receive(&self, told: &[Value]) {
        let [Value::BulkString(channel), Value::BulkString(sealed)] = told else { return };
        let Ok(channel) = str::from_utf8(channel) else { return };
        let Some(text) = self.veil.open(channel, sealed, Instant(0)) else { return };
        match serde_json::from_slice::<Letter>(&text) {
            Ok(letter) if letter.from != self.me => self.here.publish(letter.message),
            Ok(_) | Err(_) => {} // our own, or of a release that knows more kinds
        }
    }
}

async fn send_all(link: Arc<Link>, post: Arc<Post>, mut queue: mpsc::Receiver<Message>) {
    let mut together = Vec::with_capacity(TOGETHER_MAX);
    while queue.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let deeds: Vec<bool> = together.iter().map(|message| message.topic() == Topic::Deeds).collect();
        let mut pipeline = redis::pipe();
        for message in together.drain(..) {
            pipeline.add_command(post.publishing(message));
        }
        let sent = link.ask(async |mut connection| pipeline.query_async::<Vec<u64>>(&mut connection).await);
        let Some(heard) = sent.await else {
            link.observe(Event::FellBack(Use::Bus));
            continue;
        };
        if heard.iter().zip(&deeds).any(|(by, deed)| *deed && *by == 0) {
            post.unheard_until.store(post.elapsed_ms() + UNHEARD_MS, Relaxed);
        }
    }
}
