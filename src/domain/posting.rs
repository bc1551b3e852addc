//! Owns the double entry: which event makes which entries, each pair balanced, a reversal with its sides swapped.

use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;

/// Where an amount stands. The region is the one whose books it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// 基金支出 of one fund, in the insured region's books.
    FundExpense {
        region: RegionCode,
        fund: Fund,
    },
    /// 个人账户 paid, in the insured region's books.
    PersonalAccount {
        region: RegionCode,
    },
    /// 应付: owed by the insured region to the place of care.
    PayableToRegion {
        region: RegionCode,
        to: RegionCode,
    },
    /// 应收: owed to the place of care by the insured region.
    ReceivableFromRegion {
        region: RegionCode,
        from: RegionCode,
    },
    /// Owed to a hospital by its own region.
    PayableToHospital {
        region: RegionCode,
        institution: InstitutionCode,
    },
    /// Memorandum: what the person paid in cash, and the hospital took.
    CashPaid {
        region: RegionCode,
    },
    CashTaken {
        region: RegionCode,
        institution: InstitutionCode,
    },
}

/// One side of a posting: debit positive, credit negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: Account,
    pub amount: Fen,
}

/// What a settlement moves.
#[derive(Clone, Copy, Debug)]
pub struct Movement<'a> {
    pub insured_pool: RegionCode,
    pub care_pool: RegionCode,
    pub institution: &'a InstitutionCode,
    pub funds: &'a [FundRow],
    pub account: Fen,
    pub cash: Fen,
}

/// The entries of a settlement. Zero amounts make no entry.
///
/// Treated in her own pool: fund expense against what is owed to the hospital. Treated elsewhere: the insured region
/// owes the place of care, and the place of care, which is owed as much, owes its hospital.
///
/// Kept settlements leave out the entries that this makes: another rule gets a function of its own.
pub fn entries(movement: &Movement<'_>) -> Vec<Entry> {
    let (home, care) = (movement.insured_pool, movement.care_pool);
    let hospital = movement.institution;
    let mut entries = Vec::with_capacity(movement.funds.len() + 6);
    let mut post = |account: Account, amount: Fen| {
        if !amount.is_zero() {
            entries.push(Entry { account, amount });
        }
    };
    for share in movement.funds {
        post(Account::FundExpense { region: home, fund: share.fund }, share.amount);
    }
    post(Account::PersonalAccount { region: home }, movement.account);
    let funds: Fen = movement.funds.iter().map(|share| share.amount).sum();
    let owed = funds + movement.account;
    if home != care {
        post(Account::PayableToRegion { region: home, to: care }, -owed);
        post(Account::ReceivableFromRegion { region: care, from: home }, owed);
    }
    post(Account::PayableToHospital { region: care, institution: hospital.clone() }, -owed);
    post(Account::CashPaid { region: home }, movement.cash);
    post(Account::CashTaken { region: care, institution: hospital.clone() }, -movement.cash);
    entries
}

/// The same entries with their sides swapped.
pub fn swapped(entries: &[Entry]) -> Vec<Entry> {
    entries.iter().map(|e| Entry { account: e.account.clone(), amount: -e.amount }).collect()
}

/// Debits less credits: zero, or the posting is broken.
pub fn imbalance(entries: &[Entry]) -> Fen {
    entries.iter().map(|e| e.amount).sum()
}
