//! Owns how a deed with keys is told before it is done, and confirmed.

use crate::command::Console;
use crate::command::keys::Confirmed;

/// What will be done, a line a sentence.
pub struct Plan(Vec<String>);

impl Plan {
    pub fn new(line: impl Into<String>) -> Plan {
        Plan(vec![line.into()])
    }

    pub fn and(mut self, line: impl Into<String>) -> Plan {
        self.0.push(line.into());
        self
    }

    /// Tells it and gives whether it shall be done.
    pub fn confirm(&self, confirmed: Confirmed, console: &mut Console) -> bool {
        self.asked("Do it? [y/N]", |answer| matches!(answer, "y" | "Y" | "yes" | "是"), confirmed, console)
    }

    /// For what cannot be taken back: the word must be typed.
    pub fn confirm_by_typing(&self, word: &str, confirmed: Confirmed, console: &mut Console) -> bool {
        let question = format!("This cannot be taken back. Type {word} to do it:");
        self.asked(&question, |answer| answer == word, confirmed, console)
    }

    fn asked(
        &self,
        question: &str,
        is_yes: impl Fn(&str) -> bool,
        confirmed: Confirmed,
        console: &mut Console,
    ) -> bool {
        self.0.iter().for_each(|line| console.tell(line));
        if confirmed.yes {
            return true;
        }
        console.tell(question);
        let yes = console.hear().is_some_and(|answer| is_yes(&answer));
        if !yes {
            console.tell("Not confirmed, nothing was changed. Scripts confirm with --yes.");
        }
        yes
    }
}
