use std::collections::BTreeMap;

use onething_plugin::testing::{run, Case, Want};
use onething_plugin::{values, Money, Outcome, Value, Values};

const NUMBER: &str = "11010519491231002X";

fn person() -> Values {
    values! { "level" => 1, "care_months" => 6, "dibao" => true, "supported" => false, "orphan" => false, "injury_care" => false }
}

fn but(changes: Values) -> Values {
    person().into_iter().chain(changes).collect()
}

fn without(name: &str) -> Values {
    person().into_iter().filter(|(n, _)| n != name).collect()
}

fn case(name: &'static str, step: &'static str, entry: Values, want: Want) -> Case {
    Case {
        name,
        bundle: "disabled_service",
        step,
        today: "2026-03-16",
        place: "321323",
        answers: values! { "form.applicant.id_no" => Value::citizen_number(NUMBER) },
        parameters: values! { "disabled_living_month" => Money(37000), "disabled_care_month" => Money(15000) },
        shared: BTreeMap::from([("disability_register", Some(BTreeMap::from([(NUMBER.to_string(), entry)])))]),
        want,
        ..Case::default()
    }
}

fn paid(fen: i64) -> Want {
    Want { outcome: Outcome::Approved, result: values! { "amount" => Money(fen) }, ..Want::default() }
}

fn found(outcome: Outcome, finding: &'static str) -> Want {
    Want { outcome, findings: vec![finding], ..Want::default() }
}

#[test]
fn law() {
    use Outcome::{Rejected, Undetermined};
    let (living, care) = ("living_subsidy", "care_subsidy");
    let base = |name| case(name, care, person(), Want::default());
    run(&disability::PLUGIN, &[
        case("level 1, dibao, long care: living", living, person(), paid(37000)),
        case("level 1, dibao, long care: nursing", care, person(), paid(15000)),
        case("level 4, dibao: living", living, but(values! { "level" => 4, "care_months" => 0 }), paid(37000)),
        case("level 4, dibao: nursing", care, but(values! { "level" => 4 }), found(Undetermined, "level")),
        case("level 3: nursing", care, but(values! { "level" => 3 }), found(Undetermined, "level")),
        case("level 2, no dibao: nursing", care, but(values! { "level" => 2, "dibao" => false }), paid(15000)),
        case("level 2, no dibao: living", living, but(values! { "level" => 2, "dibao" => false }), found(Undetermined, "no_dibao")),
        case("five months of care", care, but(values! { "care_months" => 5 }), found(Undetermined, "short_care")),
        case("an orphan: living", living, but(values! { "orphan" => true }), found(Rejected, "orphan")),
        case("an orphan: nursing", care, but(values! { "orphan" => true }), paid(15000)),
        case("supported: living", living, but(values! { "supported" => true }), found(Rejected, "supported")),
        case("supported: nursing", care, but(values! { "supported" => true }), found(Rejected, "supported")),
        case("work injury: nursing", care, but(values! { "injury_care" => true }), found(Rejected, "injury_care")),
        case("work injury: living", living, but(values! { "injury_care" => true }), paid(37000)),
        case("no level that there is", care, but(values! { "level" => 5 }), found(Undetermined, "register_incomplete")),
        case("level not known", care, without("level"), found(Undetermined, "register_incomplete")),
        case("dibao not known", living, without("dibao"), found(Undetermined, "register_incomplete")),
        case("support not known", living, without("supported"), found(Undetermined, "register_incomplete")),
        Case { parameters: Values::new(), want: found(Undetermined, "parameter_missing"), ..base("amount not published") },
        Case { answers: Values::new(), want: found(Undetermined, "input_missing@form.applicant.id_no"), ..base("no number") },
        Case { shared: BTreeMap::from([("disability_register", None)]), want: found(Undetermined, "source_silent"), ..base("silent") },
        Case {
            shared: BTreeMap::from([("disability_register", Some(BTreeMap::new()))]),
            want: found(Undetermined, "not_registered"),
            ..base("not registered")
        },
        Case { shared: BTreeMap::new(), want: Want { failure: "not_granted", ..Want::default() }, ..base("not granted") },
        Case { step: "other", want: Want { failure: "no step other", ..Want::default() }, ..base("another step") },
    ]);
}
