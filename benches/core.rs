//! What the hot path is made of, piece by piece, so that a regression shows where it is: `cargo bench`.
//!
//! The pieces work on what a real call left behind: a gateway of its own takes one stay of 20 lines to its settlement.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::fs;
use std::sync::Arc;
use std::sync::LazyLock;

use banyan::app::App;
use banyan::command::sandbox_folder;
use banyan::config::gateway::Gateway;
use banyan::domain::calendar::Instant;
use banyan::domain::catalogue::CareParties;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::codes::PersonType;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::SettlementId;
use banyan::domain::ids::StayId;
use banyan::domain::money::Fen;
use banyan::domain::person::PersonPrivate;
use banyan::domain::record::Body;
use banyan::domain::record::Line;
use banyan::domain::record::Record;
use banyan::domain::reference::Reference;
use banyan::domain::settle::SettleFacts;
use banyan::domain::settle::SettleOrder;
use banyan::domain::settle::settle;
use banyan::domain::split::Charge;
use banyan::domain::split::Cut;
use banyan::domain::split::Scope;
use banyan::ledger::Facts;
use banyan::ledger::LookUp;
use banyan::ledger::Who;
use banyan::ledger::codec;
use banyan::ledger::seal;
use banyan::ledger::seal::Contents;
use banyan::ledger::seal::RecordPlace;
use banyan::protocol::envelope::ReferenceId;
use banyan::protocol::hospital::Message;
use banyan::protocol::hospital::writer;
use banyan::protocol::hospital::writer::AnswerHead;
use banyan::protocol::wire;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::his::His;
use banyan::sandbox::play;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::stays::StayLine;
use banyan::sandbox::story::Role;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use banyan::vault::key_store::Class;
use banyan::vault::key_store::KeyStore;
use divan::Bencher;
use divan::black_box;
use serde_json::Value;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// What a settled stay left behind.
struct Sample {
    /// Bodies of calls as they were sent.
    settle: String,
    upload: String,
    long_upload: String,
    /// What the settlement was decided on.
    facts: Facts,
    order: SettleOrder,
    reference: Arc<Reference>,
    /// The settlement and the upload as they were recorded, and the answer of the former.
    settled: Arc<Record>,
    uploaded: Arc<Record>,
    answer: Vec<(&'static str, Value)>,
    keys: KeyStore,
    _folder: tempfile::TempDir,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(sample())
});

async fn sample() -> Sample {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let size = Size { seed: 1, persons: 60, codes: 400, stays: 0 };
    let province = Province::new(size, SystemClock.now().day());
    sandbox_folder::make(&folder, &province, Ports::ANY, Arc::new(SystemClock)).await.unwrap();
    let config = Gateway::read(&folder.settings()).unwrap();
    let keys = KeyStore::from_settings(&config.keys).unwrap();
    let app = App::start(config, Arc::new(SystemClock), None).await.unwrap();

    let figure = province.figures.iter().find(|figure| figure.role == Role::Local).unwrap();
    let stay = with_lines(&figure.stay, 20);
    let his = hospital(&folder, &app, &stay);
    let insured = play::insured_region(&stay);
    let admitted = his.call("2401", insured, play::admit(&stay)).await.unwrap();
    let mdtrt_id = admitted.output["result"]["mdtrt_id"].as_str().unwrap().to_owned();
    let upload = play::upload(&stay, &mdtrt_id, &stay.lines);
    let settle = play::settle(&stay, &mdtrt_id, &stay.medfee_sumamt);
    assert!(his.call("2301", insured, upload.clone()).await.unwrap().ok());
    assert!(his.call("2402", insured, play::discharge(&stay, &mdtrt_id)).await.unwrap().ok());

    let who = Who::Stay { stay: StayId::parse(&mdtrt_id).unwrap(), number: stay.psn_no.clone() };
    let wanted = LookUp::of(who);
    let facts = app.service.ledger.look_up(wanted).await.unwrap().facts.unwrap();
    let reply = his.call("2304", insured, settle.clone()).await.unwrap();
    assert!(reply.ok(), "{}", reply.err_msg);
    let records = app.service.ledger.records(&facts.key, 1, 100).await.unwrap();
    let of_kind = |wanted: &str| records.iter().find(|it| codec::kind(&it.body) == wanted).cloned().unwrap();
    let info = reply.output["setlinfo"].as_object().unwrap().clone();
    let answer = info.into_iter().map(|(key, value)| (&*Box::leak(key.into_boxed_str()), value)).collect();
    let long = with_lines(&figure.stay, 200);
    let envelope =
        |infno, input| his.envelope(infno, "H44070300001202611240830050001", insured, input).to_string();
    Sample {
        settle: envelope("2304", &settle),
        upload: envelope("2301", &upload),
        long_upload: envelope("2301", &play::upload(&long, &mdtrt_id, &long.lines)),
        order: order(&stay),
        reference: app.service.reference.load_full(),
        settled: of_kind("settled"),
        uploaded: of_kind("lines_uploaded"),
        facts,
        answer,
        keys,
        _folder: place,
    }
}

