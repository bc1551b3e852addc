//! Owns the words in which a person is told what the law calls by code.

use crate::domain::breakdown::Fund;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing::FilingCategory;
use crate::protocol::web::form::Said;

pub fn fund(fund: Fund) -> Said {
    let (zh, en) = match fund {
        Fund::EmployeePool => ("职工医保统筹基金", "employee pool"),
        Fund::ResidentPool => ("居民医保统筹基金", "resident pool"),
        Fund::Maternity => ("生育保险基金", "maternity fund"),
        Fund::LargeAmount => ("职工大额医疗费用补助", "large-amount fund"),
        Fund::EmployeeSeriousIllness => ("职工大病保险", "employee serious-illness cover"),
        Fund::ResidentSeriousIllness => ("居民大病保险", "resident serious-illness cover"),
        Fund::CivilServant => ("公务员医疗补助", "civil-servant subsidy"),
        Fund::Assistance => ("医疗救助", "medical assistance"),
        Fund::WorkInjury => ("工伤保险基金", "work-injury fund"),
    };
    Said::new(zh, en)
}

pub fn scheme(scheme: Scheme) -> Said {
    let (zh, en) = match scheme {
        Scheme::Employee => ("职工基本医疗保险", "employee insurance"),
        Scheme::Resident => ("城乡居民基本医疗保险", "resident insurance"),
        Scheme::Maternity => ("生育保险", "maternity insurance"),
        Scheme::WorkInjury => ("工伤保险", "work-injury insurance"),
    };
    Said::new(zh, en)
}

pub fn category(category: FilingCategory) -> Said {
    let (zh, en) = match category {
        FilingCategory::LongTermRetiree => ("异地安置退休人员", "retired and resettled"),
        FilingCategory::LongTermResident => ("异地长期居住人员", "long-term resident elsewhere"),
        FilingCategory::LongTermWorker => ("常驻异地工作人员", "posted elsewhere by employer"),
        FilingCategory::Referral => ("异地转诊人员", "referred elsewhere"),
        FilingCategory::Emergency => ("异地急诊抢救人员", "emergency elsewhere"),
        FilingCategory::OtherTemporary => ("其他临时外出就医人员", "other temporary care elsewhere"),
    };
    Said::new(zh, en)
}

/// What of a bill is hers before its rules are asked: outside the catalogue, over price limits, first share of class B.
pub fn own_parts() -> [Said; 3] {
    [
        Said::new("目录外全自费", "Outside the catalogue"),
        Said::new("超过限价", "Above price limits"),
        Said::new("乙类先行自付", "First share of class B"),
    ]
}

/// What a filing, or the want of one, would make of a stay that is not settled yet.
pub fn coming(coming: BenefitLevel) -> Said {
    match coming {
        BenefitLevel::Unfiled => Said::new("目前没有适用的备案", "No filing applies so far"),
        coming => level(coming),
    }
}

/// What a filing, or the want of one, made of a claim.
pub fn level(level: BenefitLevel) -> Said {
    let (zh, en) = match level {
        BenefitLevel::Local => ("在参保地就医，无需备案", "Care at home; no filing needed"),
        BenefitLevel::LongTermHome => (
            "您已办理异地长期居住备案，这次回参保地就医",
            "Care at home while a long-term filing elsewhere stands",
        ),
        BenefitLevel::InProvince => ("省内异地就医", "Care in another city of your province"),
        BenefitLevel::LongTerm => {
            ("适用异地长期居住备案，按参保地待遇", "Long-term filing: benefits as at home")
        }
        BenefitLevel::Referral => ("适用异地转诊备案", "Referral filing"),
        BenefitLevel::Emergency => ("急诊抢救，视同已备案", "Emergency: counts as filed"),
        BenefitLevel::OtherTemporary => ("适用其他临时外出就医备案", "Filing for other temporary care"),
        BenefitLevel::Unfiled => ("没有适用的备案", "No filing applied"),
    };
    Said::new(zh, en)
}
