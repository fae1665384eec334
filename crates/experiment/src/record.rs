//! One observation: the outcome of one inference, as a store keeps it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    marker::PhantomData,
    time::{Duration, SystemTime},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess},
    ser::SerializeMap,
};

use crate::{key::Key, prompt::Fingerprint, vote::Votes, writes::Writes};

/// What an experiment asks a model for, and what a person may say would have been right.
pub trait Answer: DeserializeOwned + Serialize {
    /// The name of the record's field that holds the answer; none of the other fields' names.
    const FIELD: &'static str = "answer";

    /// Whether the answer may be served again. One that says "the model did not tell" is recorded, but the next request
    /// asks the model again.
    fn is_conclusive(&self) -> bool {
        true
    }
}

/// The outcome of one inference and what it came from, kept under the sentence's [`Key`].
///
/// As JSON, with the answer under [`Answer::FIELD`]:
///
/// ```json
/// {"sentiment": "positive", "prompt": "0123456789ab", "model": "llama2-chat", "at": "2026-07-31T12:34:56.789Z",
///  "elapsed_ms": 210, "prompt_tokens": 96, "generated_tokens": 3, "votes": {"0123456789ab": "neutral"},
///  "sentence": "prompt", "writes": ["89abcdef"]}
/// ```
///
/// Fields that it does not know are ignored, and of the known ones only the answer, `prompt` and `model` have to be there,
/// so that other versions of an app can share a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record<A> {
    /// What was read out of the completion.
    pub answer: A,
    /// What the same prompt and model had answered at first, where that was asked again. It is what counts where prompts are compared:
    /// otherwise a prompt that leaves the model unsure would have more tries than another.
    pub at_first: Option<A>,
    /// The fingerprint of the prompt.
    pub prompt: Fingerprint,
    /// The model, by the name that the app calls it.
    pub model: String,
    /// When the answer came: RFC 3339 in UTC with milliseconds, so that the order of texts is that of times.
    pub at: String,
    /// How long the inference took, in milliseconds.
    pub elapsed_ms: u64,
    /// Tokens in the rendered prompt, as the model counted them; 0 where it did not say.
    pub prompt_tokens: u32,
    /// Tokens that the model generated; 0 where it did not say.
    pub generated_tokens: u32,
    /// What somebody said would have been right when a record had one vote, of anybody: nobody knows whose it is, so nobody can change it.
    pub expected: Option<A>,
    /// What visitors say would have been right. That belongs to the sentence, so it outlives a change of the prompt.
    pub votes: Votes<A>,
    /// The sentence, where the key does not show it.
    pub sentence: Option<String>,
    /// Who wrote it, where the store does not say whether a write was made.
    pub writes: Writes,
}

impl<A: Answer> Record<A> {
    /// A new observation of the sentence that `key` stands for, of the model and the prompt named.
    pub fn new(key: &Key, answer: A, prompt: Fingerprint, model: impl Into<String>) -> Self {
        Self {
            answer,
            at_first: None,
            prompt,
            model: model.into(),
            at: String::new(),
            elapsed_ms: 0,
            prompt_tokens: 0,
            generated_tokens: 0,
            expected: None,
            votes: Votes::default(),
            sentence: key.hidden_sentence().map(str::to_owned),
            writes: Writes::default(),
        }
    }

    /// The same, with when the answer came and how long the inference took.
    #[must_use]
    pub fn timed(mut self, at: SystemTime, elapsed: Duration) -> Self {
        self.at = timestamp(at);
        self.elapsed_ms = elapsed.as_millis().try_into().unwrap_or(u64::MAX);
        self
    }

    /// The same, with the model's count of tokens.
    #[must_use]
    pub const fn with_tokens(mut self, prompt: u32, generated: u32) -> Self {
        self.prompt_tokens = prompt;
        self.generated_tokens = generated;
        self
    }

    /// The same, with a vote of unknown origin.
    #[must_use]
    pub fn with_expected(mut self, expected: Option<A>) -> Self {
        self.expected = expected;
        self
    }

