//! Bills worked out by hand, to the fen, from admission to settlement over the wire.

use banyan::domain::accumulators::Accumulators;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::codes::HospitalLevel::One;
use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::codes::HospitalLevel::Two;
use banyan::domain::codes::Scheme;
use banyan::domain::filing::FilingCategory as F;
use banyan::domain::money::Fen;
use banyan::sandbox::catalogue::codes;
use banyan::sandbox::stays::Charge;
use banyan::sandbox::story::HEART;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;

use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::people::RESIDENT;
use crate::support::people::RETIRED;
use crate::support::people::Wanted;
use crate::support::world::World;

const JIANGMEN: u32 = 440_700;
const GUANGZHOU: u32 = 440_100;
const CHANGSHA: u32 = 430_100;
const ZHUHAI: u32 = 440_400;
const FOSHAN: u32 = 440_600;
const ZHONGSHAN: u32 = 442_000;

/// One bill with what it must come to.
struct Bill {
    what: &'static str,
    who: Wanted,
    place: u32,
    level: HospitalLevel,
    charges: &'static [Charge],
    /// Changes of the stay before it is sent.
    emergency: bool,
    account: bool,
    /// Fields of `setlinfo` and their exact text.
    comes_to: &'static [(&'static str, &'static str)],
}

const fn bill(
    what: &'static str,
    who: Wanted,
    (place, level): (u32, HospitalLevel),
    charges: &'static [Charge],
    comes_to: &'static [(&'static str, &'static str)],
) -> Bill {
    Bill { what, who, place, level, charges, emergency: false, account: false, comes_to }
}

const SMALL: [Charge; 3] = [
    Charge::new(codes::BED, 8_000, 10),
    Charge::new(codes::DRUG_A, 1_250, 40),
    Charge::new(codes::OWN, 10_000, 1),
];
const TINY: [Charge; 1] = [Charge::new(codes::LABORATORY, 45_030, 1)];
const LARGE: [Charge; 1] = [Charge::new(codes::SURGERY, 10_000_000, 1)];
const LARGER: [Charge; 1] = [Charge::new(codes::SURGERY, 15_000_000, 1)];
const EVEN: [Charge; 1] = [Charge::new(codes::SURGERY, 1_150_000, 1)];
const SEGMENTS: [Charge; 1] = [Charge::new(codes::SURGERY, 3_500_000, 1)];
/// One restricted drug without the hospital's approval beside one of class A.
const UNAPPROVED: [Charge; 2] = [
    Charge { approved: false, ..Charge::new(codes::RESTRICTED, 50_000, 2) },
    Charge::new(codes::DRUG_A, 200_000, 1),
];
/// 60.00 is the limit of a piece: 3 × (75.00 − 60.00) = 45.00 above it, first-pay 10 % of 180.00.
const OVER_LIMIT: [Charge; 2] =
    [Charge::new(codes::CONSUMABLE, 7_500, 3), Charge::new(codes::TREATMENT, 100_000, 1)];

const E08_USED: Accumulators =
    Accumulators { admissions: 1, hifp: Fen(900_000), burden: Fen(350_000), ..Accumulators::ZERO };
const NEAR_THE_CAP: Accumulators =
    Accumulators { admissions: 3, hifp: Fen(59_500_000), ..Accumulators::ZERO };