/// The lines of a stay, repeated to this number.
fn with_lines(stay: &Stay, count: usize) -> Stay {
    let numbered =
        |(at, line): (usize, &StayLine)| StayLine { feedetl_sn: format!("{:04}", at + 1), ..line.clone() };
    let lines: Vec<StayLine> = stay.lines.iter().cycle().take(count).enumerate().map(numbered).collect();
    let total: Fen = lines.iter().map(|line| wire::money(&line.det_item_fee_sumamt).unwrap()).sum();
    Stay { medfee_sumamt: total.to_string(), lines, ..stay.clone() }
}

fn hospital(folder: &Folder, app: &App, stay: &Stay) -> His {
    let read = |path| fs::read_to_string(path).unwrap();
    let (certificate, key) = folder.identity(&stay.fixmedins_code);
    let line = banyan::sandbox::his::Line::new(
        app.addresses().hospital,
        &read(folder.authority()),
        Some((&read(certificate), &read(key))),
    );
    let code = InstitutionCode::parse(&stay.fixmedins_code).unwrap();
    let region = RegionCode::parse(&stay.mdtrtarea_admdvs).unwrap();
    His::new(code, &stay.fixmedins_name, region, line.unwrap(), || SystemClock.now())
}

fn order(stay: &Stay) -> SettleOrder {
    SettleOrder {
        id: SettlementId::parse("A7F0000000000000000001").unwrap(),
        quote: false,
        part: false,
        up_to: None,
        fee: wire::money(&stay.medfee_sumamt).unwrap(),
        account_used: false,
        insutype: stay.insutype.clone(),
        psn_setlway: "01".into(),
        credential_type: "02".into(),
        invoice: String::new(),
        clearing_type: "21".into(),
        clearing_way: "1".into(),
    }
}

fn lines(record: &Record) -> &[Line] {
    match &record.body {
        Body::LinesUploaded(lines) => lines,
        _ => panic!("an upload's record holds lines"),
    }
}

#[divan::bench]
fn read_a_settlement(bencher: Bencher<'_, '_>) {
    let body = SAMPLE.settle.as_bytes();
    bencher.bench(|| Message::read(black_box(body)).is_ok());
}

#[divan::bench]
fn read_an_upload_of_20_lines(bencher: Bencher<'_, '_>) {
    let body = SAMPLE.upload.as_bytes();
    bencher.bench(|| Message::read(black_box(body)).is_ok());
}

#[divan::bench]
fn read_an_upload_of_200_lines(bencher: Bencher<'_, '_>) {
    let body = SAMPLE.long_upload.as_bytes();
    bencher.bench(|| Message::read(black_box(body)).is_ok());
}

#[divan::bench]
fn hash_the_content_of_a_settlement(bencher: Bencher<'_, '_>) {
    let message = Message::read(SAMPLE.settle.as_bytes()).unwrap();
    bencher.bench(|| message.content_hash());
}

#[divan::bench]
fn hash_the_content_of_20_lines(bencher: Bencher<'_, '_>) {
    let message = Message::read(SAMPLE.upload.as_bytes()).unwrap();
    bencher.bench(|| message.content_hash());
}

#[divan::bench]
fn decide_a_settlement(bencher: Bencher<'_, '_>) {
    let Sample { facts, order, reference, .. } = &*SAMPLE;
    let stay = facts.stay.as_ref().unwrap();
    let facts = SettleFacts {
        reference,
        key: &facts.key,
        birth: facts.private.birth,
        person: &facts.person,
        stay_id: &stay.id,
        stay: &stay.state,
        today: SystemClock.now().day(),
    };
    assert!(settle(&facts, order).is_ok());
    bencher.bench(|| settle(black_box(&facts), order));
}

#[divan::bench]
fn split_20_lines(bencher: Bencher<'_, '_>) {
    let catalogue = SAMPLE.reference.catalogues.values().next().unwrap();
    let parties = CareParties { hospital: HospitalLevel::Three, person: PersonType::new(11).unwrap() };
    let lines = lines(&SAMPLE.uploaded);
    bencher.bench(|| {
        lines.iter().fold(Fen::ZERO, |sum, line| {
            let item = catalogue.find(&line.code, line.at.day(), parties).unwrap();
            let charge = Charge { price: line.cut.price, count: line.count, amount: line.amount };
            let split = Cut::of(item, charge.price, true, Scope::Medical).split(&charge, Fen(1)).unwrap();
            sum + split.parts.in_scope
        })
    });
}

