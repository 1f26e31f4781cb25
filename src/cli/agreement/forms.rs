//! The forms that a file of ratings takes. Each becomes the same few tables, from which all figures come.

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::scale::{Label, Places, Scale, Values};
use crate::domain::statistics::kappa::{ContingencyTable, Weights};
use crate::domain::statistics::severity::{FacetSizes, Rating};
use crate::domain::statistics::signed_difference::SignedDifferences;
use crate::domain::statistics::units::{Unit, UnitTable};
use crate::domain::statistics::{MAX_CATEGORIES, Undefined};

/// What a file holds.
pub enum Content {
    /// One set of ratings, or several with a name each.
    Data(Vec<(Option<String>, Prepared)>),
    /// Named cases.
    Cases(Vec<(Value, Prepared)>),
}

/// Ratings, ready for every statistic that applies to them.
pub struct Prepared {
    /// The categories.
    pub scale: Scale,
    /// The lowest category that passes, if the file names one.
    pub cut: Option<usize>,
    /// What each unit was given.
    pub units: UnitTable,
    /// The table of two raters, where there are two.
    pub pairs: Option<Result<Pairs, Undefined>>,
    /// Targets by raters, where ratings have raters.
    pub balanced: Option<Balanced>,
    /// The facets of a long table.
    pub facets: Option<Facets>,
}

impl Prepared {
    /// How many raters there are: those of the table, or the most that rated one unit.
    pub fn n_raters(&self) -> u64 {
        let of_unit = self.units.units().iter().map(Unit::n_ratings).max().unwrap_or(0);
        match (&self.facets, &self.pairs) {
            (Some(facets), _) => facets.sizes.assessors as u64,
            (None, Some(_)) => 2,
            (None, None) => of_unit,
        }
    }
}

/// Each target's ratings, with how many targets were rated just so; or why the table is not balanced.
pub type Balanced = Result<Vec<(Vec<f64>, u64)>, Undefined>;

/// Two raters.
pub struct Pairs {
    /// How often they gave what.
    pub table: ContingencyTable,
    /// The second less the first, in steps of the scale.
    pub differences: SignedDifferences,
    /// Weights that the file itself brings, by name.
    pub matrices: Vec<(String, Weights)>,
}

/// A long table with a row for each rating.
pub struct Facets {
    /// How many there are of each.
    pub sizes: FacetSizes,
    /// The rows.
    pub ratings: Vec<Rating>,
    /// What the file calls the submissions, criteria and assessors.
    pub names: [Vec<Value>; 3],
}

/// Reads a file of ratings.
pub fn read(root: &Value) -> anyhow::Result<Content> {
    let root = root.as_object().context("the file is not an object of JSON")?;
    if let Some(cases) = root.get("cases") {
        let cases = cases.as_array().context("`cases` is not a list")?;
        let mut found = Vec::with_capacity(cases.len());
        for (index, case) in cases.iter().enumerate() {
            let case = case.as_object().with_context(|| format!("case {index} is no object"))?;
            let name = case.get("name").cloned().unwrap_or_else(|| Value::from(index));
            let data = case.get("data").and_then(Value::as_object).unwrap_or(case);
            let prepared = prepare(data).with_context(|| format!("case {name}"))?;
            found.push((name, prepared));
        }
        return Ok(Content::Cases(found));
    }
    let data = match root.get("data") {
        Some(data) => data.as_object().context("`data` is not an object")?,
        None => root,
    };
    if let Some(tables) = data.get("tables") {
        let tables = tables.as_object().context("`tables` is not an object")?;
        let mut found = Vec::with_capacity(tables.len());
        for (name, table) in tables {
            // What stands beside the tables, such as a scale, holds for each of them.
            let mut one = data.clone();
            one.remove("tables");
            one.insert("table".to_owned(), table.clone());
            let prepared = prepare(&one).with_context(|| format!("table {name:?}"))?;
            found.push((Some(name.clone()), prepared));
        }
        return Ok(Content::Data(found));
    }
    Ok(Content::Data(vec![(None, prepare(data)?)]))
}

