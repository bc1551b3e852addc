//! The proof that a settlement was recorded, as the hospital that settled it takes it.

use banyan::domain::codes::HospitalLevel::Two;
use banyan::ledger::seal::receipt::Receipt;
use banyan::sandbox::story::LUNG;
use banyan::vault::signing::PublicKey;
use hyper::StatusCode;

use crate::support::people::EMPLOYEE;
use crate::support::world::World;

#[tokio::test]
async fn a_hospital_takes_the_receipt_of_its_settlement_and_of_nobody_else_s() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, 440_700, Two, &LUNG);
    let setl_id = visit.through().await.setl_id();
    let mut hers = world.line(&visit.stay.fixmedins_code).open().await.unwrap();
    let path = format!("/fsi/api/receipts/{setl_id}");
    // The anchor comes within a second; until then the answer says so.
    let bytes = loop {
        match hers.get(&path).await.unwrap() {
            (StatusCode::SERVICE_UNAVAILABLE, _) => tokio::task::yield_now().await,
            (status, bytes) => {
                assert_eq!(status, StatusCode::OK);
                break bytes;
            }
        }
    };
    let receipt = Receipt::parse(std::str::from_utf8(&bytes).unwrap()).unwrap();
    let keys: Vec<PublicKey> = world.public_keys();
    assert_eq!(receipt.prove(&keys), Ok(()));
    assert!(receipt.record.body.contains(&setl_id));

    let other = world.hospital(440_100, Two);
    let mut others = world.line(other.institution.code.as_str()).open().await.unwrap();
    for path in [path.as_str(), "/receipts/none", "/receipts/%00"] {
        assert_eq!(others.get(path).await.unwrap().0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(others.get("/fsi/api/callService").await.unwrap().0, StatusCode::METHOD_NOT_ALLOWED);
}
