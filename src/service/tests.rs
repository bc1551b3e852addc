//! Stories told against the real SQLite ledger, with a clock that is set.

mod admission;
mod files;
mod lines;
mod looks;
mod races;
mod reversal;
mod settling;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use rust_decimal::Decimal;

use crate::cache::memory::MemoryCache;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::LineNo;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::institution::Institution;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::pack::Pack;
use crate::domain::pack::PackParts;
use crate::domain::pack::tp1::tp1;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::DischargePrivate;
use crate::domain::record::FilingPrivate;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::refusal::Caution;
use crate::domain::refusal::Refusal;
use crate::domain::region::Region;
use crate::domain::region::Regions;
use crate::domain::upload::LineOrder;
use crate::domain::withdraw::Which;
use crate::ledger::Committed;
use crate::ledger::Deed;
use crate::ledger::Facts;
use crate::ledger::LookUp;
use crate::ledger::Who;
use crate::ledger::secrets::Secrets;
use crate::ledger::sqlite::SqliteLedger;
use crate::service::Service;
use crate::service::admit::Admit;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::Caller;
use crate::service::call::StayRef;
use crate::service::credential::Credential;
use crate::service::credential::SandboxTokens;
use crate::service::discharge::DischargeOrder;
use crate::service::error::ServiceError;
use crate::service::file::Desk;
use crate::service::file::MakeFiling;
use crate::service::quote::Quoted;
use crate::service::reverse::Reverse;
use crate::service::seams::Clock;
use crate::service::settings::Settings;
use crate::service::settle::GivenTotals;
use crate::service::settle::Settle;
use crate::service::undo::Undo;
use crate::service::upload::Upload;
use crate::service::upload::Uploaded;
use crate::service::withdraw::Withdraw;

type Outcome<T> = Result<T, ServiceError>;

fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

fn yuan(text: &str) -> Fen {
    Fen::from_yuan(text.parse().unwrap()).unwrap()
}

/// A clock that stands until it is set.
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::SeqCst))
    }
}

/// A gateway for the pools of Jiangmen and Guangzhou, with hospitals in both and in Changsha.
struct World {
    service: Arc<Service>,
    cache: Arc<MemoryCache>,
    clock: Arc<AtomicI64>,
    messages: AtomicU32,
    _folder: tempfile::TempDir,
}

/// Jiangmen, own pool, level 3.
const HOME: &str = "H44070300001";
/// Guangzhou, another city of the province, level 3.
const CITY: &str = "H44010000001";
/// Changsha, another province, level 3.
const AWAY: &str = "H43010000001";
/// Changsha, level 2.
const AWAY_TWO: &str = "H43010000002";
/// Changsha, suspended in June 2026 and not opened for other provinces.
const CLOSED: &str = "H43010000003";

const CHANGSHA: RegionCode = RegionCode(430_100);
const JIANGMEN: RegionCode = RegionCode(440_700);

impl World {
    fn new() -> World {
        World::with(Settings::default(), |_| {})
    }

