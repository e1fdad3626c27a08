//! How a run says what must be true at its end, and whether it is.

use std::io::Write;
use std::process::ExitCode;

/// One thing that must be true.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What.
    pub claim: &'static str,
    /// How often it is not.
    pub exceptions: usize,
}

/// Prints each check, and fails when one of them does.
///
/// # Errors
/// When standard output is closed.
pub fn conclude(checks: &[Check]) -> anyhow::Result<ExitCode> {
    for check in checks {
        let word = if check.exceptions == 0 { "ok    " } else { "FAILED" };
        let count =
            if check.exceptions == 0 { String::new() } else { format!(" ({} exceptions)", check.exceptions) };
        say(&format!("  {word} {}{count}", check.claim))?;
    }
    let failed = checks.iter().filter(|check| check.exceptions > 0).count();
    say(&format!("{} passed, {failed} failed", checks.len() - failed))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line.
///
/// # Errors
/// When standard output is closed.
pub fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
