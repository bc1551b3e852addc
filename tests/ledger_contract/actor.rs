//! Owns the person who plays the suite: she is registered, admitted, billed, settled and reversed against any ledger.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use banyan::domain::accumulators::Accumulators;
use banyan::domain::benefit::Account;
use banyan::domain::benefit::Insured;
use banyan::domain::breakdown::BillTotals;
use banyan::domain::breakdown::Breakdown;
use banyan::domain::breakdown::Direction;
use banyan::domain::breakdown::Fund;
use banyan::domain::breakdown::FundRow;
use banyan::domain::calendar::BenefitYear;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::calendar::Moment;
use banyan::domain::catalogue::ChargeLevel;
use banyan::domain::codes::BenefitLevel;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::codes::Scheme;
use banyan::domain::codes::WorkStatus;
use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::LineNo;
use banyan::domain::ids::MessageId;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::SettlementId;
use banyan::domain::ids::StayId;
use banyan::domain::money::Fen;
use banyan::domain::money::Rate;
use banyan::domain::person::Coverage;
use banyan::domain::person::CoverageStatus;
use banyan::domain::person::PersonPrivate;
use banyan::domain::person::Register;
use banyan::domain::posting::Movement;
use banyan::domain::posting::entries;
use banyan::domain::posting::swapped;
use banyan::domain::record::Admission;
use banyan::domain::record::AdmissionPrivate;
use banyan::domain::record::Body;
use banyan::domain::record::ClaimFacts;
use banyan::domain::record::ContentHash;
use banyan::domain::record::Discharge;
use banyan::domain::record::Line;
use banyan::domain::record::LineItem;
use banyan::domain::record::MessageKey;
use banyan::domain::record::Meta;
use banyan::domain::record::Private;
use banyan::domain::record::Record;
use banyan::domain::record::Reversal;
use banyan::domain::record::Revival;
use banyan::domain::record::Settlement;
use banyan::domain::split::Cut;
use banyan::domain::split::LineSplit;
use banyan::ledger::Committed;
use banyan::ledger::Deed;
use banyan::ledger::Facts;
use banyan::ledger::Found;
use banyan::ledger::Ledger;
use banyan::ledger::LedgerError;
use banyan::ledger::LookUp;
use banyan::ledger::Who;
use rust_decimal::Decimal;
use std::sync::Arc;

pub(crate) const POOL: RegionCode = RegionCode(440_700);
pub(crate) const CARE: RegionCode = RegionCode(440_100);
pub(crate) const YEAR: BenefitYear = BenefitYear(2026);

pub(crate) fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}

pub(crate) fn hospital() -> InstitutionCode {
    InstitutionCode::parse("H44010600001").unwrap()
}

pub(crate) fn message(transaction: u16, id: &str) -> MessageKey {
    MessageKey { institution: hospital(), transaction, message: MessageId::parse(id).unwrap() }
}

pub(crate) fn content(byte: u8) -> ContentHash {
    ContentHash { recipe: 1, digest: [byte; 32] }
}

