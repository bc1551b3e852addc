//! Owns what an insured person is told about her bill: each step in plain words, with why and what it means for her.

use rust_decimal::Decimal;

use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::BillTotals;
use crate::domain::codes::BenefitLevel;
use crate::domain::explain::AccountStep;
use crate::domain::explain::CashStep;
use crate::domain::explain::DeductibleCount;
use crate::domain::explain::DeductibleStep;
use crate::domain::explain::MaternityStep;
use crate::domain::explain::PoolCapStep;
use crate::domain::explain::PoolStep;
use crate::domain::explain::RateStep;
use crate::domain::explain::SegmentWalked;
use crate::domain::explain::SeriousIllnessStep;
use crate::domain::explain::ShareStep;
use crate::domain::explain::Step;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::Cap;
use crate::domain::parameters::MaternityPay;
use crate::domain::parameters::Reduction;
use crate::protocol::explanation::Sentence;
use crate::protocol::explanation::percent;
use crate::protocol::explanation::points;
use crate::protocol::explanation::words;

/// All steps of a settlement, in the order in which they were taken.
pub fn explain(steps: &[Step]) -> Vec<Sentence> {
    steps.iter().map(sentence).collect()
}

fn sentence(step: &Step) -> Sentence {
    match step {
        Step::Bill { totals, level } => bill(totals, *level),
        Step::ExtraFirstPay(s) => Sentence::new(
            "extra_first_pay",
            format!(
                "按您这次的备案情况，报销范围内的费用先由您自付{}，即{}元；之后按原比例报销。",
                percent(s.rate),
                s.amount
            ),
            format!(
                "For care filed like this, {} of the covered amount ({} yuan) is yours first; the rest is paid at the full rate.",
                percent(s.rate),
                s.amount
            ),
        ),
        Step::Deductible(s) => deductible(s),
        Step::Rate(s) => rate(s),
        Step::Pool(s) => pool(s),
        Step::PoolCapReached(s) => pool_cap(s),
        Step::LargeAmount(s) => share(
            "large_amount",
            "大额医疗补助支付封顶线以上部分的",
            "The large-amount fund pays, of what lies above the yearly limit,",
            s,
        ),
        Step::SeriousIllness(s) => serious_illness(s),
        Step::CivilServant(s) => share(
            "civil_servant",
            "公务员医疗补助再支付您负担部分（起付线除外）的",
            "The civil-servant subsidy pays, of your share without the deductible,",
            s,
        ),
        Step::Assistance { category, share: s } => assistance(words::category(*category), s),
        Step::Maternity(s) => maternity(s),
        Step::WorkInjury { paid } => Sentence::new(
            "work_injury",
            format!("工伤保险基金支付工伤目录内的全部费用{paid}元，没有起付线，也不因备案降低比例。"),
            format!(
                "The work injury fund pays all that its catalogue holds, {paid} yuan: no deductible, no reduction."
            ),
        ),
        Step::Account(s) => account(s),
        Step::Cash(s) => cash(s),
        Step::Accumulators { before, after } => year(before, after),
    }
}

fn bill(totals: &BillTotals, level: BenefitLevel) -> Sentence {
    let (zh, en) = words::level(level);
    let (fee, scope) = (totals.fee(), totals.in_scope);
    let (own, over, first) = (totals.full_own_pay, totals.over_limit, totals.first_pay);
    Sentence::new(
        "bill",
        format!(
            "医疗费总额{fee}元：目录外全自费{own}元、超过限价{over}元、乙类先行自付{first}元，其余{scope}元在报销范围内。待遇档次：{zh}。"
        ),
        format!(
            "The bill is {fee} yuan: {own} outside the catalogue, {over} above price limits, {first} paid first on class B items; {scope} is covered. Benefit level: {en}."
        ),
    )
}

fn deductible(s: &DeductibleStep) -> Sentence {
    let (mut zh, mut en) = (
        format!("起付线：本级医院{}元", s.base),
        format!("Deductible: {} yuan at this level of hospital", s.base),
    );
    if !s.retired_reduction.is_zero() {
        zh += &format!("，退休减{}元", s.retired_reduction);
        en += &format!(", {} less for retired persons", s.retired_reduction);
    }
    let (counted_zh, counted_en) = counted(s.counted);
    zh += &counted_zh;
    en += &counted_en;
    if s.filing_factor != Decimal::ONE {
        zh += &format!("，按备案情况乘以{}", s.filing_factor.normalize());
        en += &format!(", times {} by your filing", s.filing_factor.normalize());
    }
    if !s.borne_by_stay.is_zero() {
        zh += &format!("，本次住院前面的结算已付{}元", s.borne_by_stay);
        en += &format!(", {} borne in earlier parts of this stay", s.borne_by_stay);
    }
    if s.paid.is_zero() {
        zh += "。这次不用再付起付线。";
        en += ". You bear nothing more of it now.";
    } else {
        zh += &format!("。这次由您先付{}元，之后基金才开始支付。", s.paid);
        en += &format!(". You bear {} yuan before the fund begins to pay.", s.paid);
    }
    Sentence::new("deductible", zh, en)
}

