//! A gateway with people of the story in its ledger, some of them settled, and both faces open on free ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::SeqCst;

use banyan::cache::memory::MemoryCache;
use banyan::config::packs;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::calendar::Moment;
use banyan::domain::catalogue::Catalogue;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::LineNo;
use banyan::domain::ids::MessageId;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::SettlementId;
use banyan::domain::money::Fen;
use banyan::domain::pack::Pack;
use banyan::domain::record::AdmissionPrivate;
use banyan::domain::record::Body;
use banyan::domain::record::ContentHash;
use banyan::domain::record::DischargePrivate;
use banyan::domain::record::MessageKey;
use banyan::domain::reference::Reference;
use banyan::domain::region::Regions;
use banyan::domain::upload::LineOrder;
use banyan::ledger::Ledger;
use banyan::ledger::secrets::Secrets;
use banyan::ledger::sqlite;
use banyan::ledger::sqlite::SqliteLedger;
use banyan::protocol::center;
use banyan::protocol::center::CenterFace;
use banyan::protocol::person;
use banyan::protocol::person::PersonFace;
use banyan::protocol::person::one_time_code::Delivery;
use banyan::sandbox::catalogue;
use banyan::sandbox::geography;
use banyan::sandbox::institutions::hospitals;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::story::Figure;
use banyan::sandbox::story::Role;
use banyan::sandbox::story::figures;
use banyan::service::Service;
use banyan::service::admit::Admit;
use banyan::service::call::Call;
use banyan::service::call::StayRef;
use banyan::service::credential::CardsOnly;
use banyan::service::credential::Credential;
use banyan::service::discharge::DischargeOrder;
use banyan::service::import::apply::Importer;
use banyan::service::import::incoming::IdentityEntry;
use banyan::service::import::incoming::Incoming;
use banyan::service::import::incoming::PersonEntry;
use banyan::service::import::source::SourceName;
use banyan::service::reverse::Reverse;
use banyan::service::seams::Clock;
use banyan::service::settings::Settings;
use banyan::service::settle::GivenTotals;
use banyan::service::settle::Settle;
use banyan::service::upload::Upload;
use banyan::transport;
use banyan::transport::Handler;
use banyan::transport::server::Face;
use banyan::transport::server::Server;
use banyan::vault::signing::PublicKey;
use rust_decimal::Decimal;
use tempfile::TempDir;

const SEED: u64 = 7;

/// Stands still until a test moves it. Begins at 10:00 on 24 November 2026 in China.
pub(crate) struct Hand(AtomicI64);

impl Hand {
    pub(crate) fn forward(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant(self.0.load(SeqCst))
    }
}

/// What a test wants otherwise than usual.
pub(crate) struct Wish {
    pub sandbox: bool,
    pub delivery: Delivery,
    /// Put in place of a figure's name.
    pub names: Vec<(Role, &'static str)>,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish { sandbox: true, delivery: Delivery::Shown, names: Vec::new() }
    }
}

pub(crate) struct World {
    pub service: Arc<Service>,
    pub clock: Arc<Hand>,
    pub figures: Vec<Figure>,
    pub persons: SocketAddr,
    pub center: SocketAddr,
    /// With which its receipts are checked.
    pub public_keys: Vec<PublicKey>,
    /// Held, so that the ledger's folder and the servers live as long as the world.
    _folder: TempDir,
    _servers: Vec<Server>,
    messages: AtomicI64,
}

pub(crate) fn today() -> Day {
    Day::new(2026, 11, 24).unwrap()
}

impl World {
    pub(crate) async fn start() -> World {
        World::start_as(Wish::default()).await
    }

