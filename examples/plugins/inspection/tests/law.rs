use onething_plugin::testing::{run, Case, Want};
use onething_plugin::{values, Date, Hook, Outcome, Value, Values};

fn car(registered: &str, exempt: bool) -> Values {
    values! {
        "form.vehicle.reg_date" => Date::parse(registered).unwrap(), "form.vehicle.kind" => Value::choice("car"), "own.business" => false,
        "own.online_check" => exempt,
    }
}

fn but(mut answers: Values, path: &str, value: Option<Value>) -> Values {
    answers.remove(path);
    if let Some(value) = value {
        answers.insert(path.into(), value);
    }
    answers
}

fn decide(name: &'static str, today: &'static str, answers: Values, want: Want) -> Case {
    Case { name, bundle: "car_annual", step: "annual", today, place: "321323", answers, want, ..Case::default() }
}

fn until(day: &str) -> Want {
    Want { outcome: Outcome::Approved, result: values! { "until" => Date::parse(day).unwrap() }, ..Want::default() }
}

fn officer(finding: &'static str) -> Want {
    Want { outcome: Outcome::Undetermined, findings: vec![finding], ..Want::default() }
}

/// The lines that the rule draws: years 2, 4, 8 by mark, 6 and 10 and every later one on the line; open in the month of registration and
/// the two before.
#[test]
fn law() {
    let day = "2026-03-10";
    let check = |case: Case, findings: Vec<&'static str>| Case { hook: Hook::Check, want: Want { findings, ..Want::default() }, ..case };
    run(&inspection::PLUGIN, &[
        decide("year 2, mark", day, car("2024-05-20", true), until("2028-05-31")),
        decide("year 4, mark", day, car("2022-05-20", true), until("2028-05-31")),
        decide("year 6, on the line", day, car("2020-05-20", false), until("2028-05-31")),
        decide("year 6, said to be exempt", day, car("2020-05-20", true), officer("line_needed@own.online_check")),
        decide("year 8, mark", day, car("2018-05-20", true), until("2028-05-31")),
        decide("year 10, on the line", day, car("2016-05-20", false), until("2027-05-31")),
        decide("year 12, on the line", "2026-06-01", car("2014-05-20", false), until("2027-05-31")),
        decide("year 16, on the line", day, car("2010-05-20", false), until("2027-05-31")),
        decide("a leap day", "2026-02-28", car("2024-02-29", true), until("2028-02-29")),
        decide("the first day on which it is open", "2026-03-01", car("2024-05-20", true), until("2028-05-31")),
        decide("the day before", "2026-02-28", car("2024-05-20", true), officer("not_due@form.vehicle.reg_date")),
        decide("over the turn of the year", "2025-11-01", car("2024-01-20", true), until("2028-01-31")),
        decide("missed", "2027-12-31", car("2024-05-20", true), until("2028-05-31")),
        decide("electric", day, but(car("2024-05-20", true), "form.vehicle.kind", Some(Value::choice("electric"))), until("2028-05-31")),
        decide("a truck", day, but(car("2024-05-20", true), "form.vehicle.kind", Some(Value::choice("truck"))), officer("other_period")),
        decide("commercial", day, but(car("2024-05-20", true), "own.business", Some(true.into())), officer("other_period")),
        decide("registered tomorrow", day, car("2026-03-11", true), officer("registered_later@form.vehicle.reg_date")),
        decide("no day of registration", day, but(car("2024-05-20", true), "form.vehicle.reg_date", None), officer("input_missing")),
        decide("no kind", day, but(car("2024-05-20", true), "form.vehicle.kind", None), officer("input_missing")),
        decide("not said whether commercial", day, but(car("2024-05-20", true), "own.business", None), officer("input_missing")),
        decide("not said whether exempt", day, but(car("2024-05-20", true), "own.online_check", None), officer("input_missing@own.online_check")),
        check(decide("found: nothing", day, car("2024-05-20", true), Want::default()), vec![]),
        check(decide("found: on the line", day, car("2016-05-20", true), Want::default()), vec!["line_needed"]),
        check(decide("found: nothing of what is not answered", day, Values::new(), Want::default()), vec![]),
        check(decide("found: later", day, car("2026-03-11", true), Want::default()), vec!["registered_later"]),
    ]);
}