    fn with(settings: Settings, change: impl Fn(&mut PackParts)) -> World {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(0));
        let now = Arc::clone(&clock);
        let ledger = SqliteLedger::open(
            &folder.path().join("ledger.db"),
            crate::ledger::sqlite::Settings::default(),
            Secrets::make_in(folder.path(), Instant(0)).unwrap(),
            Arc::new(move || Instant(now.load(Ordering::SeqCst))),
        )
        .unwrap();
        let cache = Arc::new(MemoryCache::new(1_000));
        let service = Service::new(
            Arc::new(ledger),
            Arc::clone(&cache) as Arc<dyn crate::cache::Cache>,
            Arc::new(TestClock(Arc::clone(&clock))),
            Arc::new(SandboxTokens),
            reference(&change),
            settings,
        );
        let messages = AtomicU32::new(0);
        let world = World { service: Arc::new(service), cache, clock, messages, _folder: folder };
        world.set_day(20_260_301);
        world
    }

    /// Nine in the morning of a day.
    fn set_day(&self, number: i32) {
        let at = Instant::start_of(day(number)).0 + 9 * 3_600_000;
        self.clock.store(at, Ordering::SeqCst);
    }

    fn tick(&self) {
        self.clock.fetch_add(1_000, Ordering::SeqCst);
    }

    fn new_message(&self) -> String {
        format!("M{}", self.messages.fetch_add(1, Ordering::SeqCst))
    }

    /// A call with a message of its own.
    fn call(&self, institution: &str, transaction: u16) -> Call {
        self.call_as(institution, transaction, &self.new_message(), "content")
    }

    fn call_as(&self, institution: &str, transaction: u16, message: &str, content: &str) -> Call {
        self.tick();
        let mut digest = [0; 32];
        digest[..content.len().min(32)].copy_from_slice(&content.as_bytes()[..content.len().min(32)]);
        Call {
            key: MessageKey {
                institution: InstitutionCode::parse(institution).unwrap(),
                transaction,
                message: MessageId::parse(message).unwrap(),
            },
            insured_region: Some(RegionCode(440_703)),
            content: ContentHash { recipe: 1, digest },
            reference: format!("R{message}"),
            received_at: self.service.clock.now(),
            operator: "7".into(),
            writer: 1,
            noted: String::new(),
            words,
        }
    }

    fn caller(&self, institution: &str) -> Caller {
        self.call(institution, 0).caller()
    }

    async fn register(&self, name: &str, insutype: &str, person_type: &str) -> PersonKey {
        let coverage = coverage(insutype, person_type, 20_200_101, None);
        self.register_as(name, Register { coverages: vec![coverage], ..Register::default() }).await
    }

    async fn register_as(&self, name: &str, register: Register) -> PersonKey {
        let key = PersonKey::parse(JIANGMEN, name).unwrap();
        let private = PersonPrivate {
            name: format!("name of {name}"),
            certificate_type: "01".into(),
            certificate_number: format!("ID{name}"),
            card_number: format!("CARD{name}"),
            birth: Some(day(19_800_101)),
            ..PersonPrivate::default()
        };
        self.record(&key, Body::Registered(register), Private::Person(private)).await;
        key
    }

    /// A deed of the center, as an import makes it.
    async fn record(&self, key: &PersonKey, body: Body, private: Private) {
        let call = self.call("IMPORT", 9_999);
        let facts = self.facts(key).await;
        let deed = Deed {
            meta: Meta {
                key: call.key,
                content: call.content,
                reference: String::new(),
                received_at: call.received_at,
                operator: String::new(),
                warning: String::new(),
                writer: 1,
            },
            body,
            private,
            stay: None,
            binds_key: false,
            guards_person: true,
        };
        let committed = self.service.ledger.commit(facts, deed).await.unwrap();
        assert!(matches!(committed, Committed::Recorded(_)));
    }

    async fn facts(&self, key: &PersonKey) -> Facts {
        let who = Who::Person(key.clone());
        let wanted = LookUp::of(who);
        let ledger = &self.service.ledger;
        let found = ledger.look_up(wanted).await.unwrap().facts;
        found.unwrap_or_else(|| Facts::of_new(key.clone(), ledger.bucket(key)))
    }

    async fn admit(&self, hospital: &str, name: &str, begun: i32) -> StayRef {
        let answered = self.try_admit(hospital, admission(name, begun)).await.unwrap();
        StayRef { stay: stay_of(&answered), number: name.into() }
    }

    async fn try_admit(&self, hospital: &str, order: Admit) -> Outcome<Answered> {
        self.service.admit(&self.call(hospital, 2401), order).await
    }

    async fn upload(&self, hospital: &str, stay: &StayRef, lines: Vec<LineOrder>) -> Outcome<Uploaded> {
        let order = Upload { stay: stay.clone(), lines };
        self.service.upload(&self.call(hospital, 2301), order).await
    }

    async fn withdraw(&self, hospital: &str, stay: &StayRef, which: Which) -> Outcome<Answered> {
        let order = Withdraw { stay: stay.clone(), which };
        self.service.withdraw(&self.call(hospital, 2302), order).await
    }

    async fn discharge(&self, hospital: &str, stay: &StayRef, ended: i32) -> Outcome<Answered> {
        self.service.discharge(&self.call(hospital, 2402), leaving(stay, ended)).await
    }

    async fn quote(&self, hospital: &str, order: Settle) -> Outcome<Quoted> {
        let asking = self.call(hospital, 2303).key.message;
        self.service.quote(&self.caller(hospital), &asking, order).await
    }

    async fn settle(&self, hospital: &str, order: Settle) -> Outcome<Answered> {
        self.service.settle(&self.call(hospital, 2304), order).await
    }

    async fn reverse(&self, hospital: &str, stay: &StayRef, id: &SettlementId) -> Outcome<Answered> {
        let order = Reverse { stay: stay.clone(), settlement: id.clone() };
        self.service.reverse(&self.call(hospital, 2305), order).await
    }

    async fn undo(&self, hospital: &str, name: &str, transaction: u16, message: &str) -> Outcome<Answered> {
        let message = MessageId::parse(message).unwrap();
        let order = Undo { number: name.into(), message, transaction };
        self.service.undo(&self.call(hospital, 2601), order).await
    }

    async fn file(&self, name: &str, category: FilingCategory, target: u32) -> Outcome<Answered> {
        let order = MakeFiling {
            person: PersonKey::parse(JIANGMEN, name).unwrap(),
            category,
            target: RegionCode(target),
            from: None,
            to: None,
            proof: FilingProof::Documents,
            by: Desk::Center,
            private: FilingPrivate::default(),
        };
        self.service.make_filing(&self.call("CENTER", 2501), order).await
    }

    /// Admits, uploads and discharges: a stay that is ready to be settled.
    async fn stay_with(
        &self,
        hospital: &str,
        name: &str,
        (begun, ended): (i32, i32),
        lines: Vec<LineOrder>,
    ) -> StayRef {
        let stay = self.admit(hospital, name, begun).await;
        self.upload(hospital, &stay, lines).await.unwrap();
        self.discharge(hospital, &stay, ended).await.unwrap();
        stay
    }
}

