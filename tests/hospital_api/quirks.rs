//! Messages as the field sends them. A quirky one leaves the same facts in the ledger as its clean twin; one that may
//! mean two things leaves nothing, and the refusal names the field.

use banyan::domain::codes::HospitalLevel::Three;
use banyan::domain::filing::FilingCategory::LongTermWorker;
use banyan::domain::record::Body;
use banyan::domain::record::Private;
use banyan::sandbox::play;
use banyan::sandbox::story::KNEE;
use serde_json::Value;
use serde_json::json;

use crate::ambiguous;
use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::visit::Visit;
use crate::support::world::World;

const CHANGSHA: u32 = 430_100;
/// The bill of the story without its last line, which is withdrawn.
const FEE: &str = "40835.00";

/// How one message differs from its clean twin. In the texts `$psn`, `$cert` and `$stay` stand for her numbers.
#[derive(Clone, Copy)]
pub(crate) enum Change {
    /// The first place where one text stands holds another.
    Text(&'static str, &'static str),
    /// The message written anew.
    Whole(fn(&str) -> String),
}

/// The message of this `infno` is sent otherwise.
#[derive(Clone, Copy)]
pub(crate) struct Quirk {
    pub infno: &'static str,
    pub what: &'static str,
    pub change: Change,
}

const fn quirk(infno: &'static str, what: &'static str, from: &'static str, to: &'static str) -> Quirk {
    Quirk { infno, what, change: Change::Text(from, to) }
}

const fn whole(infno: &'static str, what: &'static str, change: fn(&str) -> String) -> Quirk {
    Quirk { infno, what, change: Change::Whole(change) }
}