fn prepare(data: &Map<String, Value>) -> anyhow::Result<Prepared> {
    if let Some(table) = data.get("table") {
        contingency(data, table)
    } else if let Some(ratings) = data.get("ratings") {
        rating_matrix(data, ratings)
    } else if let (Some(one), Some(other)) = (data.get("rater_a"), data.get("rater_b")) {
        two_lists(data, one, other)
    } else if let Some(counts) = data.get("counts") {
        category_counts(data, counts)
    } else if let Some(rows) = data.get("rows") {
        long_table(data, rows)
    } else if ["scores", "policy", "qualification", "drift"]
        .iter()
        .any(|key| data.contains_key(*key))
    {
        bail!("this is a file for `assay rules`")
    } else {
        bail!(
            "this is no known form of ratings: there is no `table`, `tables`, `ratings`, `rater_a` with `rater_b`, `counts`, `rows` or `cases`"
        )
    }
}

fn list<'a>(value: &'a Value, what: &str) -> anyhow::Result<&'a Vec<Value>> {
    value.as_array().with_context(|| format!("{what} is not a list"))
}

fn count(value: &Value) -> anyhow::Result<u64> {
    let whole = value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64)
    });
    whole.with_context(|| format!("{value} is not a count: counts are whole numbers from 0"))
}

fn count_rows(value: &Value, what: &str) -> anyhow::Result<Vec<Vec<u64>>> {
    let row = |row: &Value| list(row, "a row")?.iter().map(count).collect();
    list(value, what)?.iter().map(row).collect()
}

/// The scale of a table of `size` categories.
fn scale_of_size(data: &Map<String, Value>, size: usize) -> anyhow::Result<Scale> {
    match Scale::declared(data)? {
        Some(scale) if scale.size() != size => {
            bail!("the scale has {} categories and the table {size}", scale.size())
        }
        Some(scale) => Ok(scale),
        None => Ok(Scale::of_positions(size)),
    }
}

/// The value of each category, for what computes with values. Positions will do where only differences count.
fn category_values(scale: &Scale) -> Result<Vec<f64>, Undefined> {
    match scale.values() {
        Values::Numbers(numbers) => Ok(numbers.clone()),
        Values::Positions => Ok((0..scale.size()).map(|at| at as f64).collect()),
        Values::Words => Err(Undefined::NotNumeric),
    }
}

/// A square table of two raters.
fn contingency(data: &Map<String, Value>, table: &Value) -> anyhow::Result<Prepared> {
    let table = ContingencyTable::new(&count_rows(table, "the table")?)?;
    let scale = scale_of_size(data, table.size())?;
    let cut = scale.cut(data)?;
    let mut differences = SignedDifferences::default();
    for (row, column, times) in table.cells() {
        differences.add(i32::try_from(column)? - i32::try_from(row)?, times);
    }
    let balanced = category_values(&scale).map(|values| {
        table
            .cells()
            .map(|(row, column, times)| (vec![values[row], values[column]], times))
            .collect()
    });
    let units = table.units()?;
    let matrices = own_weights(data, table.size())?;
    let pairs = Some(Ok(Pairs { table, differences, matrices }));
    Ok(Prepared { scale, cut, units, pairs, balanced: Some(balanced), facets: None })
}

