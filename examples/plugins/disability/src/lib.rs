//! The plugin civil_affairs/disability: who gets the living and the nursing allowance. README.md says what it decides and what it leaves
//! to an officer.

use onething_plugin::{values, Call, Decision, Entry, Failure, Finding, Plugin};

pub const PLUGIN: Plugin = Plugin { decide: Some(decide), ..Plugin::NONE };
onething_plugin::serve!(PLUGIN);

const NUMBER: &str = "form.applicant.id_no";
const BASIS: &str = "国发〔2015〕52号";

fn doubt(code: &str, path: &str, text: &str) -> Decision {
    Decision::undetermined(Finding::new(code, text).note().path(path).basis(BASIS))
}

fn refuse(code: &str, text: &str) -> Decision {
    Decision::reject(Finding::new(code, text).obstacle().path(NUMBER).basis(BASIS))
}

fn decide(call: &Call) -> Result<Decision, Failure> {
    let parameter = match call.step() {
        "living_subsidy" => "disabled_living_month",
        "care_subsidy" => "disabled_care_month",
        step => return Err(Failure::new(format!("no step {step}"))),
    };
    let number = match call.citizen_number(NUMBER) {
        Some(number) => number,
        None => return Ok(doubt("input_missing", NUMBER, "缺少公民身份号码，由经办人核实")),
    };
    let entry = call.shared_data("disability_register", number, "核定残疾人两项补贴")?;
    if !entry.answered {
        return Ok(doubt("source_silent", "", "残疾人信息暂时无法查询，由经办人核实"));
    }
    if !entry.found {
        return Ok(doubt("not_registered", NUMBER, "未查到残疾人证信息，由经办人核实"));
    }
    let refused = if parameter == "disabled_living_month" { living(&entry) } else { care(&entry) };
    if let Some(decision) = refused {
        return Ok(decision);
    }
    Ok(match call.parameters().money(parameter) {
        Some(amount) if amount.0 > 0 => Decision::approve(values! { "amount" => amount }),
        _ => doubt("parameter_missing", "", "补贴标准尚未公布，由经办人核定"),
    })
}

/// Why somebody does not get the living allowance, or what is in doubt: a certificate, and a family that gets the subsistence allowance.
fn living(entry: &Entry) -> Option<Decision> {
    match (entry.values.bool("supported"), entry.values.bool("orphan"), entry.values.bool("dibao")) {
        (None, ..) | (_, None, _) | (_, _, None) => Some(doubt("register_incomplete", NUMBER, "登记信息不完整，由经办人核实")),
        (Some(true), ..) => Some(refuse("supported", "已纳入特困人员供养，不重复享受生活补贴")),
        (_, Some(true), _) => Some(refuse("orphan", "已享受孤儿基本生活保障，不重复享受生活补贴，可以申请护理补贴")),
        (_, _, Some(false)) => Some(doubt("no_dibao", NUMBER, "不是低保家庭，本地是否扩大范围由经办人核定")),
        _ => None,
    }
}

/// The same of the nursing allowance: level 1 or 2, and care for half a year at least.
fn care(entry: &Entry) -> Option<Decision> {
    match (entry.values.bool("supported"), entry.values.bool("injury_care"), entry.values.int("level"), entry.values.int("care_months")) {
        (None, ..) | (_, None, ..) | (_, _, None, _) | (.., None) => Some(doubt("register_incomplete", NUMBER, "登记信息不完整，由经办人核实")),
        (Some(true), ..) => Some(refuse("supported", "已纳入特困人员供养，不重复享受护理补贴")),
        (_, Some(true), ..) => Some(refuse("injury_care", "已领取工伤保险生活护理费，不重复享受护理补贴")),
        (_, _, Some(level), _) if !(1..=4).contains(&level) => Some(doubt("register_incomplete", NUMBER, "登记的残疾等级有误，由经办人核实")),
        (_, _, Some(3..=4), _) => Some(doubt("level", NUMBER, "残疾等级不是一级或者二级，本地是否扩大范围由经办人核定")),
        (.., Some(months)) if months < 6 => Some(doubt("short_care", NUMBER, "需要长期照护未满六个月，由经办人核实")),
        _ => None,
    }
}
