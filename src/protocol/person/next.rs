//! Owns what she is advised to do, by how a claim stands and which filing counted.

use crate::domain::codes::BenefitLevel;
use crate::protocol::person::claim::ClaimView;
use crate::protocol::person::claims::ClaimRow;
use crate::protocol::person::claims::Status;
use crate::protocol::web::form::Said;

/// Advice with the page that it leads to, where there is one.
pub(super) struct Advice {
    pub(super) said: Said,
    pub(super) page: Option<String>,
}

fn advice(zh: impl Into<String>, en: impl Into<String>, page: Option<&str>) -> Advice {
    Advice { said: Said::new(zh, en), page: page.map(str::to_owned) }
}

/// In the order of urgency; never empty.
pub(super) fn steps(row: &ClaimRow, view: Option<&ClaimView>) -> Vec<Advice> {
    let mut steps = by_status(row);
    if matches!(row.status, Status::Settled) {
        steps.extend(view.and_then(by_level));
        steps.push(advice(
            "请保存医院的结算单和发票；对明细有疑问，先向医院医保办核对。",
            "Keep the hospital's settlement sheet and invoice. Ask its insurance desk first about single items.",
            None,
        ));
    }
    steps
}

fn by_status(row: &ClaimRow) -> Vec<Advice> {
    match &row.status {
        Status::Settled => Vec::new(),
        Status::InHospital | Status::AwaitsSettlement => vec![before_settlement(row)],
        Status::Reversed { stay, .. } => vec![advice(
            "医院撤销了这次结算，所收的钱应全部退还给您；没有退的请向医院结算窗口要回。再问清何时重新结算。",
            "The hospital reversed this settlement in full and owes you back what it took. \
             Ask at its desk for what is not paid back, and when it will settle again.",
            stay.as_ref().map(|stay| format!("/me/claims/{stay}")).as_deref(),
        )],
        Status::Replaced { by, .. } => vec![advice(
            "请查看重新结算后的结果，以新的结算为准。",
            "See the new settlement; that one counts.",
            Some(&format!("/me/claims/{by}")),
        )],
    }
}

/// Nothing, to file, or what was always true where her filings are not decided.
fn before_settlement(row: &ClaimRow) -> Advice {
    let place = &row.place;
    let Some(coming) = &row.coming else {
        return advice(
            format!("结算前请确认有一条适用于{place}的备案；没有的话现在就可以补办，补办后按备案结算。"),
            format!(
                "Before settlement make sure that a filing covers {place}. If none does, file now: it still counts."
            ),
            Some("/me/filings"),
        );
    };
    match (coming.level, &coming.filing) {
        (BenefitLevel::Unfiled, _) => advice(
            format!(
                "现在没有适用于{place}的备案，这样结算您要多付钱。请在出院结算前补办，补办后按备案结算。"
            ),
            format!(
                "No filing covers {place} now, and unfiled you pay more. File before the settlement: it still counts."
            ),
            Some("/me/filings/new"),
        ),
        (BenefitLevel::Local | BenefitLevel::LongTermHome, _) => advice(
            "在参保地就医，不用备案。出院时由医院直接结算。",
            "Care at home needs no filing. The hospital settles directly at discharge.",
            None,
        ),
        (_, Some(id)) => advice(
            format!("您的备案{id}适用于这次住院，不用再办。出院时由医院直接结算。"),
            format!(
                "Your filing {id} covers this stay; nothing is left to file. The hospital settles directly at discharge."
            ),
            None,
        ),
        (_, None) => advice(
            "这次住院不用备案。出院时由医院直接结算。",
            "This stay needs no filing. The hospital settles directly at discharge.",
            None,
        ),
    }
}

fn by_level(view: &ClaimView) -> Option<Advice> {
    match view.level {
        BenefitLevel::Unfiled => Some(advice(
            "这次已按未备案结算，不能再改。下次外出就医前先备案，住院期间补办也有效。",
            "This one was settled as unfiled and stays so. File before the next stay, or at the latest before its settlement.",
            Some("/me/filings/new"),
        )),
        BenefitLevel::OtherTemporary => Some(advice(
            "如果需要去外地治疗，请先请参保地医院开转诊：转诊备案的报销比例更高。长期在外地居住的，请办长期备案。",
            "If you must be treated elsewhere, ask a hospital at home for a referral: it pays more. If you live elsewhere, file as long-term.",
            Some("/me/filings/new"),
        )),
        BenefitLevel::LongTermHome => Some(advice(
            "如果您已不在外地长期居住，可在备案页面查看何时可以变更。",
            "If you no longer live elsewhere, see on the filings page from when the filing can be changed.",
            Some("/me/filings"),
        )),
        BenefitLevel::Local
        | BenefitLevel::InProvince
        | BenefitLevel::LongTerm
        | BenefitLevel::Referral
        | BenefitLevel::Emergency => None,
    }
}