fn words(caution: &Caution) -> String {
    format!("{caution:?}")
}

fn stay_of(answered: &Answered) -> StayId {
    answered.record.stay.as_ref().unwrap().0.clone()
}

fn settlement_of(answered: &Answered) -> &Settlement {
    match &answered.record.body {
        Body::Settled(settlement) => settlement,
        other => panic!("not a settlement: {other:?}"),
    }
}

/// Why it was refused.
#[track_caller]
fn refusal<T: core::fmt::Debug>(outcome: Outcome<T>) -> Refusal {
    match outcome.unwrap_err() {
        ServiceError::Refused(refusal) => *refusal,
        other => panic!("not refused by the law: {other:?}"),
    }
}

fn coverage(insutype: &str, person_type: &str, from: i32, to: Option<i32>) -> Coverage {
    Coverage {
        insutype: insutype.into(),
        person_type: person_type.into(),
        status: CoverageStatus::Active,
        civil_servant: false,
        region: RegionCode(440_703),
        from: day(from),
        to: to.map(day),
    }
}

fn admission(name: &str, begun: i32) -> Admit {
    Admit {
        number: name.into(),
        credential: Credential { kind: "02".into(), number: format!("ID{name}") },
        insutype: "310".into(),
        med_type: "21".into(),
        begun: Moment::new(day(begun), 8, 0, 0).unwrap(),
        emergency: false,
        third_party: false,
        commitment: false,
        matn_type: String::new(),
        work_injury: false,
        inpatient_no: "1".into(),
        department: "D".into(),
        department_name: "ward".into(),
        bed: "1".into(),
        raw: String::new(),
        private: AdmissionPrivate::default(),
    }
}

fn leaving(stay: &StayRef, ended: i32) -> DischargeOrder {
    DischargeOrder {
        stay: stay.clone(),
        insutype: "310".into(),
        ended: Moment::new(day(ended), 10, 0, 0).unwrap(),
        way: "1".into(),
        department: "D".into(),
        department_name: "ward".into(),
        bed: "1".into(),
        matn_type: String::new(),
        raw: String::new(),
        private: DischargePrivate::default(),
    }
}

fn paying(stay: &StayRef, fee: &str) -> Settle {
    Settle {
        stay: stay.clone(),
        credential: None,
        credential_type: "02".into(),
        insutype: "310".into(),
        fee: yuan(fee),
        totals: GivenTotals::default(),
        psn_setlway: "01".into(),
        account_used: false,
        part: false,
        up_to: None,
        invoice: String::new(),
    }
}

fn part(stay: &StayRef, fee: &str, up_to: i32) -> Settle {
    Settle { part: true, up_to: Some(day(up_to)), ..paying(stay, fee) }
}

/// A line of one code: number, code, price, count, amount, on a day.
fn line(no: &str, code: &str, price: &str, count: &str, amount: &str, on: i32) -> LineOrder {
    let text = format!("{no}{code}{price}{count}{amount}{on}");
    let mut content = [0; 16];
    text.bytes().enumerate().for_each(|(at, byte)| content[at % 16] ^= byte.rotate_left(at as u32 / 16));
    LineOrder {
        no: LineNo::parse(no).unwrap(),
        refunds: None,
        at: Moment::new(day(on), 12, 0, 0).unwrap(),
        code: code.into(),
        own_code: code.into(),
        price: price.parse().unwrap(),
        count: count.parse().unwrap(),
        approved: false,
        amount: yuan(amount),
        content,
        raw: "".into(),
    }
}

