//! What is read back is what was written, and is found by what it is asked for.

use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::StayId;
use banyan::domain::institution::Institution;
use banyan::domain::record::Body;
use banyan::domain::region::Region;
use banyan::ledger::Committed;
use banyan::ledger::Deed;
use banyan::ledger::Facts;
use banyan::ledger::LookUp;
use banyan::ledger::Message;
use banyan::ledger::PackText;
use banyan::ledger::ReferenceChange;
use banyan::ledger::Who;
use banyan::ledger::credential::Credential;

use crate::actor::Actor;
use crate::actor::POOL;
use crate::actor::day;
use crate::actor::deed;
use crate::actor::message;
use crate::actor::settled_of;
use crate::stage::Stage;
use crate::suite::books_agree;

pub(crate) async fn an_import_makes_persons_and_finds_them_by_what_they_carry(stage: Stage) {
    let woman = Actor::new(&stage.ledger, "7");
    assert!(woman.found(woman.look(None)).await.facts.is_none());
    let record = woman.register("CARD-1").await;
    assert_eq!(record.version, 1);
    let find = async |credential: Credential| stage.ledger.find_persons(credential).await.unwrap();
    assert_eq!(find(Credential::Card(" card-1 ".into())).await, std::slice::from_ref(&woman.key));
    assert_eq!(find(Credential::IdentityNumber("ID7".into())).await, std::slice::from_ref(&woman.key));
    let passport = Credential::Certificate { kind: "03".into(), number: "ID7".into() };
    assert_eq!(find(passport).await, Vec::<PersonKey>::new());
    woman.register("CARD-2").await;
    assert_eq!(find(Credential::Card("CARD-1".into())).await, Vec::<PersonKey>::new());
    assert_eq!(find(Credential::Card("CARD-2".into())).await, std::slice::from_ref(&woman.key));
    assert_eq!(woman.facts(None).await.private.card_number, "CARD-2");
    assert!(matches!(woman.asked(&record.meta.key).await, Message::Unknown), "an import binds no message");
    let twice = Facts::of_new(woman.key.clone(), stage.ledger.bucket(&woman.key));
    let body = Body::Registered(Default::default());
    let again = Deed { binds_key: false, ..deed(message(9, "R"), body, None) };
    assert!(matches!(woman.commit(twice, again).await.unwrap(), Committed::FactsMoved));
    books_agree(&stage.ledger).await;
}

pub(crate) async fn a_stay_is_found_only_with_the_number_of_its_person(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.admit().await;
    let ask = |stay: &StayId, number: &str| LookUp {
        who: Who::Stay { stay: stay.clone(), number: number.into() },
        ..woman.look(None)
    };
    let hers = woman.found(ask(&stay, "1")).await;
    let place = hers.facts.unwrap().stay.unwrap().state.admission.institution.clone();
    assert_eq!(hers.stay_of_another, None);
    let others = woman.found(ask(&stay, "2")).await;
    assert!(others.facts.is_none());
    assert_eq!(others.stay_of_another, Some(place), "where it is, and not whose");
    for unknown in [woman.new_stay(), StayId::parse("zzz").unwrap()] {
        let nothing = woman.found(ask(&unknown, "1")).await;
        assert!(nothing.facts.is_none() && nothing.stay_of_another.is_none());
    }
}

pub(crate) async fn records_are_read_back_as_they_were_given(stage: Stage) {
    let woman = Actor::registered(&stage.ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    let records = stage.ledger.records(&woman.key, 1, 100).await.unwrap();
    assert_eq!(records.iter().map(|r| r.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(records[4], settled);
    assert_eq!(stage.ledger.records(&woman.key, 4, 1).await.unwrap()[0].version, 4);
    let wanted = LookUp { settlement: Some(settled_of(&settled).id.clone()), ..woman.look(Some(&stay)) };
    assert_eq!(woman.found(wanted).await.facts.unwrap().settlement, Some(settled.clone()));
    let other = Actor::registered(&stage.ledger, "2").await;
    let wanted = LookUp { settlement: Some(settled_of(&settled).id.clone()), ..other.look(None) };
    assert_eq!(other.found(wanted).await.facts.unwrap().settlement, None, "not hers");
}

pub(crate) async fn shared_tables_are_replaced_by_key_and_move_their_version(stage: Stage) {
    let ledger = &stage.ledger;
    assert_eq!(ledger.reference_version().await.unwrap(), 0);
    let region = |name: &str, from: i32| Region {
        code: POOL,
        name: name.into(),
        parent: None,
        pool: POOL,
        clearing_agency: POOL,
        from: day(from),
        to: None,
    };
    let put = async |change| ledger.record_reference("test".into(), change).await.unwrap();
    let regions = vec![region("江门", 20_000_101), region("江门市", 20_250_101)];
    assert_eq!(put(ReferenceChange::Regions(regions)).await, 1);
    assert_eq!(put(ReferenceChange::Regions(vec![region("江门旧", 20_000_101)])).await, 2);
    let hospital = Institution {
        code: crate::actor::hospital(),
        name: "一院".into(),
        region: RegionCode(440_106),
        hospital_level: "03".into(),
        kind: "1".into(),
        credit_code: String::new(),
        in_province: true,
        cross_province: true,
        suspended: None,
        from: day(20_240_101),
        to: None,
    };
    put(ReferenceChange::Institutions(vec![hospital.clone()])).await;
    let pack = |hash: &str| PackText { region: POOL, hash: hash.into(), text: format!("# {hash}") };
    put(ReferenceChange::Pack(pack("b"))).await;
    assert_eq!(put(ReferenceChange::Pack(pack("a"))).await, 5);
    let rows = ledger.reference().await.unwrap();
    assert_eq!((rows.version, ledger.reference_version().await.unwrap()), (5, 5));
    assert_eq!(rows.regions, [region("江门旧", 20_000_101), region("江门市", 20_250_101)]);
    assert_eq!(rows.institutions, [hospital]);
    assert_eq!(rows.packs, [pack("b"), pack("a")]);
}
