//! Signals: the first one ends a run at its next step, with everything saved; one that comes later ends it at once.

use super::terminal::Terminal;
use signal_hook::consts::TERM_SIGNALS;
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The first signal that came; 0 before.
static CAUGHT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Terminals send an interrupt to a whole group of processes, and shells pass it on: two within this time are one.
const TOGETHER: Duration = Duration::from_secs(1);

/// Catches signals from now on.
pub fn catch(terminal: &Terminal) {
    let caught = CAUGHT.get_or_init(Arc::default).clone();
    let impatient = Arc::new(AtomicBool::new(false));
    let mut signals = TERM_SIGNALS.to_vec();
    // A closed terminal.
    #[cfg(unix)]
    signals.push(signal_hook::consts::SIGHUP);
    for signal in signals {
        // Where a signal cannot be caught, it does what it always does.
        _ = flag::register_conditional_shutdown(signal, 128 + signal, impatient.clone());
        _ = flag::register_usize(signal, caught.clone(), signal as usize);
    }
    let loud = !terminal.quiet && !terminal.json;
    std::thread::spawn(move || {
        while caught.load(Ordering::Relaxed) == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        if loud {
            use std::io::Write;
            // Nobody can be told that stderr is closed.
            _ = writeln!(
                std::io::stderr(),
                "\nstopping after this step; everything is saved. Once more stops at once."
            );
        }
        std::thread::sleep(TOGETHER);
        impatient.store(true, Ordering::Relaxed);
    });
}

/// The first signal that came.
pub fn caught() -> Option<u8> {
    let signal = CAUGHT.get().map_or(0, |caught| caught.load(Ordering::Relaxed));
    (signal > 0).then_some(signal as u8)
}