fn refund(no: &str, of: &str, price: &str, count: &str, amount: &str, on: i32) -> LineOrder {
    LineOrder { refunds: Some(LineNo::parse(of).unwrap()), ..line(no, "A", price, count, amount, on) }
}

/// Bill M of rules.md §2.6: 42,069.45 yuan.
fn bill_m(on: i32) -> Vec<LineOrder> {
    vec![
        line("1", "A", "120.00", "14", "1680.00", on),
        line("2", "B10", "268.50", "30", "8055.00", on),
        line("3", "IMPLANT", "9800.00", "1", "9800.00", on),
        line("4", "A", "21300.00", "1", "21300.00", on),
        line("5", "C", "1234.45", "1", "1234.45", on),
    ]
}

const BILL_M: &str = "42069.45";

fn reference(change: &impl Fn(&mut PackParts)) -> Reference {
    let pack = |region, hash: &str| {
        let mut parts = PackParts { region, hash: hash.into(), ..tp1() };
        change(&mut parts);
        Arc::new(Pack::new(parts).unwrap())
    };
    let packs: HashMap<RegionCode, Arc<Pack>> = [(JIANGMEN, "jiangmen"), (RegionCode(440_100), "guangzhou")]
        .map(|(region, hash)| (region, pack(region, hash)))
        .into();
    let packs_by_hash = packs.values().map(|pack| (pack.hash().to_string(), Arc::clone(pack))).collect();
    let places = [JIANGMEN, RegionCode(440_100), CHANGSHA];
    let rows = [
        hospital(HOME, 440_703, "03"),
        hospital(CITY, 440_100, "03"),
        hospital(AWAY, 430_100, "03"),
        hospital(AWAY_TWO, 430_100, "05"),
        Institution {
            cross_province: false,
            suspended: Some(crate::domain::institution::Suspension {
                from: day(20_260_601),
                to: Some(day(20_260_630)),
            }),
            ..hospital(CLOSED, 440_703, "03")
        },
    ];
    Reference {
        regions: regions(),
        institutions: rows.into_iter().map(|row| (row.code.clone(), vec![row])).collect(),
        catalogues: places.map(|place| (place, Arc::new(catalogue(place)))).into(),
        packs,
        packs_by_hash,
    }
}

fn regions() -> Regions {
    let row = |code: u32, name: &str, parent: Option<u32>, pool: u32| Region {
        code: RegionCode(code),
        name: name.into(),
        parent: parent.map(RegionCode),
        pool: RegionCode(pool),
        clearing_agency: RegionCode(pool),
        from: day(20_000_101),
        to: None,
    };
    Regions::new([
        row(440_000, "广东省", None, 440_000),
        row(440_700, "江门市", Some(440_000), 440_700),
        row(440_703, "蓬江区", Some(440_700), 440_700),
        row(440_100, "广州市", Some(440_000), 440_100),
        row(430_000, "湖南省", None, 430_000),
        row(430_100, "长沙市", Some(430_000), 430_100),
        row(430_102, "芙蓉区", Some(430_100), 430_100),
    ])
}

fn hospital(code: &str, region: u32, level: &str) -> Institution {
    Institution {
        code: InstitutionCode::parse(code).unwrap(),
        name: format!("hospital {code}"),
        region: RegionCode(region),
        hospital_level: level.into(),
        kind: "1".into(),
        credit_code: String::new(),
        in_province: true,
        cross_province: true,
        suspended: None,
        from: day(20_200_101),
        to: Some(day(20_271_231)),
    }
}

fn catalogue(place: RegionCode) -> Catalogue {
    let entry = |code: &str, level, share: &str, limit: Option<&str>| CatalogueEntry {
        code: code.into(),
        level: None,
        person: None,
        from: day(20_200_101),
        to: None,
        item: CatalogueItem {
            name: format!("item {code}").into(),
            charge_level: level,
            self_pay: Rate(share.parse().unwrap()),
            price_limit: limit.map(|limit| limit.parse::<Decimal>().unwrap()),
            restricted: false,
            charge_category: 9,
            list_type: 101,
            basic_drug: false,
            negotiated: false,
            child: false,
            special: false,
            injury: code == "A",
        },
    };
    let entries = [
        entry("A", ChargeLevel::A, "0", None),
        entry("B05", ChargeLevel::B, "0.05", None),
        entry("B10", ChargeLevel::B, "0.10", None),
        entry("IMPLANT", ChargeLevel::B, "0.20", Some("8500.00")),
        entry("C", ChargeLevel::C, "1", None),
    ];
    Catalogue::build(place, entries).unwrap()
}
