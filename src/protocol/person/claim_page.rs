//! The page of one claim: who pays what, and why, from the answer down to the arithmetic.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::accumulators::Accumulators;
use crate::domain::codes::Scheme;
use crate::domain::explain::DeductibleCount;
use crate::domain::explain::DeductibleStep;
use crate::domain::explain::PoolStep;
use crate::domain::explain::RateStep;
use crate::domain::ids::SettlementId;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::Reduction;
use crate::protocol::explanation::percent;
use crate::protocol::explanation::points;
use crate::protocol::person::PersonFace;
use crate::protocol::person::claim::CapSeen;
use crate::protocol::person::claim::ClaimView;
use crate::protocol::person::claim::Otherwise;
use crate::protocol::person::claims;
use crate::protocol::person::claims::ClaimRow;
use crate::protocol::person::claims::SettledRow;
use crate::protocol::person::claims::Status;
use crate::protocol::person::names;
use crate::protocol::person::next;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::figures::who_pays;
use crate::protocol::web::form::Said;
use crate::protocol::web::session::Session;
use crate::protocol::web::words::both;
use crate::protocol::web::words::day_zh;
use crate::protocol::web::words::exact_yuan;
use crate::protocol::web::words::pair;
use crate::protocol::web::words::yuan;
use crate::transport::Answer;

impl PersonFace {
    /// A claim of hers by its id. Anybody else's is as unknown as one that never was.
    pub(super) async fn claim(
        &self,
        session: &Session,
        id: &str,
    ) -> Result<(ClaimRow, Option<ClaimView>), PageError> {
        let seen = self.seen(session).await?;
        let rows = claims::rows(&seen, &self.service.reference.load(), self.service.today());
        let row = rows.into_iter().find(|row| row.id == id).ok_or(PageError::NotFound)?;
        if row.settled.is_none() {
            return Ok((row, None));
        }
        let settlement = SettlementId::parse(&row.id).map_err(|_| PageError::NotFound)?;
        let explanation = self.service.explain(&settlement).await?;
        if explanation.mismatch {
            tracing::error!(settlement.id = %settlement, "a settlement explains itself with other figures than stored");
        }
        Ok((row, Some(ClaimView::new(explanation))))
    }

    pub(super) async fn show_claim(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let (row, view) = self.claim(&session, x.place(0)).await?;
        let title = Said::new("一次结算", "One claim");
        let page = self.inside(&session, "/me", &title, content(&row, view.as_ref()));
        Ok(answer::page(StatusCode::OK, page))
    }

    /// The proof that a settlement of hers was recorded.
    pub(super) async fn give_receipt(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let (row, _) = self.claim(&session, x.place(0)).await?;
        if row.settled.is_none() {
            return Err(PageError::NotFound);
        }
        let id = SettlementId::parse(&row.id).map_err(|_| PageError::NotFound)?;
        let receipt = self.service.receipt(&id).await?;
        answer::receipt(&id, receipt)
    }
}

fn content(row: &ClaimRow, view: Option<&ClaimView>) -> Markup {
    html! {
        p.crumbs-line { a href="/me" { "‹ " (pair("全部结算", "All claims")) } }
        h1 { (row.hospital) }
        p { (row.place) " · " (claims::stay_days(row)) }
        p { (row.status.tag()) }
        (standing(row))
        @if let (Some(view), Some(settled)) = (view, &row.settled) { (explained(row, settled, view)) }
        section aria-labelledby="next" {
            h2 #next { (pair("接下来怎么做", "What to do next")) }
            ol.steps {
                @for step in next::steps(row, view) {
                    li {
                        (both(&step.said)) " "
                        @if let Some(page) = &step.page { a href=(page) { (pair("去办理", "Go there")) } }
                    }
                }
            }
        }
        @if row.settled.is_some() {
            section aria-labelledby="receipt" {
                h2 #receipt { (pair("结算凭证", "Receipt")) }
                p { a href={ "/me/claims/" (row.id) "/receipt" } { (pair("下载凭证", "Download it")) } }
                p.soft { (pair(
                    "这份小文件证明结算已记录在案，任何人不连网也能用公钥验证；以后即使数据被改动也能发现。",
                    "This small file proves that the settlement was recorded. Anybody can check it without a network."
                )) }
            }
        }
        p.small.soft { (pair("编号", "Reference")) " " span { (row.id) } }
    }
}

