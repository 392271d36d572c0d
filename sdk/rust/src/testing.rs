//! Runs a department's plugin natively against a table of cases: no WebAssembly, no engine, the same messages. Under
//! `onething plugin test` the same cases are then asked in the sandbox.
//!
//! ```no_run
//! use onething_plugin::testing::{run, Case, Want};
//! use onething_plugin::{values, Date, Hook, Outcome, Plugin};
//!
//! # const PLUGIN: Plugin = Plugin::NONE;
//! run(&PLUGIN, &[Case {
//!     name: "sixty today",
//!     hook: Hook::Decide,
//!     today: "2026-03-16",
//!     answers: values! { "form.applicant.birth" => Date::parse("1966-03-16").unwrap() },
//!     want: Want { outcome: Outcome::Approved, ..Want::default() },
//!     ..Case::default()
//! }]);
//! ```

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;

use crate::host::Host;
use crate::plugin::{Hook, Outcome, Plugin, Severity};
use crate::proto;
use crate::value::{from_wire, to_wire, Value, Values};

/// The entries of one source of shared data by key; `None` is a source that is silent.
pub type Source = Option<BTreeMap<String, Values>>;

/// One call and what is expected of it.
#[derive(Clone)]
pub struct Case {
    /// Name of the case, unique in its table.
    pub name: &'static str,
    /// Hook that is called.
    pub hook: Hook,
    /// Bundle and step that the call is for.
    pub bundle: &'static str,
    /// Id of the step in the bundle.
    pub step: &'static str,
    /// The number of the task or case; any text will do.
    pub task: &'static str,
    /// Day of receipt, YYYY-MM-DD.
    pub today: &'static str,
    /// Region of the office, six digits of GB/T 2260.
    pub place: &'static str,
    /// Answers of the form by path.
    pub answers: Values,
    /// Published parameters by id.
    pub parameters: Values,
    /// Values of parameters for other days, by id.
    pub published: BTreeMap<String, Vec<Published>>,
    /// Materials of the step: id and origin.
    pub materials: Vec<(&'static str, &'static str)>,
    /// Result of the decision, for issue and revoke.
    pub result: Values,
    /// The granted sources of shared data by id. A look-up elsewhere is refused, as the engine does.
    pub shared: BTreeMap<&'static str, Source>,
    /// What the department's store holds; `None`: it is not granted.
    pub stored: Option<BTreeMap<String, Vec<u8>>>,
    /// What outside systems answer, in order. A request beyond them is refused.
    pub http: Vec<Exchange>,
    /// What is expected.
    pub want: Want,
}

impl Default for Case {
    fn default() -> Case {
        Case {
            name: "",
            hook: Hook::Decide,
            bundle: "",
            step: "",
            task: "",
            today: "",
            place: "",
            answers: Values::new(),
            parameters: Values::new(),
            published: BTreeMap::new(),
            materials: vec![],
            result: Values::new(),
            shared: BTreeMap::new(),
            stored: None,
            http: vec![],
            want: Want::default(),
        }
    }
}

/// One value of a parameter, with the days and the region that it is published for; what is empty is open.
#[derive(Clone)]
pub struct Published {
    /// First day, YYYY-MM-DD.
    pub from: &'static str,
    /// Last day, YYYY-MM-DD.
    pub until: &'static str,
    /// Region, digits of GB/T 2260.
    pub place: &'static str,
    /// The value.
    pub value: Value,
}

/// A request to an outside system that is expected, and what it is answered.
#[derive(Clone)]
pub struct Exchange {
    /// The request.
    pub request: proto::HttpRequest,
    /// The answer.
    pub response: proto::HttpResponse,
}

/// The expected answer. Every member of the called hook is compared, also if it is empty here: no finding wanted means that
/// there must be none.
#[derive(Clone)]
pub struct Want {
    /// Outcome of decide.
    pub outcome: Outcome,
    /// Findings of check, decide and revoke, in any order, each as `code`, or as `code@path` where its path matters.
    pub findings: Vec<&'static str>,
    /// Proposals of prefill by path.
    pub proposals: Values,
    /// Result of decide and issue by field id.
    pub result: Values,
    /// Media type of the document of issue.
    pub media_type: &'static str,
    /// Texts that the document of issue holds.
    pub content: Vec<&'static str>,
    /// Answer of revoke.
    pub revoked: bool,
    /// What the store holds afterwards, if the case has one; `None`: what it held before.
    pub stored: Option<BTreeMap<String, Vec<u8>>>,
    /// A text in the failure of a call that cannot be answered for a technical reason.
    pub failure: &'static str,
}