/// One insured person in front of a ledger.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) key: PersonKey,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that this process gives once.
pub(crate) fn fresh() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Actor {
    pub(crate) fn new(ledger: &Arc<dyn Ledger>, number: &str) -> Actor {
        Actor { ledger: Arc::clone(ledger), key: PersonKey::parse(POOL, number).unwrap() }
    }

    /// A person whom the register knows.
    pub(crate) async fn registered(ledger: &Arc<dyn Ledger>, number: &str) -> Actor {
        let actor = Actor::new(ledger, number);
        actor.register(&format!("C{number}")).await;
        actor
    }

    pub(crate) fn id(&self) -> String {
        let bucket = self.ledger.bucket(&self.key);
        format!("{:04X}{:08X}{:08X}{bucket}", self.ledger.lane(), std::process::id(), fresh())
    }

    pub(crate) fn new_stay(&self) -> StayId {
        StayId::parse(&self.id()).unwrap()
    }

    pub(crate) fn new_settlement(&self) -> SettlementId {
        SettlementId::parse(&self.id()).unwrap()
    }

    pub(crate) fn look(&self, stay: Option<&StayId>) -> LookUp {
        let number = self.key.number().to_owned();
        let who = match stay {
            None => Who::Person(self.key.clone()),
            Some(stay) => Who::Stay { stay: stay.clone(), number },
        };
        LookUp::of(who)
    }

    pub(crate) async fn found(&self, wanted: LookUp) -> Found {
        self.ledger.look_up(wanted).await.unwrap()
    }

    /// What is known of a message of hers.
    pub(crate) async fn asked(&self, key: &MessageKey) -> banyan::ledger::Message {
        let key = Some((key.clone(), content(1)));
        self.found(LookUp { key, ..self.look(None) }).await.message
    }

    pub(crate) async fn facts(&self, stay: Option<&StayId>) -> Facts {
        self.found(self.look(stay)).await.facts.unwrap()
    }

    pub(crate) async fn commit(&self, facts: Facts, deed: Deed) -> Result<Committed, LedgerError> {
        self.ledger.commit(facts, deed).await
    }

    /// Decides again until the facts stand still.
    pub(crate) async fn done(&self, stay: Option<&StayId>, deed: Deed) -> Arc<Record> {
        loop {
            let facts = self.facts(stay).await;
            if let Committed::Recorded(record) = self.commit(facts, deed.clone()).await.unwrap() {
                return record;
            }
        }
    }

    pub(crate) async fn register(&self, card: &str) -> Arc<Record> {
        let known = self.found(self.look(None)).await.facts;
        let bucket = self.ledger.bucket(&self.key);
        let facts = known.unwrap_or_else(|| Facts::of_new(self.key.clone(), bucket));
        let private = PersonPrivate {
            name: "某某".into(),
            certificate_type: "01".into(),
            certificate_number: format!("ID{}", self.key.number()),
            card_number: card.into(),
            ..PersonPrivate::default()
        };
        let body = Body::Registered(Register { coverages: vec![coverage()], ..Register::default() });
        let mut deed = deed(message(9, &format!("R{}", fresh())), body, None);
        deed.binds_key = false;
        deed.private = Private::Person(private);
        match self.commit(facts, deed).await.unwrap() {
            Committed::Recorded(record) => record,
            Committed::FactsMoved => panic!("nobody else registers her"),
        }
    }

    pub(crate) async fn admit(&self) -> StayId {
        let stay = self.new_stay();
        let key = message(2401, &format!("A{}", self.id()));
        self.done(None, admission(key, &stay)).await;
        stay
    }

    pub(crate) async fn upload(&self, stay: &StayId, amount: i64) -> Arc<Record> {
        let key = message(2301, &format!("L{}", self.id()));
        self.done(Some(stay), upload(key, stay, amount)).await
    }

    pub(crate) async fn discharge(&self, stay: &StayId) -> Arc<Record> {
        let key = message(2402, &format!("D{}", self.id()));
        self.done(Some(stay), deed(key, Body::Discharged(discharge()), Some(stay))).await
    }

    /// Admitted, billed with one line and discharged.
    pub(crate) async fn ready_to_settle(&self, amount: i64) -> StayId {
        let stay = self.admit().await;
        self.upload(&stay, amount).await;
        self.discharge(&stay).await;
        stay
    }

    pub(crate) async fn settlement(&self, stay: &StayId) -> (Facts, Deed) {
        let facts = self.facts(Some(stay)).await;
        let key = message(2304, &format!("S{}", self.id()));
        let deed = self.settle_deed(&facts, stay, key);
        (facts, deed)
    }

    pub(crate) fn settle_deed(&self, facts: &Facts, stay: &StayId, key: MessageKey) -> Deed {
        let settlement = settlement_of(facts, self.new_settlement());
        deed(key, Body::Settled(Box::new(settlement)), Some(stay))
    }

    pub(crate) async fn settle(&self, stay: &StayId) -> Arc<Record> {
        let (facts, deed) = self.settlement(stay).await;
        self.recorded(facts, deed).await
    }

    pub(crate) fn reverse_deed(&self, stay: &StayId, settled: &Record, key: MessageKey) -> Deed {
        let original = settled_of(settled).clone();
        let reversal = Reversal {
            id: self.new_settlement(),
            original: original.id.clone(),
            original_version: settled.version,
            original_at: settled.at,
            undoes: settled.meta.key.clone(),
            balance_left: Fen::ZERO,
            entries: swapped(&original.entries),
            settlement: original,
        };
        deed(key, Body::Reversed(Box::new(reversal)), Some(stay))
    }

    pub(crate) async fn reverse(&self, stay: &StayId, settled: &Record) -> Arc<Record> {
        let facts = self.facts(Some(stay)).await;
        let key = message(2305, &format!("V{}", self.id()));
        self.recorded(facts, self.reverse_deed(stay, settled, key)).await
    }

    pub(crate) async fn revive(&self, stay: &StayId, settled: &Record, reversed: &Record) -> Arc<Record> {
        let facts = self.facts(Some(stay)).await;
        let Body::Reversed(reversal) = &reversed.body else { panic!("not a reversal") };
        let settlement = settled_of(settled).clone();
        let revival = Revival {
            id: self.new_settlement(),
            restores: settled.meta.key.clone(),
            original_version: settled.version,
            reversal: reversal.id.clone(),
            undoes: reversed.meta.key.clone(),
            balance_left: Fen::ZERO,
            entries: settlement.entries.clone(),
            settlement,
        };
        let key = message(2601, &format!("U{}", self.id()));
        self.recorded(facts, deed(key, Body::Revived(Box::new(revival)), Some(stay))).await
    }

    pub(crate) async fn fence(&self, about: &MessageKey) -> Result<Committed, LedgerError> {
        let facts = self.facts(None).await;
        let key = message(2601, &format!("F{}", self.id()));
        self.commit(facts, deed(key, Body::Fenced(about.clone()), None)).await
    }

    pub(crate) async fn recorded(&self, facts: Facts, deed: Deed) -> Arc<Record> {
        match self.commit(facts, deed).await.unwrap() {
            Committed::Recorded(record) => record,
            Committed::FactsMoved => panic!("the facts moved"),
        }
    }
}

