//! A node is killed with -9 while the other goes on.

use tokio::task::block_in_place;
use tokio::time::Instant;

use crate::province::Province;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_node_is_done_without_and_begins_again_in_a_lane_of_its_own() {
    let mut province = Province::start(1, |_| String::new()).await;
    province.insure(160).await;
    let work = province.hospitals.begin();
    province.hospitals.tally.until_done(&[0, 1], 5).await;
    let lanes = || province.cluster.query("SELECT COUNT(*) FROM lane").parse::<usize>().unwrap();
    let before = lanes();
    let killed = Instant::now();
    block_in_place(|| province.nodes[0].kill());
    province.hospitals.tally.until_done(&[1], 10).await;
    let other = province.hospitals.tally.back_after(&[1], killed).await;
    let restarted = Instant::now();
    block_in_place(|| province.nodes[0].run());
    let back = province.hospitals.tally.back_after(&[0], restarted).await;
    let stories = work.end().await;
    let after = province.cluster.query("SELECT COUNT(*) FROM lane").parse::<usize>().unwrap();
    assert_eq!(after, before + 1, "a lane of the node that was started again");
    province.stands_as_told(&stories).await;
    block_in_place(|| province.is_sound());
    println!(
        "a node killed: the other answered after {other:.0?}, itself {back:.0?} after its start: {}",
        province.hospitals.tally.counts()
    );
}
