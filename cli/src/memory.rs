//! How much memory this process has held at most.

/// The peak in bytes, where the operating system tells (Linux).
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The peak for people: `, at most 120 MB of memory`; nothing where it is not known.
pub fn shown() -> String {
    peak().map(|bytes| format!(", at most {} MB of memory", bytes / 1_000_000)).unwrap_or_default()
}
