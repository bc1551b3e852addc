//! 2501, 2501A, 2502: a referral is filed and withdrawn.

use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::record::Body;
use crate::domain::record::FilingPrivate;
use crate::protocol::hospital::kept;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::filing::REFERRAL;
use crate::protocol::hospital::tables::filing::REFERRAL_WITHDRAWAL;
use crate::protocol::hospital::tables::filing::Referral;
use crate::protocol::hospital::tables::filing::ReferralWithdrawal;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::broken;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::told;
use crate::service::file::CancelReferral;
use crate::service::file::Refer;
use crate::telemetry::metrics::Outcome;

/// Fields with a place of their own in the record.
const TYPED: [&str; 7] = ["tel", "addr", "diag_code", "diag_name", "mdtrtarea_admdvs", "begndate", "enddate"];

pub(super) async fn refer(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let answered = turn.service.refer(&turn.call(), referral(turn.message)).await?;
    let Body::FilingMade(filing) = &answered.record.body else {
        return Err(broken("a referral's record without a filing"));
    };
    turn.answer_deed(&answered.record, answered.replayed, |output| {
        output.object("result", |row| _ = row.shown("trt_dcla_detl_sn", &filing.id));
    })
}

fn referral(message: &Message<'_>) -> Refer {
    let row = message.one::<Referral>();
    Refer {
        number: row.get(&REFERRAL.psn_no).to_owned(),
        target: row.get(&REFERRAL.mdtrtarea_admdvs),
        disagreed: row.get(&REFERRAL.hosp_agre_refl_flag) == Some(false),
        receiver: InstitutionCode::parse(row.get(&REFERRAL.reflin_medins_no)).ok(),
        referred_on: row.get(&REFERRAL.refl_date),
        from: row.get(&REFERRAL.begndate),
        to: row.get(&REFERRAL.enddate),
        private: FilingPrivate {
            phone: told(row.get(&REFERRAL.tel)),
            address: told(row.get(&REFERRAL.addr)),
            diagnosis_code: row.get(&REFERRAL.diag_code).to_owned(),
            diagnosis_name: row.get(&REFERRAL.diag_name).to_owned(),
            raw: kept::kept(&row, |wire| !TYPED.contains(&wire)),
        },
    }
}

pub(super) async fn withdraw(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<ReferralWithdrawal>();
    let filing = row.get(&REFERRAL_WITHDRAWAL.trt_dcla_detl_sn);
    let order = CancelReferral {
        number: row.get(&REFERRAL_WITHDRAWAL.psn_no).to_owned(),
        filing: identifier("trt_dcla_detl_sn", "待遇申报明细流水号", filing, FilingId::parse)?,
        reason: told(row.get(&REFERRAL_WITHDRAWAL.memo)),
    };
    let answered = turn.service.cancel_referral(&turn.call(), order).await?;
    turn.answer_deed(&answered.record, answered.replayed, |_| {})
}