/// A word on top where the claim does not simply stand.
fn standing(row: &ClaimRow) -> Markup {
    html! {
        @match &row.status {
            Status::Reversed { on, stay } => div.panel.warn {
                p { (pair(
                    &format!("医院已于{}撤销这次结算，以下金额不再有效。", day_zh(*on)),
                    &format!("The hospital reversed this settlement on {on}; the figures below no longer count.")))
                }
                @if let Some(stay) = stay { p { a href={ "/me/claims/" (stay) } {
                    (pair("查看这次住院现在的情况", "See how the stay stands now")) } } }
            },
            Status::Replaced { on, by } => div.panel.warn {
                p { (pair(
                    &format!("医院已于{}撤销这次结算，并重新结算。", day_zh(*on)),
                    &format!("Reversed on {on} and settled again."))) }
                p { a href={ "/me/claims/" (by) } { (pair("查看重新结算的结果", "See the new settlement")) } }
            },
            Status::InHospital => div.panel { p { (pair(
                "还在住院，尚未结算。结算后这里会显示每一笔由谁支付。",
                "Still in hospital, nothing settled. After settlement you see here who pays what.")) } },
            Status::AwaitsSettlement => div.panel { p { (pair(
                "已出院，医院还没有结算。",
                "Discharged; the hospital has not settled yet.")) } },
            Status::Settled => {}
        }
    }
}

fn explained(row: &ClaimRow, settled: &SettledRow, view: &ClaimView) -> Markup {
    let breakdown = &view.breakdown;
    html! {
        @if view.mismatch { div.panel.warn role="note" { p { (pair(
            "系统按现在的程序重新计算得到了不同的数字。以下显示的是结算时记录的金额，以它为准；计算过程暂不显示，已通知工作人员核查。",
            "Computed anew, the figures come out otherwise. Shown are those recorded at settlement; they count. \
             The steps are not shown, and staff have been told.")) } } }
        section aria-labelledby="who" {
            h2 #who { (pair("谁付了多少", "Who pays what")) }
            ul.headline {
                li { (pair("总费用", "Whole bill")) span.figure { (yuan(breakdown.medfee_sumamt)) } }
                li.fund { (pair("医保支付", "Insurance pays")) span.figure { (yuan(breakdown.fund_pay_sumamt)) } }
                li.cash { (pair("您支付", "You pay")) span.figure { (yuan(breakdown.psn_part_amt)) } }
            }
            (who_pays(&view.shares))
            (own_part(view))
            @if breakdown.owed_to_person > Fen::ZERO { div.panel.good { p { (pair(
                &format!("另有{}由经办机构直接支付给您。", yuan(breakdown.owed_to_person)),
                &format!("A further {} is paid to you directly by the agency.", yuan(breakdown.owed_to_person)))) } } }
        }
        (filing(row, view))
        (splits(view))
        (computation(view))
        (year(view))
        section aria-labelledby="clearing" {
            h2 #clearing { (pair("清算状态", "Clearing")) }
            p { (claims::cleared_in(settled.month, &row.status)) }
            p { (pair(
                    "这是医保机构之间的结账，与您已支付的金额无关。",
                    "That is how the agencies settle among themselves; it does not change what you paid."))
            }
        }
    }
}

/// What her part is made of, where the parts add up to it.
fn own_part(view: &ClaimView) -> Markup {
    let b = &view.breakdown;
    let first_fund = b.hifp_pay + b.oth_pay;
    let over_cap = view.steps.over_cap;
    let shared = b.inscp_scp_amt - b.extra_first_pay - b.act_pay_dedc - first_fund - over_cap;
    let further = first_fund - b.fund_pay_sumamt;
    let [outside, over_limit, first_pay] = names::own_parts();
    let shared_said = match view.settlement.scheme {
        Scheme::Maternity => Said::new("生育保险支付以外的部分", "Beyond what maternity pays"),
        Scheme::Employee | Scheme::Resident | Scheme::WorkInjury => {
            Said::new("按比例由您承担", "Your share of the rest")
        }
    };
    let parts = [
        (outside, b.fulamt_ownpay_amt),
        (over_limit, b.overlmt_selfpay),
        (first_pay, b.preselfpay_amt),
        (Said::new("异地就医额外先付", "Extra first share away from home"), b.extra_first_pay),
        (Said::new("起付线", "Deductible"), b.act_pay_dedc),
        (shared_said, shared),
        (Said::new("超过年度封顶线", "Above the yearly limit"), over_cap),
        (Said::new("减去其他基金替您支付的", "Less what other funds bear for you"), further),
    ];
    let whole: Fen = parts.iter().map(|(_, amount)| *amount).sum();
    html! {
        @if whole == b.psn_part_amt && shared >= Fen::ZERO {
            h3 { (pair("您支付的钱由哪些组成", "What your part is made of")) }
            dl.facts {
                @for (label, amount) in parts.iter().filter(|(_, amount)| !amount.is_zero()) {
                    div { dt { (both(label)) } dd.n { (yuan(*amount)) } }
                }
                div.total { dt { (pair("您支付", "You pay")) } dd.n { (yuan(whole)) } }
            }
        }
    }
}

