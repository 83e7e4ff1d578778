//! The JSON bodies of `/invocations` and of Vertex AI: four of MLflow, those of SageMaker, and plain rows.

use crate::failure::{Failure, Kind};
use crate::protocols::features::features;
use crate::protocols::payload::Payload;
use crate::protocols::values::{malformed, Values};
use penstock_core::manifest::FieldType;
use penstock_core::plan::Plan;
use penstock_core::rows::{read_value, Rows, WrongRow};
use serde::de::IgnoredAny;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::Value;
use std::collections::BTreeMap;

/// Rows, and what was asked of them.
pub struct Asked<'a> {
    pub payload: Payload<'a>,
    pub options: Options,
}

/// `params` of MLflow, `parameters` of Vertex AI.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The name of an output, or `all`.
    pub output: Option<String>,
}

type Read = for<'a> fn(&Reader<'_>, &'a RawValue) -> Result<Payload<'a>, Failure>;

/// The keys of which a body has one, and how its rows are packed.
const PACKINGS: [(&str, Read); 4] = [
    ("dataframe_split", |reader, raw| reader.split(raw)),
    ("dataframe_records", |reader, raw| reader.list(raw)),
    ("instances", |reader, raw| reader.list(raw)),
    ("inputs", |reader, raw| reader.inputs(raw)),
];

/// The keys of options.
const OPTIONS: [&str; 2] = ["params", "parameters"];

/// Reads bodies for a model.
pub struct Reader<'p> {
    pub plan: &'p Plan,
    pub most_rows: usize,
}

