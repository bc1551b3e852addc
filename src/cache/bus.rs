//! Owns what nodes tell each other. A message may be missed, come late or come twice, and nothing may depend on it: it
//! only makes a node look sooner where it would look anyway.

use serde::Deserialize;
use serde::Serialize;
use tokio::sync::broadcast;

/// Messages that a slow listener may lag behind before it misses some.
const BACKLOG_MAX: usize = 1024;

/// What is told. Nothing here names a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// The shared tables have changed: institutions, catalogue, regions, packs.
    TablesChanged,
    /// The key store was changed: keys were made, wrapped anew or destroyed.
    KeysChanged,
    /// Something was recorded.
    Deed(DeedTold),
    /// This node may have missed messages. Never sent to others.
    #[serde(skip)]
    MayHaveMissed,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeedTold {
    /// Of deeds that are about one.
    pub settlement: Option<String>,
    pub institution: String,
    pub infno: u16,
    /// What was done, as logs and stories call it.
    pub kind: String,
}

/// Who wants to hear what: deeds are many, the rest is rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What makes a node look again at what it holds.
    Changes,
    Deeds,
}

impl Topic {
    pub const ALL: [Topic; 2] = [Topic::Changes, Topic::Deeds];

    pub fn name(self) -> &'static str {
        match self {
            Topic::Changes => "changes",
            Topic::Deeds => "deeds",
        }
    }
}

impl Message {
    pub fn topic(&self) -> Topic {
        match self {
            Message::TablesChanged | Message::KeysChanged | Message::MayHaveMissed => Topic::Changes,
            Message::Deed(_) => Topic::Deeds,
        }
    }
}

/// Tells every node, this one too.
pub trait Bus: Send + Sync + 'static {
    /// Never waits. What cannot be sent is missed.
    fn publish(&self, message: Message);

    /// What is told from now on: on this node at once, on others within about a second.
    fn subscribe(&self, topic: Topic) -> broadcast::Receiver<Message>;
}

/// The bus of a node that has no others beside it, and the part of every bus that is in the node.
#[derive(Clone, Debug)]
pub struct MemoryBus {
    changes: broadcast::Sender<Message>,
    deeds: broadcast::Sender<Message>,
}

impl Default for MemoryBus {
    fn default() -> Self {
        MemoryBus { changes: broadcast::channel(BACKLOG_MAX).0, deeds: broadcast::channel(BACKLOG_MAX).0 }
    }
}

impl MemoryBus {
    fn of(&self, topic: Topic) -> &broadcast::Sender<Message> {
        match topic {
            Topic::Changes => &self.changes,
            Topic::Deeds => &self.deeds,
        }
    }

    pub(super) fn is_heard(&self, topic: Topic) -> bool {
        self.of(topic).receiver_count() > 0
    }
}

impl Bus for MemoryBus {
    fn publish(&self, message: Message) {
        let listeners = self.of(message.topic());
        let _ = listeners.send(message); // nobody may listen
    }

    fn subscribe(&self, topic: Topic) -> broadcast::Receiver<Message> {
        self.of(topic).subscribe()
    }
}