fn counted(count: DeductibleCount) -> (String, String) {
    match count {
        DeductibleCount::Admission { settled, factor } if factor != Decimal::ONE => (
            format!("，今年已住院{settled}次，乘以{}", factor.normalize()),
            format!(", times {} after {settled} earlier this year", factor.normalize()),
        ),
        DeductibleCount::Admission { .. } => (String::new(), String::new()),
        DeductibleCount::Year { borne } => {
            (format!("，每年度付一次，今年已付{borne}元"), format!(", once a year, {borne} borne already"))
        }
        DeductibleCount::InstitutionYear { borne } => (
            format!("，同一医院每年度付一次，在本院已付{borne}元"),
            format!(", once a year at each hospital, {borne} borne here already"),
        ),
    }
}

fn rate(s: &RateStep) -> Sentence {
    let (mut zh, mut en) =
        (format!("报销比例：基准{}", percent(s.base)), format!("Rate: {} to begin with", percent(s.base)));
    for (bonus, name_zh, name_en) in
        [(s.retired_bonus, "退休加", "for retired persons"), (s.age_bonus, "年龄加", "for your age")]
    {
        if bonus != Rate::ZERO {
            let points = points(bonus);
            zh += &format!("，{name_zh}{points}个百分点");
            en += &format!(", {points} points more {name_en}");
        }
    }
    match s.reduction {
        Reduction::None => {}
        Reduction::Points(less) => {
            let points = points(less);
            zh += &format!("，按备案情况降低{points}个百分点");
            en += &format!(", {points} points less by your filing");
        }
        Reduction::Multiply(share) => {
            zh += &format!("，按备案情况乘以{}", percent(share));
            en += &format!(", times {} by your filing", percent(share));
        }
        Reduction::FirstPay(_) => {
            zh += "，先行自付之后比例不降";
            en += ", not lowered after the extra first-pay";
        }
    }
    zh += &format!("。实际比例{}。", percent(s.applied));
    en += &format!(". Applied: {}.", percent(s.applied));
    Sentence::new("rate", zh, en)
}

fn segments(walked: &[SegmentWalked]) -> String {
    let piece = |s: &SegmentWalked| format!("({} − {}) × {}", s.to, s.from, percent(s.rate));
    walked.iter().map(piece).collect::<Vec<_>>().join(" + ")
}

fn pool(s: &PoolStep) -> Sentence {
    let sum = if s.segments.is_empty() { "0".to_owned() } else { segments(&s.segments) };
    let (mut zh, mut en) =
        (format!("统筹基金：{sum} = {}元", s.uncapped), format!("Pool: {sum} = {} yuan", s.uncapped));
    if let (Some(cap), Some(room)) = (s.cap, s.room) {
        zh += &format!("；年度封顶{cap}元，今年还可支付{room}元");
        en += &format!("; its yearly limit is {cap}, of which {room} is left");
    }
    zh += &format!("。统筹基金支付{}元。", s.paid);
    en += &format!(". The pool pays {} yuan.", s.paid);
    Sentence::new("pool", zh, en)
}

fn pool_cap(s: &PoolCapStep) -> Sentence {
    Sentence::new(
        "pool_cap",
        format!(
            "今年统筹基金已到封顶线：剩余额度只够支付{}元的费用，另有{}元超过封顶线。",
            s.bought.rounded, s.over_base
        ),
        format!(
            "The pool has reached its yearly limit: what was left paid for {} yuan of your bill, {} lie above it.",
            s.bought.rounded, s.over_base
        ),
    )
}

fn room(room: Cap) -> (String, String) {
    room.map_or_else(Default::default, |room| {
        (format!("（今年最多还可支付{room}元）"), format!(" (at most {room} are left this year)"))
    })
}