    pub(crate) async fn start_as(wish: Wish) -> World {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(Instant::start_of(today()).0 + 10 * 3_600_000)));
        let secrets = Secrets::make_in(folder.path(), clock.now()).unwrap();
        let public_keys = secrets.keys.public_keys();
        let ledger = open_ledger(&folder, secrets, &clock);
        let regions = geography::regions();
        let places = hospitals(SEED, today(), &regions);
        let mut figures = figures(today(), &places);
        for (role, name) in &wish.names {
            figures
                .iter_mut()
                .filter(|f| f.role == *role)
                .for_each(|f| f.insured.private.name = (*name).into());
        }
        let reference = reference(regions, places.into_iter().map(|place| place.institution).collect());
        let service = Arc::new(Service::new(
            Arc::clone(&ledger),
            Arc::new(MemoryCache::new(10_000)),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(CardsOnly),
            reference,
            Settings::default(),
        ));
        let (persons, center) = open_faces(&service, &wish);
        let mut world = World {
            persons: persons.address(),
            center: center.address(),
            public_keys,
            _servers: vec![persons, center],
            service,
            clock,
            figures,
            _folder: folder,
            messages: AtomicI64::new(1),
        };
        world.bring_in_persons(ledger).await;
        world.settle_stays().await;
        world
    }

    /// Ends when a settlement's anchor is there, within a second of its commit.
    pub(crate) async fn anchored(&self, id: &SettlementId) {
        while self.service.receipt(id).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn figure(&self, role: Role) -> &Figure {
        self.figures.iter().find(|figure| figure.role == role).unwrap()
    }

    /// Her identity number.
    pub(crate) fn number(&self, role: Role) -> &str {
        &self.figure(role).insured.private.certificate_number
    }

    async fn bring_in_persons(&mut self, ledger: Arc<dyn Ledger>) {
        let importer = Importer {
            ledger,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            source: SourceName::parse("register").unwrap(),
            may_introduce: true,
            operator: "test".into(),
        };
        for figure in self.figures.iter().filter(|figure| figure.held) {
            let mut entries = vec![Incoming::Person(Box::new(entry(figure)))];
            entries.extend(figure.balance.clone().map(Incoming::Balance));
            entries.extend(figure.year.iter().cloned().map(|event| Incoming::Outside(Box::new(event))));
            entries.extend(figure.filing.clone().map(|filing| Incoming::Filing(Box::new(filing))));
            for entry in &entries {
                importer.apply(entry).await.unwrap();
            }
        }
    }

    /// Everyone settled, but: the civil servant lies in hospital, and the claim of her who is treated in the province
    /// was reversed and settled again.
    async fn settle_stays(&self) {
        for role in
            [Role::LongTerm, Role::Temporary, Role::Unfiled, Role::Visitor, Role::Assisted, Role::Emergency]
        {
            self.settle(role).await;
        }
        let (stay, settled) = self.settle(Role::InProvince).await;
        self.reverse(Role::InProvince, &stay, settled).await;
        self.settle_again(&self.figure(Role::InProvince).stay, &stay).await;
        self.admit(&self.figure(Role::CivilServant).stay).await;
    }

    /// Admission to settlement, as its hospital would do it.
    pub(crate) async fn settle(&self, role: Role) -> (StayRef, SettlementId) {
        let stay = &self.figure(role).stay;
        let named = self.admit(stay).await;
        self.upload(stay, &named).await;
        self.discharge(stay, &named).await;
        let settled = self.settle_again(stay, &named).await;
        (named, settled)
    }

    pub(crate) async fn reverse(&self, role: Role, stay: &StayRef, settlement: SettlementId) {
        let Stay { fixmedins_code, insuplc_admdvs, .. } = &self.figure(role).stay;
        let order = Reverse { stay: stay.clone(), settlement };
        self.service.reverse(&self.call(fixmedins_code, insuplc_admdvs, 2305), order).await.unwrap();
    }

    pub(crate) async fn admit(&self, stay: &Stay) -> StayRef {
        let order = Admit {
            number: stay.psn_no.clone(),
            credential: Credential { kind: "02".into(), number: stay.certno.clone() },
            insutype: stay.insutype.clone(),
            med_type: stay.med_type.clone(),
            begun: moment(&stay.begntime),
            emergency: stay.emergency,
            third_party: false,
            commitment: true,
            matn_type: stay.matn_type.clone(),
            work_injury: stay.work_injury,
            inpatient_no: stay.ipt_no.clone(),
            department: "03".into(),
            department_name: "外科".into(),
            bed: "12".into(),
            raw: "{}".into(),
            private: AdmissionPrivate::default(),
        };
        let call = self.call(&stay.fixmedins_code, &stay.insuplc_admdvs, 2401);
        let answered = self.service.admit(&call, order).await.unwrap();
        let id = answered.record.stay.clone().unwrap().0;
        StayRef { stay: id, number: stay.psn_no.clone() }
    }

    async fn upload(&self, stay: &Stay, named: &StayRef) {
        let lines = stay.lines.iter().map(|line| LineOrder {
            no: LineNo::parse(&line.feedetl_sn).unwrap(),
            refunds: None,
            at: moment(&line.fee_ocur_time),
            code: line.med_list_codg.as_str().into(),
            own_code: line.medins_list_codg.as_str().into(),
            price: line.pric.parse().unwrap(),
            count: line.cnt.parse().unwrap(),
            approved: line.hosp_appr_flag == "1",
            amount: yuan(&line.det_item_fee_sumamt),
            content: [0; 16],
            raw: "{}".into(),
        });
        let order = Upload { stay: named.clone(), lines: lines.collect() };
        self.service
            .upload(&self.call(&stay.fixmedins_code, &stay.insuplc_admdvs, 2301), order)
            .await
            .unwrap();
    }

    async fn discharge(&self, stay: &Stay, named: &StayRef) {
        let order = DischargeOrder {
            stay: named.clone(),
            insutype: stay.insutype.clone(),
            ended: moment(&stay.endtime),
            way: "1".into(),
            department: "03".into(),
            department_name: "外科".into(),
            bed: "12".into(),
            matn_type: String::new(),
            raw: "{}".into(),
            private: DischargePrivate::default(),
        };
        let call = self.call(&stay.fixmedins_code, &stay.insuplc_admdvs, 2402);
        self.service.discharge(&call, order).await.unwrap();
    }

    async fn settle_again(&self, stay: &Stay, named: &StayRef) -> SettlementId {
        let order = Settle {
            stay: named.clone(),
            credential: None,
            credential_type: "02".into(),
            insutype: stay.insutype.clone(),
            fee: yuan(&stay.medfee_sumamt),
            totals: GivenTotals::default(),
            psn_setlway: "01".into(),
            account_used: stay.use_account,
            part: false,
            up_to: None,
            invoice: "INV1".into(),
        };
        let call = self.call(&stay.fixmedins_code, &stay.insuplc_admdvs, 2304);
        let answered = self.service.settle(&call, order).await.unwrap();
        let Body::Settled(settlement) = &answered.record.body else { panic!("2304 settles") };
        settlement.id.clone()
    }

    fn call(&self, institution: &str, insured_region: &str, transaction: u16) -> Call {
        let serial = self.messages.fetch_add(1, SeqCst);
        self.clock.forward(60_000);
        Call {
            key: MessageKey {
                institution: InstitutionCode::parse(institution).unwrap(),
                transaction,
                message: MessageId::parse(&format!("TEST{serial:08}")).unwrap(),
            },
            insured_region: Some(RegionCode::parse(insured_region).unwrap()),
            content: ContentHash { recipe: 1, digest: [u8::try_from(serial % 250).unwrap(); 32] },
            reference: format!("44000020261124100000{serial:010}"),
            received_at: self.clock.now(),
            operator: "7".into(),
            writer: 1,
            noted: String::new(),
            words: |_| String::new(),
        }
    }
}

