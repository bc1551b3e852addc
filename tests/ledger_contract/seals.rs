//! Owns what the seals must find, in a file and in a database: everything that can be done behind a ledger's back.

use banyan::domain::ids::SettlementId;
use banyan::domain::record::Body;
use banyan::ledger::Receipted;
use banyan::ledger::Verified;
use banyan::ledger::Verify;
use banyan::ledger::Witness;
use banyan::ledger::place::Place;
use banyan::ledger::seal::receipt::NotProven;
use banyan::ledger::seal::receipt::Receipt;
use banyan::ledger::secrets::Secrets;
use banyan::vault::key_store::Class;

use crate::actor::Actor;
use crate::ground::Ground;
use crate::stage::BEGIN;

/// Each as a test of a ledger in a file and of one in a database.
macro_rules! on_every_ledger {
    ($($name:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::ground::Ground::file).await;
            })*
        }
        mod in_a_database {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::ground::Ground::database).await;
            })*
        }
    };
}
on_every_ledger! {
    an_honest_ledger_is_proven_to_its_last_anchor,
    whatever_is_done_behind_its_back_is_found_and_the_first_bad_record_named,
    whatever_no_record_made_is_found_and_named,
    a_ledger_rewritten_whole_with_another_key_is_caught_by_the_witness_and_by_the_key,
    what_a_killed_node_left_is_anchored_by_the_next,
    two_nodes_that_end_at_once_leave_one_chain_of_anchors,
    a_month_of_contact_data_is_forgotten_and_the_seals_stay_whole,
    a_receipt_is_checked_with_the_public_key_alone_and_any_change_breaks_it,
}

/// Makes a place for a ledger, where none is yet.
type Make = fn() -> Ground;

/// A ledger in which three persons were settled one after the other, through two starts, closed.
async fn sealed(make: Make) -> Ground {
    let ground = make();
    for start in ["a", "b"] {
        let ledger = ground.open();
        for person in 0..3 {
            let woman = Actor::registered(&ledger, &format!("{start}{person}")).await;
            let stay = woman.ready_to_settle(100_000).await;
            let settled = woman.settle(&stay).await;
            woman.reverse(&stay, &settled).await;
        }
    }
    ground
}

async fn verified(ground: &Ground, witness: Option<Witness>) -> Verified {
    verified_at(ground.place.clone(), ground.secrets(), witness).await
}

async fn verified_at(place: Place, secrets: Secrets, witness: Option<Witness>) -> Verified {
    let wish = Verify { faults_max: 50, witness, ..Verify::default() };
    tokio::task::spawn_blocking(move || place.verify(&secrets, &wish)).await.unwrap().unwrap()
}

async fn receipt(ground: &Ground, id: &SettlementId) -> Receipted {
    let (place, id) = (ground.place.clone(), id.clone());
    tokio::task::spawn_blocking(move || place.receipt(&id)).await.unwrap().unwrap()
}

async fn an_honest_ledger_is_proven_to_its_last_anchor(make: Make) {
    let sealed = sealed(make).await;
    let found = verified(&sealed, None).await;
    assert_eq!(found.faults, Vec::<String>::new());
    assert_eq!(found.tail, 0, "both starts were closed");
    assert!(found.records >= 30 && found.blocks >= 30, "{found:?}");
    let head = found.head.unwrap();
    assert_eq!(head.number, found.anchors);
    assert_eq!(verified(&sealed, Some(head)).await.faults, Vec::<String>::new());
}

