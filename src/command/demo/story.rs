//! Owns the story that is played: who, what the hospital sends, and what must come out to the fen.
//!
//! The expected figures were worked out by hand from TP-1 (config/packs/sandbox/440700.toml). The knee: 42,069.45 yuan, of
//! which 37,029.50 is covered. Filed long-term at level 3: (37,029.50 − 900.00) × 83 % = 29,987.49 (half a fen up).

use std::fs;
use std::io;

use hyper::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::app::App;
use crate::command::demo::screen::Screen;
use crate::command::demo::screen::SummaryRow;
use crate::command::told;
use crate::domain::benefit;
use crate::domain::codes::BenefitLevel;
use crate::domain::explain::NoTrace;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::money::Fen;
use crate::protocol::explanation::person;
use crate::protocol::explanation::saving;
use crate::protocol::explanation::saving::Alternative;
use crate::sandbox::desk;
use crate::sandbox::folder::Folder;
use crate::sandbox::his::His;
use crate::sandbox::his::Line;
use crate::sandbox::his::Reply;
use crate::sandbox::play;
use crate::sandbox::province::Province;
use crate::sandbox::stays::Stay;
use crate::sandbox::story::Figure;
use crate::sandbox::story::Role;
use crate::service::explain::Explanation;

pub(super) struct Story<'a> {
    app: &'a App,
    folder: &'a Folder,
    province: &'a Province,
    authority: String,
}

const UNFILED_TITLE: &str = "跨省住院没有备案，补办后结算";
const TWICE_TITLE: &str = "结算后发现漏记床位费，撤销重结";

/// What was played so far.
#[derive(Default)]
struct Played {
    differences: usize,
    rows: Vec<SummaryRow>,
}

impl Played {
    fn row(&mut self, number: usize, title: &'static str, explained: &Explanation, unfiled: Option<Fen>) {
        let b = &explained.breakdown;
        let (bill, funds, patient) = (b.medfee_sumamt, b.fund_pay_sumamt, b.psn_part_amt);
        self.rows.push(SummaryRow { number, title, bill, funds, patient, unfiled });
    }
}

/// Why the story could not go on.
type Broken = String;

fn written(cause: io::Error) -> Broken {
    format!("the story cannot be written: {cause}")
}

impl<'a> Story<'a> {
    pub(super) fn new(app: &'a App, folder: &'a Folder, province: &'a Province) -> Result<Story<'a>, Broken> {
        let authority = read(&folder.authority())?;
        Ok(Story { app, folder, province, authority })
    }

    /// Plays it all; gives how many figures were not as expected.
    pub(super) async fn play(&self, screen: &mut Screen<'_>, once: bool) -> Result<usize, Broken> {
        let mut played = Played::default();
        self.settled_at_once(screen, &IN_PROVINCE, &mut played).await?;
        self.settled_at_once(screen, &LONG_TERM, &mut played).await?;
        self.settled_at_once(screen, &TEMPORARY, &mut played).await?;
        self.unfiled(screen, &mut played).await?;
        self.settled_at_once(screen, &VISITOR, &mut played).await?;
        self.stranger(screen, &mut played).await?;
        self.settled_twice(screen, &mut played).await?;
        screen.summary(&played.rows).map_err(written)?;
        if once {
            return Ok(played.differences);
        }
        let people = self.province.figures.iter().filter(|figure| figure.held).map(|figure| {
            let private = &figure.insured.private;
            (private.name.clone(), private.certificate_number.clone(), figure.role.name())
        });
        screen.people(&people.collect::<Vec<_>>()).map_err(written)?;
        Ok(played.differences)
    }

    fn figure(&self, role: Role) -> Result<&'a Figure, Broken> {
        let found = self.province.figures.iter().find(|figure| figure.role == role);
        found.ok_or_else(|| format!("nobody of the story is {}", role.name()))
    }