impl Default for Want {
    fn default() -> Want {
        Want {
            outcome: Outcome::Unspecified,
            findings: vec![],
            proposals: Values::new(),
            result: Values::new(),
            media_type: "",
            content: vec![],
            revoked: false,
            stored: None,
            failure: "",
        }
    }
}

/// Runs every case and panics with all that is wrong. Beside a case's own expectations it checks what holds for every plugin:
/// the same call gets the same answer twice; each finding has a code in lower snake case, a Chinese text and a known severity; a
/// rejection has a reason; a look-up of shared data has a purpose.
pub fn run(plugin: &Plugin, cases: &[Case]) {
    let faults = check(plugin, cases);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The paths of answers that the plugin reads in a case, or asks for, sorted: hold them against the `needs` of the bundle.
pub fn reads(plugin: &Plugin, case: &Case) -> Vec<String> {
    call(plugin, case).read.into_iter().collect()
}

/// Everything that is wrong with the answers to the cases.
fn check(plugin: &Plugin, cases: &[Case]) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut faults = vec![];
    if cases.is_empty() {
        faults.push("no cases".to_string());
    }
    for case in cases {
        if case.name.is_empty() || !names.insert(case.name) {
            faults.push(format!("case {:?} has no name of its own", case.name));
        }
        let done = call(plugin, case);
        faults.extend(compare(plugin, case, &done).into_iter().map(|fault| format!("case {:?}: {fault}", case.name)));
        if let Some(folder) = std::env::var_os("ONETHING_CASES") {
            record(Path::new(&folder), case, done);
        }
    }
    faults
}

/// What came of a call.
struct Done {
    request: proto::Request,
    response: proto::Response,
    calls: Vec<proto::HostCall>,
    read: BTreeSet<String>,
    stored: BTreeMap<String, Vec<u8>>,
    faults: Vec<String>,
}

fn call(plugin: &Plugin, case: &Case) -> Done {
    let stored = RefCell::new(case.stored.clone().unwrap_or_default());
    let (calls, faults, next) = (RefCell::new(vec![]), RefCell::new(vec![]), Cell::new(0));
    let engine = |function: &str, message: &[u8]| {
        let response = match function {
            "shared_data" => shared_data(case, message, &faults).encode_to_vec(),
            "key_value" => key_value(case, message, &mut stored.borrow_mut()).encode_to_vec(),
            "http" => http(case, message, &next, &faults).encode_to_vec(),
            // A line that is taken is not on the record.
            _ => return vec![],
        };
        calls.borrow_mut().push(proto::HostCall { function: function.into(), request: message.into(), response: response.clone() });
        response
    };
    // Through the bytes, so that nothing passes that they could not carry.
    let message = request(case).encode_to_vec();
    let request = proto::Request::decode(message.as_slice()).expect("what was encoded can be decoded");
    let mut read = BTreeSet::new();
    let response = crate::guest::respond(plugin, &request, Host(&engine), |call| read = call.read());
    let response = proto::Response::decode(response.encode_to_vec().as_slice()).expect("what was encoded can be decoded");
    if next.get() < case.http.len() && response.failure.is_empty() {
        faults.borrow_mut().push(format!("makes {} of {} requests to outside systems", next.get(), case.http.len()));
    }
    Done { request, response, calls: calls.into_inner(), read, stored: stored.into_inner(), faults: faults.into_inner() }
}

fn request(case: &Case) -> proto::Request {
    let published = |p: &Published| proto::PublishedValue {
        from: p.from.into(),
        until: p.until.into(),
        place: p.place.into(),
        value: Some(p.value.to_wire()),
    };
    proto::Request {
        hook: case.hook as i32,
        bundle: case.bundle.into(),
        step: case.step.into(),
        task: case.task.into(),
        attempt: 1,
        today: case.today.into(),
        place: case.place.into(),
        answers: to_wire(&case.answers),
        parameters: to_wire(&case.parameters),
        published: (case.published.iter())
            .map(|(id, all)| (id.clone(), proto::Published { values: all.iter().map(published).collect() }))
            .collect(),
        materials: case.materials.iter().map(|(id, origin)| proto::Material { id: id.to_string(), origin: origin.to_string() }).collect(),
        result: to_wire(&case.result),
    }
}

