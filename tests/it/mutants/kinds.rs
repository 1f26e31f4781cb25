//! The kinds of mutants, and which mutants still say the same.

use serde_json::Value;

use super::good::{Carrier, Good, Pages};
use super::{images, members, signing, text};

/// Reproducible chance (splitmix64): the same number gives the same mutant.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Whether one of so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// A badge that was tampered with, in the web that it is judged in.
pub struct Mutant {
    pub bytes: Vec<u8>,
    /// The text in the place of the badge; none where the file itself was changed.
    pub text: Option<Vec<u8>>,
    /// The web, if it is not that of the good badge.
    pub pages: Option<Pages>,
}

impl Mutant {
    /// Another text in the place of the badge.
    pub fn of_text(good: &Good, text: impl Into<Vec<u8>>) -> Mutant {
        let text = text.into();
        Mutant { bytes: good.carry(&text), text: Some(text), pages: None }
    }

    /// Another file.
    pub fn of_file(good: &Good, bytes: Vec<u8>) -> Mutant {
        let text = (good.carrier == Carrier::Plain).then(|| bytes.clone());
        Mutant { bytes, text, pages: None }
    }

    /// The same badge in another web.
    pub fn of_web(good: &Good, pages: Pages) -> Mutant {
        Mutant { bytes: good.bytes(), text: None, pages: Some(pages) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    FlippedBit,
    CutText,
    MovedMember,
    RenamedMember,
    SwappedResults,
    DuplicateKey,
    ChangedEncoding,
    DoubledBadge,
    CompressedBadge,
    WrongAlgorithm,
    WrongType,
    WrongDateType,
    Contradiction,
    ForeignKey,
    WrongTime,
    ForeignStatusList,
    ChangedIndex,
}

impl Kind {
    pub const ALL: [Kind; 17] = [
        Kind::FlippedBit,
        Kind::CutText,
        Kind::MovedMember,
        Kind::RenamedMember,
        Kind::SwappedResults,
        Kind::DuplicateKey,
        Kind::ChangedEncoding,
        Kind::DoubledBadge,
        Kind::CompressedBadge,
        Kind::WrongAlgorithm,
        Kind::WrongType,
        Kind::WrongDateType,
        Kind::Contradiction,
        Kind::ForeignKey,
        Kind::WrongTime,
        Kind::ForeignStatusList,
        Kind::ChangedIndex,
    ];

    /// Codes of which each has to be met when this many mutants of the kind were judged: else the kind is not what it says.
    pub fn expected(self) -> &'static [&'static str] {
        match self {
            Kind::FlippedBit => &["image-malformed"],
            Kind::CutText => &["no-verdict", "image-malformed"],
            Kind::MovedMember | Kind::RenamedMember => &["defined-terms"],
            Kind::SwappedResults => &["signature-invalid"],
            Kind::DuplicateKey => &["duplicate-key"],
            Kind::ChangedEncoding => &["no-verdict"],
            Kind::DoubledBadge => &["image-doubled"],
            Kind::CompressedBadge => &["image-compressed"],
            Kind::WrongAlgorithm => &["refused-algorithm"],
            Kind::WrongType => &["token-type", "wrong-purpose"],
            Kind::WrongDateType => &["claims"],
            Kind::Contradiction => &["claims", "key-not-of-issuer"],
            Kind::ForeignKey => &["signature-invalid", "key-not-of-issuer"],
            Kind::WrongTime => &["not-yet-valid", "expired", "proof-from-the-future"],
            Kind::ForeignStatusList => &["status-list-foreign", "status-list-unverified"],
            Kind::ChangedIndex => &["revoked", "status-index"],
        }
    }

    fn fits(self, good: &Good) -> bool {
        match self {
            Kind::DoubledBadge | Kind::CompressedBadge => good.carrier != Carrier::Plain,
            Kind::FlippedBit
            | Kind::CutText
            | Kind::MovedMember
            | Kind::RenamedMember
            | Kind::SwappedResults
            | Kind::DuplicateKey
            | Kind::ChangedEncoding
            | Kind::WrongAlgorithm
            | Kind::WrongType
            | Kind::WrongDateType
            | Kind::Contradiction
            | Kind::ForeignKey
            | Kind::WrongTime
            | Kind::ForeignStatusList
            | Kind::ChangedIndex => true,
        }
    }

    fn make(self, good: &Good, dice: &mut Dice) -> Option<Mutant> {
        match self {
            Kind::FlippedBit => text::flipped(good, dice),
            Kind::CutText => text::cut(good, dice),
            Kind::MovedMember => members::moved(good, dice),
            Kind::RenamedMember => members::renamed(good, dice),
            Kind::SwappedResults => members::swapped(good, dice),
            Kind::DuplicateKey => members::doubled_key(good, dice),
            Kind::ChangedEncoding => text::encoded(good, dice),
            Kind::DoubledBadge => images::doubled(good, dice),
            Kind::CompressedBadge => images::compressed(good, dice),
            Kind::WrongAlgorithm => signing::algorithm(good, dice),
            Kind::WrongType => signing::kind(good, dice),
            Kind::WrongDateType => signing::date_type(good, dice),
            Kind::Contradiction => signing::contradiction(good, dice),
            Kind::ForeignKey => signing::foreign_key(good, dice),
            Kind::WrongTime => signing::time(good, dice),
            Kind::ForeignStatusList => signing::status_list(good, dice),
            Kind::ChangedIndex => signing::index(good, dice),
        }
    }

    /// One mutant of this kind, of a badge that it fits. What says the same as before is thrown away.
    pub fn mutate(self, goods: &[Good], seed: u64) -> (&Good, Mutant) {
        let mut dice = Dice::new(seed);
        let fitting: Vec<&Good> = goods.iter().filter(|good| self.fits(good)).collect();
        let good = *dice.pick(&fitting);
        for _ in 0..1_000 {
            if let Some(mutant) = self.make(good, &mut dice)
                && !says_the_same(good, &mutant)
            {
                return (good, mutant);
            }
        }
        panic!("{self:?} of {} with seed {seed}: a thousand tries, and no mutant", good.name)
    }
}

/// Whether a mutant is a good badge that is only written in another way, so that it may well be valid.
///
/// - A token is its text, without the white space of a file around it.
/// - A credential with an embedded proof is its JSON value: order of members, white space and escapes say nothing. Arrays are sets,
///   as in the statements that are signed, except `@context` and the one list of the vocabulary, `allowedValue`, and a set of one is
///   that one. Members twice are never the same. What is said of the issuer is the same whether it stands in `issuer`, in the
///   `creator` of the same id, or in both.
/// - An image is the text in it. What changes a file and not this text is made only by kinds that break the file.
/// - Another web is never the same.
pub fn says_the_same(good: &Good, mutant: &Mutant) -> bool {
    if mutant.pages.is_some() {
        return false;
    }
    let Some(text) = &mutant.text else { return false };
    if good.is_token() {
        return text.trim_ascii() == good.text.as_bytes();
    }
    let Ok(value) = assay::credential::json::parse(text, &assay::credential::json::LIMITS) else {
        return false;
    };
    normal(&with_one_profile(value)) == normal(&with_one_profile(good.document()))
}

/// Gives `issuer` and `creator` the members of both, when they are the same and say nothing different.
fn with_one_profile(mut document: Value) -> Value {
    let places = ["/issuer", "/credentialSubject/achievement/creator"];
    let [Some(Value::Object(issuer)), Some(Value::Object(creator))] =
        places.map(|place| document.pointer(place).cloned())
    else {
        return document;
    };
    let is_in_conflict = issuer
        .iter()
        .any(|(key, value)| creator.get(key).is_some_and(|other| normal(other) != normal(value)));
    if issuer.contains_key("id") && issuer.get("id") == creator.get("id") && !is_in_conflict {
        let both = Value::Object(issuer.into_iter().chain(creator).collect());
        for place in places {
            document.pointer_mut(place).into_iter().for_each(|profile| *profile = both.clone());
        }
    }
    document
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let is_ordered = ["@context", "allowedValue"].contains(&key.as_str());
                (key.clone(), if is_ordered { value.clone() } else { normal(value) })
            })
            .collect(),
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(normal).collect();
            values.sort_by_key(Value::to_string);
            if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
