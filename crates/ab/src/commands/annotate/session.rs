//! One sentence at a time. Nothing says which prompt answered what, or which is ahead.

use std::collections::HashSet;

use anstyle::{AnsiColor, Style};
use dialoguer::console::{Term, measure_text_width, truncate_str};
use experiment::journal::{Given, Standing};
use experiment::numbers::{count, counted};
use sentiment::Outcome;

use super::journal::{Journal, State};
use super::keys::{self, Key, Keys};
use crate::terminal::{Printer, program, without_control_characters};

const SENTENCE: Style = Style::new().bold();
const ASIDE: Style = Style::new().dimmed();

/// How wide what was said stands before its sentence.
const SAID: usize = 11;

/// The sentences that wait, until none is left or the person leaves.
///
/// # Errors
///
/// The journal cannot be read or written, or the person broke off.
pub(super) fn waiting(journal: &Journal, who: &str, printer: Printer) -> anyhow::Result<()> {
    let ended = Session::new(journal, who, printer).run(|state, _| {
        let sentence = state.queue(&mut rand::rng()).next(&mut rand::rng())?;
        Some(Shown { sentence, opinions: String::new() })
    })?;
    let Standing { disputed, .. } = ended.evidence.standing();
    if !journal.compares() {
        printer.message("All variants have the same prompt, so there is nothing to compare.");
    } else if ended.queue(&mut rand::rng()).is_empty() {
        printer.message(format_args!(
            "Nothing waits to be annotated. Sentences do once all prompts have answered them: the variable `shadow` says how many new \
             ones do, and `{} backfill` asks about those that are there.",
            program()
        ));
    }
    if disputed > 0 {
        printer.message(format_args!(
            "People disagree on {}: `{} annotate --disputed` shows them.",
            counted(disputed, "sentence"),
            program()
        ));
    }
    Ok(())
}

/// The sentences of which people say different things, once each, with what they say.
///
/// # Errors
///
/// The journal cannot be read or written, or the person broke off.
pub(super) fn disputed(journal: &Journal, who: &str, printer: Printer) -> anyhow::Result<()> {
    let ended = Session::new(journal, who, printer).run(|state, seen| {
        let disputes = state.evidence.disputes();
        let dispute = disputes.into_iter().find(|it| !seen.contains(&it.draw.sentence))?;
        Some(Shown { sentence: dispute.draw.sentence.clone(), opinions: opinions(&dispute.given) })
    })?;
    printer.message(match ended.evidence.standing().disputed {
        0 => "People agree on all sentences.".to_owned(),
        left => format!("People still disagree on {}.", counted(left, "sentence")),
    });
    Ok(())
}

/// What people say of a sentence: `ada positive, bob negative`.
pub(super) fn opinions<'g>(given: impl IntoIterator<Item = (&'g String, &'g Given)>) -> String {
    let opinion = |(who, given): (&String, &Given)| {
        format!("{} {}", without_control_characters(who), given.expected.as_deref().unwrap_or(CANNOT_TELL))
    };
    given.into_iter().map(opinion).collect::<Vec<_>>().join(", ")
}

/// How it is called when a person cannot tell.
pub(super) const CANNOT_TELL: &str = "cannot tell";

/// A sentence to annotate, with what people say of it already, which may be nothing.
#[derive(Clone)]
struct Shown {
    sentence: String,
    opinions: String,
}

struct Session<'a> {
    journal: &'a Journal,
    who: &'a str,
    keys: Keys,
    printer: Printer,
    /// What `u` takes back: each sentence, with what the person had said of it before.
    said: Vec<(Shown, Option<Given>)>,
    /// The sentences that had their turn.
    seen: HashSet<String>,
}

impl<'a> Session<'a> {
    fn new(journal: &'a Journal, who: &'a str, printer: Printer) -> Self {
        let keys = Keys::of_standard_input();
        Self { journal, who, keys, printer, said: Vec::new(), seen: HashSet::new() }
    }

