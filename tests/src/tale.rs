//! How a story is told: numbered steps, what came of each below it, in colour where a person is looking.

use std::io::{IsTerminal, Write, stdout};

/// A story while it is told. A copy tells on, from where it was made.
#[derive(Debug, Clone)]
pub struct Tale {
    colour: bool,
    number: u32,
    title: String,
}

impl Tale {
    /// A story on standard output.
    pub fn begin() -> Self {
        Self { colour: stdout().is_terminal(), number: 0, title: "before the first step".to_owned() }
    }

    /// Begins a chapter.
    pub fn chapter(&self, title: &str) {
        self.line(&format!("\n{}", self.painted("1;36", title)));
    }

    /// Begins the next step: who does what.
    pub fn step(&mut self, title: impl Into<String>) {
        self.number += 1;
        self.title = title.into();
        self.line(&format!("{} {}", self.painted("1", &format!("{:>3}.", self.number)), self.title));
    }

    /// Tells what came of it.
    pub fn saw(&self, what: impl AsRef<str>) {
        self.line(&self.painted("2", &format!("     {}", what.as_ref())));
    }

    /// The step that is under way: `step 7, "the moderator approves it"`.
    pub fn place(&self) -> String {
        format!("step {}, \"{}\"", self.number, self.title)
    }

    /// How many steps were told.
    pub fn steps(&self) -> u32 {
        self.number
    }

    fn painted(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A listener who went away does not end the story.
    fn line(&self, text: &str) {
        let _ = writeln!(stdout(), "{text}");
    }
}