pub(crate) fn deed(key: MessageKey, body: Body, stay: Option<&StayId>) -> Deed {
    let meta = Meta {
        key,
        content: content(1),
        reference: "440100202611240830001234567890".into(),
        received_at: Instant(1_795_000_000_000),
        operator: "0017".into(),
        warning: String::new(),
        writer: 1,
    };
    let stay = stay.cloned();
    Deed { meta, body, private: Private::None, stay, binds_key: true, guards_person: true }
}

fn coverage() -> Coverage {
    Coverage {
        insutype: "310".into(),
        person_type: "1101".into(),
        status: CoverageStatus::Active,
        civil_servant: false,
        region: RegionCode(440_703),
        from: day(20_200_101),
        to: None,
    }
}

pub(crate) fn admission(key: MessageKey, stay: &StayId) -> Deed {
    let admission = Admission {
        institution: hospital(),
        institution_region: RegionCode(440_106),
        insutype: "310".into(),
        med_type: "21".into(),
        begun: Moment::start_of(day(20_261_101)),
        emergency: false,
        third_party: false,
        injury_cleared: true,
        matn_type: String::new(),
        work_injury: false,
        credential_type: "02".into(),
        inpatient_no: "Z0001".into(),
        department: "A01".into(),
        department_name: "内科".into(),
        bed: "12".into(),
        raw: String::new(),
    };
    let private = AdmissionPrivate { main_diagnosis_code: "J18.900".into(), ..AdmissionPrivate::default() };
    Deed { private: Private::Admission(private), ..deed(key, Body::Admitted(admission), Some(stay)) }
}

fn discharge() -> Discharge {
    Discharge {
        ended: Moment::start_of(day(20_261_120)),
        way: "1".into(),
        department: "A01".into(),
        department_name: "内科".into(),
        bed: "12".into(),
        matn_type: String::new(),
        raw: String::new(),
    }
}

pub(crate) fn upload(key: MessageKey, stay: &StayId, amount: i64) -> Deed {
    let uploaded = deed(key, Body::LinesUploaded(vec![line(&fresh().to_string(), amount)]), Some(stay));
    Deed { guards_person: false, ..uploaded }
}

pub(crate) fn line(no: &str, amount: i64) -> Line {
    let parts = BillTotals { in_scope: Fen(amount), ..BillTotals::default() };
    let price = Decimal::new(amount, 2);
    Line {
        no: LineNo::parse(no).unwrap(),
        refunds: None,
        at: Moment::start_of(day(20_261_110)),
        counts_on: day(20_261_110),
        code: "XA01".into(),
        own_code: "1".into(),
        price,
        count: Decimal::ONE,
        approved: true,
        amount: Fen(amount),
        content: [3; 16],
        split: LineSplit { amount: Fen(amount), parts },
        cut: Cut { price, price_limit: None, self_pay: Rate::ZERO, full_own_pay: None },
        item: LineItem {
            charge_level: ChargeLevel::A,
            charge_category: 9,
            list_type: 101,
            restricted: false,
            basic_drug: true,
            negotiated: false,
            child: false,
            special: false,
        },
        raw: "".into(),
    }
}

