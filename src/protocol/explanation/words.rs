//! Owns the Chinese and English words for the codes that explanations name.

use crate::domain::breakdown::Fund;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::Reason;
use crate::domain::split::FullOwnPay;

/// (中文, English)
pub type Pair = (&'static str, &'static str);

pub fn scheme(scheme: Scheme) -> Pair {
    match scheme {
        Scheme::Employee => ("职工医保", "employee insurance"),
        Scheme::Resident => ("居民医保", "resident insurance"),
        Scheme::Maternity => ("生育保险", "maternity insurance"),
        Scheme::WorkInjury => ("工伤保险", "work injury insurance"),
    }
}

pub fn level(level: BenefitLevel) -> Pair {
    match level {
        BenefitLevel::Local => ("本地就医", "treated at home"),
        BenefitLevel::LongTermHome => {
            ("长期备案后回参保地就医", "treated at home while filed elsewhere for long")
        }
        BenefitLevel::InProvince => ("省内异地", "elsewhere in the province"),
        BenefitLevel::LongTerm => ("异地长期居住", "long-term resident elsewhere"),
        BenefitLevel::Referral => ("异地转诊", "referral"),
        BenefitLevel::Emergency => ("异地急诊抢救", "emergency"),
        BenefitLevel::OtherTemporary => ("其他临时外出就医", "other temporary care"),
        BenefitLevel::Unfiled => ("未备案", "not filed"),
    }
}

/// Why she got her level, in a sentence.
pub fn reason(reason: Reason) -> Pair {
    match reason {
        Reason::AtHome => ("在参保地就医，不需要备案。", "Care in the insured city needs no filing."),
        Reason::AtHomeFiledElsewhere => (
            "您已办理异地长期居住备案，备案有效期内回参保地就医，按回参保地的待遇结算。",
            "You are filed as living elsewhere; care back home settles by the rule for that.",
        ),
        Reason::InProvinceNeedsNone => (
            "参保地规定省内异地就医不需要备案。",
            "Your region needs no filing for care inside the province.",
        ),
        Reason::InProvinceFiled => {
            ("省内异地就医，备案有效。", "Care inside the province, and your filing counts.")
        }
        Reason::LongTermFiling => ("您的异地长期居住备案有效。", "Your long-term filing counts."),
        Reason::ReferralFiling => ("您的转诊备案有效。", "Your referral counts."),
        Reason::EmergencyFlag => {
            ("医院标记为急诊抢救，视同已备案。", "The hospital marked an emergency, which counts as filed.")
        }
        Reason::EmergencyFiling => ("您的急诊备案有效。", "Your emergency filing counts."),
        Reason::OtherTemporaryFiling => ("您的临时外出就医备案有效。", "Your temporary filing counts."),
        Reason::EmergencyNotFiledInTime => (
            "参保地规定省内急诊须在入院后规定天数内办理急诊备案，这次没有按时办理；出院结算前可补办临时外出就医备案（国家医保服务平台App、国家异地就医备案小程序或参保地经办机构）。",
            "Inside the province your region counts an emergency only when it is filed within so many days of admission, and this one was not. Before the settlement you can still file as other temporary care: by the App 国家医保服务平台, the mini-program 国家异地就医备案, or at your region's office.",
        ),
        Reason::NoFiling => ("这次住院没有备案。", "There is no filing for this stay."),
        Reason::NoFilingCounts => {
            ("您有备案，但都不适用于这次住院。", "You have filings, but none of them counts for this stay.")
        }
    }
}

pub fn fund(fund: Fund) -> Pair {
    match fund {
        Fund::EmployeePool => ("职工统筹基金", "employee pool"),
        Fund::ResidentPool => ("居民统筹基金", "resident pool"),
        Fund::Maternity => ("生育保险基金", "maternity fund"),
        Fund::LargeAmount => ("大额医疗补助", "large-amount fund"),
        Fund::EmployeeSeriousIllness => ("职工大病保险", "employee serious-illness insurance"),
        Fund::ResidentSeriousIllness => ("居民大病保险", "resident serious-illness insurance"),
        Fund::CivilServant => ("公务员医疗补助", "civil-servant subsidy"),
        Fund::Assistance => ("医疗救助", "medical assistance"),
        Fund::WorkInjury => ("工伤保险基金", "work injury fund"),
    }
}

pub fn category(category: AssistanceCategory) -> Pair {
    match category {
        AssistanceCategory::NoSupport => ("三无人员", "person without support"),
        AssistanceCategory::RegisteredPoor => ("建档立卡人员", "registered poor"),
        AssistanceCategory::MinimumLiving => ("低保对象", "minimum living allowance"),
        AssistanceCategory::ExtremeHardship => ("特困人员", "extreme hardship"),
        AssistanceCategory::LowIncome => ("低收入家庭", "low income"),
        AssistanceCategory::ImpoverishedByIllness => ("因病致贫人员", "impoverished by illness"),
    }
}

pub fn filing(category: FilingCategory) -> Pair {
    match category {
        FilingCategory::LongTermRetiree => ("异地安置退休人员", "retired and resettled"),
        FilingCategory::LongTermResident => ("异地长期居住人员", "long-term resident"),
        FilingCategory::LongTermWorker => ("常驻异地工作人员", "posted by the employer"),
        FilingCategory::Referral => ("异地转诊人员", "referral"),
        FilingCategory::Emergency => ("异地急诊抢救人员", "emergency"),
        FilingCategory::OtherTemporary => ("其他临时外出就医人员", "other temporary care"),
    }
}

pub fn full_own_pay(reason: FullOwnPay) -> Pair {
    match reason {
        FullOwnPay::ClassC => ("丙类，目录外全自费", "class C, outside the catalogue"),
        FullOwnPay::RestrictedWithoutApproval => {
            ("限制使用，未经医院审批", "restricted, and not approved by the hospital")
        }
        FullOwnPay::NotInInjuryCatalogue => ("不在工伤目录内", "not in the injury catalogue"),
    }
}