fn shared_data(case: &Case, message: &[u8], faults: &RefCell<Vec<String>>) -> proto::SharedDataResponse {
    let request = proto::SharedDataRequest::decode(message).expect("the crate wrote it");
    let refused = |why: &str| proto::SharedDataResponse { refused: why.into(), ..Default::default() };
    if request.purpose.trim().is_empty() {
        faults.borrow_mut().push(format!("looks up {} without a purpose", request.source));
    }
    match case.shared.get(request.source.as_str()) {
        None => refused("not_granted"),
        Some(_) if request.key.is_empty() || request.purpose.is_empty() => refused("bad_request"),
        Some(None) => proto::SharedDataResponse::default(),
        Some(Some(entries)) => {
            let entry = entries.get(&request.key);
            proto::SharedDataResponse {
                answered: true,
                found: entry.is_some(),
                values: entry.map(to_wire).unwrap_or_default(),
                ..Default::default()
            }
        }
    }
}

fn key_value(case: &Case, message: &[u8], stored: &mut BTreeMap<String, Vec<u8>>) -> proto::KeyValueResponse {
    use proto::KeyValueOperation as Operation;
    let proto::KeyValueRequest { operation, key, value, after, limit } = proto::KeyValueRequest::decode(message).expect("the crate wrote it");
    let refused = |why: &str| proto::KeyValueResponse { refused: why.into(), ..Default::default() };
    let operation = Operation::from_i32(operation).unwrap_or(Operation::Unspecified);
    let writes = matches!(operation, Operation::Put | Operation::Delete);
    if case.stored.is_none() {
        return refused("not_granted");
    }
    if writes && case.hook == Hook::Prefill {
        return refused("read_only");
    }
    let bad = key.len() > 200 || key.chars().any(char::is_control) || key.is_empty() && operation != Operation::List || value.len() > 64 << 10;
    if bad || operation == Operation::Unspecified || limit > 1000 {
        return refused("bad_request");
    }
    let mut answer = proto::KeyValueResponse::default();
    match operation {
        Operation::Get => {
            if let Some(value) = stored.get(&key) {
                answer.found = true;
                answer.value = value.clone();
            }
        }
        Operation::Put => drop(stored.insert(key, value)),
        Operation::Delete => drop(stored.remove(&key)),
        _ => {
            let wanted = |k: &&String| k.starts_with(&key) && (after.is_empty() || **k > after);
            let limit = if limit == 0 { 100 } else { limit as usize };
            answer.keys = stored.keys().filter(wanted).take(limit).cloned().collect();
        }
    }
    answer
}

fn http(case: &Case, message: &[u8], next: &Cell<usize>, faults: &RefCell<Vec<String>>) -> proto::HttpResponse {
    let request = proto::HttpRequest::decode(message).expect("the crate wrote it");
    let exchange = match case.http.get(next.get()) {
        Some(exchange) => exchange,
        None => return proto::HttpResponse { refused: "not_granted".into(), ..Default::default() },
    };
    next.set(next.get() + 1);
    if request != exchange.request {
        faults.borrow_mut().push(format!("sends\n{request:?}\nand not\n{:?}", exchange.request));
    }
    exchange.response.clone()
}