    /// Takes over what visitors have said about the sentence, and who wrote, from the record whose place this one takes.
    pub fn keep_votes_of(&mut self, other: &Self)
    where
        A: Clone,
    {
        self.expected.clone_from(&other.expected);
        self.votes.clone_from(&other.votes);
        self.writes.clone_from(&other.writes);
    }

    /// All votes: what would have been right, by each.
    pub fn said(&self) -> impl Iterator<Item = &A> {
        self.expected.iter().chain(self.votes.iter())
    }

    /// Remembers what the record said at first whose place this one takes, if it is of the same prompt and model.
    pub fn keep_first_of(&mut self, other: &Self)
    where
        A: Clone,
    {
        if other.is_of(self.prompt, &self.model) {
            self.at_first = Some(other.first().clone());
        }
    }

    /// The first answer of its prompt and model.
    pub fn first(&self) -> &A {
        self.at_first.as_ref().unwrap_or(&self.answer)
    }

    /// The record that a store holds; `None` for any other value, which is not an observation of any prompt.
    pub fn from_json(value: &[u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// Whether a value has the answer's field but is not a record: an answer that an app without experiments has kept.
    #[expect(clippy::zero_sized_map_values, reason = "serde reads no set from an object")]
    pub fn is_answer_alone(value: &[u8]) -> bool {
        let fields: Result<BTreeMap<Cow<'_, str>, IgnoredAny>, _> = serde_json::from_slice(value);
        fields.is_ok_and(|fields| fields.contains_key(A::FIELD))
    }

    /// The value to keep.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Whether it is an observation of this prompt and this model.
    pub fn is_of(&self, prompt: Fingerprint, model: &str) -> bool {
        self.prompt == prompt && self.model == model
    }

    /// Whether it may be served instead of asking this model with this prompt.
    pub fn answers(&self, prompt: Fingerprint, model: &str) -> bool {
        self.is_of(prompt, model) && self.answer.is_conclusive()
    }
}

/// A point in time as records have it: RFC 3339 in UTC with milliseconds. A time before 1970 counts as its first moment, and one after
/// the year 9999 as its last.
pub fn timestamp(time: SystemTime) -> String {
    const LAST: Duration = Duration::from_millis(253_402_300_799_999);
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since.min(LAST)).to_string()
}

impl<A: Answer> Serialize for Record<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(A::FIELD, &self.answer)?;
        if let Some(first) = &self.at_first {
            map.serialize_entry("at_first", first)?;
        }
        map.serialize_entry("prompt", &self.prompt)?;
        map.serialize_entry("model", &self.model)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("elapsed_ms", &self.elapsed_ms)?;
        map.serialize_entry("prompt_tokens", &self.prompt_tokens)?;
        map.serialize_entry("generated_tokens", &self.generated_tokens)?;
        if let Some(expected) = &self.expected {
            map.serialize_entry("expected", expected)?;
        }
        if !self.votes.is_empty() {
            map.serialize_entry("votes", &self.votes)?;
        }
        if let Some(sentence) = &self.sentence {
            map.serialize_entry("sentence", sentence)?;
        }
        if !self.writes.is_empty() {
            map.serialize_entry("writes", &self.writes)?;
        }
        map.end()
    }
}

impl<'de, A: Answer> Deserialize<'de> for Record<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor(PhantomData))
    }
}

/// Written by hand because the name of the answer's field is the experiment's.
struct RecordVisitor<A>(PhantomData<A>);