async fn whatever_is_done_behind_its_back_is_found_and_the_first_bad_record_named(make: Make) {
    let sealed = sealed(make).await;
    let head = verified(&sealed, None).await.head;
    let table = [
        // An edit, consistent in itself: money moves between columns that no identity ties.
        ("UPDATE record SET msgid = msgid || 'X' WHERE lane = 1 AND lane_sequence = 3", "(lane 1, place 3)"),
        ("UPDATE record SET at_ms = at_ms + 1 WHERE lane = 2 AND lane_sequence = 2", "(lane 2, place 2)"),
        ("UPDATE record SET keyed = 1 - keyed WHERE lane = 1 AND lane_sequence = 1", "(lane 1, place 1)"),
        ("UPDATE record SET private = x'00' || private WHERE lane_sequence = 1 AND lane = 1", "(lane 1, place 1)"),
        ("UPDATE record SET commitment = zeroblob(32) WHERE lane_sequence = 1 AND lane = 1", "(lane 1, place 1)"),
        // A deletion, with everything that it made.
        ("DELETE FROM record WHERE lane = 1 AND lane_sequence = 4", "sealed and is missing (lane 1, place 4)"),
        (
            "DELETE FROM record WHERE person = '440700/b2'; DELETE FROM person WHERE person = '440700/b2';
             DELETE FROM stay WHERE person = '440700/b2'; DELETE FROM message WHERE person = '440700/b2';
             DELETE FROM settlement WHERE person = '440700/b2'; DELETE FROM credential WHERE person = '440700/b2'",
            "a record was sealed and is missing (lane 2",
        ),
        // An insertion.
        (
            "INSERT INTO record (bucket, person, version, stay, stay_version, kind, at_ms, lane, lane_sequence,
                 institution, infno, msgid, keyed, format, told, body, private, commitment)
             SELECT bucket, person, version + 100, stay, stay_version + 100, kind, at_ms, lane,
                 lane_sequence + 1000, institution, infno, msgid || 'Y', 0, format, told, body, private, commitment
             FROM record WHERE kind = 'settled' LIMIT 1",
            "never sealed",
        ),
        // A swap of two places.
        (
            "UPDATE record SET lane_sequence = CASE lane_sequence WHEN 5 THEN 6 ELSE 5 END
             WHERE lane = 1 AND lane_sequence IN (5, 6)",
            "(lane 1, place 5)",
        ),
        // Blocks: changed, swapped, dropped.
        ("UPDATE block SET leaves = zeroblob(32) WHERE lane = 1 AND first_sequence = 2", "was changed or moved"),
        ("UPDATE block SET hash = zeroblob(32) WHERE lane = 1 AND first_sequence = 2", "was changed or moved"),
        ("DELETE FROM block WHERE lane = 1 AND first_sequence = 2", "are in no block"),
        (
            "UPDATE block SET first_sequence = 99999 WHERE lane = 1 AND first_sequence = 3;
             UPDATE block SET first_sequence = 3 WHERE lane = 1 AND first_sequence = 4;
             UPDATE block SET first_sequence = 4 WHERE lane = 1 AND first_sequence = 99999",
            "was changed or moved",
        ),
        // A tail cut off, lane row mended to fit.
        (
            "DELETE FROM block WHERE lane = 2 AND first_sequence > 3;
             UPDATE lane SET sequence = 3, chain = (SELECT hash FROM block WHERE lane = 2 AND first_sequence = 3)
             WHERE lane = 2",
            "does not cover the blocks that are there",
        ),
        // A chain dropped with all its records.
        ("DELETE FROM block WHERE lane = 1; DELETE FROM lane WHERE lane = 1", "lane 1 is missing"),
        ("UPDATE lane SET chain = zeroblob(32) WHERE lane = 1", "lane 1 does not end with its last block"),
        // Anchors: edited, dropped, signed by somebody else.
        ("UPDATE anchor SET at_ms = at_ms + 1 WHERE number = 1", "was not signed"),
        ("UPDATE anchor SET signature = zeroblob(64) WHERE number = 1", "was not signed"),
        ("UPDATE anchor SET signing_key = 'ffffffffffffffff' WHERE number = 1", "is not ours"),
        ("DELETE FROM anchor WHERE number = 1", "anchor 1 is missing"),
        ("DELETE FROM anchored WHERE anchor = 1", "does not cover"),
        (
            "DELETE FROM anchored WHERE anchor = (SELECT MAX(number) FROM anchor);
             DELETE FROM anchor WHERE number = (SELECT MAX(number) FROM anchor)",
            "the end was cut off",
        ),
        // The shared tables' own records, and a table that they did not make.
        ("INSERT INTO region (code, from_day, body) VALUES (1, 1, '{}')", "region 1 from 1 is not what"),
    ];
    for (sql, words) in table {
        // Read without a start of its own, which would anchor what it finds.
        let faults = verified_at(sealed.tampered(sql), sealed.secrets(), head).await.faults;
        assert!(faults.iter().any(|fault| fault.contains(words)), "{sql}:\n{faults:#?}");
    }
}