const ENVELOPE: [Quirk; 22] = [
    quirk("2304", "a transaction number as a number", r#""infno":"2304""#, r#""infno":2304"#),
    quirk("2304", "the later form of the number", r#""infno":"2304""#, r#""infno":"2304A""#),
    quirk("2301", "the later form of an upload", r#""infno":"2301""#, r#""infno":"2301A""#),
    quirk("2305", "the later form of a cancel", r#""infno":"2305""#, r#""infno":"2305A""#),
    quirk("2401", "the other spelling of the place", r#""mdtrtarea_admvs""#, r#""mdtrtarea_admdvs""#),
    quirk("2401", "the other spelling of the insured place", r#""insuplc_admdvs""#, r#""insuplc_admvs""#),
    quirk("2304", "a region as a number", r#""insuplc_admdvs":"440703""#, r#""insuplc_admdvs":440703"#),
    quirk(
        "2304",
        "the city for the district",
        r#""insuplc_admdvs":"440703""#,
        r#""insuplc_admdvs":"440700""#,
    ),
    whole("2304", "the insured place beside the person", |text| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value["input"]["data"]["insu_admdvs"] = value["insuplc_admdvs"].take();
        value.to_string()
    }),
    quirk("2401", "a key in upper case", r#""fixmedins_code""#, r#""FIXMEDINS_CODE""#),
    quirk("2401", "a key in camel case", r#""fixmedins_code""#, r#""fixmedinsCode""#),
    quirk("2304", "a version of another kind", r#""infver":"V1.0""#, r#""infver":1"#),
    quirk("2304", "a clerk as a number", r#""opter_type":"1""#, r#""opter_type":1"#),
    quirk("2304", "a seal that says nothing", r#""cainfo":"""#, r#""cainfo":"null""#),
    quirk("2304", "a sort of signature that is none", r#""signtype":"SM3""#, r#""signtype":"MOCK""#),
    quirk("2304", "null for an empty field", r#""dev_no":"""#, r#""dev_no":null"#),
    quirk("2402", "fields that no standard knows", r#""infno""#, r#""serv_code":"x","enc_type":[1],"infno""#),
    whole("2301", "a byte order mark", |text| format!("\u{feff}{text}")),
    whole("2301", "a zero at the end, as C writes it", |text| format!("{text}\r\n\0")),
    whole("2401", "blanks and lines between all", |text| {
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
    }),
    whole("2401", "every letter escaped", |text| {
        let escaped = text.chars().map(|c| match c {
            c if c.is_ascii() => c.to_string(),
            c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        });
        escaped.collect()
    }),
    whole("2304", "the input first", |text| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        let input = value.as_object_mut().unwrap().remove("input").unwrap();
        format!("{{\"input\":{input},{}", value.to_string().trim_start_matches('{'))
    }),
];

const SHAPES: [Quirk; 10] = [
    whole("2304", "a list of one for an object", |text| with_data(text, |data| json!([data]))),
    whole("2305", "a list of one for an object", |text| with_data(text, |data| json!([data]))),
    whole("2404", "a list of one for an object", |text| with_data(text, |data| json!([data]))),
    whole("2302", "an object for a list of one", |text| with_data(text, |data| data[0].clone())),
    whole("2304", "the fields straight under input", |text| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value["input"] = value["input"]["data"].clone();
        value.to_string()
    }),
    whole("2401", "one diagnosis for a list of them", |text| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value["input"]["diseinfo"] = value["input"]["diseinfo"][0].clone();
        value.to_string()
    }),
    quirk("2304", "a node in another case", r#""data":{"#, r#""DATA":{"#),
    quirk("2301", "null among the lines", r#""feedetail":["#, r#""feedetail":[null,"#),
    quirk(
        "2301",
        "a node of trace codes",
        r#""feedetail""#,
        r#""drugtracinfo":[{"drug_trac_codg":"8"}],"feedetail""#,
    ),
    whole("2304", "a node twice with one content", |text| {
        let value: Value = serde_json::from_str(text).unwrap();
        let data = &value["input"]["data"];
        text.replacen(&format!("\"data\":{data}"), &format!("\"data\":{data},\"data\":{data}"), 1)
    }),
];

const SETTLEMENT: [Quirk; 24] = [
    quirk("2304", "an amount as a number", r#":"40835.00""#, ":40835.00"),
    quirk("2304", "an amount without its zeros", r#":"40835.00""#, r#":"40835""#),
    quirk("2304", "an amount with too many zeros", r#":"40835.00""#, ":40835.000000"),
    quirk("2304", "an amount with an exponent", r#":"40835.00""#, ":4.0835E+4"),
    quirk("2304", "an amount in full-width digits", r#":"40835.00""#, r#":"４０８３５．００""#),
    quirk("2304", "an amount with blanks around it", r#":"40835.00""#, r#":" 40835.00 ""#),
    quirk("2304", "an amount twice with one value", r#""mdtrt_id""#, r#""MEDFEE_SUMAMT":40835.0,"mdtrt_id""#),
    quirk("2304", "a flag as a boolean", r#""acct_used_flag":"0""#, r#""acct_used_flag":false"#),
    quirk("2304", "a flag as a word", r#""acct_used_flag":"0""#, r#""acct_used_flag":"否""#),
    quirk("2304", "a flag as a number", r#""mid_setl_flag":"0""#, r#""mid_setl_flag":0"#),
    quirk("2304", "a scheme as a number", r#""insutype":"310""#, r#""insutype":310"#),
    quirk("2304", "a code without its zero", r#""mdtrt_cert_type":"02""#, r#""mdtrt_cert_type":2"#),
    quirk("2304", "a descriptive code without its zero", r#""psn_setlway":"01""#, r#""psn_setlway":"1""#),
    quirk(
        "2304",
        "card data behind a bar",
        r#""mdtrt_cert_no":"$cert""#,
        r#""mdtrt_cert_no":"$cert|A0B1C2""#,
    ),
    quirk("2304", "a check letter with blanks", r#""mdtrt_cert_no":"$cert""#, r#""mdtrt_cert_no":"$cert ""#),
    quirk("2304", "no invoice at all", r#""invono":"","#, ""),
    quirk("2304", "the word null for no invoice", r#""invono":"""#, r#""invono":"null""#),
    quirk("2304", "totals left out", r#""inscp_scp_amt":0,"#, ""),
    quirk("2304", "totals as empty text", r#""preselfpay_amt":0"#, r#""preselfpay_amt":"""#),
    quirk("2304", "totals as text", r#""overlmt_selfpay":0"#, r#""overlmt_selfpay":"0.00""#),
    quirk("2304", "the sort of care beside the bill", r#""mdtrt_id""#, r#""med_type":21,"mdtrt_id""#),
    quirk(
        "2304",
        "an extension as an object",
        r#""invono""#,
        r#""exp_content":{"a":[1,{"b":null}]},"invono""#,
    ),
    quirk("2304", "her number as a number", r#""psn_no":"$psn""#, r#""psn_no":$psn"#),
    quirk("2305", "blanks around a number", r#""psn_no":"$psn""#, r#""psn_no":" $psn\t""#),
];

const STAY: [Quirk; 19] = [
    quirk("2401", "the number under the name of 2403", r#""ipt_no""#, r#""ipt_otp_no""#),
    quirk("2403", "the number under the name of 2401", r#""ipt_otp_no""#, r#""ipt_no""#),
    quirk(
        "2401",
        "a time in ISO form",
        r#""begntime":"2026-11-09 09:00:00""#,
        r#""begntime":"2026-11-09T09:00:00""#,
    ),
    quirk(
        "2401",
        "a time in ISO form with its zone",
        r#""begntime":"2026-11-09 09:00:00""#,
        r#""begntime":"2026-11-09T09:00:00.000+08:00""#,
    ),
    quirk("2401", "a time in fourteen digits", r#":"2026-11-09 09:00:00""#, r#":"20261109090000""#),
    quirk("2401", "a time with slashes", r#":"2026-11-09 09:00:00""#, r#":"2026/11/09 09:00:00""#),
    quirk("2401", "a time in UTC", r#":"2026-11-09 09:00:00""#, r#":"2026-11-09T01:00:00Z""#),
    quirk(
        "2401",
        "an emergency flag in the extension",
        r#""er_flag":"0""#,
        r#""exp_content":{"er_flag":"0"}"#,
    ),
    quirk(
        "2401",
        "an emergency flag in the extension's text",
        r#""er_flag":"0""#,
        r#""expContent":"{\"erFlag\":0}""#,
    ),
    quirk("2401", "a flag of a diagnosis as a boolean", r#""maindiag_flag":"1""#, r#""maindiag_flag":true"#),
    quirk("2401", "a count as text", r#""diag_srt_no":1"#, r#""diag_srt_no":"1""#),
    quirk("2401", "a code with a zero too many", r#""diag_type":"1""#, r#""diag_type":"01""#),
    quirk("2401", "a date never set", r#""ipt_no""#, r#""birctrl_matn_date":"0001-01-01","ipt_no""#),
    quirk("2402", "a code as a number", r#""dscg_way":"1""#, r#""dscg_way":1"#),
    quirk("2402", "a stay named once", r#""mdtrt_id":"$stay","psn_no":"$psn"}]"#, r#""psn_no":"$psn"}]"#),
    quirk(
        "2402",
        "a time in ISO form",
        r#""endtime":"2026-11-23 15:00:00""#,
        r#""endtime":"2026-11-23T15:00:00""#,
    ),
    quirk("2402", "a key in camel case", r#""mdtrt_id""#, r#""mdtrtId""#),
    quirk("2405", "an extension under its other name", r#""mdtrt_id""#, r#""expContent":"{}","mdtrt_id""#),
    quirk("2404", "her number as a number", r#""psn_no":"$psn""#, r#""psn_no":$psn"#),
];

const LINES: [Quirk; 9] = [
    quirk("2301", "a price as a number", r#""pric":"120.00""#, r#""pric":120"#),
    quirk("2301", "a count with four decimals", r#""cnt":"14""#, r#""cnt":"14.0000""#),
    quirk(
        "2301",
        "an amount as a number",
        r#""det_item_fee_sumamt":"1680.00""#,
        r#""det_item_fee_sumamt":1680.0"#,
    ),
    quirk("2301", "a time in ISO form", r#":"2026-11-09 10:00:00""#, r#":"2026-11-09T10:00:00""#),
    quirk("2301", "an approval as a number", r#""hosp_appr_flag":"1""#, r#""hosp_appr_flag":1"#),
    quirk("2301", "a sort of care as a number", r#""med_type":"21""#, r#""med_type":21"#),
    quirk("2301", "no original line said as null", r#""mdtrt_id""#, r#""init_feedetl_sn":null,"mdtrt_id""#),
    quirk(
        "2301",
        "fields of the outpatient upload",
        r#""mdtrt_id""#,
        r#""rx_circ_flag":"0","prd_days":3,"mdtrt_id""#,
    ),
    quirk("2302", "fields that no standard knows", r#""mdtrt_id""#, r#""why":"x","mdtrt_id""#),
];

fn with_data(text: &str, change: fn(&Value) -> Value) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value["input"]["data"] = change(&value["input"]["data"]);
    value.to_string()
}

/// A stay that passes through every transaction that changes it, one of whose messages is sent otherwise.
pub(crate) struct Story<'w> {
    world: &'w World,
    pub visit: Visit<'w>,
    setl_id: String,
    quirk: Option<Quirk>,
}

impl<'w> Story<'w> {
    pub(crate) async fn of(world: &'w World, quirk: Option<Quirk>) -> Story<'w> {
        let insured = world.insure(&EMPLOYEE.filed(LongTermWorker, CHANGSHA)).await;
        let mut visit = world.visit(&insured, CHANGSHA, Three, &KNEE);
        visit.stay.ipt_no = "Z1".into();
        Story { world, visit, setl_id: String::new(), quirk }
    }

    /// The transactions in their order.
    pub(crate) const STEPS: [&'static str; 10] =
        ["2401", "2403", "2301", "2302", "2402", "2304", "2305", "2302", "2405", "2404"];

    fn input(&self, step: usize) -> Value {
        let (stay, id) = (&self.visit.stay, self.visit.mdtrt_id.as_str());
        match step {
            0 => play::admit(stay),
            1 => {
                let mut changed = play::admit(stay)["mdtrtinfo"].clone();
                let fields = changed.as_object_mut().unwrap();
                let number = fields.remove("ipt_no").unwrap();
                fields.extend([("ipt_otp_no".to_owned(), number), ("mdtrt_id".to_owned(), json!(id))]);
                fields["adm_bed"] = json!("14");
                json!({ "adminfo": changed })
            }
            2 => play::upload(stay, id, &stay.lines),
            3 => json!({"data": [{"feedetl_sn": "0005", "mdtrt_id": id, "psn_no": stay.psn_no}]}),
            4 => play::discharge(stay, id),
            5 => play::settle(stay, id, FEE),
            6 => play::reverse(stay, id, &self.setl_id),
            7 => play::withdraw_all(stay, id),
            _ => play::cancel(stay, id),
        }
    }

    /// The clean message of a step.
    pub(crate) fn clean(&self, step: usize) -> String {
        self.visit.message(Self::STEPS[step], &self.input(step)).to_string()
    }

    /// A text of a quirk with her numbers in it.
    pub(crate) fn named(&self, text: &str) -> String {
        let stay = &self.visit.stay;
        text.replace("$psn", &stay.psn_no)
            .replace("$cert", &stay.certno)
            .replace("$stay", &self.visit.mdtrt_id)
    }

    pub(crate) fn changed(&self, clean: &str, quirk: &Quirk) -> String {
        match quirk.change {
            Change::Whole(change) => change(clean),
            Change::Text(from, to) => {
                let (from, to) = (self.named(from), self.named(to));
                assert!(clean.contains(&from), "{}: {from} does not stand in {clean}", quirk.what);
                clean.replacen(&from, &to, 1)
            }
        }
    }

    pub(crate) async fn send(&self, text: String) -> Answer {
        self.world.send_text(&self.visit.stay.fixmedins_code, text).await
    }

    pub(crate) async fn step(&mut self, step: usize) {
        let clean = self.clean(step);
        let quirk = self.quirk.filter(|quirk| quirk.infno == Self::STEPS[step]);
        let text = quirk.map_or(clean.clone(), |quirk| self.changed(&clean, &quirk));
        let answer = self.send(text).await;
        assert!(answer.ok(), "{:?}: {}", quirk.map(|quirk| quirk.what), answer.err_msg());
        self.took(step, &answer);
    }

    /// Keeps what later steps need of an answer.
    pub(crate) fn took(&mut self, step: usize, answer: &Answer) {
        match step {
            0 => self.visit.mdtrt_id = answer.mdtrt_id(),
            5 => self.setl_id = answer.setl_id(),
            _ => {}
        }
    }

    /// What the ledger holds of her, her numbers left out.
    async fn facts(&self) -> Vec<(Body, Private)> {
        let stay = &self.visit.stay;
        let names = [(stay.psn_no.as_str(), "PSN"), (&stay.certno, "CERT"), (&self.visit.mdtrt_id, "STAY")];
        let records = books::records(&*self.world.app.service.ledger, &self.visit.person()).await;
        let told = records.iter().filter(|record| record.meta.key.transaction >= 1000);
        told.map(|record| books::facts(record, &names)).collect()
    }
}

async fn told(world: &World, quirk: Option<Quirk>) -> Vec<(Body, Private)> {
    let mut story = Story::of(world, quirk).await;
    for step in 0..Story::STEPS.len() {
        story.step(step).await;
    }
    story.facts().await
}

async fn leave_what_their_twins_leave(quirks: &[Quirk]) {
    let world = World::start().await;
    let clean = told(&world, None).await;
    assert_eq!(clean.len(), Story::STEPS.len());
    for quirk in quirks {
        let quirky = told(&world, Some(*quirk)).await;
        for ((step, clean), quirky) in Story::STEPS.iter().zip(&clean).zip(&quirky) {
            let difference = || books::first_difference(clean, quirky);
            assert!(clean == quirky, "{} {}, record of {step}: {}", quirk.infno, quirk.what, difference());
        }
        assert_eq!(clean.len(), quirky.len());
    }
    world.is_sound().await;
}

#[tokio::test]
async fn quirks_of_the_envelope_leave_what_their_clean_twins_leave() {
    leave_what_their_twins_leave(&ENVELOPE).await;
}

#[tokio::test]
async fn quirks_of_shape_leave_what_their_clean_twins_leave() {
    leave_what_their_twins_leave(&SHAPES).await;
}

#[tokio::test]
async fn quirks_of_a_settlement_leave_what_their_clean_twins_leave() {
    leave_what_their_twins_leave(&SETTLEMENT).await;
}

#[tokio::test]
async fn quirks_of_a_stay_leave_what_their_clean_twins_leave() {
    leave_what_their_twins_leave(&STAY).await;
}

#[tokio::test]
async fn quirks_of_fee_lines_leave_what_their_clean_twins_leave() {
    leave_what_their_twins_leave(&LINES).await;
}

/// Each is sent in place of its clean twin, which is then taken: the refusal bound nothing.
#[tokio::test]
async fn what_may_mean_two_things_changes_nothing_and_names_the_field() {
    let world = World::start().await;
    for step in 0..Story::STEPS.len() {
        let mut story = Story::of(&world, None).await;
        for before in 0..step {
            story.step(before).await;
        }
        let infno = Story::STEPS[step];
        let first = Story::STEPS.iter().position(|other| *other == infno) == Some(step);
        for (quirk, field) in ambiguous::ALL.iter().filter(|(quirk, _)| first && quirk.infno == infno) {
            let rows = world.rows();
            let clean = story.clean(step);
            let refused = story.send(story.changed(&clean, quirk)).await;
            assert!(!refused.ok(), "{infno} {} was taken", quirk.what);
            assert!(refused.err_msg().contains(field), "{}: {}", quirk.what, refused.err_msg());
            assert_eq!(world.rows(), rows, "{infno} {}", quirk.what);
        }
        story.step(step).await;
    }
    world.is_sound().await;
}

/// PostgreSQL has no text with a zero byte in it: what is kept of one is its escape, and names no row.
#[tokio::test]
async fn a_zero_byte_inside_text_reaches_no_column_and_none_is_taken_in_an_identifier() {
    let world = World::start().await;
    let mut story = Story::of(&world, None).await;
    for step in 0..Story::STEPS.len() {
        let clean = story.clean(step);
        let rows = world.rows();
        for (field, from) in [("msgid", r#""msgid":""#), ("psn_no", r#""psn_no":""#)] {
            let answer = story.send(clean.replacen(from, &format!(r"{from}1\u00002"), 1)).await;
            assert!(answer.err_msg().contains(field), "{}", answer.err_msg());
        }
        assert_eq!(world.rows(), rows);
        let odd = clean
            .replacen(r#""opter_name":""#, r#""opter_name":"a\u0000b"#, 1)
            .replacen(r#""opter":""#, r#""opter":"a\u0000b"#, 1)
            .replacen(r#""adm_bed":""#, r#""adm_bed":"a\u0000b"#, 1)
            .replacen(r#""adm_diag_dscr":""#, r#""adm_diag_dscr":"a\u0000b"#, 1)
            .replacen(r#""chfpdr_name":""#, r#""chfpdr_name":"a\u0000b"#, 1);
        assert_ne!(odd, clean);
        let answer = story.send(odd).await.done();
        story.took(step, &answer);
    }
    for (table, text) in [("record", "told || body || msgid"), ("stay", "state"), ("message", "turned_msgid")]
    {
        let zeros =
            world.count(&format!("SELECT count(*) FROM {table} WHERE instr(CAST({text} AS BLOB), x'00')"));
        assert_eq!(zeros, 0, "{table}");
    }
    assert!(world.count(r"SELECT count(*) FROM record WHERE instr(body, 'a\u0000b')") > 0);
    world.is_sound().await;
}
