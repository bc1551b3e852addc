//! Owns what may be forgotten between a quote and a settlement: the last quoted cash, and who was told what.

use crate::cache::Space;
use crate::domain::calendar::Instant;
use crate::domain::ids::MessageId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::service::Service;

impl Service {
    pub(crate) async fn last_quote(&self, stay: &StayId, part: bool) -> Option<Fen> {
        let bytes = self.cache.get(Space::Quote, &quote_key(stay, part), self.clock.now()).await?;
        bytes.try_into().ok().map(|bytes| Fen(i64::from_be_bytes(bytes)))
    }

    pub(crate) async fn remember_quote(&self, stay: &StayId, part: bool, cash: Fen) {
        let (now, until) = self.lifetime();
        let value = cash.0.to_be_bytes().to_vec();
        self.cache.put(Space::Quote, &quote_key(stay, part), value, now, until).await;
    }

    /// Whether another message was told so. The same one, sent again because its answer was lost, has told nobody.
    pub(crate) async fn was_told_unfiled(&self, stay: &StayId, asking: &MessageId) -> bool {
        let told = self.cache.get(Space::ToldUnfiled, stay.as_str(), self.clock.now()).await;
        told.is_some_and(|message| message != asking.as_str().as_bytes())
    }

    pub(crate) async fn remember_told_unfiled(&self, stay: &StayId, asking: &MessageId) {
        let (now, until) = self.lifetime();
        self.cache.put(Space::ToldUnfiled, stay.as_str(), asking.as_str().into(), now, until).await;
    }

    fn lifetime(&self) -> (Instant, Instant) {
        let now = self.clock.now();
        (now, Instant(now.0.saturating_add(self.settings.hint_lifetime_ms)))
    }
}

fn quote_key(stay: &StayId, part: bool) -> String {
    format!("{stay}/{}", if part { "part" } else { "whole" })
}
