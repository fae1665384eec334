//! One sentence at a time. Nothing says which prompt answered what, or which is ahead.

use std::collections::HashSet;

use anstyle::{AnsiColor, Style};
use dialoguer::console::{Term, measure_text_width, truncate_str};
use experiment::journal::{Evidence, Given, Standing};
use experiment::numbers::{count, counted};
use sentiment::Outcome;

use super::journal::AppJournal;
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
pub(super) fn waiting(journal: &AppJournal, who: &str, printer: Printer) -> anyhow::Result<()> {
    let ended = Session::new(journal, who, printer).run(|evidence, _| {
        let sentence = journal.queue(evidence, &mut rand::rng())?.next(&mut rand::rng());
        Ok(sentence.map(|sentence| Shown { sentence, opinions: String::new() }))
    })?;
    let Standing { disputed, .. } = ended.standing();
    if !journal.compares() {
        printer.message("All variants have the same prompt, so there is nothing to compare.");
    } else if journal.queue(&ended, &mut rand::rng())?.is_empty() {
        printer.message(format_args!(
            "Nothing to annotate. Sentences are queued once all prompts have answered them: the variable `shadow` sets the \
             share of new ones, and `{} backfill` asks about those already stored.",
            program()
        ));
    }
    if disputed > 0 {
        printer.message(format_args!(
            "Annotators disagree on {}: `{} annotate --disputed` shows them.",
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
pub(super) fn disputed(journal: &AppJournal, who: &str, printer: Printer) -> anyhow::Result<()> {
    let ended = Session::new(journal, who, printer).run(|evidence, seen| {
        let dispute = evidence.disputes().find(|it| !seen.contains(&it.draw.sentence));
        Ok(dispute.map(|dispute| Shown {
            sentence: dispute.draw.sentence.clone(),
            opinions: opinions(&dispute.given),
        }))
    })?;
    printer.message(match ended.standing().disputed {
        0 => "Annotators agree on all sentences.".to_owned(),
        left => format!("Annotators still disagree on {}.", counted(left, "sentence")),
    });
    Ok(())
}

/// What people say about a sentence: `ada positive, bob negative`.
pub(super) fn opinions<'g>(given: impl IntoIterator<Item = (&'g String, &'g Given)>) -> String {
    let opinion = |(who, given): (&String, &Given)| {
        format!("{} {}", without_control_characters(who), given.expected.as_deref().unwrap_or(CANNOT_TELL))
    };
    given.into_iter().map(opinion).collect::<Vec<_>>().join(", ")
}

/// How it is called when a person cannot tell.
pub(super) const CANNOT_TELL: &str = "cannot tell";

/// A sentence to annotate, with what people say about it already, which may be nothing.
#[derive(Clone)]
struct Shown {
    sentence: String,
    opinions: String,
}

struct Session<'a> {
    journal: &'a AppJournal,
    who: &'a str,
    keys: Keys,
    printer: Printer,
    /// What `u` takes back: each sentence, with what the person had said about it before.
    said: Vec<(Shown, Option<Given>)>,
    /// The sentences that had their turn.
    seen: HashSet<String>,
}

impl<'a> Session<'a> {
    fn new(journal: &'a AppJournal, who: &'a str, printer: Printer) -> Self {
        let keys = Keys::of_standard_input();
        Self { journal, who, keys, printer, said: Vec::new(), seen: HashSet::new() }
    }

    /// Shows what `next` finds, until there is nothing or the person leaves, and gives what people have said by then.
    fn run(
        mut self,
        next: impl Fn(&Evidence, &HashSet<String>) -> anyhow::Result<Option<Shown>>,
    ) -> anyhow::Result<Evidence> {
        let mut again = None;
        let mut told_so = false;
        loop {
            let evidence = self.journal.evidence()?;
            let standing = evidence.standing();
            if standing.decided && !told_so {
                told_so = true;
                let program = program();
                self.printer
                    .message(format_args!("Decided: `{program} report` says which prompt is better."));
            }
            let shown = match again.take() {
                Some(shown) => Some(shown),
                None => next(&evidence, &self.seen)?,
            };
            if shown.is_none() && self.said.is_empty() {
                self.printer.message(told(&standing));
                return Ok(evidence);
            }
            let lines = self.show(shown.as_ref(), &standing);
            let key = self.keys.next();
            self.clear(lines);
            match (key?, shown) {
                (Key::Undo, shown) => again = self.undo()?.or(shown),
                (Key::Say(expected), Some(shown)) => {
                    let kept = self.journal.say(&shown.sentence, self.who, expected)?;
                    self.note(expected, &shown.sentence);
                    self.seen.insert(shown.sentence.clone());
                    self.said.push((shown, kept.before));
                }
                // A key too many.
                (Key::Say(_), None) if self.keys.terminal().is_some() => {}
                (Key::Quit | Key::Say(_), _) => {
                    self.printer.message(told(&standing));
                    return Ok(evidence);
                }
            }
        }
    }

    /// Takes the last one back, if there is one.
    fn undo(&mut self) -> anyhow::Result<Option<Shown>> {
        let Some((shown, before)) = self.said.pop() else { return Ok(None) };
        self.journal.undo(&shown.sentence, self.who, before.as_ref())?;
        self.seen.remove(&shown.sentence);
        if self.keys.terminal().is_some() {
            // Its line stands right above.
            self.clear(1);
        } else {
            self.line("undone", &shown.sentence, ASIDE);
        }
        Ok(Some(shown))
    }

    /// Shows a sentence to a person at a terminal, or that none is left, and says on how many lines.
    fn show(&self, shown: Option<&Shown>, standing: &Standing) -> usize {
        let Some(term) = self.keys.terminal() else { return 0 };
        let keys = if shown.is_some() { keys::ALL } else { keys::AT_THE_END };
        let sentence = shown.map_or_else(
            || "That was the last one.".to_owned(),
            |shown| without_control_characters(&shown.sentence),
        );
        let mut lines = vec![String::new(), format!("  {SENTENCE}{sentence}{SENTENCE:#}")];
        let opinions = shown.map(|shown| &shown.opinions).filter(|opinions| !opinions.is_empty());
        lines.extend(opinions.map(|opinions| format!("  {ASIDE}{opinions}{ASIDE:#}")));
        lines.extend([String::new(), format!("  {ASIDE}{keys}  ·  {}{ASIDE:#}", told(standing))]);
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