    /// The hospital of a stay, with its own certificate.
    fn his(&self, stay: &Stay) -> Result<His, Broken> {
        let code = InstitutionCode::parse(&stay.fixmedins_code).map_err(|cause| told(&cause))?;
        let region = RegionCode::parse(&stay.mdtrtarea_admdvs).map_err(|cause| told(&cause))?;
        let (certificate, key) = self.folder.identity(code.as_str());
        let identity = (read(&certificate)?, read(&key)?);
        let address = self.app.addresses().hospital;
        let line = Line::new(address, &self.authority, Some((&identity.0, &identity.1)))
            .map_err(|cause| told(&cause))?;
        let clock = std::sync::Arc::clone(&self.app.service.clock);
        Ok(His::new(code, &stay.fixmedins_name, region, line, move || clock.now()))
    }

    async fn settled_at_once(
        &self,
        screen: &mut Screen<'_>,
        chapter: &Chapter,
        played: &mut Played,
    ) -> Result<(), Broken> {
        let figure = self.figure(chapter.role)?;
        screen.chapter(chapter.number, chapter.title.0, chapter.title.1).map_err(written)?;
        screen.says(chapter.text.0, chapter.text.1).map_err(written)?;
        let visit = Visit { his: self.his(&figure.stay)?, stay: &figure.stay };
        visit.identified(screen).await?;
        let mdtrt_id = visit.discharged(screen, &figure.stay).await?;
        visit.quoted(screen, &mdtrt_id, &figure.stay.medfee_sumamt).await?;
        let setl_id = visit.settled(screen, &mdtrt_id, &figure.stay.medfee_sumamt).await?;
        let explained = self.explained(screen, &setl_id).await?;
        let unfiled = match chapter.compare {
            None => None,
            Some(level) => Some(self.compared(screen, &explained, level)?),
        };
        played.differences += check(screen, &explained, chapter.fund, chapter.cash)?;
        played.row(chapter.number, chapter.title.0, &explained, unfiled);
        Ok(())
    }

    /// Told to file, files, settles, and what that saved.
    async fn unfiled(&self, screen: &mut Screen<'_>, played: &mut Played) -> Result<(), Broken> {
        let figure = self.figure(Role::Unfiled)?;
        let stay = &figure.stay;
        screen.chapter(4, UNFILED_TITLE, "another province, not filed").map_err(written)?;
        screen
            .says(
                "黄某没有备案就到长沙住院。结算前医院会被告知两种金额和补办办法；他在床边补办后再结算。",
                "Went to Changsha without filing. Before settling, the hospital is told both sums and how to file; the filing is made from the bedside.",
            )
            .map_err(written)?;
        let visit = Visit { his: self.his(stay)?, stay };
        visit.identified(screen).await?;
        visit.entitled(screen).await?;
        let mdtrt_id = visit.discharged(screen, stay).await?;
        let refused = visit.call("2303", &play::settle(stay, &mdtrt_id, &stay.medfee_sumamt)).await?;
        screen.step("2303", "预结算 quote", &said(&refused)).map_err(written)?;
        for figure in ["23159.31", "19307.86"] {
            if !refused.err_msg.contains(figure) {
                screen.differs("the refusal names", figure, &refused.err_msg).map_err(written)?;
                played.differences += 1;
            }
        }
        screen
            .says(
                "",
                "It says: 23,159.31 in cash as things are, 19,307.86 if filed today; file first (by the national insurance app, its\n   \
                 mini-program or the home city's office, any time before the hospital settles), or ask again to go on unfiled.",
            )
            .map_err(written)?;
        let filing = json!({
            "id": "DEMO-FILING-1",
            "pool": stay.pool.to_string(),
            "psn_no": stay.psn_no,
            "category": "TMP_OTHER",
            "target": "430100",
        });
        let (status, answer) =
            desk::post_filing(self.app.addresses().center, &filing).await.map_err(|cause| told(&cause))?;
        if !matches!(status, StatusCode::CREATED | StatusCode::OK) {
            return Err(format!("the filing was refused: {answer}"));
        }
        screen.step("备案", "files 补办：其他临时外出", "filed 已备案").map_err(written)?;
        visit.quoted(screen, &mdtrt_id, &stay.medfee_sumamt).await?;
        let setl_id = visit.settled(screen, &mdtrt_id, &stay.medfee_sumamt).await?;
        let explained = self.explained(screen, &setl_id).await?;
        let unfiled = self.compared(screen, &explained, BenefitLevel::Unfiled)?;
        played.differences += check(screen, &explained, "22761.59", "19307.86")?;
        played.row(4, UNFILED_TITLE, &explained, Some(unfiled));
        Ok(())
    }