/// Matrices that call themselves weights or agreement. By its name, or by a diagonal of zeros, one says that it weighs disagreement.
fn own_weights(data: &Map<String, Value>, size: usize) -> anyhow::Result<Vec<(String, Weights)>> {
    let mut found = Vec::new();
    for (key, value) in data {
        let is_matrix = value.get(0).is_some_and(Value::is_array);
        if !is_matrix || !["weight", "agreement"].iter().any(|word| key.contains(word)) {
            continue;
        }
        let mut rows = Vec::new();
        for row in list(value, key)? {
            let numbers: Option<Vec<f64>> = list(row, key)?.iter().map(Value::as_f64).collect();
            rows.push(numbers.with_context(|| format!("a weight of {key} is no number"))?);
        }
        if rows.len() != size {
            bail!("{key} has {} rows and the table {size}", rows.len());
        }
        let has_clean_diagonal = rows.iter().enumerate().all(|(at, row)| row.get(at) == Some(&0.0));
        let weights = if key.contains("disagreement") || has_clean_diagonal {
            Weights::of_disagreement(&rows)
        } else {
            Weights::of_agreement(&rows)
        };
        found.push((format!("matrix {key}"), weights.with_context(|| key.clone())?));
    }
    Ok(found)
}

/// Reads ratings, `None` for what is missing.
struct Reader {
    missing: Option<Label>,
}

impl Reader {
    fn new(data: &Map<String, Value>) -> anyhow::Result<Reader> {
        // null is always a missing rating; the word "null" says just that.
        let missing = data.get("missing").map(Label::read).transpose()?.flatten();
        Ok(Reader { missing: missing.filter(|label| *label != Label::Word("null".to_owned())) })
    }

    fn label(&self, value: &Value) -> anyhow::Result<Option<Label>> {
        Ok(Label::read(value)?.filter(|label| self.missing.as_ref() != Some(label)))
    }

    fn row(&self, row: &Value) -> anyhow::Result<Vec<Option<Label>>> {
        list(row, "a row of ratings")?.iter().map(|value| self.label(value)).collect()
    }
}

fn says_rows_are(data: &Map<String, Value>, who: &[&str]) -> bool {
    let orientation = data.get("orientation").and_then(Value::as_str).unwrap_or_default();
    who.iter().any(|who| orientation.to_lowercase().starts_with(&format!("rows are {who}")))
}

fn transposed<T: Clone>(rows: &[Vec<T>], blank: &T) -> Vec<Vec<T>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |at: usize| rows.iter().map(|row| row.get(at).unwrap_or(blank).clone()).collect();
    (0..width).map(column).collect()
}

/// Units by raters.
fn rating_matrix(data: &Map<String, Value>, ratings: &Value) -> anyhow::Result<Prepared> {
    let reader = Reader::new(data)?;
    let rows: Vec<_> =
        list(ratings, "`ratings`")?.iter().map(|row| reader.row(row)).collect::<Result<_, _>>()?;
    let raters = ["raters", "judges", "observers", "coders", "assessors"];
    let rows = if says_rows_are(data, &raters) { transposed(&rows, &None) } else { rows };
    of_rows(data, &rows)
}

/// Two lists of the same units.
fn two_lists(data: &Map<String, Value>, one: &Value, other: &Value) -> anyhow::Result<Prepared> {
    let reader = Reader::new(data)?;
    let (one, other) = (reader.row(one)?, reader.row(other)?);
    if one.len() != other.len() {
        bail!("rater_a has {} ratings and rater_b {}", one.len(), other.len());
    }
    let rows: Vec<_> = one.into_iter().zip(other).map(|(one, other)| vec![one, other]).collect();
    let mut prepared = of_rows(data, &rows)?;
    if rows.is_empty() {
        // Two raters, though they have rated nothing.
        let pairs = Pairs {
            table: ContingencyTable::of_pairs(prepared.scale.size(), [])?,
            differences: SignedDifferences::default(),
            matrices: own_weights(data, prepared.scale.size())?,
        };
        prepared.pairs = Some(Ok(pairs));
    }
    Ok(prepared)
}

