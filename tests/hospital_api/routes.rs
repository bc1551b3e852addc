//! Addresses and connections: a message is known by its `infno`, whatever the path, and a connection is kept.

use banyan::domain::codes::HospitalLevel::Two;
use banyan::sandbox::play;
use banyan::sandbox::story::LUNG;
use hyper::StatusCode;

use crate::support::answer::Answer;
use crate::support::people::EMPLOYEE;
use crate::support::world::World;

/// Every form that clients use, most of them of another transaction.
const PATHS: [&str; 20] = [
    "/fsi/api/rsfComIfsService/callService",
    "/fsi/api/rsfComIfsService/callService/1101",
    "/fsi/api/rsfComIfsService/callService/2304",
    "/mbs/fmi/fsi/api/callFsiService/callService",
    "/eapdomain/callService",
    "/uif-hsaf-med-api/api/medical/service",
    "/callService/1101",
    "/ebus/gdyb_inf/poc/hsa/hgs/1101",
    "/ebus/gdyb_api/prd/hsa/hgs/2401",
    "/ebus/gdyb_api/gzprd/hsa/hgs/",
    "/ebus/sz_prd/hsa/hgs",
    "/ebus/sztest_hosp/poc/hsa/hgs/1101A",
    "/ebus/rio_fsi/fsi/api/hospSettService/settV",
    "/ebus/mbs_fsi_auth/fsi/api/signInSignOutService/signIn",
    "/fsi/api/fsiPsnInfoService/queryPsnInfo",
    "/fsi/api/hospSettService/preSettA",
    "/fsi/api/reverseService/revsMethod?trace=1&x=%E5%8C%BB",
    "//fsi//api/",
    "/",
    "/医保",
];

#[tokio::test]
async fn a_message_is_known_by_its_number_whatever_the_path() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let visit = world.visit(&insured, 440_700, Two, &LUNG);
    let his = world.his(&visit.stay.fixmedins_code);
    for path in PATHS {
        let path = path.replace("医保", "%E5%8C%BB%E4%BF%9D");
        let message = visit.message("1101", &play::identify(&visit.stay)).to_string();
        let (status, bytes) = his.post(&path, &[], message.into()).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}");
        let answer = Answer::read(bytes).done();
        assert_eq!(answer.output()["baseinfo"]["psn_no"], visit.stay.psn_no.as_str(), "{path}");
    }
}

#[tokio::test]
async fn one_connection_carries_a_whole_stay_and_many_more_calls() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let visit = world.visit(&insured, 440_700, Two, &LUNG);
    let mut connection = world.line(&visit.stay.fixmedins_code).open().await.unwrap();
    for _ in 0..300 {
        let message = visit.message("1101", &play::identify(&visit.stay)).to_string();
        let (_, bytes) = connection.post("/callService", &[], message.into()).await.unwrap();
        Answer::read(bytes).done();
    }
    // A refusal does not end it.
    let (_, bytes) = connection.post("/callService", &[], "{".into()).await.unwrap();
    Answer::read(bytes).refused("malformed-message");
    let message = visit.message("2401", &play::admit(&visit.stay)).to_string();
    let (_, bytes) = connection.post("/callService", &[], message.into()).await.unwrap();
    Answer::read(bytes).done();
}

/// Clients write what they like there; only what is in a form that cannot be read is refused.
#[tokio::test]
async fn a_content_type_decides_nothing_as_long_as_the_body_is_json() {
    let world = World::start().await;
    let insured = world.insure(&EMPLOYEE).await;
    let visit = world.visit(&insured, 440_700, Two, &LUNG);
    let his = world.his(&visit.stay.fixmedins_code);
    let send = async |content_type: &str, body: String| {
        let headers = [("content-type", content_type), ("x-tif-serviceId", "1"), ("apikey", "x")];
        let (status, bytes) = his.post("/callService", &headers, body.into()).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{content_type}");
        Answer::read(bytes)
    };
    let message = || visit.message("1101", &play::identify(&visit.stay)).to_string();
    for content_type in [
        "application/json;charset=utf-8",
        "application/json; charset=GBK",
        "text/plain",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "json",
    ] {
        send(content_type, message()).await.done();
    }
    let form =
        format!("--x\r\ncontent-disposition: form-data; name=jsonStr\r\n\r\n{}\r\n--x--\r\n", message());
    send("multipart/form-data; boundary=x", form).await.refused("multipart-not-taken");
}