    /// Insured in a pool that this gateway does not hold.
    async fn stranger(&self, screen: &mut Screen<'_>, played: &mut Played) -> Result<(), Broken> {
        let figure = self.figure(Role::Stranger)?;
        screen
            .chapter(6, "外省参保人，参保地未接入", "a visitor whose region is not connected")
            .map_err(written)?;
        screen
            .says(
                "刘某在长沙参保，到江门住院。本网关没有长沙的政策和参保库：拒绝，并告知联系谁。",
                "Insured in Changsha, treated in Jiangmen. This gateway holds neither Changsha's rules nor its register: it says so, and whom to call.",
            )
            .map_err(written)?;
        let visit = Visit { his: self.his(&figure.stay)?, stay: &figure.stay };
        let refused = visit.call("2401", &play::admit(&figure.stay)).await?;
        screen.step("2401", "入院 admit", &said(&refused)).map_err(written)?;
        screen
            .says("", "It says: Changsha is not connected; pay now and claim at home; whom to call there.")
            .map_err(written)?;
        if !refused.err_msg.contains("[region-not-connected]") {
            screen
                .differs("the refusal's code", "region-not-connected", &refused.err_msg)
                .map_err(written)?;
            played.differences += 1;
        }
        Ok(())
    }

    /// Settled without the bed lines, reversed, settled with them.
    async fn settled_twice(&self, screen: &mut Screen<'_>, played: &mut Played) -> Result<(), Broken> {
        let figure = self.figure(Role::Local)?;
        let stay = &figure.stay;
        let (beds, first): (Vec<_>, Vec<_>) =
            stay.lines.iter().cloned().partition(|line| line.med_list_codg.ends_with("BED"));
        screen.chapter(7, TWICE_TITLE, "settled, reversed, settled again").map_err(written)?;
        screen
            .says(
                "谭某在本地住院，结算后医院发现漏了床位费：撤销，补传，重新结算。",
                "After settling, the hospital finds that the bed was left out: it reverses, sends the lines and settles again.",
            )
            .map_err(written)?;
        let visit = Visit { his: self.his(stay)?, stay };
        visit.identified(screen).await?;
        let without_beds = Stay { lines: first, ..stay.clone() };
        let mdtrt_id = visit.discharged(screen, &without_beds).await?;
        let setl_id = visit.settled(screen, &mdtrt_id, "8076.51").await?;
        let explained = self.app.service.explain(&id(&setl_id)?).await.map_err(|cause| told(&cause))?;
        played.differences += check(screen, &explained, "6334.28", "1742.23")?;
        let reversed = visit.done("2305", &play::reverse(stay, &mdtrt_id, &setl_id)).await?;
        let returned = reversed.output["setlinfo"]["psn_cash_pay"].to_string();
        screen
            .step("2305", "撤销 reverse", &format!("{returned} in cash: given back, the bill is open again"))
            .map_err(written)?;
        let uploaded = visit.done("2301", &play::upload(stay, &mdtrt_id, &beds)).await?;
        screen.step("2301", "补传床位费 bed lines", &lines_told(&uploaded)).map_err(written)?;
        let setl_id = visit.settled(screen, &mdtrt_id, &stay.medfee_sumamt).await?;
        let explained = self.explained(screen, &setl_id).await?;
        played.differences += check(screen, &explained, "7030.88", "1819.63")?;
        played.row(7, TWICE_TITLE, &explained, None);
        Ok(())
    }

