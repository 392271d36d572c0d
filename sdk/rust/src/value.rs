use std::collections::BTreeMap;
use std::fmt;

use crate::date::Date;
use crate::proto;

/// One typed value, as it stands in a form, a result, the parameters or an entry of shared data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// TEXT, PHONE, PLATE, BANK_ACCOUNT or USCC, normalised.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal number.
    Decimal(Decimal),
    /// An amount.
    Money(Money),
    /// A day.
    Date(Date),
    /// The id of the chosen option.
    Choice(String),
    /// The ids of the chosen options.
    Choices(Vec<String>),
    /// A citizen number (GB 11643-1999), 18 characters, upper case. The engine has checked it.
    CitizenNumber(String),
    /// An address.
    Address(Address),
    /// For each row the values by field id.
    List(Vec<Values>),
}

/// Values by path or by id. A path that is missing was left blank or does not apply.
pub type Values = BTreeMap<String, Value>;

/// Values from names and whatever converts into a [`Value`]: `values! { "valid_from" => call.today() }`.
#[macro_export]
macro_rules! values {
    ($($name:expr => $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut values = $crate::Values::new();
        $(values.insert(String::from($name), $crate::Value::from($value));)*
        values
    }};
}

/// An amount in whole fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i64);

impl fmt::Display for Money {
    /// The amount in yuan with two decimals, for example `3792.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// An exact decimal number in its decimal notation, for example `0.8` or `-12.50`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// A text as a decimal number: an optional minus sign, digits, and perhaps a point and digits, at most forty; no
    /// exponent. `None` if it is none.
    pub fn parse(text: &str) -> Option<Decimal> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        let good = plain(whole) && fraction.map_or(true, plain) && whole.len() + fraction.map_or(0, str::len) <= 40;
        good.then(|| Decimal(text.to_string()))
    }

    /// The number as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A value of kind ADDRESS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// A code of GB/T 2260, six digits or more.
    pub region: String,
    /// The rest of the address.
    pub text: String,
}

macro_rules! from {
    ($($type:ty => $variant:ident),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::$variant(value.into())
            }
        })*
    };
}

from! {
    &str => Text, String => Text, bool => Bool, i64 => Int, i32 => Int, u32 => Int, Decimal => Decimal, Money => Money, Date => Date,
    Address => Address, Vec<Values> => List,
}

impl Value {
    /// A CHOICE by its option's id.
    pub fn choice(id: &str) -> Value {
        Value::Choice(id.to_string())
    }

    /// A CITIZEN_NUMBER.
    pub fn citizen_number(number: &str) -> Value {
        Value::CitizenNumber(number.to_string())
    }

    /// The value as the interface carries it.
    pub fn to_wire(&self) -> proto::Value {
        use proto::ValueKind as Kind;
        let of = |kind: Kind| proto::Value { kind: kind as i32, ..proto::Value::default() };
        let text = |kind: Kind, text: &str| proto::Value { text: text.to_string(), ..of(kind) };
        match self {
            Value::Text(s) => text(Kind::Text, s),
            Value::Bool(yes) => proto::Value { flag: *yes, ..of(Kind::Bool) },
            Value::Int(n) => proto::Value { number: *n, ..of(Kind::Int) },
            Value::Decimal(d) => text(Kind::Decimal, d.as_str()),
            Value::Money(m) => proto::Value { number: m.0, ..of(Kind::Money) },
            Value::Date(d) => text(Kind::Date, &d.to_string()),
            Value::Choice(id) => text(Kind::Choice, id),
            Value::Choices(ids) => proto::Value { items: ids.clone(), ..of(Kind::Choices) },
            Value::CitizenNumber(n) => text(Kind::CitizenNumber, n),
            Value::Address(a) => proto::Value { region: a.region.clone(), ..text(Kind::Address, &a.text) },
            Value::List(rows) => {
                let row = |cells: &Values| proto::Row { cells: to_wire(cells) };
                proto::Value { rows: rows.iter().map(row).collect(), ..of(Kind::List) }
            }
        }
    }

    /// A value of the interface. The error says what is wrong, never what the value holds.
    pub fn from_wire(wire: &proto::Value) -> Result<Value, String> {
        use proto::ValueKind as Kind;
        let text = || wire.text.clone();
        Ok(match Kind::from_i32(wire.kind) {
            Some(Kind::Text) => Value::Text(text()),
            Some(Kind::Bool) => Value::Bool(wire.flag),
            Some(Kind::Int) => Value::Int(wire.number),
            Some(Kind::Decimal) => Value::Decimal(Decimal::parse(&wire.text).ok_or("not a decimal number")?),
            Some(Kind::Money) => Value::Money(Money(wire.number)),
            Some(Kind::Date) => Value::Date(Date::parse(&wire.text).ok_or("not a date as YYYY-MM-DD")?),
            Some(Kind::Choice) => Value::Choice(text()),
            Some(Kind::Choices) => Value::Choices(wire.items.clone()),
            Some(Kind::CitizenNumber) => Value::CitizenNumber(text()),
            Some(Kind::Address) => Value::Address(Address { region: wire.region.clone(), text: text() }),
            Some(Kind::List) => Value::List(wire.rows.iter().map(|row| from_wire(&row.cells)).collect::<Result<_, _>>()?),
            Some(Kind::Unspecified) | None => return Err(format!("no kind {}", wire.kind)),
        })
    }
}

/// Values as the interface carries them.
pub fn to_wire(values: &Values) -> BTreeMap<String, proto::Value> {
    values.iter().map(|(name, value)| (name.clone(), value.to_wire())).collect()
}

/// Values of the interface. The error names the value, never its content.
pub fn from_wire(wire: &BTreeMap<String, proto::Value>) -> Result<Values, String> {
    let parsed = |(name, w): (&String, &proto::Value)| match Value::from_wire(w) {
        Ok(value) => Ok((name.clone(), value)),
        Err(fault) => Err(format!("value {name}: {fault}")),
    };
    wire.iter().map(parsed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back() {
        let all = values! {
            "text" => "文", "yes" => true, "no" => false, "int" => i64::MIN, "decimal" => Decimal::parse("-0.80").unwrap(), "money" => Money(-1),
            "date" => Date::parse("2024-02-29").unwrap(), "choice" => Value::choice("a"), "choices" => Value::Choices(vec!["a".into(), "b".into()]),
            "none" => Value::Choices(vec![]), "number" => Value::citizen_number("11010519491231002X"),
            "address" => Address { region: "321323".into(), text: "众兴镇".into() }, "list" => vec![values! { "n" => 1 }, values! {}],
        };
        assert_eq!(from_wire(&to_wire(&all)), Ok(all));
    }

    #[test]
    fn nonsense_is_named_without_its_content() {
        for (kind, text) in [(0, "秘"), (99, "秘"), (4, "1e3"), (4, ""), (4, "."), (4, "1."), (4, "--1"), (6, "2026-02-30")] {
            let wire = proto::Value { kind, text: text.into(), ..Default::default() };
            let fault = from_wire(&BTreeMap::from([("form.x".to_string(), wire)])).unwrap_err();
            assert!(fault.starts_with("value form.x: ") && (text.is_empty() || text == "." || !fault.contains(text)), "{fault}");
        }
    }

    #[test]
    fn money_is_shown_in_yuan() {
        for (fen, text) in [(0, "0.00"), (5, "0.05"), (379250, "3792.50"), (-101, "-1.01"), (i64::MIN, "-92233720368547758.08")] {
            assert_eq!(Money(fen).to_string(), text);
        }
    }
}