fn of_rows(data: &Map<String, Value>, rows: &[Vec<Option<Label>>]) -> anyhow::Result<Prepared> {
    let labels = || rows.iter().flatten().flatten();
    let scale = Scale::declared(data)?.unwrap_or_else(|| Scale::inferred(labels()));
    let cut = scale.cut(data)?;
    let places = scale.places();
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut placed: Vec<Vec<Option<usize>>> = Vec::with_capacity(rows.len());
    for row in rows {
        let mut row: Vec<Option<usize>> = row
            .iter()
            .map(|label| label.as_ref().map(|label| places.find(label)).transpose())
            .collect::<Result<_, _>>()?;
        // A row that ends early lacks the rest.
        row.resize(width, None);
        placed.push(row);
    }
    let units = UnitTable::of_ratings(scale.size(), &placed)?;
    let pairs = if width == 2 { Some(pairs_of(data, &scale, &placed)?) } else { None };
    let balanced = Some(balanced_of(&scale, &placed));
    Ok(Prepared { cut, units, pairs, balanced, facets: None, scale })
}

fn pairs_of(
    data: &Map<String, Value>,
    scale: &Scale,
    rows: &[Vec<Option<usize>>],
) -> anyhow::Result<Result<Pairs, Undefined>> {
    if scale.size() > MAX_CATEGORIES {
        return Ok(Err(Undefined::TooManyCategories));
    }
    let both = |row: &Vec<Option<usize>>| match row.as_slice() {
        [Some(one), Some(other)] => Some((*one, *other)),
        _ => None,
    };
    let found: Vec<(usize, usize)> = rows.iter().filter_map(both).collect();
    let mut differences = SignedDifferences::default();
    for (one, other) in &found {
        differences.add(i32::try_from(*other)? - i32::try_from(*one)?, 1);
    }
    let pairs = found.into_iter().map(|(one, other)| (one, other, 1));
    let table = ContingencyTable::of_pairs(scale.size(), pairs)?;
    Ok(Ok(Pairs { table, differences, matrices: own_weights(data, scale.size())? }))
}

fn balanced_of(scale: &Scale, rows: &[Vec<Option<usize>>]) -> Balanced {
    let values = category_values(scale)?;
    let target = |row: &Vec<Option<usize>>| {
        let ratings: Option<Vec<f64>> =
            row.iter().map(|rating| rating.map(|at| values[at])).collect();
        ratings.map(|ratings| (ratings, 1)).ok_or(Undefined::IncompleteData)
    };
    rows.iter().map(target).collect()
}

/// Units by categories, with the number of raters in the cells.
fn category_counts(data: &Map<String, Value>, counts: &Value) -> anyhow::Result<Prepared> {
    let rows = count_rows(counts, "`counts`")?;
    let rows =
        if says_rows_are(data, &["categories", "levels"]) { transposed(&rows, &0) } else { rows };
    let units = UnitTable::of_counts(&rows)?;
    let scale = if rows.is_empty() {
        Scale::declared(data)?.unwrap_or_else(|| Scale::of_positions(0))
    } else {
        scale_of_size(data, units.categories())?
    };
    let cut = scale.cut(data)?;
    Ok(Prepared { scale, cut, units, pairs: None, balanced: None, facets: None })
}