    async fn explained(&self, screen: &mut Screen<'_>, setl_id: &str) -> Result<Explanation, Broken> {
        let explained = self.app.service.explain(&id(setl_id)?).await.map_err(|cause| told(&cause))?;
        screen.level(explained.settlement.facts.hospital).map_err(written)?;
        screen.bill(&explained.breakdown).map_err(written)?;
        screen.why(&person::explain(&explained.steps.0)).map_err(written)?;
        Ok(explained)
    }

    /// The same bill under another filing, or none; gives what the patient would have paid.
    fn compared(
        &self,
        screen: &mut Screen<'_>,
        explained: &Explanation,
        level: BenefitLevel,
    ) -> Result<Fen, Broken> {
        let facts = &explained.settlement.facts;
        let mut other = facts.claim(&explained.policy);
        other.level = level;
        let breakdown = benefit::compute(&other, &mut NoTrace).map_err(|cause| told(&cause))?;
        let now = Alternative { level: facts.level, breakdown: &explained.breakdown };
        let sentence = saving::compare(now, Alternative { level, breakdown: &breakdown }, true);
        screen.says(&format!("▸ {}", sentence.zh), &format!("  {}", sentence.en)).map_err(written)?;
        Ok(breakdown.psn_part_amt)
    }
}

/// One stay at its hospital.
struct Visit<'s> {
    his: His,
    stay: &'s Stay,
}

impl Visit<'_> {
    async fn call(&self, infno: &str, input: &Value) -> Result<Reply, Broken> {
        let region = play::insured_region(self.stay);
        self.his.call(infno, region, input.clone()).await.map_err(|cause| told(&cause))
    }

    /// A call that must succeed.
    async fn done(&self, infno: &str, input: &Value) -> Result<Reply, Broken> {
        let reply = self.call(infno, input).await?;
        if reply.ok() { Ok(reply) } else { Err(format!("{infno} was refused: {}", reply.err_msg)) }
    }

    async fn identified(&self, screen: &mut Screen<'_>) -> Result<(), Broken> {
        let reply = self.done("1101", &play::identify(self.stay)).await?;
        let person = &reply.output["baseinfo"];
        let told = format!("{} ({})", text(&person["psn_name"]), text(&person["psn_no"]));
        screen.step("1101", "是谁 who is it", &told).map_err(written)
    }

    async fn entitled(&self, screen: &mut Screen<'_>) -> Result<(), Broken> {
        let reply = self.done("2001", &play::entitle(self.stay)).await?;
        let result = &reply.output["trtinfo"][0]["trt_chk_rslt"];
        screen.step("2001", "待遇 entitled to what", text(result)).map_err(written)
    }

    /// Admitted, lines uploaded, discharged; gives the `mdtrt_id`.
    async fn discharged(&self, screen: &mut Screen<'_>, stay: &Stay) -> Result<String, Broken> {
        let admitted = self.done("2401", &play::admit(stay)).await?;
        let mdtrt_id = text(&admitted.output["result"]["mdtrt_id"]).to_owned();
        screen.step("2401", "入院 admit", &format!("mdtrt_id {mdtrt_id}")).map_err(written)?;
        let uploaded = self.done("2301", &play::upload(stay, &mdtrt_id, &stay.lines)).await?;
        screen.step("2301", "费用明细 fee lines", &lines_told(&uploaded)).map_err(written)?;
        self.done("2402", &play::discharge(stay, &mdtrt_id)).await?;
        screen.step("2402", "出院 discharge", &stay.endtime).map_err(written)?;
        Ok(mdtrt_id)
    }

    async fn quoted(&self, screen: &mut Screen<'_>, mdtrt_id: &str, fee: &str) -> Result<(), Broken> {
        let quoted = self.done("2303", &play::settle(self.stay, mdtrt_id, fee)).await?;
        let cash = quoted.output["setlinfo"]["psn_cash_pay"].to_string();
        screen.step("2303", "预结算 quote", &format!("the patient would pay {cash}")).map_err(written)
    }

    async fn settled(&self, screen: &mut Screen<'_>, mdtrt_id: &str, fee: &str) -> Result<String, Broken> {
        let settled = self.done("2304", &play::settle(self.stay, mdtrt_id, fee)).await?;
        let setl_id = text(&settled.output["setlinfo"]["setl_id"]).to_owned();
        screen.step("2304", "结算 settle", &format!("setl_id {setl_id}")).map_err(written)?;
        Ok(setl_id)
    }
}

