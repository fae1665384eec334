//! Statements: what a text says about the outcome, piece by piece.
//!
//! A statement ends with a full stop, an exclamation mark, a question mark, a semicolon, a bracket or the line. What stands in
//! parentheses is a statement of its own, behind the line. Statements in a row of no more than one outcome each are one
//! statement: a list.

use crate::Outcome;

/// Words that deny the outcomes behind them up to the next comma or colon, as do words that end with `n't`.
const DENIALS: &str = "not no never neither nor cannot without nothing none hardly than instead opposed";

/// Words that end a denial: `not only positive`, `no doubt`, `not negative but positive`. So does `and`, if no outcome follows.
const ENDS_OF_DENIAL: &str = "but however only just doubt question so therefore thus hence";

/// Words between outcomes that make a choice of them. So do numbers.
const JOINERS: &str = "or and to vs versus a an the either both between";

/// Words before the outcome that is meant, as are those that end with `'s`; a word of degree may stand between.
const COPULAS: &str = "is was as overall";
const DEGREES: &str = "a an quite rather very";

/// Words in whose clause no outcome is meant.
const HEDGES: &str = "could might may if whether";

/// Words that announce the outcome that is meant.
const ANNOUNCEMENTS: &str =
    "answer sentiment classification classified classify category label overall verdict conclusion";

/// How much a statement counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// It gives an outcome and nothing else, or announces it.
    Verdict,
    /// It names an outcome in passing.
    Remark,
    /// It asks.
    Question,
}

/// A piece of a text.
#[derive(Default)]
pub(crate) struct Statement<'t> {
    words: Vec<Word<'t>>,
    is_question: bool,
    /// Whether it is, or can be, part of a list.
    is_item: bool,
}

struct Word<'t> {
    text: &'t [u8],
    /// The mark before it.
    mark: Option<Mark>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A comma or a dash.
    Comma,
    /// A colon or an equals sign.
    Colon,
}

/// What a statement names.
#[derive(Default)]
struct Named {
    affirmed: Vec<Choice>,
    /// In the order of [`Outcome::ALL`].
    denied: [bool; Outcome::ALL.len()],
}

/// One outcome, or several to choose from.
struct Choice {
    /// The index of its first word, and the one behind its last.
    start: usize,
    end: usize,
    /// `None` for several.
    outcome: Option<Outcome>,
}

/// Adds the statements of a line in plain letters, see [`plain`](crate::completion::plain).
pub(crate) fn add_line<'t>(statements: &mut Vec<Statement<'t>>, line: &'t [u8]) {
    for in_parentheses in [false, true] {
        let mut statement = Statement::default();
        let (mut mark, mut start, mut depth) = (None, None, 0_u32);
        for (at, byte) in line.iter().chain(b"\n").enumerate() {
            let counts = (depth > 0) == in_parentheses;
            if counts && is_in_word(*byte) {
                start.get_or_insert(at);
                continue;
            }
            if let Some(text) = start.take().and_then(|start| line.get(start..at)) {
                match trimmed(text) {
                    // A hyphen between spaces is a dash.
                    b"" => mark = Some(Mark::Comma),
                    text => statement.words.push(Word { text, mark: mark.take() }),
                }
            }
            match byte {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ if !counts => {}
                b':' | b'=' => mark = Some(Mark::Colon),
                b',' => mark = Some(Mark::Comma),
                b'.' | b'!' | b'?' | b';' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' => {
                    statement.is_question = *byte == b'?';
                    std::mem::take(&mut statement).end(statements);
                    mark = None;
                }
                _ => {}
            }
        }
        statement.end(statements);
    }
}

impl<'t> Statement<'t> {
    /// Adds the statement, which is complete, to those before it.
    fn end(mut self, statements: &mut Vec<Self>) {
        let is_one = |choice: &Choice| choice.outcome.is_some();
        self.is_item = !self.is_question && self.is_bare() && self.named().affirmed.iter().all(is_one);
        match statements.last_mut() {
            _ if self.words.is_empty() => {}
            Some(list) if list.is_item && self.is_item => {
                let items = self.words.into_iter();
                list.words.extend(items.map(|word| Word { mark: word.mark.or(Some(Mark::Comma)), ..word }));
            }
            _ => statements.push(self),
        }
    }

