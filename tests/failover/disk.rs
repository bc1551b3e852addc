//! The disk of the server is full.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tokio::task::block_in_place;
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::province::Province;

/// Room for an empty server and some hundred stays.
const MEGABYTES: u64 = 192;

/// A disk of its own, of memory.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// `None` where this program may not mount one.
    fn mount() -> Option<SmallDisk> {
        let path = std::env::temp_dir().join(format!("banyan-disk-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let disk = SmallDisk { path };
        let size = format!("size={MEGABYTES}m,mode=755");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&disk.path);
        mount.output().is_ok_and(|done| done.status.success()).then_some(disk)
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// To the last byte.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let written = io::copy(&mut io::repeat(0).take(MEGABYTES << 20), &mut ballast);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ended = Command::new("umount").arg("--lazy").arg(&self.path).output();
        let _gone = fs::remove_dir(&self.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_a_full_disk_calls_are_told_to_come_again_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        return println!("left out: a disk cannot be mounted here");
    };
    let mut province = Province::start_on(|| Cluster::start_in(&disk.path, 1), |_| String::new()).await;
    let hospitals = Arc::clone(&province.hospitals);
    let tally = &hospitals.tally;
    province.insure(80).await;
    let (work, begun) = (hospitals.begin(), Instant::now());
    tally.until_done(&[0, 1], 5).await;
    disk.fill();
    let full = tally.counts();
    tally.until("told to come again", |now| (0..2).all(|node| now.again[node] >= full.again[node] + 4)).await;
    let freed = Instant::now();
    disk.free();
    block_in_place(|| province.cluster.bring_back_primary());
    let back = tally.back_after(&[0, 1], freed).await;
    let stories = work.end().await;
    province.stands_as_told(&stories).await;
    block_in_place(|| province.is_sound());
    println!(
        "a full disk: {}, slowest call {} ms; the nodes answered {back:.0?} after there was room",
        tally.counts(),
        tally.slowest_since(begun).as_millis()
    );
}
