use super::*;
use crate::{values, Call, Date, Decision, Document, Failure, Finding, Money, Revocation};

/// A small plugin with something of everything.
const GRANT: Plugin = Plugin { prefill: Some(prefill), check: Some(check_it), decide: Some(decide), issue: Some(issue), revoke: Some(revoke) };

fn prefill(call: &Call) -> Result<Values, Failure> {
    let number = match call.citizen_number("form.heir.id_no") {
        Some(number) => number,
        None => return Ok(Values::new()),
    };
    let entry = call.shared_data("register", number, "预填申请表")?;
    Ok(entry.values.text("name").map_or_else(Values::new, |name| values! { "form.heir.name" => name }))
}

fn check_it(call: &Call) -> Result<Vec<Finding>, Failure> {
    Ok(match call.material("death_certificate") {
        Some("APPLICANT") => vec![],
        _ => vec![Finding::new("no_certificate", "请补交死亡证明")],
    })
}

fn decide(call: &Call) -> Result<Decision, Failure> {
    let death = match call.date("form.decedent.death_date") {
        Some(death) => death,
        None => return Ok(Decision::undetermined(Finding::new("no_date", "缺少死亡日期").path("form.decedent.death_date"))),
    };
    if death > call.today() {
        return Ok(Decision::reject(Finding::new("future", "死亡日期晚于受理日").obstacle()));
    }
    let income = call.parameters_on(death).money("income").ok_or_else(|| Failure::new("parameter income is not published"))?;
    let store = call.store();
    if let Some(number) = call.text("own.number") {
        if store.get(number)?.is_some() {
            return Ok(Decision::reject(Finding::new("paid", "已经领取")));
        }
        store.put(number, b"paid")?;
    }
    Ok(Decision::approve(values! { "grant" => Money(2 * income.0) }).and(Finding::new("counted", "按年度基数计发")))
}

fn issue(call: &Call) -> Result<Document, Failure> {
    let amount = call.result().money("grant").ok_or_else(|| Failure::new("no grant"))?;
    Ok(Document { media_type: "text/plain; charset=utf-8".into(), content: format!("补助 {amount} 元").into(), result: Values::new() })
}

fn revoke(call: &Call) -> Result<Revocation, Failure> {
    let request = proto::HttpRequest { method: "POST".into(), url: "https://ledger.example.cn/revoke".into(), ..Default::default() };
    let answer = call.http(&request)?;
    call.log("revoked", &[("attempt", i64::from(call.attempt()))]);
    Ok(Revocation { revoked: answer.map_or(false, |a| a.status == 200), findings: vec![] })
}