/// The first four are those of the rules' worked examples.
fn bills() -> Vec<Bill> {
    vec![
        bill(
            "E01: filed long-term. (37,029.50 − 900) × 83 % = 29,987.485",
            EMPLOYEE.filed(F::LongTermResident, CHANGSHA),
            (CHANGSHA, Three),
            &KNEE,
            &[
                ("medfee_sumamt", "42069.45"),
                ("fulamt_ownpay_amt", "1234.45"),
                ("overlmt_selfpay", "1300.00"),
                ("preselfpay_amt", "2505.50"),
                ("inscp_scp_amt", "37029.50"),
                ("act_pay_dedc", "900.00"),
                ("hifp_pay", "29987.49"),
                ("fund_pay_sumamt", "29987.49"),
                ("psn_part_amt", "12081.96"),
                ("psn_cash_pay", "12081.96"),
                ("acct_pay", "0.00"),
                ("hosp_part_amt", "0.00"),
            ],
        ),
        bill(
            "E04: the same, unfiled. (37,029.50 − 900 × 1.5) × (83 − 30) % = 18,910.135",
            EMPLOYEE,
            (CHANGSHA, Three),
            &KNEE,
            &[("act_pay_dedc", "1350.00"), ("hifp_pay", "18910.14"), ("psn_cash_pay", "23159.31")],
        ),
        bill(
            "E08: resident, referred, second admission. 48,150 × 62 %; (22,247 − 12,000) × 60 % of 大病",
            RESIDENT.filed(F::Referral, CHANGSHA).having_used(E08_USED),
            (CHANGSHA, Three),
            &HEART,
            &[
                ("inscp_scp_amt", "48600.00"),
                ("act_pay_dedc", "450.00"),
                ("hifp_pay", "29853.00"),
                ("hifmi_pay", "6148.20"),
                ("fund_pay_sumamt", "36001.20"),
                ("psn_cash_pay", "15898.80"),
            ],
        ),
        bill(
            "retired at home, level one. (1,300 − (500 − 100)) × (93 + 3) % = 864.00",
            RETIRED,
            (JIANGMEN, One),
            &SMALL,
            &[
                ("medfee_sumamt", "1400.00"),
                ("act_pay_dedc", "400.00"),
                ("hifp_pay", "864.00"),
                ("psn_cash_pay", "536.00"),
            ],
        ),
        bill(
            "a bill below the deductible: the patient pays it all, and it counts as an admission",
            EMPLOYEE,
            (JIANGMEN, Two),
            &TINY,
            &[
                ("act_pay_dedc", "450.30"),
                ("hifp_pay", "0.00"),
                ("fund_pay_sumamt", "0.00"),
                ("psn_cash_pay", "450.30"),
            ],
        ),
        Bill {
            account: true,
            ..bill(
                "civil servant who pays from her account. (7,042.01 − 900) × 50 % = 3,071.005; account all of 2,860.50",
                Wanted { civil_servant: true, person_type: "1102", ..EMPLOYEE }
                    .filed(F::LongTermRetiree, CHANGSHA)
                    .with_balance(286_050),
                (CHANGSHA, Three),
                &KNEE,
                &[
                    ("hifp_pay", "29987.49"),
                    ("cvlserv_pay", "3071.01"),
                    ("fund_pay_sumamt", "33058.50"),
                    ("psn_part_amt", "9010.95"),
                    ("acct_pay", "2860.50"),
                    ("psn_cash_pay", "6150.45"),
                    ("balc", "0.00"),
                ],
            )
        },
        Bill {
            account: true,
            ..bill(
                "an account larger than what it may pay: first-pay and burden, never class C and over-limit",
                EMPLOYEE.filed(F::LongTermRetiree, CHANGSHA).with_balance(2_000_000),
                (CHANGSHA, Three),
                &KNEE,
                // 2,505.50 + 7,042.01 = 9,547.51; left 10,452.49; cash 1,234.45 + 1,300.00
                &[("acct_pay", "9547.51"), ("balc", "10452.49"), ("psn_cash_pay", "2534.45")],
            )
        },
        Bill {
            emergency: true,
            ..bill(
                "an emergency, not filed: as filed, ten points less. 36,129.50 × 73 % = 26,374.535",
                EMPLOYEE,
                (CHANGSHA, Three),
                &KNEE,
                &[("act_pay_dedc", "900.00"), ("hifp_pay", "26374.54"), ("psn_cash_pay", "15694.91")],
            )
        },
        bill(
            "the year's cap in the middle of a bill. 5,000 left buys 5,000 ÷ 83 % = 6,024.10; 93,525.90 × 90 % of 大额",
            EMPLOYEE.filed(F::LongTermWorker, CHANGSHA).having_used(NEAR_THE_CAP),
            (CHANGSHA, Three),
            &LARGE,
            &[
                ("act_pay_dedc", "450.00"),
                ("hifp_pay", "5000.00"),
                ("hifob_pay", "84173.31"),
                ("fund_pay_sumamt", "89173.31"),
                ("psn_cash_pay", "10826.69"),
            ],
        ),
        bill(
            "resident of 低保 at home. 149,400 × 82 %; (27,492 − 12,000) × 60 %; 18,196.80 × 70 %",
            RESIDENT.assisted("2303"),
            (JIANGMEN, Two),
            &LARGER,
            &[
                ("hifp_pay", "122508.00"),
                ("hifmi_pay", "9295.20"),
                ("maf_pay", "12737.76"),
                ("fund_pay_sumamt", "144540.96"),
                ("psn_cash_pay", "5459.04"),
            ],
        ),
        bill(
            "in another city of the province, which needs no filing: as at home",
            EMPLOYEE,
            (GUANGZHOU, Three),
            &KNEE,
            &[("hifp_pay", "29987.49"), ("psn_cash_pay", "12081.96")],
        ),
        bill(
            "filed long-term elsewhere, treated at home: ten points less. 36,129.50 × 73 %",
            EMPLOYEE.filed(F::LongTermResident, CHANGSHA),
            (JIANGMEN, Three),
            &KNEE,
            &[("act_pay_dedc", "900.00"), ("hifp_pay", "26374.54")],
        ),
        bill(
            "a pool that multiplies: (11,500 − 1,500) × 85 % × 80 % = 6,800",
            EMPLOYEE.of(ZHUHAI, 440_402).filed(F::OtherTemporary, CHANGSHA),
            (CHANGSHA, Three),
            &EVEN,
            &[("act_pay_dedc", "1500.00"), ("hifp_pay", "6800.00"), ("psn_cash_pay", "4700.00")],
        ),
        bill(
            "a pool of segments: (30,000 − 1,300) × 85 % + 5,000 × 90 % = 28,895",
            EMPLOYEE.of(FOSHAN, 440_604),
            (FOSHAN, Three),
            &SEGMENTS,
            &[("act_pay_dedc", "1300.00"), ("hifp_pay", "28895.00"), ("psn_cash_pay", "6105.00")],
        ),
        bill(
            "a pool with an extra first share: (37,029.50 − 7,405.90 − 900) × 83 % = 23,840.588",
            EMPLOYEE.of(ZHONGSHAN, ZHONGSHAN).filed(F::OtherTemporary, CHANGSHA),
            (CHANGSHA, Three),
            &KNEE,
            &[("act_pay_dedc", "900.00"), ("hifp_pay", "23840.59"), ("psn_cash_pay", "18228.86")],
        ),
        bill(
            "a restricted drug without approval is all the patient's: (2,000 − 600) × 90 %",
            EMPLOYEE,
            (JIANGMEN, Two),
            &UNAPPROVED,
            &[("fulamt_ownpay_amt", "1000.00"), ("inscp_scp_amt", "2000.00"), ("hifp_pay", "1260.00")],
        ),
        bill(
            "above the price limit: 3 × 15.00 off, 10 % of 180.00 first, (1,162 − 600) × 90 %",
            EMPLOYEE,
            (JIANGMEN, Two),
            &OVER_LIMIT,
            &[
                ("overlmt_selfpay", "45.00"),
                ("preselfpay_amt", "18.00"),
                ("inscp_scp_amt", "1162.00"),
                ("hifp_pay", "505.80"),
                ("psn_cash_pay", "719.20"),
            ],
        ),
    ]
}