/// A row for each rating: who gave which criterion of which submission what level.
fn long_table(data: &Map<String, Value>, rows: &Value) -> anyhow::Result<Prepared> {
    const COLUMNS: [&str; 4] = ["submission", "criterion", "assessor", "level"];
    let rows = list(rows, "`rows`")?;
    let columns: Vec<&str> = match data.get("columns") {
        Some(columns) => list(columns, "`columns`")?.iter().filter_map(Value::as_str).collect(),
        None => COLUMNS.to_vec(),
    };
    let mut places = [0; 4];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = columns.iter().position(|name| *name == column);
        *place = found.with_context(|| format!("there is no column {column:?}"))?;
    }
    let reader = Reader::new(data)?;
    let mut read: Vec<[Label; 4]> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let cell = |which: usize| match row {
            Value::Array(cells) => cells.get(places[which]),
            Value::Object(members) => members.get(COLUMNS[which]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let label = |which: usize| reader.label(cell(which).unwrap_or(&Value::Null));
        match (label(0)?, label(1)?, label(2)?, label(3)?) {
            (Some(submission), Some(criterion), Some(assessor), Some(level)) => {
                read.push([submission, criterion, assessor, level]);
            }
            // A rating that is missing.
            (Some(_), Some(_), Some(_), None) => {}
            _ => bail!("row {} does not name a submission, criterion and assessor", index + 1),
        }
    }
    let scale = Scale::declared(data)?
        .unwrap_or_else(|| Scale::inferred(read.iter().map(|[_, _, _, level]| level)));
    let cut = scale.cut(data)?;
    let mut facets = [Vec::new(), Vec::new(), Vec::new()];
    let mut names = [Vec::new(), Vec::new(), Vec::new()];
    let sizes = ["n_submissions", "n_criteria", "n_assessors"];
    for which in 0..3 {
        let size = data.get(sizes[which]).and_then(Value::as_u64);
        let column: Vec<&Label> = read.iter().map(|row| &row[which]).collect();
        let members = members(&column, size);
        let places = Places::of(&members);
        facets[which] =
            column.into_iter().map(|label| places.find(label)).collect::<Result<_, _>>()?;
        names[which] = members.into_iter().map(Value::from).collect();
    }
    let places = scale.places();
    let mut ratings = Vec::with_capacity(read.len());
    for (index, [_, _, _, level]) in read.iter().enumerate() {
        ratings.push(Rating {
            submission: facets[0][index],
            criterion: facets[1][index],
            assessor: facets[2][index],
            level: places.find(level)?,
        });
    }
    let sizes = FacetSizes {
        submissions: names[0].len(),
        criteria: names[1].len(),
        assessors: names[2].len(),
        levels: scale.size(),
    };
    let (units, balanced) = units_of(&scale, &ratings, sizes)?;
    let facets = Some(Facets { sizes, ratings, names });
    Ok(Prepared { scale, cut, units, pairs: None, balanced: Some(balanced), facets })
}

/// The members of a facet in order: 0 to n - 1 where the file says how many there are and counts them so, else those that occur.
fn members(column: &[&Label], size: Option<u64>) -> Vec<Label> {
    let mut found: Vec<Label> = column.iter().map(|label| (*label).clone()).collect();
    found.sort_by(Label::compare);
    found.dedup();
    let Some(size) = size.filter(|size| *size <= 1_000_000) else { return found };
    let is_counted = |label: &Label| match label {
        Label::Number(number) => number.fract() == 0.0 && (0.0..size as f64).contains(number),
        Label::Word(_) => false,
    };
    if found.iter().all(is_counted) {
        (0..size).map(|at| Label::Number(at as f64)).collect()
    } else {
        found
    }
}

/// Each criterion of each submission is a unit; the assessors are the raters.
fn units_of(
    scale: &Scale,
    ratings: &[Rating],
    sizes: FacetSizes,
) -> anyhow::Result<(UnitTable, Balanced)> {
    let mut sorted = ratings.to_vec();
    sorted.sort_by_key(|rating| (rating.submission, rating.criterion, rating.assessor));
    let units: Vec<&[Rating]> = sorted
        .chunk_by(|one, other| {
            (one.submission, one.criterion) == (other.submission, other.criterion)
        })
        .collect();
    let counts = |unit: &&[Rating]| (unit.iter().map(|rating| (rating.level, 1)).collect(), 1);
    let table = UnitTable::new(scale.size(), units.iter().map(counts))?;
    let balanced = category_values(scale).and_then(|values| {
        let target = |unit: &&[Rating]| {
            let is_complete = unit.len() == sizes.assessors
                && unit.iter().enumerate().all(|(at, rating)| rating.assessor == at);
            let ratings = || (unit.iter().map(|rating| values[rating.level]).collect(), 1);
            is_complete.then(ratings).ok_or(Undefined::IncompleteData)
        };
        units.iter().map(target).collect()
    });
    Ok((table, balanced))
}