async fn whatever_no_record_made_is_found_and_named(make: Make) {
    let ground = make();
    let ledger = ground.open();
    let woman = Actor::registered(&ledger, "1").await;
    let stay = woman.ready_to_settle(100_000).await;
    let settled = woman.settle(&stay).await;
    woman.reverse(&stay, &settled).await;
    drop((woman, ledger));
    let table = [
        ("UPDATE person SET version = version + 1", "her row"),
        ("UPDATE person SET private = NULL", "her row hides other data"),
        ("UPDATE person SET private = x'00'", "her row hides other data"),
        ("UPDATE stay SET state = REPLACE(state, '100000', '100001')", "stay "),
        ("UPDATE message SET undone_by = 0", "message S"),
        ("DELETE FROM message WHERE infno = 2402", "message D"),
        ("UPDATE settlement SET institution = 'H1'", "settlement "),
        (
            "UPDATE settlement SET cash = cash - 1, person_part = person_part - 1, hospital_part = 1",
            "settlement ",
        ),
        ("DELETE FROM credential", "a credential"),
        ("INSERT INTO credential (bucket, hash, person) VALUES (1, x'00', '440700/1')", "credentials"),
        ("INSERT INTO stay SELECT bucket, 'S1', person, version, state FROM stay", "rows of stay"),
        ("UPDATE record SET at_ms = at_ms - 1 WHERE version = 3", "goes back in time"),
        ("DELETE FROM record WHERE version = 3", "follows version 2"),
        ("UPDATE record SET lane_sequence = 1", "its place is taken twice"),
        ("UPDATE record SET format = 99 WHERE version = 1", "newer than this version"),
        ("UPDATE record SET kind = 'guessed' WHERE version = 1", "not known"),
        (
            "UPDATE record SET body = REPLACE(body, '\"psn_cash_pay\":', '\"psn_cash_pay\":1') WHERE kind = 'settled'",
            "I5",
        ),
    ];
    for (sql, words) in table {
        let faults = verified_at(ground.tampered(sql), ground.secrets(), None).await.faults;
        assert!(faults.iter().any(|fault| fault.contains(words)), "{sql}: {faults:?}");
    }
    assert_eq!(verified(&ground, None).await.faults, Vec::<String>::new());
}

async fn a_ledger_rewritten_whole_with_another_key_is_caught_by_the_witness_and_by_the_key(make: Make) {
    let (honest, other) = (sealed(make).await, sealed(make).await);
    let head = verified(&honest, None).await.head;
    let rewritten = verified(&other, head).await;
    assert!(rewritten.faults.iter().any(|fault| fault.contains("is not the witnessed one")), "{rewritten:?}");
    let mixed = Secrets { keys: other.secrets().keys, ..honest.secrets() };
    let found = verified_at(honest.place.clone(), mixed, None).await;
    assert!(found.faults[0].contains("which is not ours"), "{:?}", found.faults);
}

async fn what_a_killed_node_left_is_anchored_by_the_next(make: Make) {
    let ground = make();
    let ledger = ground.open();
    Actor::registered(&ledger, "1").await;
    // Never dropped: as if it had been killed.
    let killed = std::mem::ManuallyDrop::new(ledger);
    let found = killed.verify(Verify { faults_max: 9, ..Verify::default() }).await.unwrap();
    assert_eq!((found.records - found.tail, found.faults), (found.anchors.min(1), vec![]));
    drop(ground.open());
    let found = verified(&ground, None).await;
    assert_eq!((found.tail, found.faults), (0, vec![]));
}

