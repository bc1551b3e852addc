//! Owns the bar that shows how far a long reading has come, where somebody looks.

use std::io;
use std::io::IsTerminal as _;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use crate::ledger::Progress;

/// Shows it while the work is done.
pub(super) fn watched<T>(progress: &Progress, work: impl FnOnce() -> T) -> T {
    const EVERY: Duration = Duration::from_millis(100);
    if !io::stderr().is_terminal() {
        return work();
    }
    let bar = indicatif::ProgressBar::new(0);
    if let Ok(style) =
        indicatif::ProgressStyle::with_template("{bar:30} {pos}/{len} records, {per_sec}, {eta} left")
    {
        bar.set_style(style);
    }
    let (ended, told) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while told.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                bar.set_length(progress.total.load(Ordering::Relaxed));
                bar.set_position(progress.done.load(Ordering::Relaxed));
            }
            bar.finish_and_clear();
        });
        let done = work();
        drop(ended);
        done
    })
}
