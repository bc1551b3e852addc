//! Owns the list of transactions: number, name, and the nodes that each brings.

use crate::protocol::hospital::field::Node;
use crate::protocol::hospital::field::NodeTable;
use crate::protocol::hospital::tables::catalogue;
use crate::protocol::hospital::tables::filing;
use crate::protocol::hospital::tables::lines;
use crate::protocol::hospital::tables::person;
use crate::protocol::hospital::tables::query;
use crate::protocol::hospital::tables::settlement;
use crate::protocol::hospital::tables::sign;
use crate::protocol::hospital::tables::stay;

/// Every transaction of the hospital face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transaction {
    SignIn,
    SignOut,
    Identify,
    Institution,
    Entitlement,
    CatalogueItems,
    CatalogueMatches,
    InstitutionMatches,
    PriceLimits,
    FirstPayRates,
    UploadLines,
    WithdrawLines,
    Quote,
    Settle,
    CancelSettlement,
    Admit,
    Discharge,
    ChangeStay,
    CancelAdmission,
    CancelDischarge,
    FileReferral,
    WithdrawReferral,
    Undo,
    QueryVisits,
    QueryDiagnoses,
    QuerySettlement,
    QueryLines,
    QueryChronicDrugs,
    QueryTotals,
    QueryChronicFilings,
    QueryChosenInstitutions,
    QueryInHospital,
    QueryReferrals,
}

/// How a transaction uses a node.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub table: fn() -> &'static NodeTable,
    /// One object, or a list of them.
    pub many: bool,
    pub required: bool,
    /// Fields that this transaction requires although the table, which it shares, does not.
    pub also_required: &'static [&'static str],
}

const fn one<N: Node>() -> Slot {
    Slot { table: N::table, many: false, required: true, also_required: &[] }
}

const fn many<N: Node>() -> Slot {
    Slot { many: true, ..one::<N>() }
}

const fn optional(slot: Slot) -> Slot {
    Slot { required: false, ..slot }
}

impl Transaction {
    pub const ALL: [Transaction; 33] = {
        use Transaction as T;
        [
            T::SignIn,
            T::SignOut,
            T::Identify,
            T::Institution,
            T::Entitlement,
            T::CatalogueItems,
            T::CatalogueMatches,
            T::InstitutionMatches,
            T::PriceLimits,
            T::FirstPayRates,
            T::UploadLines,
            T::WithdrawLines,
            T::Quote,
            T::Settle,
            T::CancelSettlement,
            T::Admit,
            T::Discharge,
            T::ChangeStay,
            T::CancelAdmission,
            T::CancelDischarge,
            T::FileReferral,
            T::WithdrawReferral,
            T::Undo,
            T::QueryVisits,
            T::QueryDiagnoses,
            T::QuerySettlement,
            T::QueryLines,
            T::QueryChronicDrugs,
            T::QueryTotals,
            T::QueryChronicFilings,
            T::QueryChosenInstitutions,
            T::QueryInHospital,
            T::QueryReferrals,
        ]
    };