pub(crate) fn settled_of(record: &Record) -> &Settlement {
    match &record.body {
        Body::Settled(settlement) => settlement,
        Body::Revived(revival) => &revival.settlement,
        other => panic!("not a settlement: {other:?}"),
    }
}

/// Of all open lines: the pool pays 80 %, the person the rest.
pub(crate) fn settlement_of(facts: &Facts, id: SettlementId) -> Settlement {
    let stay = facts.stay.as_ref().unwrap();
    let totals = stay.state.open_totals();
    let before = facts.person.used(Scheme::Employee, YEAR);
    let breakdown = breakdown(totals.in_scope, before);
    let movement = Movement {
        insured_pool: POOL,
        care_pool: CARE,
        institution: &hospital(),
        funds: &breakdown.funds,
        account: Fen::ZERO,
        cash: breakdown.psn_cash_pay,
    };
    let entries = entries(&movement);
    Settlement {
        id,
        part: false,
        up_to: day(20_261_120),
        scheme: Scheme::Employee,
        insutype: "310".into(),
        med_type: "21".into(),
        person_type: "1101".into(),
        civil_servant: false,
        year: YEAR,
        admitted: day(20_261_101),
        policy_day: day(20_261_120),
        pack: "b1946ac92492d2347c6235b4d2611184".into(),
        institution: hospital(),
        institution_region: RegionCode(440_106),
        institution_pool: CARE,
        insured_region: RegionCode(440_703),
        insured_pool: POOL,
        clearing_agency: CARE,
        clearing_type: "21".into(),
        clearing_way: "1".into(),
        filing: None,
        facts: ClaimFacts {
            hospital: HospitalLevel::Three,
            insured: Insured { status: WorkStatus::Active, age: 44, civil_servant: false, assistance: None },
            level: BenefitLevel::LongTerm,
            totals: breakdown.totals(),
            year: before,
            earlier: None,
            closes_stay: true,
            institution_deductible: Fen::ZERO,
            account: Account::NotUsed,
            maternity: None,
        },
        breakdown,
        days: stay.state.unsettled.clone(),
        balance_left: Fen::ZERO,
        psn_setlway: "01".into(),
        credential_type: "02".into(),
        invoice: String::new(),
        entries,
    }
}

fn breakdown(in_scope: Fen, before: Accumulators) -> Breakdown {
    let deductible = in_scope.min(Fen(900));
    let pool = Rate(Decimal::new(8, 1)).of(in_scope - deductible).unwrap();
    let cash = in_scope - pool;
    let row = FundRow { fund: Fund::EmployeePool, amount: pool, in_scope, payable_max: in_scope };
    Breakdown {
        direction: Direction::Forward,
        medfee_sumamt: in_scope,
        fulamt_ownpay_amt: Fen::ZERO,
        overlmt_selfpay: Fen::ZERO,
        preselfpay_amt: Fen::ZERO,
        inscp_scp_amt: in_scope,
        extra_first_pay: Fen::ZERO,
        dedc_std: Fen(900),
        act_pay_dedc: deductible,
        hifp_pay: pool,
        hifob_pay: Fen::ZERO,
        hifmi_pay: Fen::ZERO,
        hifes_pay: Fen::ZERO,
        cvlserv_pay: Fen::ZERO,
        maf_pay: Fen::ZERO,
        hifdm_pay: Fen::ZERO,
        oth_pay: Fen::ZERO,
        fund_pay_sumamt: pool,
        psn_part_amt: cash,
        hosp_part_amt: Fen::ZERO,
        acct_pay: Fen::ZERO,
        acct_mulaid_pay: Fen::ZERO,
        psn_cash_pay: cash,
        pool_rate: Rate(Decimal::new(8, 1)),
        owed_to_person: Fen::ZERO,
        funds: vec![row],
        before,
        change: Accumulators { admissions: 1, deductible, hifp: pool, burden: cash, ..Accumulators::ZERO },
    }
}