fn filing(row: &ClaimRow, view: &ClaimView) -> Markup {
    let id = view.settlement.filing.as_ref();
    // What was saved by figures that no longer count was not saved.
    let other = view.other.filter(|_| row.status == Status::Settled);
    html! {
        section aria-labelledby="filing" {
            h2 #filing { (pair("适用的备案", "Which filing applied")) }
            p.lead { (both(&names::level(view.level))) }
            @if let Some(id) = id { p { (pair("备案编号", "Filing")) " " (id) " · " a href="/me/filings" { (pair("查看我的备案", "My filings")) } } }
            @match other {
                Some(Otherwise::Saved(amount)) => div.panel.good { p { (pair(
                    &format!("备案为您节省了{}：未备案时您要多付这些。", yuan(amount)),
                    &format!("The filing saved you {}: unfiled, you would have paid that much more.", yuan(amount)))) } },
                Some(Otherwise::SavedAll(amount)) => div.panel.good { p { (pair(
                    &format!("备案为您节省了{}：未备案时不能直接结算，您要先付全部费用。", yuan(amount)),
                    &format!("The filing saved you {}: unfiled, nothing is settled directly.", yuan(amount)))) } },
                Some(Otherwise::WouldHaveSaved { by, amount }) => div.panel.warn { p { (pair(
                    &format!("如果在结算前办理备案（{}），您可以少付{}。", names::level(by).zh, yuan(amount)),
                    &format!("Filed before settlement ({}), you would have paid {} less.",
                        names::level(by).en.to_lowercase(), yuan(amount)))) } },
                None => {}
            }
        }
    }
}

fn splits(view: &ClaimView) -> Markup {
    let breakdown = &view.breakdown;
    let [outside, over_limit, first_pay] = names::own_parts();
    let rows = [
        (
            outside,
            breakdown.fulamt_ownpay_amt,
            Said::new("医保目录外的项目，全部由您支付。", "Items outside the catalogue: all yours."),
        ),
        (
            over_limit,
            breakdown.overlmt_selfpay,
            Said::new("高出医保限价的部分，由您支付。", "What exceeds the catalogue's price limit: yours."),
        ),
        (
            first_pay,
            breakdown.preselfpay_amt,
            Said::new(
                "乙类项目先由您支付一定比例，其余再进入报销。",
                "Of class-B items you first pay a share; the rest goes on.",
            ),
        ),
        (
            Said::new("政策范围内", "In scope"),
            breakdown.inscp_scp_amt,
            Said::new("可以按比例报销的部分。", "The part on which the rates below count."),
        ),
    ];
    html! {
        section aria-labelledby="split" {
            h2 #split { (pair("账单怎么分", "How the bill is split")) }
            p { (pair("按就医地的目录，账单分成四部分：", "By the catalogue of the place of care, in four parts:")) }
            dl.facts {
                @for (label, amount, why) in rows {
                    div { dt { (both(&label)) } dd.n { (yuan(amount)) } dd.why { (both(&why)) } }
                }
                div.total { dt { (pair("总费用", "Whole bill")) } dd.n { (yuan(breakdown.medfee_sumamt)) } }
            }
        }
    }
}

