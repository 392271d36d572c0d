use crate::call::Call;
use crate::proto;
use crate::value::{to_wire, Values};

pub use crate::proto::{Hook, Outcome, Severity};

/// Why a call cannot be answered for a technical reason. The engine asks again later, and in the end an officer. It is kept
/// for operators, so it must hold no personal data. A failure is never a refusal: refuse with [`Decision::reject`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl Failure {
    /// A failure with its reason.
    pub fn new(reason: impl Into<String>) -> Failure {
        Failure(reason.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// A department's step: a handler for each hook that it implements, `None` for the others. The hooks of the manifest must
/// be the same.
///
/// ```
/// use onething_plugin::{Call, Decision, Failure, Plugin};
///
/// const PLUGIN: Plugin = Plugin { decide: Some(decide), ..Plugin::NONE };
/// onething_plugin::serve!(PLUGIN);
///
/// fn decide(call: &Call) -> Result<Decision, Failure> {
///     Ok(Decision::approve(onething_plugin::values! { "valid_from" => call.today() }))
/// }
/// # fn main() {}
/// ```
#[derive(Clone, Copy)]
pub struct Plugin {
    /// Proposes values by path to a person who waits.
    pub prefill: Option<fn(&Call) -> Result<Values, Failure>>,
    /// Looks at an application before acceptance; no finding means that the department sees no obstacle.
    pub check: Option<fn(&Call) -> Result<Vec<Finding>, Failure>>,
    /// Decides the step.
    pub decide: Option<fn(&Call) -> Result<Decision, Failure>>,
    /// Makes the result's document after an approval.
    pub issue: Option<fn(&Call) -> Result<Document, Failure>>,
    /// Takes a result back after a promise turned out false.
    pub revoke: Option<fn(&Call) -> Result<Revocation, Failure>>,
}

impl Plugin {
    /// A plugin without hooks, for `..Plugin::NONE`.
    pub const NONE: Plugin = Plugin { prefill: None, check: None, decide: None, issue: None, revoke: None };

    /// Calls the handler that the call names.
    pub(crate) fn answer(&self, call: &Call) -> Result<proto::Response, Failure> {
        let mut response = proto::Response::default();
        match (call.hook(), self) {
            (Hook::Prefill, Plugin { prefill: Some(prefill), .. }) => {
                response.prefill = Some(proto::Prefill { proposals: to_wire(&prefill(call)?) });
            }
            (Hook::Check, Plugin { check: Some(check), .. }) => {
                response.check = Some(proto::Check { findings: findings(&check(call)?) });
            }
            (Hook::Decide, Plugin { decide: Some(decide), .. }) => {
                let Decision { outcome, result, findings: found } = decide(call)?;
                response.decision =
                    Some(proto::Decision { outcome: outcome as i32, result: to_wire(&result), findings: findings(&found) });
            }
            (Hook::Issue, Plugin { issue: Some(issue), .. }) => {
                let Document { media_type, content, result } = issue(call)?;
                response.issue = Some(proto::Issue { media_type, content, result: to_wire(&result) });
            }
            (Hook::Revoke, Plugin { revoke: Some(revoke), .. }) => {
                let Revocation { revoked, findings: found } = revoke(call)?;
                response.revocation = Some(proto::Revocation { revoked, findings: findings(&found) });
            }
            (hook, _) => return Err(Failure(format!("the plugin has no handler for {hook:?}"))),
        }
        Ok(response)
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable, in lower snake case, for statistics and tests.
    pub code: String,
    /// How grave it is; `Correct` unless said otherwise.
    pub severity: Severity,
    /// Path of the field that it is about; empty if none.
    pub path: String,
    /// Says to the applicant, in Chinese, what was found and what to do.
    pub text_zh: String,
    /// Says the same in English, where there is one.
    pub text_en: String,
    /// The legal basis.
    pub basis: String,
}

impl Finding {
    /// Something that the applicant has to correct or supply, by its code and what it says in Chinese.
    pub fn new(code: &str, text_zh: impl Into<String>) -> Finding {
        Finding {
            code: code.into(),
            severity: Severity::Correct,
            path: String::new(),
            text_zh: text_zh.into(),
            text_en: String::new(),
            basis: String::new(),
        }
    }

    /// The same as worth an officer's knowing, with nothing to do for the applicant.
    pub fn note(self) -> Finding {
        Finding { severity: Severity::Note, ..self }
    }

    /// The same as what looks as if the case could not be granted.
    pub fn obstacle(self) -> Finding {
        Finding { severity: Severity::Obstacle, ..self }
    }

    /// The same about the field of a path.
    pub fn path(self, path: &str) -> Finding {
        Finding { path: path.into(), ..self }
    }

    /// The same with its text in English.
    pub fn english(self, text: &str) -> Finding {
        Finding { text_en: text.into(), ..self }
    }

    /// The same with its legal basis.
    pub fn basis(self, basis: &str) -> Finding {
        Finding { basis: basis.into(), ..self }
    }
}

fn findings(found: &[Finding]) -> Vec<proto::Finding> {
    let wire = |f: &Finding| proto::Finding {
        code: f.code.clone(),
        // What is not set reads as Correct; say it.
        severity: if f.severity == Severity::Unspecified { Severity::Correct } else { f.severity } as i32,
        path: f.path.clone(),
        text_zh: f.text_zh.clone(),
        text_en: f.text_en.clone(),
        basis: f.basis.clone(),
    };
    found.iter().map(wire).collect()
}

/// What a step is decided to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    outcome: Outcome,
    result: Values,
    findings: Vec<Finding>,
}

impl Decision {
    /// Grants the step with the values of its result by field id; every required one must be there.
    pub fn approve(result: Values) -> Decision {
        Decision { outcome: Outcome::Approved, result, findings: vec![] }
    }

    /// Refuses the step, for a reason of the law.
    pub fn reject(reason: Finding) -> Decision {
        Decision { outcome: Outcome::Rejected, result: Values::new(), findings: vec![reason] }
    }

    /// Leaves the step to an officer, who is told what is missing or in doubt.
    pub fn undetermined(doubt: Finding) -> Decision {
        Decision { outcome: Outcome::Undetermined, result: Values::new(), findings: vec![doubt] }
    }

    /// The same with a further finding. With an approval it is a note for officers, whatever its severity: an approval with
    /// anything to correct is none.
    pub fn and(mut self, finding: Finding) -> Decision {
        self.findings.push(if self.outcome == Outcome::Approved { finding.note() } else { finding });
        self
    }
}

/// A result's document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Media type of the content, for example `text/html; charset=utf-8`.
    pub media_type: String,
    /// The document.
    pub content: Vec<u8>,
    /// Values that only exist once it is issued, by field id of the result.
    pub result: Values,
}

/// The answer to a promise that turned out false.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// True if the result was taken back, false if an officer must.
    pub revoked: bool,
    /// What was done or is left to do.
    pub findings: Vec<Finding>,
}