impl<'de, A: Answer> de::Visitor<'de> for RecordVisitor<A> {
    type Value = Record<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let (mut answer, mut prompt, mut model) = (None, None, None);
        let (mut at, mut elapsed_ms, mut prompt_tokens, mut generated_tokens) = <_>::default();
        let mut at_first = None;
        let (mut expected, mut votes, mut sentence) = (None, Votes::default(), None);
        let mut writes = Writes::default();
        while let Some(field) = map.next_key::<Field>()? {
            match field.0.as_ref() {
                name if name == A::FIELD => answer = Some(map.next_value()?),
                "at_first" => at_first = map.next_value()?,
                "prompt" => prompt = Some(map.next_value()?),
                "model" => model = Some(map.next_value()?),
                "at" => at = map.next_value()?,
                "elapsed_ms" => elapsed_ms = map.next_value()?,
                "prompt_tokens" => prompt_tokens = map.next_value()?,
                "generated_tokens" => generated_tokens = map.next_value()?,
                "expected" => expected = map.next_value()?,
                "votes" => votes = map.next_value()?,
                "sentence" => sentence = map.next_value()?,
                "writes" => writes = map.next_value()?,
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Record {
            answer: answer.ok_or_else(|| de::Error::missing_field(A::FIELD))?,
            at_first,
            prompt: prompt.ok_or_else(|| de::Error::missing_field("prompt"))?,
            model: model.ok_or_else(|| de::Error::missing_field("model"))?,
            at,
            elapsed_ms,
            prompt_tokens,
            generated_tokens,
            expected,
            votes,
            sentence,
            writes,
        })
    }
}