fn computation(view: &ClaimView) -> Markup {
    let breakdown = &view.breakdown;
    let by_rate = matches!(view.settlement.scheme, Scheme::Employee | Scheme::Resident);
    html! {
        section aria-labelledby="steps" {
            h2 #steps { (pair("报销怎么算", "How the benefit is computed")) }
            @if breakdown.inscp_scp_amt.is_zero() { p { (pair(
                "这张账单没有政策范围内的费用，所以没有可报销的，也不用付起付线。",
                "Nothing of this bill is in scope, so that nothing is paid of it and no deductible is due.")) } }
            @else { dl.facts {
                @if breakdown.extra_first_pay > Fen::ZERO {
                    div { dt { (pair("异地就医额外先付", "Extra first share away from home")) } dd.n { (yuan(breakdown.extra_first_pay)) } }
                }
                @if by_rate { div {
                    dt { (pair("起付线", "Deductible")) } dd.n { (yuan(breakdown.act_pay_dedc)) }
                    @if let Some(step) = &view.steps.deductible { dd.why { (deductible(step)) } }
                } }
                @for step in &view.steps.rates {
                    div { dt { (pair("报销比例", "Rate")) } dd.n { (percent(step.applied)) } dd.why { (rate(step)) } }
                }
                @if by_rate && view.steps.rates.is_empty() && breakdown.hifp_pay > Fen::ZERO {
                    div { dt { (pair("报销比例", "Rate")) } dd.n { (percent(breakdown.pool_rate)) } }
                }
                @if let Some(step) = &view.steps.pool {
                    div { dt { (pair("统筹基金", "Pool")) } dd.n { (yuan(step.paid)) } dd.why { (pool(step)) } }
                }
                @for seen in &view.steps.funds {
                    div {
                        dt { (both(&names::fund(seen.fund))) } dd.n { (yuan(seen.paid)) }
                        dd.why { (pair(&seen.why.zh, &seen.why.en)) }
                    }
                }
                @for row in breakdown.funds.iter().skip(1).filter(|_| view.mismatch) {
                    div { dt { (both(&names::fund(row.fund))) } dd.n { (yuan(row.amount)) } }
                }
            } }
        }
    }
}

fn deductible(step: &DeductibleStep) -> Markup {
    let mut zh = vec![format!("标准{}", yuan(step.base))];
    let mut en = vec![format!("standard {}", yuan(step.base))];
    if step.retired_reduction > Fen::ZERO {
        zh.push(format!("退休减{}", yuan(step.retired_reduction)));
        en.push(format!("less {} for the retired", yuan(step.retired_reduction)));
    }
    match step.counted {
        DeductibleCount::Admission { settled, factor } => {
            zh.push(format!("本年度第{}次结算的住院×{}", settled + 1, factor.normalize()));
            en.push(format!("stay {} that was settled this year × {}", settled + 1, factor.normalize()));
        }
        DeductibleCount::Year { borne } | DeductibleCount::InstitutionYear { borne } => {
            zh.push(format!("本年度已付{}", yuan(borne)));
            en.push(format!("{} paid this year already", yuan(borne)));
        }
    }
    if step.filing_factor != rust_decimal::Decimal::ONE {
        zh.push(format!("备案情况×{}", step.filing_factor.normalize()));
        en.push(format!("× {} for the filing", step.filing_factor.normalize()));
    }
    if step.borne_by_stay > Fen::ZERO {
        zh.push(format!("本次住院前段已付{}", yuan(step.borne_by_stay)));
        en.push(format!("{} borne by earlier parts", yuan(step.borne_by_stay)));
    }
    if step.paid < step.standard {
        zh.push(format!("政策范围内的费用只有{}", yuan(step.paid)));
        en.push(format!("no more than {} is in scope", yuan(step.paid)));
    }
    pair(&(zh.join("，") + "。"), &(en.join(", ") + "."))
}

