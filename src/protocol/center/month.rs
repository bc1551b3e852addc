//! Owns what is told of a clearing month: by region, by pair of regions, by hospital; as CSV and JSON too.

use serde_json::Value;
use serde_json::json;

use crate::domain::calendar::Month;
use crate::domain::clearing;
use crate::domain::clearing::Position;
use crate::domain::clearing::Totals;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::reference::Reference;
use crate::protocol::center::month_state::MonthState;
use crate::protocol::center::spreadsheet::Sheet;

const COLUMNS: [&str; 16] = [
    "month",
    "insured_pool",
    "insured_pool_name",
    "care_pool",
    "care_pool_name",
    "hospital",
    "hospital_name",
    "settlements",
    "reversals",
    "medfee",
    "fund",
    "account",
    "owed",
    "cash",
    "crosses_border",
    "month_state",
];

/// A month with the names that people know its regions and hospitals by.
pub struct MonthView {
    pub month: Month,
    pub state: MonthState,
    pub regions: Vec<RegionRow>,
    pub pairs: Vec<PairRow>,
    pub hospitals: Vec<HospitalRow>,
    /// Σ of net positions: anything but zero is a fault.
    pub imbalance: Fen,
}

pub struct RegionRow {
    pub code: RegionCode,
    pub name: String,
    pub position: Position,
}

/// What the insured pool owes the place of care.
pub struct PairRow {
    pub home: RegionCode,
    pub home_name: String,
    pub care: RegionCode,
    pub care_name: String,
    pub totals: Totals,
    /// This less what is owed the other way.
    pub net: Fen,
}

pub struct HospitalRow {
    pub home: RegionCode,
    pub home_name: String,
    pub care: RegionCode,
    pub care_name: String,
    pub code: InstitutionCode,
    pub name: String,
    pub totals: Totals,
}

impl HospitalRow {
    /// Of her own pool: paid inside the region, nothing crosses a border.
    pub fn is_local(&self) -> bool {
        self.home == self.care
    }
}

impl MonthView {
    /// `running`: the month of today.
    pub fn new(month: Month, running: Month, totals: &clearing::Month, reference: &Reference) -> MonthView {
        let day = month.first_day();
        let name = |code| reference.regions.name(code, day);
        let hospital = |code: &InstitutionCode| {
            reference.institution(code, day).map_or_else(|| code.to_string(), |row| row.name.clone())
        };
        let payables = totals.payables();
        let owed = |home, care| payables.get(&(home, care)).map_or(Fen::ZERO, Totals::owed);
        let positions = totals.positions().into_iter();
        MonthView {
            month,
            state: MonthState::of(month, running),
            regions: positions
                .map(|(code, position)| RegionRow { code, name: name(code), position })
                .collect(),
            pairs: payables
                .iter()
                .map(|(&(home, care), totals)| PairRow {
                    home,
                    home_name: name(home),
                    care,
                    care_name: name(care),
                    totals: *totals,
                    net: owed(home, care) - owed(care, home),
                })
                .collect(),
            hospitals: totals
                .groups
                .iter()
                .map(|((home, care, code), totals)| HospitalRow {
                    home: *home,
                    home_name: name(*home),
                    care: *care,
                    care_name: name(*care),
                    code: code.clone(),
                    name: hospital(code),
                    totals: *totals,
                })
                .collect(),
            imbalance: totals.imbalance(),
        }
    }

    /// Only what has to do with a region (insured or treated there) and with a hospital. What is not theirs alone goes:
    /// positions of other regions, and with a hospital all sums over hospitals. The imbalance stays the whole month's.
    pub fn only(mut self, region: Option<RegionCode>, hospital: Option<&InstitutionCode>) -> MonthView {
        let touches = |home, care| region.is_none_or(|wanted| home == wanted || care == wanted);
        self.hospitals
            .retain(|row| touches(row.home, row.care) && hospital.is_none_or(|wanted| row.code == *wanted));
        self.pairs.retain(|row| touches(row.home, row.care) && hospital.is_none());
        self.regions.retain(|row| region.is_none_or(|wanted| row.code == wanted) && hospital.is_none());
        self
    }

    pub fn is_balanced(&self) -> bool {
        self.imbalance == Fen::ZERO
    }

    /// Everything that crosses a border, summed.
    pub fn owed(&self) -> Fen {
        self.regions.iter().map(|row| row.position.owed).sum()
    }

    /// A row per insured pool and hospital; amounts in yuan with two decimals.
    pub fn csv(&self) -> String {
        let mut rows = Sheet::with_head(&COLUMNS, &["hospital"]);
        for row in &self.hospitals {
            let t = &row.totals;
            let amounts = [t.medfee, t.fund, t.account, t.owed(), t.cash].map(|amount| amount.to_string());
            let mut cells = vec![self.month.to_string(), row.home.to_string(), row.home_name.clone()];
            cells.extend([
                row.care.to_string(),
                row.care_name.clone(),
                row.code.to_string(),
                row.name.clone(),
            ]);
            cells.extend([t.settlements.to_string(), t.reversals.to_string()]);
            cells.extend(amounts);
            cells.extend([u8::from(!row.is_local()).to_string(), self.state.code().to_owned()]);
            rows.push(&cells);
        }
        rows.text()
    }