    /// The four digits of `infno`, which also name the transaction in a message key.
    pub fn number(self) -> &'static str {
        self.line().0
    }

    /// The same as a number, as message keys have it.
    pub fn key_number(self) -> u16 {
        self.number().parse().expect("transaction numbers are four digits")
    }

    pub fn chinese(self) -> &'static str {
        self.line().1
    }

    fn line(self) -> (&'static str, &'static str) {
        match self {
            Transaction::SignIn => ("9001", "签到"),
            Transaction::SignOut => ("9002", "签退"),
            Transaction::Identify => ("1101", "人员基本信息获取"),
            Transaction::Institution => ("1201", "医药机构信息获取"),
            Transaction::Entitlement => ("2001", "人员待遇享受检查"),
            Transaction::CatalogueItems => ("1312", "医保目录信息查询"),
            Transaction::CatalogueMatches => ("1316", "医疗目录与医保目录匹配信息查询"),
            Transaction::InstitutionMatches => ("1317", "医药机构目录匹配信息查询"),
            Transaction::PriceLimits => ("1318", "医保目录限价信息查询"),
            Transaction::FirstPayRates => ("1319", "医保目录先自付比例信息查询"),
            Transaction::UploadLines => ("2301", "住院费用明细上传"),
            Transaction::WithdrawLines => ("2302", "住院费用明细撤销"),
            Transaction::Quote => ("2303", "住院预结算"),
            Transaction::Settle => ("2304", "住院结算"),
            Transaction::CancelSettlement => ("2305", "住院结算撤销"),
            Transaction::Admit => ("2401", "入院办理"),
            Transaction::Discharge => ("2402", "出院办理"),
            Transaction::ChangeStay => ("2403", "住院信息变更"),
            Transaction::CancelAdmission => ("2404", "入院撤销"),
            Transaction::CancelDischarge => ("2405", "出院撤销"),
            Transaction::FileReferral => ("2501", "转院备案"),
            Transaction::WithdrawReferral => ("2502", "转院备案撤销"),
            Transaction::Undo => ("2601", "冲正交易"),
            Transaction::QueryVisits => ("5201", "就诊信息查询"),
            Transaction::QueryDiagnoses => ("5202", "诊断信息查询"),
            Transaction::QuerySettlement => ("5203", "结算信息查询"),
            Transaction::QueryLines => ("5204", "费用明细查询"),
            Transaction::QueryChronicDrugs => ("5205", "人员慢特病用药记录查询"),
            Transaction::QueryTotals => ("5206", "人员累计信息查询"),
            Transaction::QueryChronicFilings => ("5301", "人员慢特病备案查询"),
            Transaction::QueryChosenInstitutions => ("5302", "人员定点备案查询"),
            Transaction::QueryInHospital => ("5303", "在院信息查询"),
            Transaction::QueryReferrals => ("5304", "转院信息查询"),
        }
    }

    /// The later form of a number, with an A, is the same transaction.
    fn has_later_form(self) -> bool {
        matches!(
            self,
            Transaction::UploadLines
                | Transaction::WithdrawLines
                | Transaction::Quote
                | Transaction::Settle
                | Transaction::CancelSettlement
                | Transaction::FileReferral
        )
    }

    /// Reads `infno`: four digits, with the A of a later form where one is known. `None` is an unknown
    /// transaction.
    pub fn from_infno(infno: &str) -> Option<Transaction> {
        let by_number = |number: &str| Transaction::ALL.into_iter().find(|known| known.number() == number);
        match infno.strip_suffix(['A', 'a']) {
            Some(number) => by_number(number).filter(|known| known.has_later_form()),
            None => by_number(infno),
        }
    }

    /// The nodes that `input` may hold, in the order in which they are checked and hashed.
    pub fn slots(self) -> &'static [Slot] {
        match self {
            Transaction::SignIn => const { &[one::<sign::SignIn>()] },
            Transaction::SignOut => const { &[one::<sign::SignOut>()] },
            Transaction::Identify => const { &[one::<person::Identification>()] },
            Transaction::Institution => const { &[one::<person::Institution>()] },
            Transaction::Entitlement => const { &[one::<person::Entitlement>()] },
            Transaction::CatalogueItems => const { &[one::<catalogue::Items>()] },
            Transaction::CatalogueMatches => const { &[one::<catalogue::Matches>()] },
            Transaction::InstitutionMatches => const { &[one::<catalogue::InstitutionMatches>()] },
            Transaction::PriceLimits => const { &[one::<catalogue::PriceLimits>()] },
            Transaction::FirstPayRates => const { &[one::<catalogue::FirstPayRates>()] },
            Transaction::UploadLines => const { &[many::<lines::FeeLine>()] },
            Transaction::WithdrawLines => const { &[many::<lines::LineWithdrawal>()] },
            Transaction::Quote => const { &[one::<settlement::Bill>()] },
            Transaction::Settle => {
                const { &[Slot { also_required: &["acct_used_flag"], ..one::<settlement::Bill>() }] }
            }
            Transaction::CancelSettlement => const { &[one::<settlement::SettlementCancel>()] },
            Transaction::Admit => {
                const {
                    &[
                        one::<stay::Admission>(),
                        optional(many::<stay::AdmissionDiagnosis>()),
                        optional(one::<stay::Agent>()),
                    ]
                }
            }
            Transaction::Discharge => {
                const { &[one::<stay::Discharge>(), optional(many::<stay::StayDiagnosis>())] }
            }
            Transaction::ChangeStay => {
                const { &[one::<stay::StayChange>(), optional(many::<stay::StayDiagnosis>())] }
            }
            Transaction::CancelAdmission | Transaction::CancelDischarge => {
                const { &[one::<stay::StayCancel>()] }
            }
            Transaction::FileReferral => const { &[one::<filing::Referral>()] },
            Transaction::WithdrawReferral => const { &[one::<filing::ReferralWithdrawal>()] },
            Transaction::Undo => const { &[one::<settlement::Undo>()] },
            Transaction::QueryVisits => const { &[one::<query::Visits>()] },
            Transaction::QueryDiagnoses => const { &[one::<query::Diagnoses>()] },
            Transaction::QuerySettlement | Transaction::QueryLines => const { &[one::<query::Settlement>()] },
            Transaction::QueryChronicDrugs => const { &[one::<query::ChronicDrugs>()] },
            Transaction::QueryTotals => const { &[one::<query::Totals>()] },
            Transaction::QueryChronicFilings => const { &[one::<query::ChronicFilings>()] },
            Transaction::QueryChosenInstitutions => const { &[one::<query::ChosenInstitutions>()] },
            Transaction::QueryInHospital | Transaction::QueryReferrals => const { &[one::<query::Period>()] },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_the_letter_of_its_later_form() {
        let cases = [
            ("2304", Some(Transaction::Settle)),
            ("2304A", Some(Transaction::Settle)),
            ("2304a", Some(Transaction::Settle)),
            ("2501A", Some(Transaction::FileReferral)),
            ("2401A", None),
            ("2304B", None),
            ("90100", None),
            ("A", None),
            ("", None),
        ];
        for (infno, transaction) in cases {
            assert_eq!(Transaction::from_infno(infno), transaction, "{infno}");
        }
    }

    #[test]
    fn every_transaction_is_listed_once_and_keeps_its_tables_apart() {
        let mut numbers: Vec<_> = Transaction::ALL.iter().map(|one| one.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Transaction::ALL.len());
        for transaction in Transaction::ALL {
            for slot in transaction.slots() {
                let table = (slot.table)();
                assert!(table.fields.len() <= 64, "a row's presence must fit 64 bits: {}", table.wire);
                for wire in slot.also_required {
                    assert!(table.position(wire).is_some(), "{wire}");
                }
            }
        }
    }
}