fn rate(step: &RateStep) -> Markup {
    let mut zh = vec![format!("基本比例{}", percent(step.base))];
    let mut en = vec![format!("base {}", percent(step.base))];
    for (bonus, name_zh, name_en) in
        [(step.retired_bonus, "退休加", "for the retired"), (step.age_bonus, "年龄加", "for age")]
    {
        if bonus != Rate::ZERO {
            zh.push(format!("{name_zh}{}个百分点", points(bonus)));
            en.push(format!("+{} points {name_en}", points(bonus)));
        }
    }
    match step.reduction {
        Reduction::None => {
            zh.push("没有因异地就医降低".into());
            en.push("nothing taken off".into());
        }
        Reduction::Points(less) if less == Rate::ZERO => {
            zh.push("没有因异地就医降低".into());
            en.push("nothing taken off".into());
        }
        Reduction::Points(less) => {
            zh.push(format!("因备案情况降低{}个百分点", points(less)));
            en.push(format!("−{} points for the filing", points(less)));
        }
        Reduction::Multiply(factor) => {
            zh.push(format!("按备案情况乘以{}", percent(factor)));
            en.push(format!("× {} for the filing", percent(factor)));
        }
        Reduction::FirstPay(share) => {
            zh.push(format!("比例不降，但您先付{}", percent(share)));
            en.push(format!("the rate stays, but {} is yours first", percent(share)));
        }
    }
    pair(&(zh.join("，") + "。"), &(en.join(", ") + "."))
}

fn pool(step: &PoolStep) -> Markup {
    let segments = step.segments.iter().map(|segment| {
        let part = yuan(segment.to - segment.from);
        format!("{part} × {} = {}", percent(segment.rate), exact_yuan(segment.exact))
    });
    html! {
        (segments.collect::<Vec<_>>().join("; "))
        div { (pair(
            "政策范围内扣除您先承担的部分，乘以比例，四舍五入到分。",
            "What is in scope, less what you bear first, times the rate, rounded to the fen.")) }
        @if step.paid < step.uncapped { div { (pair(
            &format!("超过年度封顶线，只能支付{}。", yuan(step.paid)),
            &format!("The yearly cap leaves {}.", yuan(step.paid)))) } }
    }
}

fn year(view: &ClaimView) -> Markup {
    let (before, after) = (&view.before, &view.after);
    html! {
        section aria-labelledby="year" {
            h2 #year { (pair("本年度累计", "Your year so far")) }
            p { (both(&names::scheme(view.settlement.scheme))) " · " span { (view.settlement.year) "年度" } }
            div.scroll role="region" aria-label="表格 Table" tabindex="0" {
                table {
                    caption { (pair("这次结算前后", "Before and after this settlement")) }
                    thead { tr {
                        th scope="col" { (pair("项目", "Item")) }
                        th.n scope="col" { (pair("结算前", "Before")) }
                        th.n scope="col" { (pair("结算后", "After")) }
                    } }
                    tbody {
                        tr { th scope="row" { (pair("已结算住院次数", "Stays settled")) } td.n { (before.admissions) } td.n { (after.admissions) } }
                        @for (label, pick) in accumulated(view.settlement.scheme) {
                            @if pick(after) != Fen::ZERO || pick(before) != Fen::ZERO {
                                tr { th scope="row" { (both(&label)) } td.n { (yuan(pick(before))) } td.n { (yuan(pick(after))) } }
                            }
                        }
                    }
                }
            }
            @for cap in &view.caps { p { (cap_line(cap)) } }
        }
    }
}

fn cap_line(cap: &CapSeen) -> Markup {
    let name = names::fund(cap.fund);
    if cap.left() == Fen::ZERO {
        return pair(
            &format!("{}已用完本年度额度，之后的费用这一项不再支付。", name.zh),
            &format!("The {} is used up for this year.", name.en),
        );
    }
    pair(
        &format!("{}本年度还可支付{}。", name.zh, yuan(cap.left())),
        &format!("The {} may still pay {} this year.", name.en, yuan(cap.left())),
    )
}

type Pick = fn(&Accumulators) -> Fen;

fn accumulated(scheme: Scheme) -> [(Said, Pick); 6] {
    let pool = match scheme {
        Scheme::Maternity => Said::new("生育保险基金累计", "Maternity fund paid"),
        Scheme::Employee | Scheme::Resident | Scheme::WorkInjury => Said::new("统筹基金累计", "Pool paid"),
    };
    [
        (Said::new("起付线累计", "Deductible"), |a| a.deductible),
        (pool, |a| a.hifp),
        (Said::new("大额补助累计", "Large amounts paid"), |a| a.hifob),
        (Said::new("大病保险累计", "Serious illness paid"), |a| a.hifmi),
        (Said::new("医疗救助累计", "Assistance paid"), |a| a.maf),
        (Said::new("政策范围内个人负担累计", "Your in-scope burden"), |a| a.burden),
    ]
}