fn share(topic: &'static str, zh: &str, en: &str, s: &ShareStep) -> Sentence {
    let (room_zh, room_en) = room(s.room);
    Sentence::new(
        topic,
        format!(
            "{zh}{}：{} × {} = {}元{room_zh}，支付{}元。",
            percent(s.rate),
            s.base,
            percent(s.rate),
            s.share.rounded,
            s.paid
        ),
        format!(
            "{en} {}: {} × {} = {} yuan{room_en}; it pays {}.",
            percent(s.rate),
            s.base,
            percent(s.rate),
            s.share.rounded,
            s.paid
        ),
    )
}

fn assistance(category: words::Pair, s: &ShareStep) -> Sentence {
    let zh = format!("您是{}，医疗救助支付剩余部分的", category.0);
    let en = format!("As you are registered ({}), medical assistance pays, of what is left,", category.1);
    share("assistance", &zh, &en, s)
}

fn serious_illness(s: &SeriousIllnessStep) -> Sentence {
    let (before, after, start) = (s.burden_before, s.burden_after, s.start);
    if s.tiers.is_empty() {
        return Sentence::new(
            "serious_illness",
            format!("大病保险：今年您在报销范围内的负担累计{after}元，未超过起付线{start}元，暂不支付。"),
            format!(
                "Serious-illness insurance: your covered burden this year is {after} yuan, not above {start}; it does not pay yet."
            ),
        );
    }
    let (room_zh, room_en) = room(s.room);
    let (tiers, total, earlier) = (segments(&s.tiers), s.after.rounded, s.before.rounded);
    Sentence::new(
        "serious_illness",
        format!(
            "大病保险：今年您在报销范围内的负担由{before}元累计到{after}元，超过起付线{start}元。累计应付{tiers} = {total}元，减去此前的{earlier}元{room_zh}，本次支付{}元。",
            s.paid
        ),
        format!(
            "Serious-illness insurance: your covered burden this year goes from {before} to {after} yuan, above {start}. For the year {tiers} = {total}, less {earlier} from before{room_en}: it pays {} now.",
            s.paid
        ),
    )
}

fn maternity(s: &MaternityStep) -> Sentence {
    let (mut zh, mut en) = match s.pay {
        MaternityPay::Ratio(share) => (
            format!("生育保险支付范围内费用的{}", percent(share)),
            format!("Maternity pays {} of the covered amount", percent(share)),
        ),
        MaternityPay::Limit(limit) => (
            format!("生育保险在限额{limit}元内支付"),
            format!("Maternity pays the covered amount up to {limit} yuan"),
        ),
        MaternityPay::Fixed(sum) => {
            (format!("生育保险定额{sum}元"), format!("Maternity gives a fixed sum of {sum} yuan"))
        }
    };
    zh += &format!("，本次支付{}元，没有起付线。", s.paid);
    en += &format!("; it pays {} yuan here, without a deductible.", s.paid);
    if !s.owed_to_person.is_zero() {
        zh += &format!("定额用剩的{}元另行支付给您本人，不在这张账单上。", s.owed_to_person);
        en += &format!(" The {} left of the sum is paid to you, outside this bill.", s.owed_to_person);
    }
    Sentence::new("maternity", zh, en)
}

fn account(s: &AccountStep) -> Sentence {
    Sentence::new(
        "account",
        format!(
            "您选择使用个人账户：余额{}元，本次可用于支付的费用{}元，支付{}元。这是您自己的钱，不是基金支付。",
            s.balance, s.payable, s.paid
        ),
        format!(
            "You chose to use your personal account: balance {}, it may pay {} of this bill, it pays {}. It is your own money, not the fund's.",
            s.balance, s.payable, s.paid
        ),
    )
}

fn cash(s: &CashStep) -> Sentence {
    let (fee, funds, person, account, cash) = (s.fee, s.funds, s.person, s.account, s.cash);
    Sentence::new(
        "cash",
        format!(
            "合计：总费用{fee}元，基金支付{funds}元，您负担{person}元，其中个人账户{account}元、现金{cash}元。"
        ),
        format!(
            "In all: {fee} yuan, of which the funds pay {funds} and you {person}: {account} from your account, {cash} in cash."
        ),
    )
}

fn year(before: &Accumulators, after: &Accumulators) -> Sentence {
    let pair = |of: fn(&Accumulators) -> Fen| format!("{} → {}", of(before), of(after));
    let (hifp, burden) = (pair(|a| a.hifp), pair(|a| a.burden));
    let admissions = format!("{} → {}", before.admissions, after.admissions);
    Sentence::new(
        "year",
        format!("今年累计：住院次数{admissions}；统筹支付{hifp}元；范围内个人负担{burden}元。"),
        format!(
            "Your year so far: admissions {admissions}; paid by the pool {hifp}; covered burden {burden}."
        ),
    )
}