/// A stay that goes through at once.
struct Chapter {
    number: usize,
    role: Role,
    title: (&'static str, &'static str),
    text: (&'static str, &'static str),
    /// What the same bill would have cost her with another filing, or none.
    compare: Option<BenefitLevel>,
    fund: &'static str,
    cash: &'static str,
}

const IN_PROVINCE: Chapter = Chapter {
    number: 1,
    role: Role::InProvince,
    title: ("省内异地", "another city of the home province"),
    text: (
        "梁某在江门参保，到广州做膝关节手术。她的统筹区规定省内就医不用备案。",
        "Insured in Jiangmen, a knee operation in Guangzhou. The home city asks for no filing inside the province.",
    ),
    compare: None,
    fund: "29987.49",
    cash: "12081.96",
};

const LONG_TERM: Chapter = Chapter {
    number: 2,
    role: Role::LongTerm,
    title: ("跨省，已办长期备案", "another province, filed long-term"),
    text: (
        "陈某被单位派驻长沙，早已办了常驻异地工作备案：待遇与在家一样。",
        "Posted to Changsha by the employer and filed for it: the same benefit as at home.",
    ),
    compare: Some(BenefitLevel::Unfiled),
    fund: "29987.49",
    cash: "12081.96",
};

/// Retired: (37,029.50 − 800.00) × (83 % + 3 % − 20 %) = 23,911.47.
const TEMPORARY: Chapter = Chapter {
    number: 3,
    role: Role::Temporary,
    title: ("跨省，临时备案", "another province, filed as temporary"),
    text: (
        "李某退休，到南宁看病，行前办了临时外出就医备案：比例降低20个百分点。",
        "Retired, in Nanning for treatment, filed as temporary before leaving: 20 points less than at home.",
    ),
    compare: Some(BenefitLevel::Unfiled),
    fund: "23911.47",
    cash: "18157.98",
};

const VISITOR: Chapter = Chapter {
    number: 5,
    role: Role::Visitor,
    title: ("外地参保人到本地就医", "a visitor from a pool that this gateway holds"),
    text: (
        "何某在广州参保，到江门住院：按广州的政策算，江门垫付，月底由广州还给江门。",
        "Insured in Guangzhou, treated in Jiangmen: Guangzhou's rules apply, Jiangmen pays its hospital, Guangzhou owes Jiangmen.",
    ),
    compare: None,
    fund: "29987.49",
    cash: "12081.96",
};

fn check(screen: &mut Screen<'_>, explained: &Explanation, fund: &str, cash: &str) -> Result<usize, Broken> {
    let b = &explained.breakdown;
    let figures = [("paid by the funds", fund, b.fund_pay_sumamt), ("cash", cash, b.psn_cash_pay)];
    let mut differences = usize::from(explained.mismatch);
    for (what, expected, got) in figures {
        if got.to_string() != expected {
            screen.differs(what, expected, &got.to_string()).map_err(written)?;
            differences += 1;
        }
    }
    Ok(differences)
}

fn lines_told(reply: &Reply) -> String {
    let lines = reply.output["result"].as_array().map_or(0, Vec::len);
    format!("{lines} lines taken, each split by the catalogue of the place of care")
}

fn said(reply: &Reply) -> String {
    format!("{} {}", if reply.ok() { "✓" } else { "refused:" }, reply.err_msg)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn id(setl_id: &str) -> Result<SettlementId, Broken> {
    SettlementId::parse(setl_id).map_err(|cause| told(&cause))
}

fn read(path: &std::path::Path) -> Result<String, Broken> {
    fs::read_to_string(path).map_err(|cause| format!("{} cannot be read: {cause}", path.display()))
}