#[divan::bench]
fn write_the_answer_of_a_settlement(bencher: Bencher<'_, '_>) {
    let reference = ReferenceId { region: RegionCode(440_000), received: Instant(0), sequence: 7 };
    let mut buffer = Vec::with_capacity(8 * 1024);
    bencher.bench_local(|| {
        buffer.clear();
        let head = AnswerHead { reference, responded: Instant(0), warning: None };
        writer::success(&mut buffer, &head, |output| {
            output.object("setlinfo", |row| {
                for (key, value) in &SAMPLE.answer {
                    match value {
                        Value::String(text) => row.text(key, text),
                        Value::Number(_) => row.fen(key, Fen(123_456)),
                        _ => row.null(key),
                    };
                }
            });
        });
        buffer.len()
    });
}

#[divan::bench]
fn encode_a_settlement(bencher: Bencher<'_, '_>) {
    bencher.bench(|| codec::encode_body(black_box(&SAMPLE.settled.body)));
}

#[divan::bench]
fn decode_a_settlement(bencher: Bencher<'_, '_>) {
    let text = codec::encode_body(&SAMPLE.settled.body);
    bencher.bench(|| codec::decode_body("settled", black_box(&text)).unwrap());
}

#[divan::bench]
fn encode_what_was_told(bencher: Bencher<'_, '_>) {
    bencher.bench(|| codec::encode_told(black_box(&SAMPLE.settled.meta)));
}

#[divan::bench]
fn encode_20_lines(bencher: Bencher<'_, '_>) {
    bencher.bench(|| codec::encode_body(black_box(&SAMPLE.uploaded.body)));
}

#[divan::bench]
fn decode_20_lines(bencher: Bencher<'_, '_>) {
    let text = codec::encode_body(&SAMPLE.uploaded.body);
    bencher.bench(|| codec::decode_body("lines_uploaded", black_box(&text)).unwrap());
}

#[divan::bench]
fn encode_the_state_of_a_person(bencher: Bencher<'_, '_>) {
    bencher.bench(|| codec::encode(black_box(&*SAMPLE.facts.person)));
}

#[divan::bench]
fn encode_the_state_of_a_stay(bencher: Bencher<'_, '_>) {
    let state = &SAMPLE.facts.stay.as_ref().unwrap().state;
    bencher.bench(|| codec::encode(black_box(&**state)));
}

#[divan::bench]
fn decode_the_state_of_a_person(bencher: Bencher<'_, '_>) {
    let text = codec::encode(&*SAMPLE.facts.person);
    bencher
        .bench(|| codec::decode::<banyan::domain::state::PersonState>("person", black_box(&text)).unwrap());
}

#[divan::bench]
fn seal_the_contents_of_a_settlement(bencher: Bencher<'_, '_>) {
    let told = codec::encode_told(&SAMPLE.settled.meta);
    let body = codec::encode_body(&SAMPLE.settled.body);
    bencher.bench(|| Contents::new(black_box(&told), &body, None));
}

#[divan::bench]
fn hash_a_leaf(bencher: Bencher<'_, '_>) {
    let contents = Contents::new("{}", "{}", None);
    let place = RecordPlace {
        bucket: 17,
        person: "440700/4407009000000001",
        version: 3,
        stay: Some(("A7F000000000000000000000000001", 2)),
        kind: "settled",
        at_ms: 1_795_480_200_000,
        lane: 2,
        sequence: 9,
        institution: "H44070300001",
        infno: 2304,
        msgid: "H44070300001202611240830050001",
        keyed: true,
        format: codec::FORMAT,
    };
    bencher.bench(|| seal::record_leaf(black_box(&place), &contents));
}

/// What an admission hides: a person's and a doctor's name, a diagnosis, a ward.
fn private_text() -> String {
    codec::encode(&*SAMPLE.facts.private)
}

#[divan::bench]
fn hide_what_names_a_person(bencher: Bencher<'_, '_>) {
    let (text, month) = (private_text(), SystemClock.now().day().month().number().unsigned_abs());
    bencher.bench(|| {
        let key = SAMPLE.keys.data_key(Class::Contact, month).unwrap();
        let commitment = seal::commitment(&[7; 16], text.as_bytes());
        (key.encrypt(b"440700/4407009000000001", text.as_bytes()), commitment)
    });
}

#[divan::bench]
fn reveal_what_names_a_person(bencher: Bencher<'_, '_>) {
    let (text, month) = (private_text(), SystemClock.now().day().month().number().unsigned_abs());
    let key = SAMPLE.keys.data_key(Class::Contact, month).unwrap();
    let hidden = key.encrypt(b"440700/4407009000000001", text.as_bytes());
    bencher.bench(|| SAMPLE.keys.decrypt(b"440700/4407009000000001", black_box(&hidden)).is_ok());
}

#[divan::bench]
fn read_back_what_names_a_person(bencher: Bencher<'_, '_>) {
    let text = private_text();
    bencher.bench(|| codec::decode::<PersonPrivate>("person", black_box(&text)).unwrap());
}
