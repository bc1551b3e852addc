//! Owns what nodes tell each other. A message may be missed, come late or come twice, and nothing may depend on it: it
//! only makes a node look sooner where it would look anyway.

use serde::Deserialize;
use serde::Serialize;
use tokio::sync::broadcast;

/// Messages that a slow listener may lag behind before it misses some.
pub(crate) const BACKLOG_MAX: usize = 1024;

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
    pub infno: String,
    /// What was done, as logs and stories call it.
    pub kind: String,
}

/// Tells every node, this one too.
pub trait Bus: Send + Sync + 'static {
    /// Never waits. What cannot be sent is missed.
    fn publish(&self, message: Message);

    /// What is told from now on.
    fn subscribe(&self) -> broadcast::Receiver<Message>;
}

/// The bus of a node that has no others beside it.
#[derive(Clone, Debug)]
pub struct MemoryBus {
    here: broadcast::Sender<Message>,
}

impl Default for MemoryBus {
    fn default() -> Self {
        MemoryBus { here: broadcast::channel(BACKLOG_MAX).0 }
    }
}

impl Bus for MemoryBus {
    fn publish(&self, message: Message) {
        // Nobody listens, or somebody does: both are well.
        let _ = self.here.send(message);
    }

    fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.here.subscribe()
    }
}
