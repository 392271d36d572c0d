//! The plugin public_security/inspection: until when a car's inspection holds, and whether it has to go on the line. README.md says
//! what it decides and what it leaves to an officer.

use onething_plugin::{days_in, values, Call, Date, Decision, Failure, Finding, Plugin};

pub const PLUGIN: Plugin = Plugin { check: Some(check), decide: Some(decide), ..Plugin::NONE };
onething_plugin::serve!(PLUGIN);

const REGISTERED: &str = "form.vehicle.reg_date";
const KIND: &str = "form.vehicle.kind";
const EXEMPT: &str = "own.online_check";
const COMMERCIAL: &str = "own.business";
/// The years are those of the reform that is in force since 2022-10-01.
const BASIS: &str = "公安部等四部门《关于深化机动车检验制度改革优化车检服务工作的意见》；道路交通安全法实施条例 第十六条";

/// What is due in a year after registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    /// The mark is asked for without a test.
    Mark,
    /// The car goes on the line.
    Line,
    /// Neither.
    Nothing,
}

/// What is due in year n after registration, for a private car of up to nine seats that is no van.
fn due(year: i32) -> Due {
    match year {
        2 | 4 | 8 => Due::Mark,
        6 | 10 => Due::Line,
        year if year > 10 => Due::Line,
        _ => Due::Nothing,
    }
}

/// The last day of the month of registration in a year.
fn end_of_month(registered: Date, year: i32) -> Date {
    Date { year, month: registered.month, day: days_in(year, registered.month) }
}

/// The inspection that is open on a day, as the year after registration: from the first day of the second month before the month of
/// registration on, or, if it was missed, the last one that was due. None before the first one.
fn open(registered: Date, today: Date) -> Option<i32> {
    let months = (today.year - registered.year) * 12 + today.month as i32 - registered.month as i32;
    (1..=(months + 2) / 12).rev().find(|year| due(*year) != Due::Nothing)
}

/// Until when the inspection of a year holds: the day on which the next is due.
fn until(registered: Date, year: i32) -> Option<Date> {
    let next = (year + 1..=year + 4).find(|year| due(*year) != Due::Nothing)?;
    Some(end_of_month(registered, registered.year + next))
}

/// What the form says, as far as it settles the matter; else what is in doubt.
fn year(call: &Call) -> Result<(Date, i32), Finding> {
    let note = |code, path, text: &str| Finding::new(code, text).note().path(path).basis(BASIS);
    let registered = call.date(REGISTERED).ok_or_else(|| note("input_missing", REGISTERED, "缺少注册登记日期，由经办人核实"))?;
    let kind = call.choice(KIND).ok_or_else(|| note("input_missing", KIND, "缺少车辆类型，由经办人核实"))?;
    let commercial = call.bool(COMMERCIAL).ok_or_else(|| note("input_missing", COMMERCIAL, "缺少是否营运，由经办人核实"))?;
    if kind != "car" && kind != "electric" || commercial {
        return Err(note("other_period", KIND, "营运车辆和其他车型的检验周期不同，由经办人核定"));
    }
    if registered > call.today() {
        return Err(Finding::new("registered_later", "注册登记日期晚于申请日，请核对").path(REGISTERED));
    }
    match open(registered, call.today()) {
        Some(year) => Ok((registered, year)),
        None => Err(note("not_due", REGISTERED, "尚未到检验期，由经办人核实")),
    }
}

/// The answer that the car is exempt although it has to go on the line.
fn wrongly_exempt(call: &Call, year: i32) -> Option<Finding> {
    (due(year) == Due::Line && call.bool(EXEMPT) == Some(true)).then(|| {
        Finding::new("line_needed", format!("注册登记第 {year} 年须上线检测，请先到检验机构检测")).path(EXEMPT).basis(BASIS)
    })
}

fn check(call: &Call) -> Result<Vec<Finding>, Failure> {
    Ok(match year(call) {
        Ok((_, year)) => wrongly_exempt(call, year).into_iter().collect(),
        // What is not answered yet is no finding.
        Err(doubt) if doubt.code == "input_missing" => vec![],
        Err(doubt) => vec![doubt],
    })
}

fn decide(call: &Call) -> Result<Decision, Failure> {
    let (registered, year) = match year(call) {
        Ok(found) => found,
        Err(doubt) => return Ok(Decision::undetermined(doubt)),
    };
    if let Some(finding) = wrongly_exempt(call, year) {
        return Ok(Decision::undetermined(finding));
    }
    if call.bool(EXEMPT).is_none() {
        return Ok(Decision::undetermined(Finding::new("input_missing", "缺少是否免检，由经办人核实").note().path(EXEMPT)));
    }
    Ok(match until(registered, year) {
        Some(until) => Decision::approve(values! { "until" => until }),
        None => Decision::undetermined(Finding::new("year_unknown", "检验周期无法核定，由经办人核实").note()),
    })
}