async fn two_nodes_that_end_at_once_leave_one_chain_of_anchors(make: Make) {
    let ground = make();
    for round in 0..3 {
        let nodes = [ground.open(), ground.open()];
        for (at, ledger) in nodes.iter().enumerate() {
            Actor::registered(ledger, &format!("{round}{at}")).await;
        }
        let ends = nodes.map(|node| tokio::task::spawn_blocking(move || drop(node)));
        futures_util::future::join_all(ends).await;
    }
    let found = verified(&ground, None).await;
    assert_eq!((found.records, found.tail, found.faults), (6, 0, vec![]));
    assert!((3..=6).contains(&found.anchors), "{} anchors", found.anchors);
}

async fn a_month_of_contact_data_is_forgotten_and_the_seals_stay_whole(make: Make) {
    let sealed = sealed(make).await;
    let month = u32::try_from(BEGIN.day().month().number()).unwrap();
    sealed.secrets().keys.destroy(Class::Contact, month).unwrap();
    let ledger = sealed.open();
    let woman = Actor::new(&ledger, "a0");
    assert_eq!(woman.facts(None).await.private.name, "");
    let found = ledger.verify(Verify { faults_max: 9, ..Verify::default() }).await.unwrap();
    assert_eq!(found.faults, Vec::<String>::new());
    assert!(ledger.settlement(&SettlementId::parse("none").unwrap()).await.unwrap().is_none());
}

async fn a_receipt_is_checked_with_the_public_key_alone_and_any_change_breaks_it(make: Make) {
    let ground = make();
    let ledger = ground.open();
    let women: Vec<Actor> = futures_util::future::join_all(
        (0..5)
            .map(|n| async move { n })
            .map(|n| async { Actor::registered(&ledger, &n.await.to_string()).await }),
    )
    .await;
    let settled = futures_util::future::join_all(women.iter().map(async |woman| {
        let stay = woman.ready_to_settle(100_000).await;
        let record = woman.settle(&stay).await;
        let Body::Settled(settlement) = &record.body else { panic!() };
        settlement.id.clone()
    }))
    .await;
    drop(women);
    drop(ledger);
    let keys = ground.secrets().keys.public_keys();
    for id in &settled {
        let Receipted::Receipt(receipt) = receipt(&ground, id).await else {
            panic!("closed, and not anchored")
        };
        let text = receipt.text();
        assert_eq!(Receipt::parse(&text).unwrap().prove(&keys), Ok(()));
        assert!(receipt.record.body.contains(id.as_str()));
        type Change = fn(&mut Receipt);
        let changes: [(&str, Change); 12] = [
            ("an amount", |r| r.record.body = r.record.body.replacen('1', "2", 1)),
            ("the person", |r| r.record.person.push('0')),
            ("the time", |r| r.record.at_ms += 1),
            ("the hospital", |r| r.record.institution.push('0')),
            ("the place", |r| r.record.sequence += 1),
            ("the block's beginning", |r| r.block.first += 1),
            ("the block's size", |r| r.block.records += 1),
            ("the block before", |r| r.block.previous[0] ^= 1),
            ("the anchor's number", |r| r.anchor.number += 1),
            ("the anchor's time", |r| r.anchor.at_ms += 1),
            ("the anchor's root", |r| r.anchor.root[0] ^= 1),
            ("the stretch", |r| r.anchor.stretches[0].2 += 1),
        ];
        for (what, change) in changes {
            let mut forged = receipt.clone();
            change(&mut forged);
            assert!(forged.prove(&keys).is_err(), "{what}");
        }
    }
    let others = make().secrets().keys.public_keys();
    let Receipted::Receipt(proof) = receipt(&ground, &settled[0]).await else { panic!() };
    assert!(matches!(proof.prove(&others), Err(NotProven::OtherKey(_))));
    let unknown = SettlementId::parse("nobody").unwrap();
    assert_eq!(receipt(&ground, &unknown).await, Receipted::Unknown);
    for (text, words) in [
        ("", "is not a receipt"),
        ("{}", "is not a receipt"),
        (r#"{"format":"banyan-receipt-9"}"#, "has the form banyan-receipt-9"),
    ] {
        assert!(Receipt::parse(text).unwrap_err().to_string().contains(words), "{text}");
    }
}