    /// Amounts are texts in yuan with two decimals.
    pub fn json(&self) -> Value {
        let regions = self.regions.iter().map(|row| {
            json!({
                "region": row.code.to_string(),
                "name": row.name,
                "owed": row.position.owed.to_string(),
                "owing": row.position.owes.to_string(),
                "net": row.position.net().to_string(),
            })
        });
        let pairs = self.pairs.iter().map(|row| {
            let mut value = totals_json(&row.totals);
            value["insured_pool"] = row.home.to_string().into();
            value["care_pool"] = row.care.to_string().into();
            value["net"] = row.net.to_string().into();
            value
        });
        let hospitals = self.hospitals.iter().map(|row| {
            let mut value = totals_json(&row.totals);
            value["insured_pool"] = row.home.to_string().into();
            value["care_pool"] = row.care.to_string().into();
            value["hospital"] = row.code.to_string().into();
            value["hospital_name"] = row.name.clone().into();
            value["crosses_border"] = (!row.is_local()).into();
            value
        });
        json!({
            "month": self.month.to_string(),
            "state": self.state.code(),
            "net_sum": self.imbalance.to_string(),
            "balanced": self.is_balanced(),
            "regions": regions.collect::<Vec<_>>(),
            "pairs": pairs.collect::<Vec<_>>(),
            "hospitals": hospitals.collect::<Vec<_>>(),
        })
    }
}

fn totals_json(totals: &Totals) -> Value {
    json!({
        "settlements": totals.settlements,
        "reversals": totals.reversals,
        "medfee": totals.medfee.to_string(),
        "fund": totals.fund.to_string(),
        "account": totals.account.to_string(),
        "owed": totals.owed().to_string(),
        "cash": totals.cash.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clearing::MonthRow;

    fn row(home: u32, care: u32, fund: i64) -> MonthRow {
        MonthRow {
            insured_pool: RegionCode(home),
            care_pool: RegionCode(care),
            institution: InstitutionCode::parse(&format!("H{care}00001")).unwrap(),
            medfee: Fen(fund * 2),
            fund: Fen(fund),
            account: Fen::ZERO,
            cash: Fen(fund),
            sign: if fund < 0 { -1 } else { 1 },
        }
    }

    fn view(rows: &[MonthRow]) -> MonthView {
        let mut totals = clearing::Month::default();
        rows.iter().for_each(|row| totals.take(row));
        let month = Month::from_number(202_611).unwrap();
        MonthView::new(month, month, &totals, &Reference::default())
    }

    #[test]
    fn a_pair_is_netted_against_its_counterpart() {
        let view = view(&[row(440_700, 440_100, 900), row(440_100, 440_700, 400), row(440_700, 440_700, 70)]);
        assert_eq!(view.pairs.len(), 2, "care at home crosses no border");
        assert_eq!(view.pairs.iter().map(|pair| pair.net).collect::<Vec<_>>(), [Fen(-500), Fen(500)]);
        assert!(view.is_balanced());
        assert_eq!(view.owed(), Fen(1_300));
    }

    #[test]
    fn a_filter_keeps_what_is_wholly_its_own() {
        let rows = [row(440_700, 440_100, 900), row(440_100, 440_700, 400), row(440_700, 430_100, 70)];
        let changsha = RegionCode(430_100);
        let one = view(&rows).only(Some(changsha), None);
        assert_eq!(one.regions.iter().map(|row| row.code).collect::<Vec<_>>(), [changsha]);
        assert_eq!((one.pairs.len(), one.hospitals.len(), one.imbalance), (1, 1, Fen::ZERO));
        let hospital = InstitutionCode::parse("H44010000001").unwrap();
        let one = view(&rows).only(None, Some(&hospital));
        assert_eq!((one.regions.len(), one.pairs.len(), one.hospitals.len()), (0, 0, 1));
    }

    #[test]
    fn csv_has_a_row_per_pool_and_hospital() {
        let rows = [row(440_700, 440_100, 900), row(440_700, 440_100, -300), row(440_700, 440_700, 5)];
        let text = view(&rows).csv();
        let expected = "202611,440700,440700,440100,440100,H44010000001,H44010000001,1,1,12.00,6.00,0.00,6.00,6.00,1,open";
        assert_eq!(text.lines().nth(1), Some(expected));
        let at_home = text.lines().nth(2).unwrap();
        assert!(at_home.ends_with(",0.05,0.05,0,open"), "it crosses no border: {at_home}");
    }

    #[test]
    fn a_month_says_how_far_it_is() {
        let running = Month::from_number(202_611).unwrap();
        for (month, state) in [(202_610, "ended"), (202_611, "open"), (202_612, "not begun")] {
            let month = Month::from_number(month).unwrap();
            let view = MonthView::new(month, running, &clearing::Month::default(), &Reference::default());
            assert_eq!(view.json()["state"], state);
        }
    }
}