    /// The outcome that it gives, and how much that counts.
    pub(crate) fn read(&self) -> Option<(Rank, Outcome)> {
        let Named { affirmed, denied } = self.named();
        let meant = || affirmed.iter().filter(|choice| self.is_meant(choice));
        let outcome = single(affirmed.iter()).or_else(|| single(meant()));
        let is_neither = affirmed.is_empty()
            && matches!(denied, [true, false, true, _])
            && self.words.iter().any(|word| word.is("neither"));
        let outcome = outcome.or_else(|| is_neither.then_some(Outcome::Neutral))?;
        let is_announced = |choice: &Choice| {
            let mut clause = self.clause_before(choice).iter();
            choice.outcome == Some(outcome) && clause.any(|word| word.is_one_of(ANNOUNCEMENTS))
        };
        let rank = if self.is_question {
            Rank::Question
        } else if self.is_bare() || meant().any(is_announced) {
            Rank::Verdict
        } else {
            Rank::Remark
        };
        Some((rank, outcome))
    }

    fn named(&self) -> Named {
        let mut named = Named::default();
        let mut denies = false;
        for (at, word) in self.words.iter().enumerate() {
            denies &= word.mark.is_none();
            if word.is_one_of(DENIALS) || word.ends_with("n't") {
                denies = true;
            } else if word.is_one_of(ENDS_OF_DENIAL) || (word.is("and") && !self.is_outcome(at + 1)) {
                denies = false;
            } else if let Some(outcome) = outcome(word.text) {
                if denies {
                    named.denied[outcome as usize] = true;
                } else {
                    self.affirm(&mut named.affirmed, at, outcome);
                }
            }
        }
        named
    }

    /// Adds an outcome to the choice before it, or as a choice of its own.
    fn affirm(&self, affirmed: &mut Vec<Choice>, at: usize, outcome: Outcome) {
        let is_announced = self.words[at].mark == Some(Mark::Colon);
        let end = at + 1;
        match affirmed.last_mut() {
            Some(last) if !is_announced && self.words[last.end..at].iter().all(Word::is_joiner) => {
                last.outcome = last.outcome.filter(|known| *known == outcome);
                last.end = end;
            }
            _ => affirmed.push(Choice { start: at, end, outcome: Some(outcome) }),
        }
    }

    /// Whether it is said to be so, where other outcomes are named in passing.
    fn is_meant(&self, choice: &Choice) -> bool {
        let is_answer = choice.start == 0 || self.words[choice.start].mark == Some(Mark::Colon);
        let ends_clause = self.words.get(choice.end).is_none_or(|next| next.mark.is_some());
        if is_answer && ends_clause {
            return true;
        }
        let clause = self.clause_before(choice);
        let mut backwards =
            clause.iter().rev().skip_while(|word| word.is_one_of(DEGREES) || word.ends_with("ly"));
        self.words[choice.start].mark.is_none()
            && backwards.next().is_some_and(|word| word.is_one_of(COPULAS) || word.ends_with("'s"))
            && !clause.iter().any(|word| word.is_one_of(HEDGES))
    }

    /// The words before a choice since the last mark, one right before it not counted.
    fn clause_before(&self, choice: &Choice) -> &[Word<'t>] {
        let before = &self.words[..choice.start];
        &before[before.iter().rposition(|word| word.mark.is_some()).unwrap_or(0)..]
    }

    /// Whether it is nothing but outcomes.
    fn is_bare(&self) -> bool {
        (0..self.words.len()).all(|at| self.words[at].is_joiner() || self.is_outcome(at))
    }

    fn is_outcome(&self, at: usize) -> bool {
        self.words.get(at).is_some_and(|word| outcome(word.text).is_some())
    }
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        self.text == word.as_bytes()
    }

    fn is_one_of(&self, words: &str) -> bool {
        words.as_bytes().split(|byte| *byte == b' ').any(|word| word == self.text)
    }

    fn ends_with(&self, end: &str) -> bool {
        self.text.ends_with(end.as_bytes())
    }

    fn is_joiner(&self) -> bool {
        self.is_one_of(JOINERS) || self.text.iter().all(u8::is_ascii_digit)
    }
}

/// The outcome of this name.
pub(crate) fn outcome(name: &[u8]) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str().as_bytes() == name)
}

/// The outcome of those choices that have one, if it is the same in all.
fn single<'c>(choices: impl Iterator<Item = &'c Choice>) -> Option<Outcome> {
    let mut outcomes = choices.filter_map(|choice| choice.outcome);
    let first = outcomes.next()?;
    outcomes.all(|outcome| outcome == first).then_some(first)
}

/// What words consist of: letters and digits, with the hyphens and apostrophes between them. Dashes part words.
fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'\'')
}

/// A word without hyphens and apostrophes around it.
fn trimmed(mut word: &[u8]) -> &[u8] {
    while let [b'-' | b'\'', rest @ ..] | [rest @ .., b'-' | b'\''] = word {
        word = rest;
    }
    word
}