/// Everything that is wrong with the answer to a case.
fn compare(plugin: &Plugin, case: &Case, done: &Done) -> Vec<String> {
    let (response, want) = (&done.response, &case.want);
    let mut faults = done.faults.clone();
    if call(plugin, case).response != *response {
        faults.push("the same call got two different answers".to_string());
    }
    if !response.failure.is_empty() || !want.failure.is_empty() {
        if want.failure.is_empty() || !response.failure.contains(want.failure) {
            faults.push(format!("failure: got {:?}, want {:?}", response.failure, want.failure));
        }
        return faults;
    }
    let mut expect = |what: &str, good: bool, got: String| {
        if !good {
            faults.push(format!("{what}: got {got}"));
        }
    };
    let nothing = BTreeMap::new();
    let (mut findings, mut result, mut proposals): (&[proto::Finding], _, _) = (&[], &nothing, &nothing);
    match (case.hook, response) {
        (Hook::Prefill, proto::Response { prefill: Some(prefill), .. }) => proposals = &prefill.proposals,
        (Hook::Check, proto::Response { check: Some(check), .. }) => findings = &check.findings,
        (Hook::Decide, proto::Response { decision: Some(decision), .. }) => {
            let outcome = decision.outcome();
            expect("outcome", outcome == want.outcome, format!("{outcome:?}, want {:?}", want.outcome));
            (findings, result) = (&decision.findings, &decision.result);
        }
        (Hook::Issue, proto::Response { issue: Some(issue), .. }) => {
            expect("media type", issue.media_type == want.media_type, format!("{:?}, want {:?}", issue.media_type, want.media_type));
            expect("document", !issue.content.is_empty(), "an empty one".to_string());
            let text = String::from_utf8_lossy(&issue.content);
            for part in &want.content {
                expect("document", text.contains(part), format!("one without {part:?}"));
            }
            result = &issue.result;
        }
        (Hook::Revoke, proto::Response { revocation: Some(revocation), .. }) => {
            expect("revoked", revocation.revoked == want.revoked, format!("{}, want {}", revocation.revoked, want.revoked));
            findings = &revocation.findings;
        }
        (hook, _) => expect("answer", false, format!("none to {hook:?}")),
    }
    if case.stored.is_some() {
        let stored = want.stored.as_ref().or(case.stored.as_ref());
        expect("store", stored == Some(&done.stored), format!("{:?}, want {stored:?}", done.stored));
    }
    faults.extend(compare_findings(findings, &want.findings));
    faults.extend(compare_values("result", result, &want.result));
    faults.extend(compare_values("proposal", proposals, &want.proposals));
    faults
}

fn compare_findings(got: &[proto::Finding], want: &[&str]) -> Vec<String> {
    let mut missing: Vec<&str> = want.to_vec();
    let mut faults = vec![];
    for f in got {
        if !is_snake(&f.code) {
            faults.push(format!("finding {:?}: its code is not in lower snake case", f.code));
        }
        if f.text_zh.trim().is_empty() {
            faults.push(format!("finding {} has no Chinese text", f.code));
        }
        if matches!(Severity::from_i32(f.severity), None | Some(Severity::Unspecified)) {
            faults.push(format!("finding {}: no severity {}", f.code, f.severity));
        }
        let with_path = format!("{}@{}", f.code, f.path);
        let at = missing.iter().position(|m| *m == with_path).or_else(|| missing.iter().position(|m| *m == f.code));
        match at {
            Some(at) => drop(missing.remove(at)),
            None => faults.push(format!("finding {with_path} is not wanted: {}", f.text_zh)),
        }
    }
    faults.extend(missing.iter().map(|code| format!("finding {code} is missing")));
    faults
}

fn is_snake(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.split('_').all(|word| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

fn compare_values(what: &str, got: &BTreeMap<String, proto::Value>, want: &Values) -> Vec<String> {
    let got = match from_wire(got) {
        Ok(got) => got,
        Err(fault) => return vec![format!("{what}: {fault}")],
    };
    let mut faults = vec![];
    for (name, value) in &got {
        match want.get(name) {
            None => faults.push(format!("{what} {name} is not wanted: {value:?}")),
            Some(w) if w != value => faults.push(format!("{what} {name}: got {value:?}, want {w:?}")),
            Some(_) => (),
        }
    }
    let missing = want.iter().filter(|(name, _)| !got.contains_key(*name));
    faults.extend(missing.map(|(name, w)| format!("{what} {name} is missing, want {w:?}")));
    faults
}

/// Writes a case for `onething plugin test`.
fn record(folder: &Path, case: &Case, done: Done) {
    let recorded = proto::Case { name: case.name.into(), request: Some(done.request), calls: done.calls, response: Some(done.response) };
    // Several tables of a crate may have cases of the same name.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let message = recorded.encode_to_vec();
    for byte in &message {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    std::fs::write(folder.join(format!("{hash:016x}.case")), message).expect("the folder of ONETHING_CASES can be written to");
}

#[cfg(test)]
#[path = "testing_test.rs"]
mod tests;
