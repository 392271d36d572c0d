use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::rc::Rc;

use prost::Message;

use crate::date::Date;
use crate::host::Host;
use crate::plugin::{Failure, Hook};
use crate::proto;
use crate::value::{from_wire, Address, Decimal, Money, Value, Values};

/// Values that a call can read, each by its path or id, through an accessor for its kind.
///
/// An accessor returns `None` if there is no value: it was left blank, does not apply, or is not published. A value of
/// another kind than the accessor's is a disagreement between plugin and bundle which no handler can mend; the whole call
/// then fails, whatever the handler returns.
pub struct Fields {
    what: String,
    values: Values,
    read: Rc<RefCell<BTreeSet<String>>>,
    fault: Rc<RefCell<Option<String>>>,
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $variant:ident => $type:ty, $value:ident => $as:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&self, path: &str) -> Option<$type> {
            match self.get(path)? {
                Value::$variant($value) => Some($as),
                _ => self.mismatch(path),
            }
        })*
    };
}

impl Fields {
    fn get(&self, path: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(path.to_string());
        self.values.get(path)
    }

    fn mismatch<T>(&self, path: &str) -> Option<T> {
        self.fault.borrow_mut().get_or_insert_with(|| format!("{} {path} is of another kind than the plugin reads", self.what));
        None
    }

    /// Whether there is a value.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    accessors! {
        /// A value of kind TEXT, PHONE, PLATE, BANK_ACCOUNT or USCC.
        text: Text => &str, s => s;
        /// A value of kind BOOL.
        bool: Bool => bool, yes => *yes;
        /// A value of kind INT.
        int: Int => i64, n => *n;
        /// A value of kind DECIMAL.
        decimal: Decimal => &Decimal, d => d;
        /// A value of kind MONEY.
        money: Money => Money, m => *m;
        /// A value of kind DATE.
        date: Date => Date, d => *d;
        /// The chosen option's id of a CHOICE.
        choice: Choice => &str, id => id;
        /// The ids of the chosen options of a CHOICES.
        choices: Choices => &[String], ids => ids;
        /// A value of kind CITIZEN_NUMBER.
        citizen_number: CitizenNumber => &str, n => n;
        /// A value of kind ADDRESS.
        address: Address => &Address, a => a;
    }

    /// The rows of a LIST, each readable by field id.
    pub fn list(&self, path: &str) -> Option<Vec<Fields>> {
        let rows = match self.get(path)? {
            Value::List(rows) => rows,
            _ => return self.mismatch(path),
        };
        // What is read of a row is no path of the form: the list is, and it has been noted.
        let row = |cells: &Values| Fields {
            what: format!("cell of {path}:"),
            values: cells.clone(),
            read: Rc::default(),
            fault: self.fault.clone(),
        };
        Some(rows.iter().map(row).collect())
    }
}

/// An entry of shared data.
pub struct Entry {
    /// False if the source is silent, which is neither yes nor no: undetermined, never refused.
    pub answered: bool,
    /// True if the source has an entry under the key.
    pub found: bool,
    /// Values of the entry, by name.
    pub values: Fields,
}

/// One call of a handler. Its own accessors, those of [`Fields`], read the answers of the form by path
/// (`form.mother.id_no`, `own.claim`, `results.audit.retire_date`), exactly those that the step needs.
pub struct Call<'a> {
    answers: Fields,
    parameters: Fields,
    result: Fields,
    published: BTreeMap<String, Vec<Holds>>,
    request: &'a proto::Request,
    today: Date,
    pub(crate) materials: RefCell<BTreeSet<String>>,
    host: Host<'a>,
}

impl Deref for Call<'_> {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.answers
    }
}

/// A value of a parameter, with its days and region.
struct Holds {
    from: Option<Date>,
    until: Option<Date>,
    place: String,
    value: Value,
}

