//! The plugin that holds this SDK to the conformance table. docs/plugin-interface.md says what it does.

use std::collections::BTreeMap;

use onething_plugin::proto::HttpRequest;
use onething_plugin::{Call, Decision, Document, Failure, Fields, Finding, Plugin, Revocation, Value, Values};

const PLUGIN: Plugin = Plugin { prefill: Some(prefill), check: Some(check), decide: Some(decide), issue: Some(issue), revoke: Some(revoke) };
onething_plugin::serve!(PLUGIN);

/// Every kind of value, by the name of its field.
const KINDS: [&str; 11] =
    ["text", "bool", "int", "decimal", "money", "date", "choice", "choices", "citizen_number", "address", "list"];

/// The value of `form.<kind>`, read by the accessor of its kind.
fn read(call: &Call, kind: &str) -> Option<Value> {
    let path = &format!("form.{kind}");
    Some(match kind {
        "text" => call.text(path)?.into(),
        "bool" => call.bool(path)?.into(),
        "int" => call.int(path)?.into(),
        "decimal" => call.decimal(path)?.clone().into(),
        "money" => call.money(path)?.into(),
        "date" => call.date(path)?.into(),
        "choice" => Value::choice(call.choice(path)?),
        "choices" => Value::Choices(call.choices(path)?.to_vec()),
        "citizen_number" => Value::citizen_number(call.citizen_number(path)?),
        "address" => call.address(path)?.clone().into(),
        _ => call.list(path)?.iter().map(row).collect::<Vec<_>>().into(),
    })
}

fn row(cells: &Fields) -> Values {
    let mut values = Values::new();
    if let Some(text) = cells.text("text") {
        values.insert("text".into(), text.into());
    }
    if let Some(money) = cells.money("money") {
        values.insert("money".into(), money.into());
    }
    values
}

fn echo(call: &Call, prefix: &str) -> Values {
    KINDS.iter().filter_map(|kind| Some((format!("{prefix}{kind}"), read(call, kind)?))).collect()
}

fn prefill(call: &Call) -> Result<Values, Failure> {
    Ok(echo(call, "own."))
}

fn check(call: &Call) -> Result<Vec<Finding>, Failure> {
    let paths = KINDS.iter().map(|kind| format!("form.{kind}")).filter(|path| !call.has(path));
    let mut found: Vec<Finding> = paths.map(|path| Finding::new("missing", "缺少").path(&path)).collect();
    for id in ["id_card", "promise", "photo"] {
        found.push(Finding::new("material", format!("{id}：{}", call.material(id).unwrap_or("无"))).note());
    }
    found.push(Finding::new("full", "全部").obstacle().path("form.text").english("everything").basis("民法典 第一条"));
    Ok(found)
}

fn decide(call: &Call) -> Result<Decision, Failure> {
    match call.step() {
        "echo" => Ok(Decision::approve(echo(call, ""))),
        "call" => Ok(Decision::approve(onething_plugin::values! {
            "bundle" => call.bundle(), "step" => call.step(), "task" => call.task(), "attempt" => call.attempt(), "today" => call.today(),
            "place" => call.place(),
        })),
        "parameters" => parameters(call),
        "shared" => shared(call),
        "store" => store(call),
        "http" => http(call),
        "log" => {
            call.log("counted", &[("rows", 3), ("below", -1)]);
            Ok(Decision::approve(Values::new()))
        }
        "wrong_kind" => {
            call.date("form.text");
            Ok(Decision::approve(Values::new()))
        }
        "wrong_cell" => {
            for cells in call.list("form.list").unwrap_or_default() {
                cells.date("text");
            }
            Ok(Decision::approve(Values::new()))
        }
        "note" => Ok(Decision::approve(Values::new()).and(Finding::new("noted", "备注").note())),
        "reject" => Ok(Decision::reject(Finding::new("first", "理由一").obstacle().path("form.text")).and(Finding::new("second", "理由二"))),
        "undetermined" => Ok(Decision::undetermined(Finding::new("doubt", "存疑").note())),
        other => Err(Failure(format!("no step {other}"))),
    }
}

fn parameters(call: &Call) -> Result<Decision, Failure> {
    let mut result = Values::new();
    let mut add = |name: &str, value: Option<Value>| drop(value.map(|v| result.insert(name.into(), v)));
    add("base", call.parameters().money("base").map(Value::from));
    if let Some(day) = call.date("form.date") {
        let then = call.parameters_on(day);
        add("base_then", then.money("base").map(Value::from));
        add("rate_then", then.decimal("rate").map(|d| d.clone().into()));
    }
    Ok(Decision::approve(result))
}

/// The text of a path, which the case has.
fn given<'a>(call: &'a Call, path: &str) -> Result<&'a str, Failure> {
    call.text(path).ok_or_else(|| Failure(format!("{path} is missing")))
}

fn shared(call: &Call) -> Result<Decision, Failure> {
    let entry = call.shared_data(given(call, "form.source")?, given(call, "form.key")?, given(call, "form.purpose")?)?;
    if !entry.answered {
        return Ok(Decision::undetermined(Finding::new("silent", "暂时无法查询")));
    }
    if !entry.found {
        return Ok(Decision::reject(Finding::new("not_found", "查无记录")));
    }
    let mut result = Values::new();
    if let Some(name) = entry.values.text("name") {
        result.insert("name".into(), name.into());
    }
    if let Some(amount) = entry.values.money("amount") {
        result.insert("amount".into(), amount.into());
    }
    Ok(Decision::approve(result))
}

fn store(call: &Call) -> Result<Decision, Failure> {
    let (key, store) = (given(call, "form.key")?, call.store());
    if let Some(value) = store.get(key)? {
        store.delete(key)?;
        return Ok(Decision::approve(onething_plugin::values! { "value" => String::from_utf8_lossy(&value).into_owned() }));
    }
    store.put(key, call.text("form.value").unwrap_or_default().as_bytes())?;
    let keys = store.list("k", "k1", 2)?;
    Ok(Decision::approve(onething_plugin::values! { "keys" => keys.join(" ") }))
}

fn http(call: &Call) -> Result<Decision, Failure> {
    let answer = call.http(&HttpRequest {
        method: "POST".into(),
        url: "https://ledger.example.cn/entries".into(),
        headers: BTreeMap::from([("Accept".into(), "application/json".into()), ("Content-Type".into(), "application/json".into())]),
        body: br#"{"n":1}"#.to_vec(),
    })?;
    Ok(match answer {
        None => Decision::undetermined(Finding::new("unreachable", "外部系统无法访问")),
        Some(a) => Decision::approve(onething_plugin::values! {
            "status" => a.status, "content_type" => a.content_type, "body" => String::from_utf8_lossy(&a.body).into_owned(),
        }),
    })
}

fn issue(call: &Call) -> Result<Document, Failure> {
    let text = call.result().text("text").ok_or_else(|| Failure::new("no text"))?;
    Ok(Document {
        media_type: "text/plain; charset=utf-8".into(),
        content: format!("{text}\n").into_bytes(),
        result: onething_plugin::values! { "number" => "N-1" },
    })
}

fn revoke(call: &Call) -> Result<Revocation, Failure> {
    let revoked = call.result().bool("bool").unwrap_or(false);
    let left = Finding::new("left", "由经办人收回").note();
    Ok(Revocation { revoked, findings: if revoked { vec![] } else { vec![left] } })
}
