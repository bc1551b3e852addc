//! What the three readers are told about the cases of the sandbox's packs: nothing hidden, every figure from the trace.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use banyan::config::packs;
use banyan::config::stay;
use banyan::config::stay::Settled;
use banyan::domain::codes::BenefitLevel;
use banyan::protocol::explanation::hospital;
use banyan::protocol::explanation::person;
use banyan::protocol::explanation::regulator;
use banyan::protocol::explanation::saving;
use banyan::protocol::explanation::saving::Alternative;

/// The last settlement of a case.
fn settled(pack: &str, case: &str) -> Settled {
    let file = packs::load_file(Path::new(&format!("config/packs/sandbox/{pack}.toml"))).unwrap();
    let case = file.cases.iter().find(|of| of.name == case).unwrap();
    stay::settle(&case.stay, &file.pack, None).unwrap().settlements.pop().unwrap()
}

/// What the person is told about one topic, Chinese then English.
fn told(settled: &Settled, topic: &str) -> String {
    let sentence =
        person::explain(&settled.steps).into_iter().find(|sentence| sentence.topic == topic).unwrap();
    format!("{}\n{}", sentence.zh, sentence.en)
}

#[test]
fn the_person_is_told_each_fund_and_why() {
    insta::assert_snapshot!(told(&settled("440700", "E08"), "serious_illness"), @r#"
    大病保险：今年您在报销范围内的负担由3500.00元累计到22247.00元，超过起付线12000.00元。累计应付(22247.00 − 12000.00) × 60% = 6148.20元，减去此前的0.00元（今年最多还可支付400000.00元），本次支付6148.20元。
    Serious-illness insurance: your covered burden this year goes from 3500.00 to 22247.00 yuan, above 12000.00. For the year (22247.00 − 12000.00) × 60% = 6148.20, less 0.00 from before (at most 400000.00 are left this year): it pays 6148.20 now.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "E08"), "deductible"), @r#"
    起付线：本级医院900.00元，今年已住院1次，乘以0.5。这次由您先付450.00元，之后基金才开始支付。
    Deductible: 900.00 yuan at this level of hospital, times 0.5 after 1 earlier this year. You bear 450.00 yuan before the fund begins to pay.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "退休、公务员、个人账户"), "deductible"), @r#"
    起付线：本级医院900.00元，退休减100.00元。这次由您先付800.00元，之后基金才开始支付。
    Deductible: 900.00 yuan at this level of hospital, 100.00 less for retired persons. You bear 800.00 yuan before the fund begins to pay.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "退休、公务员、个人账户"), "civil_servant"), @r#"
    公务员医疗补助再支付您负担部分（起付线除外）的50%：2688.00 × 50% = 1344.00元，支付1344.00元。
    The civil-servant subsidy pays, of your share without the deductible, 50%: 2688.00 × 50% = 1344.00 yuan; it pays 1344.00.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "退休、公务员、个人账户"), "account"), @r#"
    您选择使用个人账户：余额1000.00元，本次可用于支付的费用2644.00元，支付1000.00元。这是您自己的钱，不是基金支付。
    You chose to use your personal account: balance 1000.00, it may pay 2644.00 of this bill, it pays 1000.00. It is your own money, not the fund's.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "封顶、大额"), "pool_cap"), @r#"
    今年统筹基金已到封顶线：剩余额度只够支付1000.00元的费用，另有99000.00元超过封顶线。
    The pool has reached its yearly limit: what was left paid for 1000.00 yuan of your bill, 99000.00 lie above it.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "封顶、大额"), "large_amount"), @r#"
    大额医疗补助支付封顶线以上部分的90%：99000.00 × 90% = 89100.00元（今年最多还可支付200000.00元），支付89100.00元。
    The large-amount fund pays, of what lies above the yearly limit, 90%: 99000.00 × 90% = 89100.00 yuan (at most 200000.00 are left this year); it pays 89100.00.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "低保救助"), "serious_illness"), @r#"
    大病保险：今年您在报销范围内的负担累计3448.00元，未超过起付线12000.00元，暂不支付。
    Serious-illness insurance: your covered burden this year is 3448.00 yuan, not above 12000.00; it does not pay yet.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "低保救助"), "assistance"), @r#"
    您是低保对象，医疗救助支付剩余部分的70%：3448.00 × 70% = 2413.60元（今年最多还可支付80000.00元），支付2413.60元。
    As you are registered (minimum living allowance), medical assistance pays, of what is left, 70%: 3448.00 × 70% = 2413.60 yuan (at most 80000.00 are left this year); it pays 2413.60.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "生育 1992"), "maternity"), @r#"
    生育保险定额1500.00元，本次支付1180.00元，没有起付线。定额用剩的320.00元另行支付给您本人，不在这张账单上。
    Maternity gives a fixed sum of 1500.00 yuan; it pays 1180.00 yuan here, without a deductible. The 320.00 left of the sum is paid to you, outside this bill.
    "#);
    insta::assert_snapshot!(told(&settled("440700", "工伤"), "work_injury"), @r#"
    工伤保险基金支付工伤目录内的全部费用12000.00元，没有起付线，也不因备案降低比例。
    The work injury fund pays all that its catalogue holds, 12000.00 yuan: no deductible, no reduction.
    "#);
    insta::assert_snapshot!(told(&settled("442000", "账单M，其他临时外出"), "extra_first_pay"), @r#"
    按您这次的备案情况，报销范围内的费用先由您自付20%，即7405.90元；之后按原比例报销。
    For care filed like this, 20% of the covered amount (7405.90 yuan) is yours first; the rest is paid at the full rate.
    "#);
    insta::assert_snapshot!(told(&settled("442000", "账单M，其他临时外出"), "rate"), @r#"
    报销比例：基准83%，先行自付之后比例不降。实际比例83%。
    Rate: 83% to begin with, not lowered after the extra first-pay. Applied: 83%.
    "#);
    insta::assert_snapshot!(told(&settled("442000", "省内已备案，本院本年付过起付线"), "deductible"), @r#"
    起付线：本级医院600.00元，同一医院每年度付一次，在本院已付600.00元。这次不用再付起付线。
    Deductible: 600.00 yuan at this level of hospital, once a year at each hospital, 600.00 borne here already. You bear nothing more of it now.
    "#);
    insta::assert_snapshot!(told(&settled("440400", "年度起付线已付一部分"), "deductible"), @r#"
    起付线：本级医院1500.00元，每年度付一次，今年已付1100.00元。这次由您先付400.00元，之后基金才开始支付。
    Deductible: 1500.00 yuan at this level of hospital, once a year, 1100.00 borne already. You bear 400.00 yuan before the fund begins to pay.
    "#);
    insta::assert_snapshot!(told(&settled("440400", "其他临时外出打八折"), "rate"), @r#"
    报销比例：基准85%，按备案情况乘以80%。实际比例68%。
    Rate: 85% to begin with, times 80% by your filing. Applied: 68%.
    "#);
    insta::assert_snapshot!(told(&settled("440600", "退休八十岁四段"), "pool"), @r#"
    统筹基金：(30000.00 − 1300.00) × 93% + (40000.00 − 30000.00) × 96% + (100000.00 − 40000.00) × 99% + (110000.00 − 100000.00) × 92% = 104891.00元；年度封顶120000.00元，今年还可支付120000.00元。统筹基金支付104891.00元。
    Pool: (30000.00 − 1300.00) × 93% + (40000.00 − 30000.00) × 96% + (100000.00 − 40000.00) × 99% + (110000.00 − 100000.00) × 92% = 104891.00 yuan; its yearly limit is 120000.00, of which 120000.00 is left. The pool pays 104891.00 yuan.
    "#);
    insta::assert_snapshot!(told(&settled("440600", "退休八十岁四段"), "rate"), @r#"
    报销比例：基准91%，年龄加2个百分点。实际比例93%。
    Rate: 91% to begin with, 2 points more for your age. Applied: 93%.
    "#);
}

#[test]
fn the_cashier_is_told_a_line_a_step() {
    insta::assert_snapshot!(hospital::lines(&settled("440700", "E08").steps).join("\n"), @r#"
    总额51900.00＝自费900.00＋超限0.00＋先付2400.00＋范围内48600.00；待遇异地转诊
    起付线450.00（标准900.00，退休减0.00，第2次×0.5，备案×1），实付450.00
    比例62%（基准72%）
    统筹应付29853.00，实付29853.00
    大病：年负担3500.00→22247.00，起付12000.00，实付6148.20
    基金36001.20，个人15898.80，账户0.00，现金15898.80
    年累计：住院2次，统筹38853.00，负担22247.00
    "#);
    insta::assert_snapshot!(hospital::lines(&settled("440700", "封顶、大额").steps).join("\n"), @r#"
    总额100900.00＝自费0.00＋超限0.00＋先付0.00＋范围内100900.00；待遇本地就医
    起付线900.00（标准900.00，退休减0.00，第1次×1，备案×1），实付900.00
    比例83%（基准83%）
    统筹应付83000.00，实付830.00
    统筹封顶，超封顶99000.00
    大额99000.00×90%，实付89100.00
    基金89930.00，个人10970.00，账户0.00，现金10970.00
    年累计：住院1次，统筹600000.00，负担10970.00
    "#);
}

#[test]
fn the_regulator_gets_exact_and_rounded_figures() {
    let steps = regulator::steps(&settled("440700", "E01").steps);
    let pool = steps.as_array().unwrap().iter().find(|step| step["step"] == "pool").unwrap();
    insta::assert_snapshot!(pool, @r#"{"cap":"600000.00","clause":"2.2-4","earlier":{"exact":"0","rounded":"0.00"},"paid":"29987.49","room":"600000.00","segments":[{"exact":"29987.485","from":"900.00","rate":"0.83","to":"37029.50"}],"step":"pool","through":{"exact":"29987.485","rounded":"29987.49"},"uncapped":"29987.49"}"#);
}

#[test]
fn two_breakdowns_say_what_filing_saves() {
    let (filed, unfiled) = (settled("440700", "E01"), settled("440700", "E04"));
    let as_filed = Alternative { level: BenefitLevel::LongTerm, breakdown: &filed.breakdown };
    let as_unfiled = Alternative { level: BenefitLevel::Unfiled, breakdown: &unfiled.breakdown };
    insta::assert_snapshot!(saving::compare(as_unfiled, as_filed, false).zh, @r#"按“未备案”您负担23159.31元，按“异地长期居住”您负担12081.96元，出院结算前办好备案可少付11077.35元。"#);
    insta::assert_snapshot!(saving::compare(as_unfiled, as_filed, true).en, @r#"As “not filed” you pay 23159.31 yuan, as “long-term resident elsewhere” 12081.96: this cost you 11077.35 yuan more."#);
    insta::assert_snapshot!(saving::compare(as_filed, as_unfiled, true).zh, @r#"按“异地长期居住”您负担12081.96元，按“未备案”您负担23159.31元，少付了11077.35元。"#);
    insta::assert_snapshot!(saving::compare(as_filed, as_filed, false).en, @r#"As “long-term resident elsewhere” you pay 12081.96 yuan, as “long-term resident elsewhere” 12081.96: no difference."#);
}

#[test]
fn every_step_of_every_case_is_told_to_everyone() {
    let mut topics = std::collections::BTreeSet::new();
    for pack in ["440700", "440600", "440400", "442000"] {
        let file = packs::load_file(Path::new(&format!("config/packs/sandbox/{pack}.toml"))).unwrap();
        for outcome in file.cases.iter().filter_map(|case| stay::settle(&case.stay, &file.pack, None).ok()) {
            for settled in &outcome.settlements {
                let (steps, sentences) = (&settled.steps, person::explain(&settled.steps));
                assert_eq!(sentences.len(), steps.len());
                assert_eq!(hospital::lines(steps).len(), steps.len());
                let objects = regulator::steps(steps);
                assert!(objects.as_array().unwrap().iter().all(|step| step["clause"].as_str().is_some()));
                topics.extend(sentences.iter().map(|sentence| sentence.topic));
            }
        }
    }
    // One for each kind of step: none of them goes untold.
    assert_eq!(topics.len(), 15, "{topics:?}");
}