impl<'a> Call<'a> {
    pub(crate) fn new(request: &'a proto::Request, host: Host<'a>) -> Result<Call<'a>, Failure> {
        let fault = Rc::new(RefCell::new(None));
        let fields = |what: &str, section: &str, wire: &BTreeMap<String, proto::Value>| match from_wire(wire) {
            Ok(values) => Ok(Fields { what: what.to_string(), values, read: Rc::default(), fault: fault.clone() }),
            Err(why) => Err(Failure(format!("{section}: {why}"))),
        };
        Ok(Call {
            answers: fields("answer", "answers", &request.answers)?,
            parameters: fields("parameter", "parameters", &request.parameters)?,
            result: fields("result", "result", &request.result)?,
            published: published(&request.published).map_err(|why| Failure(format!("published: {why}")))?,
            request,
            today: Date::parse(&request.today).ok_or_else(|| Failure::new("today: not a date as YYYY-MM-DD"))?,
            materials: RefCell::default(),
            host,
        })
    }

    /// What no handler can mend, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        self.answers.fault.borrow().clone()
    }

    /// The paths of answers that were read or asked for.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn read(&self) -> BTreeSet<String> {
        self.answers.read.borrow().clone()
    }

    /// The hook that is called.
    pub fn hook(&self) -> Hook {
        Hook::from_i32(self.request.hook).unwrap_or(Hook::Unspecified)
    }

    /// The id of the bundle.
    pub fn bundle(&self) -> &str {
        &self.request.bundle
    }

    /// The id of the step in the bundle.
    pub fn step(&self) -> &str {
        &self.request.step
    }

    /// The number of the task, or of the case where there is no task yet. It is empty for prefill.
    pub fn task(&self) -> &str {
        &self.request.task
    }

    /// The attempt, from 1. The same attempt may come again after a crash.
    pub fn attempt(&self) -> u32 {
        self.request.attempt
    }

    /// The day of receipt: the only clock that a plugin has.
    pub fn today(&self) -> Date {
        self.today
    }

    /// The region of the office, six digits of GB/T 2260.
    pub fn place(&self) -> &str {
        &self.request.place
    }

    /// The published parameters, by id, as in force on [`Call::today`] at [`Call::place`].
    pub fn parameters(&self) -> &Fields {
        &self.parameters
    }

    /// The published parameters as in force on a day: where the law counts with the value of the year of a death or of a
    /// retirement. What is not published for that day is not there: the value of another day never stands in.
    pub fn parameters_on(&self, day: Date) -> Fields {
        let in_force = |all: &Vec<Holds>| {
            let holds = |h: &&Holds| h.from.map_or(true, |from| day >= from) && h.until.map_or(true, |until| day <= until);
            // Of several that hold the one for the smallest region counts, the first of equals.
            all.iter().rev().filter(holds).max_by_key(|h| h.place.len()).map(|h| h.value.clone())
        };
        Fields {
            what: "parameter".to_string(),
            values: self.published.iter().filter_map(|(id, all)| Some((id.clone(), in_force(all)?))).collect(),
            read: self.parameters.read.clone(),
            fault: self.answers.fault.clone(),
        }
    }

    /// The decision's result by field id; only issue and revoke have one.
    pub fn result(&self) -> &Fields {
        &self.result
    }

    /// Where a material of the step came from: E_CERTIFICATE, SHARED_DATA, APPLICANT, STEP, FORM, PROMISE, or MISSING while
    /// it is tolerated; `None` if the step does not need it.
    pub fn material(&self, id: &str) -> Option<&str> {
        self.materials.borrow_mut().insert(id.to_string());
        self.request.materials.iter().find(|m| m.id == id).map(|m| m.origin.as_str())
    }

    /// Asks another department's source for the entry under a key (capability `shared_data`). The purpose, in Chinese, is
    /// shown to the person whose data it is. The failure says that the engine refused the look-up; return it.
    pub fn shared_data(&self, source: &str, key: &str, purpose: &str) -> Result<Entry, Failure> {
        let request = proto::SharedDataRequest { source: source.into(), key: key.into(), purpose: purpose.into() };
        let failed = |why: String| Failure(format!("shared data of {source}: {why}"));
        let answer: proto::SharedDataResponse = understood(&self.host.shared_data(&request.encode_to_vec())).map_err(failed)?;
        refused(&answer.refused).map_err(failed)?;
        Ok(Entry {
            answered: answer.answered,
            found: answer.found,
            values: Fields {
                what: format!("shared data of {source}:"),
                values: from_wire(&answer.values).map_err(failed)?,
                read: Rc::default(),
                fault: self.answers.fault.clone(),
            },
        })
    }

    /// The store of the department (capability `key_value`).
    pub fn store(&self) -> Store<'_> {
        Store { host: &self.host }
    }

    /// Asks an outside system (capability `http`). `None` if it could not be reached in time. The host adds an idempotency
    /// key, and follows no redirect. The failure says that the engine refused the request; return it.
    pub fn http(&self, request: &proto::HttpRequest) -> Result<Option<HttpAnswer>, Failure> {
        let failed = |why: String| Failure(format!("http: {why}"));
        let answer: proto::HttpResponse = understood(&self.host.http(&request.encode_to_vec())).map_err(failed)?;
        refused(&answer.refused).map_err(failed)?;
        let proto::HttpResponse { answered, status, content_type, body, .. } = answer;
        Ok(answered.then_some(HttpAnswer { status, content_type, body }))
    }

    /// Writes a line for the department's developers (capability `log`): a code of the manifest's `log_codes`, and numbers by
    /// name. A line that the host does not take is lost; that is no reason to fail.
    pub fn log(&self, code: &str, numbers: &[(&str, i64)]) {
        let numbers = numbers.iter().map(|(name, n)| (name.to_string(), *n)).collect();
        self.host.log(&proto::LogRequest { code: code.into(), numbers }.encode_to_vec());
    }
}

