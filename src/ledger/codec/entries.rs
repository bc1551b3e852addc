//! Owns how the entries of a posting are kept.

use crate::domain::breakdown::Fund;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::posting::Account;
use crate::domain::posting::Entry;

tagged!(Account {
    FundExpense = "fund_expense" { region: RegionCode, fund: Fund },
    PersonalAccount = "personal_account" { region: RegionCode },
    PayableToRegion = "payable_to_region" { region: RegionCode, to: RegionCode },
    ReceivableFromRegion = "receivable_from_region" { region: RegionCode, from: RegionCode },
    PayableToHospital = "payable_to_hospital" { region: RegionCode, institution: InstitutionCode },
    CashPaid = "cash_paid" { region: RegionCode },
    CashTaken = "cash_taken" { region: RegionCode, institution: InstitutionCode },
});

row!(Entry { account: Account, amount: Fen });
