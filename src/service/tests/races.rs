//! Calls that race each other.

use super::*;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_sends_of_one_settlement_move_money_once() {
    let world = World::new();
    let key = world.register("E01", "310", "11").await;
    let stay = world.stay_with(HOME, "E01", (20_260_301, 20_260_301), bill_m(20_260_301)).await;
    let call = world.call_as(HOME, 2304, "S1", "content");
    let sends = (0..50).map(|_| {
        let (service, call, order) = (Arc::clone(&world.service), call.clone(), paying(&stay, BILL_M));
        tokio::spawn(async move { service.settle(&call, order).await })
    });
    let answers: Vec<Answered> =
        join_all(sends).await.into_iter().map(|sent| sent.unwrap().unwrap()).collect();
    assert!(answers.iter().all(|answered| answered.record == answers[0].record));
    assert_eq!(answers.iter().filter(|answered| !answered.replayed).count(), 1);
    assert_eq!(world.facts(&key).await.person.live().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admissions_at_once_one_stands() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let sends = [HOME, CITY, AWAY, AWAY_TWO].map(|hospital| {
        let (service, call) = (Arc::clone(&world.service), world.call(hospital, 2401));
        tokio::spawn(async move { service.admit(&call, admission("E01", 20_260_301)).await })
    });
    let answers: Vec<_> = join_all(sends).await.into_iter().map(|sent| sent.unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert!(matches!(refusal(refused), Refusal::OpenStay { .. }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_undo_and_its_settlement_never_both_win() {
    let world = World::new();
    for round in 0..20 {
        let name = format!("R{round}");
        let key = world.register(&name, "310", "11").await;
        let stay = world.stay_with(HOME, &name, (20_260_301, 20_260_301), bill_m(20_260_301)).await;
        let settle = world.call_as(HOME, 2304, &format!("S{round}"), "content");
        let undo = world.call(HOME, 2601);
        let message = settle.key.message.clone();
        let order = Undo { number: name.clone(), message, transaction: 2304 };
        let (one, other) = (Arc::clone(&world.service), Arc::clone(&world.service));
        let settling = tokio::spawn(async move { one.settle(&settle, paying(&stay, BILL_M)).await });
        let undoing = tokio::spawn(async move { other.undo(&undo, order).await });
        let (settled, undone) = (settling.await.unwrap(), undoing.await.unwrap().unwrap());
        let expected = matches!(
            (&settled, &undone.record.body),
            (Err(ServiceError::Fenced { .. }), Body::Fenced(_)) | (Ok(_), Body::Reversed(_))
        );
        assert!(expected, "{settled:?} {undone:?}");
        assert_eq!(world.facts(&key).await.person.live().count(), 0, "whoever came first, nothing stands");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_that_race_a_settlement_are_in_it_or_refused() {
    let world = World::new();
    for round in 0..20 {
        let name = format!("L{round}");
        world.register(&name, "310", "11").await;
        let stay = world.stay_with(HOME, &name, (20_260_301, 20_260_301), bill_m(20_260_301)).await;
        let (settle, upload) = (world.call(HOME, 2304), world.call(HOME, 2301));
        let lines = vec![line("9", "A", "1.00", "1", "1.00", 20_260_301)];
        let order = Upload { stay: stay.clone(), lines };
        let (one, other) = (Arc::clone(&world.service), Arc::clone(&world.service));
        let settling = tokio::spawn(async move { one.settle(&settle, paying(&stay, BILL_M)).await });
        let uploading = tokio::spawn(async move { other.upload(&upload, order).await });
        match (settling.await.unwrap(), uploading.await.unwrap()) {
            (Ok(_), Err(refused)) => {
                assert!(matches!(refusal::<()>(Err(refused)), Refusal::OutOfOrder { .. }));
            }
            (Err(refused), Ok(_)) => {
                assert!(matches!(refusal::<()>(Err(refused)), Refusal::TotalDiffers { .. }));
            }
            both => panic!("{both:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn uploads_of_one_stay_at_once_are_all_taken() {
    let world = World::new();
    world.register("E01", "310", "11").await;
    let stay = world.admit(HOME, "E01", 20_260_301).await;
    let sends = (0..6).map(|n| {
        let lines = vec![line(&format!("L{n}"), "A", "1.00", "1", "1.00", 20_260_301)];
        let (service, call) = (Arc::clone(&world.service), world.call(HOME, 2301));
        let order = Upload { stay: stay.clone(), lines };
        tokio::spawn(async move { service.upload(&call, order).await })
    });
    for sent in join_all(sends).await {
        sent.unwrap().unwrap();
    }
    let lines = world.service.look_at_lines(&world.caller(HOME), &stay, None).await.unwrap();
    assert_eq!(lines.len(), 6);
}