    /// Shows what `next` finds, until there is nothing, and gives what the journal holds then.
    fn run(mut self, next: impl Fn(&State, &HashSet<String>) -> Option<Shown>) -> anyhow::Result<State> {
        let mut again = None;
        let mut decided = false;
        loop {
            let state = self.journal.read()?;
            let standing = state.evidence.standing();
            if standing.decided && !decided {
                self.printer
                    .message(format_args!("Decided: `{} report` says which prompt is better.", program()));
            }
            decided = standing.decided;
            let shown = again.take().or_else(|| next(&state, &self.seen));
            let Some(shown) = shown else {
                self.printer.message(told(&standing));
                return Ok(state);
            };
            let lines = self.show(&shown, &standing);
            let key = self.keys.next();
            self.clear(lines);
            match key? {
                Key::Quit => {
                    self.printer.message(told(&standing));
                    return Ok(state);
                }
                Key::Undo => again = Some(self.undo(&state)?.unwrap_or(shown)),
                Key::Say(expected) => {
                    let kept = self.journal.say(&state, &shown.sentence, self.who, expected)?;
                    self.note(expected, &shown.sentence);
                    self.seen.insert(shown.sentence.clone());
                    self.said.push((shown, kept.before));
                }
            }
        }
    }

    /// Takes the last one back, if there is one.
    fn undo(&mut self, state: &State) -> anyhow::Result<Option<Shown>> {
        let Some((shown, before)) = self.said.pop() else { return Ok(None) };
        self.journal.undo(state, &shown.sentence, self.who, before.as_ref())?;
        self.seen.remove(&shown.sentence);
        if self.keys.terminal().is_some() {
            // Its line stands right above.
            self.clear(1);
        } else {
            self.line("undone", &shown.sentence, ASIDE);
        }
        Ok(Some(shown))
    }

    /// Shows a sentence to a person at a terminal, and says on how many lines.
    fn show(&self, shown: &Shown, standing: &Standing) -> usize {
        let Some(term) = self.keys.terminal() else { return 0 };
        let sentence = without_control_characters(&shown.sentence);
        let mut lines = vec![String::new(), format!("  {SENTENCE}{sentence}{SENTENCE:#}")];
        if !shown.opinions.is_empty() {
            lines.push(format!("  {ASIDE}{}{ASIDE:#}", shown.opinions));
        }
        lines.extend([String::new(), format!("  {ASIDE}{}  ·  {}{ASIDE:#}", keys::ALL, told(standing))]);
        self.printer.message(lines.join("\n"));
        let columns = usize::from(term.size().1).max(1);
        lines.iter().map(|line| measure_text_width(line).div_ceil(columns).max(1)).sum()
    }

    fn clear(&self, lines: usize) {
        // A terminal that keeps them is none the worse.
        let _ = self.keys.terminal().map(|term: &Term| term.clear_last_lines(lines));
    }

    fn note(&self, expected: Option<Outcome>, sentence: &str) {
        let colour = match expected {
            Some(Outcome::Positive) => AnsiColor::Green,
            Some(Outcome::Negative) => AnsiColor::Red,
            Some(_) => AnsiColor::Blue,
            None => AnsiColor::Yellow,
        };
        self.line(expected.map_or(CANNOT_TELL, Outcome::as_str), sentence, colour.on_default());
    }

    fn line(&self, said: &str, sentence: &str, style: Style) {
        let sentence = without_control_characters(sentence);
        let sentence = match self.keys.terminal() {
            Some(term) => {
                let room = usize::from(term.size().1).saturating_sub(SAID + 3);
                truncate_str(&sentence, room, "…").into_owned()
            }
            None => sentence,
        };
        self.printer.message(format_args!("{style}{said:SAID$}{style:#}  {sentence}"));
    }
}

/// How far the annotating has come.
fn told(standing: &Standing) -> String {
    let done = format!("{} annotated", count(standing.annotated));
    match standing.about_needed {
        _ if standing.decided => format!("{done}, decided"),
        Some(needed) => format!("{done}, about {} more to decide", count(needed)),
        None => done,
    }
}
