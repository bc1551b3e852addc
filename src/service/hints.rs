//! Owns what may be forgotten between a quote and a settlement: the last quoted cash, and who was told what.

use crate::cache::Space;
use crate::domain::calendar::Instant;
use crate::domain::ids::MessageId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::service::Service;
use crate::service::settle::Settle;

impl Service {
    pub(crate) async fn last_quote(&self, order: &Settle) -> Option<Fen> {
        let bytes = self.cache.get(Space::Quote, &quote_key(order), self.clock.now()).await?;
        bytes.try_into().ok().map(|bytes| Fen(i64::from_be_bytes(bytes)))
    }

    pub(crate) async fn remember_quote(&self, order: &Settle, cash: Fen) {
        let (now, until) = self.lifetime();
        let value = cash.0.to_be_bytes().to_vec();
        self.cache.put(Space::Quote, &quote_key(order), value, now, until).await;
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

/// By what was asked for: a quote of other days of the stay says nothing about this settlement. What stands for "up to
/// the last line" stays the same when lines are added, so that the cash that they bring is told.
fn quote_key(order: &Settle) -> String {
    let stay = &order.stay.stay;
    match (order.part, order.up_to) {
        (false, _) => format!("{stay}/whole"),
        (true, None) => format!("{stay}/part"),
        (true, Some(day)) => format!("{stay}/part/{day}"),
    }
}
