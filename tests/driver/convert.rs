//! Words and figures of the reference as the domain's, and the comparison of one result.
use super::facts::institution_code;
use super::packs::{day, decimal};
use crate::reference::book::{Fund, Refusal as RefRefusal, wire};
use crate::reference::filing::{Category, Filing as RefFiling};
use crate::reference::identities::{Wire, faults};
use crate::reference::lines::{Line as RefLine, Split};
use crate::reference::pack::{Benefit, Scheme as RefScheme};
use crate::reference::share::{Share, Totals};
use banyan::domain::accumulators::Accumulators;
use banyan::domain::breakdown::{Breakdown, Direction};
use banyan::domain::calendar::{Instant, Moment};
use banyan::domain::codes::{BenefitLevel, Scheme};
use banyan::domain::filing::{FiledBy, Filing, FilingCategory, FilingProof};
use banyan::domain::ids::{FilingId, LineNo, MessageId, RegionCode};
use banyan::domain::money::Fen;
use banyan::domain::record::{ContentHash, MessageKey, Meta};
use banyan::domain::refusal::Refusal;
use banyan::domain::upload::LineOrder;

/// Every amount of the wire, and the identities on the domain's own figures.
pub(super) fn same(found: &Breakdown, expected: &Share, at: &str) {
    let figures = figures(found);
    assert_eq!(figures, wire(expected), "{at}");
    assert_eq!(found.owed_to_person, Fen(expected.owed), "{at}: owed");
    assert_eq!(found.change.burden, Fen(expected.burden), "{at}: burden");
    assert_eq!(found.burden(), Fen(expected.burden), "{at}: burden");
    let unused = [found.hifes_pay, found.hifdm_pay, found.hosp_part_amt, found.acct_mulaid_pay];
    assert_eq!(unused, [Fen::ZERO; 4], "{at}");
    let rows: Fen = found.funds.iter().map(|row| row.amount).sum();
    assert_eq!(rows, found.fund_pay_sumamt, "{at}: I10");
    let forward = match found.direction {
        Direction::Forward => figures,
        Direction::Reversal => self::figures(&found.negated()),
    };
    assert_eq!(faults(&forward), Vec::<&str>::new(), "{at}");
}

pub(super) fn figures(found: &Breakdown) -> Wire {
    Wire {
        total: found.medfee_sumamt.0,
        split: Split {
            full_own: found.fulamt_ownpay_amt.0,
            over_limit: found.overlmt_selfpay.0,
            first_pay: found.preselfpay_amt.0,
            in_scope: found.inscp_scp_amt.0,
        },
        prepay: found.extra_first_pay.0,
        deductible_standard: found.dedc_std.0,
        deductible: found.act_pay_dedc.0,
        pool: found.hifp_pay.0,
        large: found.hifob_pay.0,
        serious: found.hifmi_pay.0,
        civil_servant: found.cvlserv_pay.0,
        assistance: found.maf_pay.0,
        other: found.oth_pay.0,
        fund: found.fund_pay_sumamt.0,
        personal: found.psn_part_amt.0,
        account: found.acct_pay.0,
        cash: found.psn_cash_pay.0,
    }
}

pub(super) fn accumulators(totals: &Totals) -> Accumulators {
    Accumulators {
        admissions: totals.admissions,
        deductible: Fen(totals.deductible),
        hifp: Fen(totals.pool),
        hifob: Fen(totals.large),
        hifmi: Fen(totals.serious),
        burden: Fen(totals.burden),
        maf: Fen(totals.assistance),
    }
}

pub(super) fn scheme_of(fund: Fund) -> Scheme {
    match fund {
        Fund::Basic(RefScheme::Employee) => Scheme::Employee,
        Fund::Basic(RefScheme::Resident) => Scheme::Resident,
        Fund::Maternity => Scheme::Maternity,
        Fund::Injury => Scheme::WorkInjury,
    }
}

pub(super) fn level_of(benefit: Benefit) -> BenefitLevel {
    match benefit {
        Benefit::Local => BenefitLevel::Local,
        Benefit::InProvince => BenefitLevel::InProvince,
        Benefit::LongTerm => BenefitLevel::LongTerm,
        Benefit::LongTermHome => BenefitLevel::LongTermHome,
        Benefit::Referral => BenefitLevel::Referral,
        Benefit::Emergency => BenefitLevel::Emergency,
        Benefit::OtherTemporary => BenefitLevel::OtherTemporary,
        Benefit::Unfiled => BenefitLevel::Unfiled,
    }
}

pub(super) fn reason(refusal: &Refusal) -> Option<RefRefusal> {
    match refusal {
        Refusal::UnfiledRefused => Some(RefRefusal::Unfiled),
        Refusal::NotRecognised { .. } => Some(RefRefusal::NotRecognised),
        Refusal::ThirdParty => Some(RefRefusal::ThirdParty),
        Refusal::LaterStands { .. } | Refusal::LaterPartStands { .. } | Refusal::OutOfOrder { .. } => {
            Some(RefRefusal::LaterLive)
        }
        _ => None,
    }
}

pub(super) fn filing_of(filing: &RefFiling, number: u64) -> Filing {
    Filing {
        id: FilingId::parse(&format!("F{number}")).unwrap(),
        category: match filing.category {
            Category::LongTerm => FilingCategory::LongTermResident,
            Category::Referral => FilingCategory::Referral,
            Category::OtherTemporary => FilingCategory::OtherTemporary,
        },
        target: RegionCode(filing.place),
        from: day(filing.from),
        to: filing.until.map(day),
        made_on: day(filing.made),
        proof: FilingProof::Documents,
        by: FiledBy::Center,
        ended_from: None,
    }
}

pub(super) fn line_order(line: &RefLine, lines: &[RefLine]) -> LineOrder {
    let mut content = [0; 16];
    content[..8].copy_from_slice(&line.no.to_be_bytes());
    LineOrder {
        no: line_no(line),
        refunds: line.refunds.map(|index| line_no(&lines[index])),
        at: Moment::start_of(day(line.day)),
        code: line.item.code.as_str().into(),
        own_code: "".into(),
        price: decimal(line.price),
        count: rust_decimal::Decimal::new(line.count, 2),
        approved: line.approved,
        amount: Fen(line.amount),
        content,
        raw: "".into(),
    }
}

pub(super) fn line_no(line: &RefLine) -> LineNo {
    LineNo::parse(&line.no.to_string()).unwrap()
}

pub(super) fn message(version: u64) -> MessageKey {
    MessageKey {
        institution: institution_code(0),
        transaction: 2304,
        message: MessageId::parse(&version.to_string()).unwrap(),
    }
}

pub(super) fn meta(key: MessageKey, received_at: Instant) -> Meta {
    Meta {
        key,
        content: ContentHash { recipe: 1, digest: [0; 32] },
        reference: String::new(),
        received_at,
        operator: String::new(),
        warning: String::new(),
        writer: 1,
    }
}

/// The code by which `banyan quote` names a refusal.
pub(super) fn reason_word(refusal: RefRefusal) -> &'static str {
    match refusal {
        RefRefusal::Unfiled => "unfiled",
        RefRefusal::NotRecognised => "not-recognised",
        RefRefusal::ThirdParty => "third-party-liable",
        RefRefusal::LaterLive => "later-live",
    }
}