fn check(what: &str, answer: &Answer, comes_to: &[(&str, &str)]) {
    for (field, text) in comes_to {
        assert_eq!(answer.amount(field), *text, "{field}: {what}");
    }
}

/// Told of a quote and of a settlement that no filing covers.
const UNFILED: [&str; 2] = [
    "；未查到就医地的异地就医备案，按未备案标准计算，结算前补办备案有效",
    "；未查到就医地的异地就医备案，已按未备案标准结算；如已补办，请撤销（2305）后重新结算",
];

#[tokio::test]
async fn bills_worked_out_by_hand_come_out_to_the_fen() {
    let world = World::start().await;
    for bill in bills() {
        let insured = world.insure(&bill.who).await;
        let mut visit = world.visit(&insured, bill.place, bill.level, bill.charges);
        visit.stay.emergency = bill.emergency;
        visit.stay.use_account = bill.account;
        visit.until_discharge().await;
        let first = visit.quote().await;
        let unfiled = first.code() == "unfiled";
        let quoted = if unfiled { visit.quote().await } else { first }.done();
        let settled = visit.settle().await.done();
        check(bill.what, &quoted, bill.comes_to);
        check(bill.what, &settled, bill.comes_to);
        for (answer, priced) in [(&quoted, UNFILED[0]), (&settled, UNFILED[1])] {
            let heard = format!("未签到，请以9001签到{}", if unfiled { priced } else { "" });
            assert_eq!(answer.warn_msg(), heard, "{}", bill.what);
        }
    }
    world.is_sound().await;
}

