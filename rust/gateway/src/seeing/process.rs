//! What the process itself uses, read from Linux when somebody asks.

use std::fs;

/// Ticks of /proc in a second: 100 on every platform that Rust has for Linux (`USER_HZ` in the kernel).
const TICKS: f64 = 100.0;

/// What is known; anything may be missing where there is no /proc.
#[derive(Debug, Default, PartialEq)]
pub struct Process {
    pub cpu_seconds: Option<f64>,
    pub threads: Option<f64>,
    pub resident_bytes: Option<f64>,
    pub virtual_bytes: Option<f64>,
    pub open_files: Option<f64>,
    pub most_open_files: Option<f64>,
    pub start_seconds: Option<f64>,
}

impl Process {
    pub fn now() -> Self {
        let text = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).ok();
        let status = text("status");
        let line = |name: &str| {
            let line = status.as_deref()?.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        let times = text("stat").as_deref().and_then(times);
        // The directory that is being read is open as well.
        let open = fs::read_dir("/proc/self/fd").ok();
        Self {
            cpu_seconds: times.map(|(cpu, _)| cpu),
            threads: line("Threads:"),
            resident_bytes: line("VmRSS:").map(|kilobytes| kilobytes * 1024.0),
            virtual_bytes: line("VmSize:").map(|kilobytes| kilobytes * 1024.0),
            open_files: open.map(|entries| entries.count().saturating_sub(1) as f64),
            most_open_files: text("limits").as_deref().and_then(most_open_files),
            start_seconds: times.and_then(|(_, since_boot)| Some(booted()? + since_boot)),
        }
    }
}

/// CPU seconds, and seconds from boot to the start of the process, from /proc/self/stat (proc_pid_stat(5)).
fn times(stat: &str) -> Option<(f64, f64)> {
    // The name of the program may hold anything, but ends with the last bracket; field 3 follows.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some(((ticks(14)? + ticks(15)?) / TICKS, ticks(22)? / TICKS))
}

fn most_open_files(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Seconds from 1970 to boot.
fn booted() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_hides_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 3 0 1200 9 9";
        assert_eq!(times(stat), Some((3.0, 12.0)));
        assert_eq!(times("7 (a"), None);
    }

    #[test]
    fn this_process_has_memory_and_open_files() {
        let process = Process::now();
        assert!(process.resident_bytes > Some(100_000.0));
        assert!(process.open_files > Some(0.0) && process.most_open_files > process.open_files);
    }
}
