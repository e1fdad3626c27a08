//! How much memory something takes at its height.

/// The process's resident memory, watched from a moment on. Other tests in the same process count too, so a test that
/// uses it wants a process of its own, as nextest gives it.
#[derive(Debug)]
pub struct PeakMemory {
    before: u64,
}

impl PeakMemory {
    /// Watches from now on: the mark of the kernel is put back to what is resident (proc(5), `clear_refs`).
    pub fn watch() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self { before: high_water() }
    }

    /// By how many MiB the resident memory grew at its height.
    pub fn grown_mib(&self) -> u64 {
        high_water().saturating_sub(self.before) / 1024
    }
}

/// `VmHWM` in KiB.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