/// Example E11: after E01, settled without the bed, reversed, settled with it.
#[tokio::test]
async fn a_bill_settled_reversed_and_settled_again_moves_the_year_as_worked_out() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE.filed(F::LongTermResident, CHANGSHA)).await;
    let mut first = world.visit(&insured, CHANGSHA, Three, &KNEE);
    first.stay.begntime = "2026-09-01 09:00:00".into();
    first.stay.endtime = "2026-09-20 09:00:00".into();
    first.stay.lines.iter_mut().for_each(|line| line.fee_ocur_time = "2026-09-10 10:00:00".into());
    first.through().await;
    let year = async || {
        let used = books::year(&*world.app.service.ledger, &insured.person, Scheme::Employee, 2026).await;
        (used.admissions, used.hifp, used.burden)
    };
    assert_eq!(year().await, (1, Fen(2_998_749), Fen(704_201)));

    let mut second = world.visit(&insured, CHANGSHA, Two, &LUNG);
    let (beds, rest): (Vec<_>, Vec<_>) =
        second.stay.lines.clone().into_iter().partition(|line| line.med_list_codg == codes::BED);
    (second.stay.lines, second.stay.medfee_sumamt) = (rest, "8076.51".into());
    let settled = second.through().await;
    check(
        "without the bed",
        &settled,
        &[
            ("inscp_scp_amt", "7638.09"),
            ("act_pay_dedc", "300.00"),
            ("hifp_pay", "6604.28"),
            ("psn_cash_pay", "1472.23"),
        ],
    );
    assert_eq!(year().await, (2, Fen(3_659_177), Fen(807_582)));

    let reversed = second.reverse(&settled.setl_id()).await.done();
    check(
        "taken back",
        &reversed,
        &[
            ("medfee_sumamt", "-8076.51"),
            ("inscp_scp_amt", "-7638.09"),
            ("act_pay_dedc", "-300.00"),
            ("hifp_pay", "-6604.28"),
            ("psn_cash_pay", "-1472.23"),
        ],
    );
    assert_eq!(year().await, (1, Fen(2_998_749), Fen(704_201)));

    second.upload_lines(&beds).await.done();
    second.stay.medfee_sumamt = "8850.51".into();
    let settled = second.settle().await.done();
    check(
        "with the bed",
        &settled,
        &[
            ("inscp_scp_amt", "8412.09"),
            ("act_pay_dedc", "300.00"),
            ("hifp_pay", "7300.88"),
            ("psn_cash_pay", "1549.63"),
        ],
    );
    assert_eq!(year().await, (2, Fen(3_728_837), Fen(815_322)));
}