impl Reader<'_> {
    /// A whole body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn body<'a>(&self, body: &'a [u8]) -> Result<Asked<'a>, Failure> {
        let fail = |error: serde_json::Error| malformed("the body", body, &error);
        let raw: &RawValue = serde_json::from_slice(body).map_err(fail)?;
        if !raw.get().starts_with('{') {
            let payload = self.list(raw)?;
            return Ok(Asked { payload, options: Options::default() });
        }
        // A row can have a key twice, which a map would not show; it is read again as a row.
        let entries: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(fail)?;
        let mut packings = PACKINGS.iter().filter(|(key, _)| entries.contains_key(*key));
        let (key, read) = match (packings.next(), packings.next()) {
            (Some((key, read)), None) => (*key, read),
            (None, _) => {
                let payload = self.items(vec![raw]).map_err(|failure| {
                    let keys = PACKINGS.map(|(key, _)| format!("`{key}`")).join(", ");
                    let detail = format!("{}; many rows come as one of {keys}", failure.detail);
                    Failure { detail, ..failure }
                })?;
                return Ok(Asked { payload, options: Options::default() });
            }
            (Some((one, _)), Some((other, _))) => {
                let detail = format!("the body has `{one}` and `{other}`; send one of them");
                return Err(Failure::new(Kind::Malformed, detail));
            }
        };
        let mut options = Options::default();
        for (name, value) in &entries {
            if OPTIONS.contains(&name.as_str()) {
                let given: Option<Options> =
                    serde_json::from_str(value.get()).map_err(|error| {
                        let detail = format!("`{name}`: {error}; the only option is `output`");
                        Failure::new(Kind::Option, detail)
                    })?;
                options = given.unwrap_or_default();
            } else if name.as_str() != key {
                let detail = format!("the body has `{name}` beside `{key}`; leave it out");
                return Err(Failure::new(Kind::Option, detail));
            }
        }
        let rows = entries.get(key).copied().unwrap_or(raw);
        Ok(Asked { payload: read(self, rows)?, options })
    }

    /// Rows one below the other, each as JSON.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn lines<'a>(&self, body: &'a [u8]) -> Result<Asked<'a>, Failure> {
        let lines = body.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        let items = lines.map(|(at, line)| {
            serde_json::from_slice::<&RawValue>(line)
                .map_err(|error| malformed(&format!("line {}", at + 1), line, &error))
        });
        let payload = self.items(items.collect::<Result<_, _>>()?)?;
        Ok(Asked { payload, options: Options::default() })
    }

    /// `{"columns": […], "index": […], "data": [[…], …]}`.
    fn split<'a>(&self, raw: &'a RawValue) -> Result<Payload<'a>, Failure> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Split<'a> {
            columns: Option<Vec<Value>>,
            #[serde(rename = "index")]
            _index: Option<IgnoredAny>,
            #[serde(borrow)]
            data: Vec<&'a RawValue>,
        }
        let split: Split<'a> = parse("`dataframe_split`", raw)?;
        let names = split.columns.unwrap_or_default();
        let texts: Vec<_> = names.iter().filter_map(Value::as_str).collect();
        match texts.as_slice() {
            // A frame whose columns have no names has their numbers in place of them.
            [] => self.lists(split.data, None),
            texts if texts.len() == names.len() => {
                let places = self.plan.match_columns(texts)?;
                self.lists(split.data, Some((texts.len(), places)))
            }
            _ => {
                let detail = "`dataframe_split`: some `columns` are texts and some are not";
                Err(Failure::new(Kind::Malformed, detail))
            }
        }
    }

    /// A list of rows.
    fn list<'a>(&self, raw: &'a RawValue) -> Result<Payload<'a>, Failure> {
        self.items(parse("the list of rows", raw)?)
    }

    /// Columns by their names, or a list of rows.
    fn inputs<'a>(&self, raw: &'a RawValue) -> Result<Payload<'a>, Failure> {
        if raw.get().starts_with('[') {
            return self.list(raw);
        }
        let entries: BTreeMap<String, &'a RawValue> = parse("`inputs`", raw)?;
        let names: Vec<_> = entries.keys().map(String::as_str).collect();
        let places = self.plan.match_columns(&names)?;
        let mut columns: Vec<Values<'a>> = Vec::with_capacity(names.len());
        for (name, raw) in &entries {
            let values = self.column(name, raw)?;
            if let Some(first) = columns.first().filter(|first| first.len() != values.len()) {
                let (count, rows) = (values.len(), first.len());
                let other = names.first().copied().unwrap_or_default();
                let detail = format!("column `{name}` has {count} rows and `{other}` has {rows}");
                return Err(Failure::new(Kind::Columns, detail));
            }
            columns.push(values);
        }
        let rows = columns.first().map_or(0, Values::len);
        self.check(rows)?;
        Ok(Payload::Columns { columns, places, rows })
    }

    fn column<'a>(&self, name: &str, raw: &'a RawValue) -> Result<Values<'a>, Failure> {
        let field = self.plan.position(name).and_then(|at| self.plan.fields.get(at));
        let r#type = field.map_or(FieldType::Ignored, |field| field.r#type);
        let what = format!("column `{name}`");
        let (mut values, width) = Values::read(raw.get(), r#type)
            .map_err(|error| malformed(&what, raw.get().as_bytes(), &error))?;
        values.find_huge_integers(raw.get());
        let inner = raw.get().strip_prefix('[').unwrap_or_default();
        let is_nested = inner.trim_start().starts_with('[');
        match width {
            Some(width) if width != 1 && is_nested => {
                let detail = format!("{what} has lists of {width} values; a column has one a row");
                Err(Failure::new(Kind::Columns, detail))
            }
            _ => Ok(values),
        }
    }

    pub fn check(&self, rows: usize) -> Result<(), Failure> {
        let most = self.most_rows;
        match rows > most {
            true => {
                let detail = format!("the request has more than {most} rows; send them in parts");
                Err(Failure::new(Kind::TooLarge, detail))
            }
            false => Ok(()),
        }
    }

    /// Rows that are all objects, or all lists, or all single values of a model with one input.
    fn items<'a>(&self, mut items: Vec<&'a RawValue>) -> Result<Payload<'a>, Failure> {
        self.check(items.len())?;
        let is_wrapped = |item: &&&'a RawValue| features(self.plan, item).is_some();
        match items.first().map(|item| item.get().as_bytes()) {
            Some([b'[', ..]) => self.lists(items, None),
            Some([b'{', ..]) if items.first().filter(is_wrapped).is_some() => {
                for (at, item) in items.iter_mut().enumerate() {
                    *item = features(self.plan, item).ok_or_else(|| {
                        let detail = "has no list `features`, which the first row has";
                        Failure::new(Kind::Malformed, detail).at_row(Some(at))
                    })?;
                }
                self.lists(items, None)
            }
            Some([b'{', ..]) | None => self.objects(items),
            _ => self.singles(items),
        }
    }

    fn objects<'a>(&self, items: Vec<&'a RawValue>) -> Result<Payload<'a>, Failure> {
        let mut rows = Rows::new(self.plan, Vec::new());
        for (at, item) in items.iter().enumerate() {
            let bytes = item.get().as_bytes();
            rows.read(self.plan, bytes).map_err(|wrong| match wrong {
                WrongRow::Json(error) => malformed("the row", bytes, &error).at_row(Some(at)),
                WrongRow::Key(wrong) => Failure::columns(&wrong, Some(at)),
            })?;
        }
        Ok(Payload::Objects(rows))
    }

    /// Rows as lists; in the order of the schema unless each field has its place.
    fn lists<'a>(
        &self,
        items: Vec<&'a RawValue>,
        order: Option<(usize, Vec<Option<usize>>)>,
    ) -> Result<Payload<'a>, Failure> {
        self.check(items.len())?;
        let (width, places) = match (order, items.first()) {
            (Some(order), _) => order,
            (None, None) => (0, vec![None; self.plan.fields.len()]),
            (None, Some(first)) => {
                let width = parse::<Vec<IgnoredAny>>("the first row", first)?.len();
                (width, self.order(width)?)
            }
        };
        let mut types = vec![FieldType::Ignored; width];
        for (field, place) in self.plan.fields.iter().zip(&places) {
            if let Some(r#type) = place.and_then(|place| types.get_mut(place)) {
                *r#type = field.r#type;
            }
        }
        let mut values = Values::default();
        for (at, item) in items.iter().enumerate() {
            values.read_row(item.get(), &types).map_err(|error| {
                malformed("the row", item.get().as_bytes(), &error).at_row(Some(at))
            })?;
        }
        Ok(Payload::Lists { values, width, places, rows: items.len() })
    }

    /// Where each field is in rows of so many values; inputs that the model ignores may be left out.
    pub fn order(&self, width: usize) -> Result<Vec<Option<usize>>, Failure> {
        let fields = &self.plan.fields;
        let used = fields.iter().filter(|field| !field.is_ignored()).count();
        if width != fields.len() && width != used {
            let is = if width == 1 { "value" } else { "values" };
            let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let detail = format!(
                "the first row has {width} {is}; the model takes {}, in this order: {}",
                fields.len(),
                names.join(", ")
            );
            return Err(Failure::new(Kind::Columns, detail));
        }
        let mut places = 0..width;
        let place = |field: &penstock_core::load::FieldPlan| {
            (width == fields.len() || !field.is_ignored()).then(|| places.next()).flatten()
        };
        Ok(fields.iter().map(place).collect())
    }

    fn singles<'a>(&self, items: Vec<&'a RawValue>) -> Result<Payload<'a>, Failure> {
        let places = self.order(1).map_err(|failure| {
            let detail = format!("a row must be an object or a list; {}", failure.detail);
            Failure::new(Kind::Malformed, detail)
        })?;
        let field = self.plan.fields.iter().zip(&places).find(|(_, place)| place.is_some());
        let r#type = field.map_or(FieldType::Ignored, |(field, _)| field.r#type);
        let mut values = Values::default();
        for (at, item) in items.iter().enumerate() {
            values.push(read_value(item.get(), r#type).map_err(|error| {
                malformed("the row", item.get().as_bytes(), &error).at_row(Some(at))
            })?);
        }
        Ok(Payload::Lists { values, width: 1, places, rows: items.len() })
    }
}

fn parse<'a, T: Deserialize<'a>>(what: &str, raw: &'a RawValue) -> Result<T, Failure> {
    serde_json::from_str(raw.get()).map_err(|error| malformed(what, raw.get().as_bytes(), &error))
}