/// What an outside system says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u32,
    /// Media type of the body.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// The store of the plugin's department. A call sees its own writes at once; all others see them when the decision is
/// committed, of which they are a part. Of a call that fails nothing is left. Prefill may not write.
pub struct Store<'a> {
    host: &'a Host<'a>,
}

impl Store<'_> {
    /// The value under a key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let answer = self.ask(proto::KeyValueOperation::Get, proto::KeyValueRequest { key: key.into(), ..Default::default() })?;
        Ok(answer.found.then_some(answer.value))
    }

    /// Writes a value, at most 64 KiB, under a key, at most 200 bytes.
    pub fn put(&self, key: &str, value: &[u8]) -> Result<(), Failure> {
        let request = proto::KeyValueRequest { key: key.into(), value: value.into(), ..Default::default() };
        self.ask(proto::KeyValueOperation::Put, request).map(drop)
    }

    /// Removes a key.
    pub fn delete(&self, key: &str) -> Result<(), Failure> {
        self.ask(proto::KeyValueOperation::Delete, proto::KeyValueRequest { key: key.into(), ..Default::default() }).map(drop)
    }

    /// The keys that begin with a text, in order, after a key, at most `limit`: 100 if it is zero, 1,000 in any case.
    pub fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, Failure> {
        let request = proto::KeyValueRequest { key: prefix.into(), after: after.into(), limit, ..Default::default() };
        Ok(self.ask(proto::KeyValueOperation::List, request)?.keys)
    }

    fn ask(&self, operation: proto::KeyValueOperation, request: proto::KeyValueRequest) -> Result<proto::KeyValueResponse, Failure> {
        let failed = |why: String| Failure(format!("store: {why}"));
        let request = proto::KeyValueRequest { operation: operation as i32, ..request };
        let answer: proto::KeyValueResponse = understood(&self.host.key_value(&request.encode_to_vec())).map_err(failed)?;
        refused(&answer.refused).map_err(failed)?;
        Ok(answer)
    }
}

fn understood<M: Message + Default>(answer: &[u8]) -> Result<M, String> {
    M::decode(answer).map_err(|_| "the host's answer is no message of this interface".to_string())
}

fn refused(why: &str) -> Result<(), String> {
    if why.is_empty() {
        Ok(())
    } else {
        Err(why.to_string())
    }
}

fn published(wire: &BTreeMap<String, proto::Published>) -> Result<BTreeMap<String, Vec<Holds>>, String> {
    let date = |text: &str| match text {
        "" => Ok(None),
        _ => Date::parse(text).map(Some).ok_or("not a date as YYYY-MM-DD"),
    };
    let holds = |w: &proto::PublishedValue| -> Result<Holds, String> {
        let value = w.value.as_ref().ok_or("no value")?;
        Ok(Holds { from: date(&w.from)?, until: date(&w.until)?, place: w.place.clone(), value: Value::from_wire(value)? })
    };
    let all = |(id, list): (&String, &proto::Published)| match list.values.iter().map(holds).collect() {
        Ok(values) => Ok((id.clone(), values)),
        Err(why) => Err(format!("{id}: {why}")),
    };
    wire.iter().map(all).collect()
}
