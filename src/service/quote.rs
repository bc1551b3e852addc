//! 2303: what 2304 would do now. Commits nothing.

use crate::domain::ids::MessageId;
use crate::domain::refusal::Refusal;
use crate::domain::refusal::UnfiledTold;
use crate::domain::settle;
use crate::ledger::Facts;
use crate::service::deed::Wanted;
use std::sync::Arc;

use crate::domain::person::PersonPrivate;
use crate::domain::record::Settlement;
use crate::domain::refusal::Caution;
use crate::service::Service;
use crate::service::call::Caller;
use crate::service::error::ServiceError;
use crate::service::settle::Settle;
use crate::service::settle::cautions;

#[derive(Clone, Debug)]
pub struct Quoted {
    /// Its id is a number that nobody keeps.
    pub settlement: Settlement,
    pub person: Arc<PersonPrivate>,
    pub cautions: Vec<Caution>,
}

impl Service {
    /// # Errors
    /// As `settle`, and for the first message about an unfiled stay `Unfiled` with both cash figures where the institution
    /// is switched so.
    pub async fn quote(
        &self,
        caller: &Caller,
        asking: &MessageId,
        order: Settle,
    ) -> Result<Quoted, ServiceError> {
        let facts = self.load_stay(caller, &Wanted::of(order.stay.who())).await?;
        self.own_stay(&caller.institution, caller.insured_region, &order.stay, &facts)?;
        if let Some(credential) = &order.credential {
            self.check_credential(&facts, credential).await?;
        }
        let first = self.settings.switches(&caller.institution).unfiled_refused_first;
        let priced = match self.priced(caller, &order, &facts, first)? {
            Priced::TellFirst(_) if self.was_told_unfiled(&order.stay.stay, asking).await => {
                self.priced(caller, &order, &facts, false)?
            }
            priced => priced,
        };
        match priced {
            Priced::TellFirst(told) => {
                self.remember_told_unfiled(&order.stay.stay, asking).await;
                Err(Refusal::Unfiled(told).into())
            }
            Priced::At(quoted) => {
                let cash = quoted.settlement.breakdown.psn_cash_pay;
                self.remember_quote(&order, cash).await;
                Ok(*quoted)
            }
        }
    }

    fn priced(
        &self,
        caller: &Caller,
        order: &Settle,
        facts: &Facts,
        tell_first: bool,
    ) -> Result<Priced, ServiceError> {
        let reference = self.reference.load();
        let stay = self.own_stay(&caller.institution, caller.insured_region, &order.stay, facts)?;
        let read = self.settle_facts(&reference, facts, stay);
        let asked = self.settle_order(order, facts, true);
        if tell_first && let Some(told) = settle::unfiled(&read, &asked)? {
            return Ok(Priced::TellFirst(told));
        }
        let settlement = settle::settle(&read, &asked)?;
        let cautions = cautions(order, &settlement, Caution::QuotedUnfiled);
        let person = Arc::clone(&facts.private);
        Ok(Priced::At(Box::new(Quoted { settlement, person, cautions })))
    }
}

enum Priced {
    TellFirst(UnfiledTold),
    At(Box<Quoted>),
}
