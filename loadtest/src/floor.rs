//! Owns the opponent named *floor*: it reads the body and gives a fixed answer.
//!
//! What it reaches is what the machine allows for bodies of these sizes; nothing that decides or remembers can be faster.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use bytes::Bytes;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::opponent::Opponent;
use crate::step::Step;

/// Answers by step, as a gateway gave them once. A call that was never answered has none.
#[derive(Debug, Default)]
pub struct Answers([Bytes; Step::ALL.len()]);

impl Answers {
    /// Writes an answer where the opponent finds it.
    pub fn write(folder: &Path, step: Step, answer: &[u8]) -> Result<(), Failed> {
        fs::write(file(folder, step), answer).map_err(cannot("write an answer of the floor"))
    }

    pub fn read(folder: &Path) -> Result<Answers, Failed> {
        let mut answers = Answers::default();
        for (step, answer) in Step::ALL.into_iter().zip(&mut answers.0) {
            let file = file(folder, step);
            if file.exists() {
                *answer = fs::read(file).map_err(cannot("read an answer of the floor"))?.into();
            }
        }
        Ok(answers)
    }

    pub fn of(&self, path: &str) -> Bytes {
        let at = Step::ALL.into_iter().position(|step| Some(step) == Step::of_path(path));
        at.map_or_else(Bytes::new, |at| self.0[at].clone())
    }
}

fn file(folder: &Path, step: Step) -> PathBuf {
    folder.join(format!("{}.json", step.infno()))
}

impl Opponent for Answers {
    async fn answer(&self, path: &str, _body: Bytes) -> Bytes {
        self.of(path)
    }
}
