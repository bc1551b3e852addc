//! 2304: settles a stay, or a part of it.

use futures_util::TryFutureExt as _;

use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::Day;
use crate::domain::codes::BenefitLevel;
use crate::domain::money::Fen;
use crate::domain::record::Body;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::refusal::Caution;
use crate::domain::refusal::Refusal;
use crate::domain::settle::SettleFacts;
use crate::domain::settle::SettleOrder;
use crate::domain::settle::settle;
use crate::ledger::Facts;
use crate::ledger::StayFacts;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::credential::Credential;
use crate::service::deed::Attempt;
use crate::service::deed::Begun;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Sight;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

/// 2303 and 2304 alike.
#[derive(Clone, Debug)]
pub struct Settle {
    pub stay: StayRef,
    /// Must be the stay's person's.
    pub credential: Option<Credential>,
    /// Kept with the settlement, `mdtrt_cert_type`.
    pub credential_type: String,
    /// Empty: not told.
    pub insutype: String,
    /// `medfee_sumamt`: must equal the sum of the lines.
    pub fee: Fen,
    pub totals: GivenTotals,
    pub psn_setlway: String,
    /// `acct_used_flag` 1
    pub account_used: bool,
    /// `mid_setl_flag` 1
    pub part: bool,
    /// `dscg_time`: last day of a part. Ignored by a final settlement, which goes by 2402.
    pub up_to: Option<Day>,
    /// `invono`
    pub invoice: String,
}

/// Totals that the hospital sent. Compared and warned about, never used; all zero means "not supplied".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenTotals {
    pub full_own_pay: Fen,
    pub over_limit: Fen,
    pub first_pay: Fen,
    pub in_scope: Fen,
}

impl GivenTotals {
    /// Where what the hospital sent differs from what the lines say. Nothing sent, nothing said.
    fn cautions(&self, ours: &Breakdown) -> Vec<Caution> {
        if *self == GivenTotals::default() {
            return Vec::new();
        }
        let pairs = [
            ("fulamt_ownpay_amt", self.full_own_pay, ours.fulamt_ownpay_amt),
            ("overlmt_selfpay", self.over_limit, ours.overlmt_selfpay),
            ("preselfpay_amt", self.first_pay, ours.preselfpay_amt),
            ("inscp_scp_amt", self.in_scope, ours.inscp_scp_amt),
        ];
        let differing = pairs.into_iter().filter(|(_, given, ours)| given != ours);
        differing.map(|(field, given, ours)| Caution::TotalIgnored { field, given, ours }).collect()
    }
}

/// What is to be heard of a settlement or a quote; `unfiled` where no filing covers the stay.
pub(crate) fn cautions(order: &Settle, settlement: &Settlement, unfiled: Caution) -> Vec<Caution> {
    let unfiled = is_unfiled(settlement).then_some(unfiled);
    order.totals.cautions(&settlement.breakdown).into_iter().chain(unfiled).collect()
}

pub(crate) fn is_unfiled(settlement: &Settlement) -> bool {
    settlement.facts.level == BenefitLevel::Unfiled
}

impl Service {
    /// The record is `Settled`; its `at` is the `setl_time`.
    ///
    /// # Errors
    /// In this order: `StayUnknown`, `PersonDiffers`, credential refusals, `InsuranceDiffers`, `OutOfOrder`, days,
    /// `NothingToSettle`, `TotalDiffers`, region and institution, `NotCovered`, `ThirdParty`, `CommitmentMissing`,
    /// `NotRecognised`, `NoPolicy`, `UnfiledRefused`, maternity kind, `NegativeTotal`, `QuoteAgain`.
    pub async fn settle(&self, call: &Call, order: Settle) -> Result<Answered, ServiceError> {
        let order = &order;
        self.remembering(|sight| self.settle_at(sight, call, order).map_ok(Attempt::Decided)).await
    }

    async fn settle_at(&self, sight: Sight, call: &Call, order: &Settle) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(order.stay.who()).at(sight);
        let load = match self.begin(call, &wanted).await? {
            Begun::Replay { record, facts } => return self.replay(record, facts).await,
            Begun::Fresh(load) => *load,
        };
        self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        if let Some(credential) = &order.credential {
            self.check_credential(&load.facts, credential).await?;
        }
        let quoted = self.last_quote(order).await;
        self.perform(call, &wanted, load, |load| self.decide_settlement(call, order, quoted, load)).await
    }

    fn decide_settlement(
        &self,
        call: &Call,
        order: &Settle,
        quoted: Option<Fen>,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let reference = self.reference.load();
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        let facts = self.settle_facts(&reference, &load.facts, stay);
        let settlement = settle(&facts, &self.settle_order(order, &load.facts, false))?;
        let mut cautions = cautions(order, &settlement, Caution::SettledUnfiled);
        cautions.extend(self.compare_with_quote(call, quoted, settlement.breakdown.psn_cash_pay)?);
        let body = Body::Settled(Box::new(settlement));
        Ok(Decision { cautions, ..Decision::at(body, &stay.id) })
    }

    /// Cash that differs from the last quote is told, or has to be quoted again where the institution wants it so.
    fn compare_with_quote(
        &self,
        call: &Call,
        quoted: Option<Fen>,
        now: Fen,
    ) -> Result<Option<Caution>, Refusal> {
        if quoted == Some(now) {
            return Ok(None);
        }
        if self.settings.switches(call.institution()).quote_again {
            return Err(Refusal::QuoteAgain { quoted, now });
        }
        Ok(quoted.map(|quoted| Caution::CashDiffers { quoted, now }))
    }

    pub(crate) fn settle_facts<'a>(
        &self,
        reference: &'a Reference,
        facts: &'a Facts,
        stay: &'a StayFacts,
    ) -> SettleFacts<'a> {
        SettleFacts {
            reference,
            key: &facts.key,
            birth: facts.private.birth,
            person: &facts.person,
            stay_id: &stay.id,
            stay: &stay.state,
            today: self.today(),
        }
    }

    pub(crate) fn settle_order(&self, order: &Settle, facts: &Facts, quote: bool) -> SettleOrder {
        SettleOrder {
            id: self.new_settlement_id(facts.bucket),
            quote,
            part: order.part,
            up_to: order.up_to,
            fee: order.fee,
            account_used: order.account_used,
            insutype: order.insutype.clone(),
            psn_setlway: order.psn_setlway.clone(),
            credential_type: order.credential_type.clone(),
            invoice: order.invoice.clone(),
            clearing_type: self.settings.clearing_type.clone(),
            clearing_way: self.settings.clearing_way.clone(),
        }
    }
}