fn day(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn case(name: &'static str, answers: Values, want: Want) -> Case {
    let published = vec![
        Published { from: "2026-01-01", until: "2026-12-31", place: "32", value: Money(9000).into() },
        Published { from: "2025-01-01", until: "2025-12-31", place: "32", value: Money(8800).into() },
        Published { from: "2025-07-01", until: "2025-12-31", place: "3213", value: Money(8850).into() },
    ];
    Case { name, today: "2026-03-02", answers, published: BTreeMap::from([("income".to_string(), published)]), want, ..Case::default() }
}

fn approved(fen: i64) -> Want {
    Want { outcome: Outcome::Approved, result: values! { "grant" => Money(fen) }, findings: vec!["counted"], ..Want::default() }
}

fn good() -> Vec<Case> {
    let died = |text| values! { "form.decedent.death_date" => day(text) };
    let numbered = |text| {
        let mut answers = died(text);
        answers.insert("own.number".into(), "7".into());
        answers
    };
    let held = |n: &str| BTreeMap::from([(n.to_string(), b"paid".to_vec())]);
    let person = BTreeMap::from([("11010519491231002X".to_string(), values! { "name" => "张三" })]);
    let asks = Case { answers: values! { "form.heir.id_no" => Value::citizen_number("11010519491231002X") }, hook: Hook::Prefill, ..case("", Values::new(), Want::default()) };
    let takes_back = |name, response, revoked| Case {
        hook: Hook::Revoke,
        http: vec![Exchange { request: proto::HttpRequest { method: "POST".into(), url: "https://ledger.example.cn/revoke".into(), ..Default::default() }, response }],
        ..case(name, Values::new(), Want { revoked, ..Want::default() })
    };
    vec![
        case("this year", died("2026-03-01"), approved(18000)),
        case("the year before", died("2025-06-30"), approved(17600)),
        case("of the smaller region", died("2025-07-01"), approved(17700)),
        case("not published", died("2024-12-31"), Want { failure: "not published", ..Want::default() }),
        case("blank", Values::new(), Want { outcome: Outcome::Undetermined, findings: vec!["no_date@form.decedent.death_date"], ..Want::default() }),
        case("in the future", died("2026-03-03"), Want { outcome: Outcome::Rejected, findings: vec!["future"], ..Want::default() }),
        case("a text for a date", values! { "form.decedent.death_date" => "2026-03-01" }, Want { failure: "of another kind", ..Want::default() }),
        case("without a store", numbered("2026-03-01"), Want { failure: "store: not_granted", ..Want::default() }),
        Case { stored: Some(BTreeMap::new()), ..case("paid once", numbered("2026-03-01"), Want { stored: Some(held("7")), ..approved(18000) }) },
        Case { stored: Some(held("7")), ..case("paid twice", numbered("2026-03-01"), Want { outcome: Outcome::Rejected, findings: vec!["paid"], ..Want::default() }) },
        Case { hook: Hook::Check, materials: vec![("death_certificate", "APPLICANT")], ..case("there", Values::new(), Want::default()) },
        Case { hook: Hook::Check, ..case("not there", Values::new(), Want { findings: vec!["no_certificate"], ..Want::default() }) },
        Case {
            hook: Hook::Issue,
            result: values! { "grant" => Money(18000) },
            ..case("document", Values::new(), Want { media_type: "text/plain; charset=utf-8", content: vec!["180.00 元"], ..Want::default() })
        },
        Case { name: "found", shared: BTreeMap::from([("register", Some(person))]), want: Want { proposals: values! { "form.heir.name" => "张三" }, ..Want::default() }, ..asks.clone() },
        Case { name: "not found", shared: BTreeMap::from([("register", Some(BTreeMap::new()))]), ..asks.clone() },
        Case { name: "silent", shared: BTreeMap::from([("register", None)]), ..asks.clone() },
        Case { name: "not granted", want: Want { failure: "shared data of register: not_granted", ..Want::default() }, ..asks },
        takes_back("taken back", proto::HttpResponse { answered: true, status: 200, ..Default::default() }, true),
        takes_back("in dispute", proto::HttpResponse { answered: true, status: 409, ..Default::default() }, false),
        takes_back("nobody there", proto::HttpResponse::default(), false),
        Case { want: Want { failure: "http: private_address", ..Want::default() }, ..takes_back("refused", proto::HttpResponse { refused: "private_address".into(), ..Default::default() }, false) },
        Case { hook: Hook::Unspecified, ..case("no hook", Values::new(), Want { failure: "no handler", ..Want::default() }) },
        Case { today: "2026-02-30", ..case("no day", Values::new(), Want { failure: "today", ..Want::default() }) },
    ]
}

#[test]
fn good_cases_pass() {
    run(&GRANT, &good());
}

#[test]
fn what_is_wrong_is_said() {
    let first = || case("x", values! { "form.decedent.death_date" => day("2026-03-01") }, approved(18000));
    let wrong = |want: Want| check(&GRANT, &[Case { want, ..first() }]).join("\n");
    for (want, said) in [
        (Want { outcome: Outcome::Rejected, ..approved(18000) }, "outcome: got Approved, want Rejected"),
        (approved(1), "result grant: got Money(Money(18000)), want Money(Money(1))"),
        (Want { result: Values::new(), ..approved(1) }, "result grant is not wanted"),
        (Want { result: values! { "grant" => Money(18000), "more" => 1 }, ..approved(1) }, "result more is missing"),
        (Want { findings: vec![], ..approved(18000) }, "finding counted@ is not wanted"),
        (Want { findings: vec!["counted", "other"], ..approved(18000) }, "finding other is missing"),
        (Want { failure: "never", ..approved(18000) }, "failure: got \"\", want \"never\""),
    ] {
        let said_instead = wrong(want);
        assert!(said_instead.contains(said), "{said_instead}");
    }
    assert!(check(&GRANT, &[]).join("").contains("no cases"));
    assert!(check(&GRANT, &[first(), first()]).join("").contains("no name of its own"));
    for (plugin, said) in [
        (Plugin { check: Some(|_| Ok(vec![Finding::new("Upper", "文")])), ..Plugin::NONE }, "snake"),
        (Plugin { check: Some(|_| Ok(vec![Finding::new("blank", " ")])), ..Plugin::NONE }, "no Chinese text"),
        (Plugin { check: Some(|call| call.shared_data("register", "1", " ").map(|_| vec![])), ..Plugin::NONE }, "without a purpose"),
        (Plugin { check: Some(|_| Err(Failure::new(""))), ..Plugin::NONE }, "failure: got \"the handler gave no reason\""),
    ] {
        let faults = check(&plugin, &[Case { hook: Hook::Check, shared: BTreeMap::from([("register", None)]), ..case("x", Values::new(), Want::default()) }]).join("");
        assert!(faults.contains(said), "{faults}");
    }
    let changing = Plugin {
        check: Some(|_| {
            thread_local!(static COUNT: Cell<u32> = Cell::new(0));
            COUNT.with(|n| n.set(n.get() + 1));
            Ok(vec![Finding::new("counted", COUNT.with(|n| n.get().to_string()) + "次")])
        }),
        ..Plugin::NONE
    };
    let faults = check(&changing, &[Case { hook: Hook::Check, ..case("x", Values::new(), Want { findings: vec!["counted"], ..Want::default() }) }]).join("");
    assert!(faults.contains("two different answers"), "{faults}");
    let unsent = check(&GRANT, &[Case { http: vec![], ..good().pop().unwrap() }]);
    assert_eq!(unsent, Vec::<String>::new());
}

#[test]
fn reads_are_reported() {
    assert_eq!(reads(&GRANT, &good()[0]), ["form.decedent.death_date", "own.number"]);
}

#[test]
fn what_is_no_message_is_a_failure() {
    let nobody = |_: &str, _: &[u8]| vec![];
    for message in [&[0xffu8][..], &[0x0a, 0x05, 0x01], &[0x12, 0x02, 0xff, 0xfe]] {
        assert!(!crate::guest::answer(&GRANT, message, Host(&nobody)).failure.is_empty());
    }
    // Every beginning of a good request, and every bit of it turned: an answer or a failure, and no panic.
    let message = request(&good()[1]).encode_to_vec();
    for end in 0..message.len() {
        crate::guest::answer(&GRANT, &message[..end], Host(&nobody));
        for bit in 0..8 {
            let mut turned = message.clone();
            turned[end] ^= 1 << bit;
            crate::guest::answer(&GRANT, &turned, Host(&nobody));
        }
    }
}

#[test]
fn an_answer_that_is_no_message_is_a_failure() {
    let garbage = |_: &str, _: &[u8]| vec![0xff];
    for hook in [Hook::Prefill, Hook::Revoke] {
        let mut request = request(&good()[0]);
        request.hook = hook as i32;
        request.answers.insert("form.heir.id_no".into(), Value::citizen_number("1").to_wire());
        let response = crate::guest::respond(&GRANT, &request, Host(&garbage), |_| ());
        assert!(response.failure.contains("no message of this interface"), "{}", response.failure);
    }
}