fn open_ledger(folder: &TempDir, secrets: Secrets, clock: &Arc<Hand>) -> Arc<dyn Ledger> {
    let clock = Arc::clone(clock);
    let now = Arc::new(move || clock.now());
    let file = folder.path().join("ledger.db");
    Arc::new(SqliteLedger::open(&file, sqlite::Settings::default(), secrets, now).unwrap())
}

/// TP-1 for Jiangmen, and the same law for Guangzhou.
fn reference(
    regions: Vec<banyan::domain::region::Region>,
    institutions: Vec<banyan::domain::institution::Institution>,
) -> Reference {
    let text = std::fs::read_to_string("config/packs/sandbox/440700.toml").unwrap();
    let packs: Vec<Arc<Pack>> = [text.clone(), text.replace("440700", "440100")]
        .iter()
        .map(|text| packs::read(text).unwrap_or_else(|faults| panic!("{faults:?}")).pack)
        .collect();
    let catalogue = |place| {
        let entries = catalogue::entries(SEED, place, 100);
        (place, Arc::new(Catalogue::build(place, entries).unwrap()))
    };
    let mut reference = Reference {
        regions: Regions::new(regions),
        catalogues: catalogue::PLACES.into_iter().map(catalogue).collect(),
        packs: packs.iter().map(|pack| (pack.region(), Arc::clone(pack))).collect(),
        packs_by_hash: packs.iter().map(|pack| (pack.hash().to_string(), Arc::clone(pack))).collect(),
        ..Reference::default()
    };
    for institution in institutions {
        reference.institutions.entry(institution.code.clone()).or_default().push(institution);
    }
    reference
}

fn open_faces(service: &Arc<Service>, wish: &Wish) -> (Server, Server) {
    let persons = PersonFace::new(
        Arc::clone(service),
        person::Settings {
            sandbox: wish.sandbox,
            over_tls: false,
            hotline: "12393".into(),
            delivery: wish.delivery.clone(),
        },
    );
    let center = CenterFace::new(
        Arc::clone(service),
        center::Settings { sandbox: wish.sandbox, over_tls: false, hotline: "12393".into() },
    );
    (open(persons), open(center))
}

fn open<H: Handler>(handler: H) -> Server {
    Server::start(Face {
        name: "pages",
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        settings: transport::Settings { body_bytes_max: 64 * 1024, ..transport::Settings::default() },
        handler: Arc::new(handler),
        observer: Arc::new(|_| {}),
    })
    .unwrap()
}

fn entry(figure: &Figure) -> PersonEntry {
    let (private, register) = (&figure.insured.private, &figure.insured.register);
    PersonEntry {
        person: figure.insured.person.clone(),
        identity: IdentityEntry {
            name: Some(private.name.clone()),
            certificate_type: Some(private.certificate_type.clone()),
            certificate_number: Some(private.certificate_number.clone()),
            gender: Some(private.gender.clone()),
            ethnicity: Some(private.ethnicity.clone()),
            birth: Some(private.birth),
            phone: Some(private.phone.clone()),
            card_number: Some(private.card_number.clone()),
            employer: Some(private.employer.clone()),
        },
        coverages: Some(register.coverages.clone()),
        assistance: Some(register.assistance.clone()),
        recognitions: Some(register.recognitions.clone()),
    }
}

/// `2026-11-09 09:00:00`
fn moment(text: &str) -> Moment {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits[from..to].parse::<i8>().unwrap();
    let day = Day::from_number(digits[..8].parse().unwrap()).unwrap();
    Moment::new(day, part(8, 10), part(10, 12), part(12, 14)).unwrap()
}

fn yuan(text: &str) -> Fen {
    Fen::from_yuan(text.parse::<Decimal>().unwrap()).unwrap()
}