/// The name of a field, borrowed where it can be.
#[derive(Deserialize)]
struct Field<'n>(#[serde(borrow)] Cow<'n, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Voter;

    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Urgency {
        High,
        Low,
        Unclear,
    }

    impl Answer for Urgency {
        const FIELD: &'static str = "urgency";

        fn is_conclusive(&self) -> bool {
            *self != Self::Unclear
        }
    }

    fn record(sentence: &str, answer: Urgency) -> Record<Urgency> {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_785_501_296_007);
        Record::new(&Key::for_sentence(sentence), answer, Fingerprint::of("abc"), "llama2-chat")
            .timed(at, Duration::from_micros(210_900))
            .with_tokens(96, 3)
    }

    #[test]
    fn the_first_answer_is_remembered_however_often_it_is_asked_again() {
        let first = record("a", Urgency::Unclear);
        let mut again = record("a", Urgency::Unclear);
        again.keep_first_of(&first);
        let mut at_last = record("a", Urgency::Low);
        at_last.keep_first_of(&again);
        assert_eq!((at_last.answer, *at_last.first()), (Urgency::Low, Urgency::Unclear));
        let json = at_last.to_json().unwrap();
        assert!(json.starts_with(br#"{"urgency":"low","at_first":"unclear","prompt":"#));
        assert_eq!(Record::from_json(&json), Some(at_last.clone()));
        // Another prompt or model starts over.
        let mut other = record("a", Urgency::High);
        other.model = "another".to_owned();
        other.keep_first_of(&at_last);
        assert_eq!((*other.first(), other.at_first), (Urgency::High, None));
    }

    #[test]
    fn json_is_what_the_documentation_says() {
        let plain = record("The door is stuck", Urgency::Low);
        let json = String::from_utf8(plain.to_json().unwrap()).unwrap();
        assert_eq!(
            json,
            r#"{"urgency":"low","prompt":"ba7816bf8f01","model":"llama2-chat","at":"2026-07-31T12:34:56.007Z","elapsed_ms":210,"prompt_tokens":96,"generated_tokens":3}"#
        );
        let hidden = record("prompt", Urgency::High).with_expected(Some(Urgency::Low));
        let json = String::from_utf8(hidden.to_json().unwrap()).unwrap();
        assert!(json.ends_with(r#""generated_tokens":3,"expected":"low","sentence":"prompt"}"#), "{json}");
        assert_eq!(Record::from_json(json.as_bytes()), Some(hidden));
    }

    #[test]
    fn votes_are_counted_and_kept() {
        let mut old = record("a", Urgency::High).with_expected(Some(Urgency::Low));
        old.votes.cast(Voter::by_address("10.0.0.1", "a"), Some(Urgency::High)).unwrap();
        let json = String::from_utf8(old.to_json().unwrap()).unwrap();
        assert!(
            json.ends_with(r#""generated_tokens":3,"expected":"low","votes":{"64ddf4ec4492":"high"}}"#),
            "{json}"
        );
        assert_eq!(Record::from_json(json.as_bytes()), Some(old.clone()));

        let mut new = record("a", Urgency::Low);
        new.keep_votes_of(&old);
        assert_eq!(new.said().collect::<Vec<_>>(), [&Urgency::Low, &Urgency::High]);
    }

    #[test]
    fn what_it_answers() {
        let (prompt, other) = (Fingerprint::of("abc"), Fingerprint::of("abd"));
        let cases = [
            (Urgency::High, prompt, "llama2-chat", true, true),
            (Urgency::High, other, "llama2-chat", false, false),
            (Urgency::High, prompt, "llama3", false, false),
            (Urgency::Unclear, prompt, "llama2-chat", true, false),
        ];
        for (answer, prompt, model, is_of, answers) in cases {
            let record = record("a", answer);
            assert_eq!((record.is_of(prompt, model), record.answers(prompt, model)), (is_of, answers));
        }
    }

    #[test]
    fn other_values_are_no_records() {
        let values: [&[u8]; 11] = [
            b"",
            b"positive",
            b"\"high\"",
            b"null",
            b"[]",
            b"{}",
            b"\xff",
            br#"{"urgency": "high", "prompt": "ba7816bf8f01"}"#,
            br#"{"urgency": "high", "model": "m"}"#,
            br#"{"prompt": "ba7816bf8f01", "model": "m"}"#,
            br#"{"urgency": "soon", "prompt": "ba7816bf8f01", "model": "m"}"#,
        ];
        for value in values {
            assert_eq!(Record::<Urgency>::from_json(value), None, "{}", String::from_utf8_lossy(value));
        }
        let mut unfinished = record("prompt", Urgency::High).to_json().unwrap();
        unfinished.pop();
        assert_eq!(Record::<Urgency>::from_json(&unfinished), None);
    }

    #[test]
    fn fields_may_be_unknown_or_missing() {
        let value = br#"{"v": [{"a": null}], "model": "m", "urgency": "low", "prompt": "ba7816bf8f01", "\u0061t": "x"}"#;
        let record = Record::<Urgency>::from_json(value).unwrap();
        assert_eq!((record.answer, record.at.as_str(), record.elapsed_ms), (Urgency::Low, "x", 0));
    }

    #[test]
    fn timestamps_sort_as_time_does() {
        let times = [0_u64, 7, 999, 1_000, 951_782_400_000, 4_107_542_400_000];
        let texts: Vec<_> =
            times.iter().map(|ms| timestamp(SystemTime::UNIX_EPOCH + Duration::from_millis(*ms))).collect();
        assert_eq!(texts[0], "1970-01-01T00:00:00.000Z");
        assert_eq!(texts[4], "2000-02-29T00:00:00.000Z");
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), texts[0]);
        let beyond = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 366 * 9_000);
        assert_eq!(timestamp(beyond), "9999-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn any_record_round_trips(
            sentence in any::<String>(),
            model in any::<String>(),
            prompt in any::<String>(),
            elapsed in any::<u64>(),
            tokens in any::<(u32, u32)>(),
        ) {
            let record = Record::new(&Key::for_sentence(&sentence), Urgency::High, Fingerprint::of(&prompt), model)
                .timed(SystemTime::UNIX_EPOCH, Duration::from_millis(elapsed))
                .with_tokens(tokens.0, tokens.1);
            prop_assert_eq!(Record::from_json(&record.to_json().unwrap()), Some(record));
        }

        #[test]
        fn any_value_is_read_without_panic(value in any::<Vec<u8>>()) {
            let _ = Record::<Urgency>::from_json(&value);
        }
    }

    #[test]
    fn fuzz() {
        let record = r#"{"sentiment":"high","prompt":"0123456789ab","model":"m","at":"2026-07-31T12:34:56.007Z","elapsed_ms":200,"expected":"low"}"#;
        fuzz::bytes(
            &[record, r#"{"answer":"high","prompt":"0123456789ab","model":"m","at":"","elapsed_ms":2}"#],
            |value| {
                let Some(record) = Record::<Urgency>::from_json(value) else { return };
                assert_eq!(Record::from_json(&record.to_json().unwrap()), Some(record));
            },
        );
    }
}
