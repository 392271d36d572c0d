package api

import (
	"strconv"
	"strings"

	"github.com/siyiban/onething/engine"
	"github.com/siyiban/onething/engine/application"
	"github.com/siyiban/onething/engine/document"
	"github.com/siyiban/onething/forms"
	apiv1 "github.com/siyiban/onething/proto/gen/onething/api/v1"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// timeline tells the applicant what happened, from the events.
func timeline(d *engine.Dossier) ([]*apiv1.TimelineEntry, error) {
	var entries []*apiv1.TimelineEntry
	given, err := confirmations(d)
	if err != nil {
		return nil, err
	}
	for _, k := range given {
		who := k.GetPerson()
		if who == "" {
			who = k.GetName().GetZh()
		}
		entries = append(entries, &apiv1.TimelineEntry{At: k.GetAt(), Kind: "confirmed", Text: words(who+"已确认共同申请", who+" has confirmed the joint application")})
	}
	for _, event := range d.Events {
		entry := &apiv1.TimelineEntry{At: event.GetAt(), Department: event.GetActor().GetDepartment()}
		if describe(d, event, entry) {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// describe puts an event into words; false for one that an applicant need not see.
func describe(d *engine.Dossier, event *applicationv1.Event, entry *apiv1.TimelineEntry) bool {
	say := func(kind, bundle, task, zh, en string) bool {
		entry.Kind, entry.Bundle = kind, bundle
		if t := d.State.Task(task); t != nil {
			step := d.Selection.Bundle(t.Bundle).Step(t.Step)
			entry.Bundle, entry.Step, entry.Department = t.Bundle, t.Step, t.Department
			zh, en = "“"+step.Name.ZH+"”"+zh, step.Name.In("en")+": "+en
		} else if bundle != "" {
			name := d.Selection.Bundle(bundle).Name
			zh, en = "“"+name.ZH+"”"+zh, name.In("en")+": "+en
		}
		entry.Text = words(zh, en)
		return true
	}
	switch k := event.GetKind().(type) {
	case *applicationv1.Event_Submitted:
		return say("submitted", "", "", "申请已收到，办件编号 "+k.Submitted.GetNumber(), "application received, number "+k.Submitted.GetNumber())
	case *applicationv1.Event_Accepted:
		a := k.Accepted
		zh, en := "已受理，承诺 "+day(a.GetDue())+"前办结", "accepted, promised by "+dayEN(a.GetDue())
		if n := len(a.GetTolerances()); n > 0 {
			var names []string
			for _, t := range a.GetTolerances() {
				names = append(names, d.MaterialName(a.GetBundle(), t.GetMaterial()).ZH+"（"+day(t.GetDue())+"前）")
			}
			zh += "；容缺受理，须补交：" + strings.Join(names, "、")
			en += "; materials may follow"
		}
		if a.GetBy() == applicationv1.Accepted_BY_SILENCE {
			zh, en = "逾期未告知补正，自收到之日起即为受理", "accepted as of receipt, because no notice came in time"
		}
		return say("accepted", a.GetBundle(), "", zh, en)
	case *applicationv1.Event_CorrectionNotified:
		return say("correction_notified", "", "", "请补正材料，"+day(k.CorrectionNotified.GetDue())+"前提交（通知书 "+k.CorrectionNotified.GetNumber()+"）",
			"please correct by "+dayEN(k.CorrectionNotified.GetDue()))
	case *applicationv1.Event_CorrectionAsked:
		return say("correction_asked", "", k.CorrectionAsked.GetTask(), "需要补正，请于 "+day(k.CorrectionAsked.GetDue())+"前提交", "please correct by "+dayEN(k.CorrectionAsked.GetDue()))
	case *applicationv1.Event_Moved:
		n := strconv.Itoa(int(k.Moved.GetToVersion()))
		return say("moved", k.Moved.GetBundle(), "", "经您同意，改按第 "+n+" 版办理："+k.Moved.GetReason(), "moved to version "+n+" as you wished: "+k.Moved.GetReason())
	case *applicationv1.Event_Corrected:
		return say("corrected", "", "", "补正内容已收到", "correction received")
	case *applicationv1.Event_NotAccepted:
		if k.NotAccepted.GetElsewhere() {
			return say("elsewhere", k.NotAccepted.GetBundle(), "", "不属于本机关职权范围", "not within this office's competence")
		}
		return say("not_accepted", k.NotAccepted.GetBundle(), "", "不予受理", "not accepted")
	case *applicationv1.Event_MaterialSupplied:
		name := d.MaterialName(k.MaterialSupplied.GetBundle(), k.MaterialSupplied.GetMaterial())
		return say("material_supplied", k.MaterialSupplied.GetBundle(), "", "已补交“"+name.ZH+"”", "supplied: "+name.In("en"))
	case *applicationv1.Event_Withdrawn:
		return say("withdrawn", k.Withdrawn.GetBundle(), "", "已撤回", "withdrawn")
	case *applicationv1.Event_TaskOpened:
		switch o := k.TaskOpened; o.GetPurpose() {
		case application.IfFalseCorrect:
			return say("correction_ordered", "", o.GetTask(), "承诺不实，请在 "+day(o.GetCorrection())+"前改正或补交材料", "the promise was false: please correct or supply by "+dayEN(o.GetCorrection()))
		case application.IfFalseRevoke:
			return say("revocation_opened", "", o.GetTask(), "承诺不实，部门正在研究是否撤销办理结果", "the promise was false: the department considers revoking the result")
		}
		return say("task_opened", "", k.TaskOpened.GetTask(), "开始办理，承诺 "+day(k.TaskOpened.GetDue())+"前完成", "opened, promised by "+dayEN(k.TaskOpened.GetDue()))
	case *applicationv1.Event_TaskDecided:
		if t := d.State.Task(k.TaskDecided.GetTask()); t != nil && t.Purpose != "" {
			return describeFollowUp(t, k.TaskDecided.GetOutcome() == application.Approved, event.GetPersonal().GetReason(), say)
		}
		switch k.TaskDecided.GetOutcome() {
		case application.Approved:
			return say("task_approved", "", k.TaskDecided.GetTask(), "审核通过", "approved")
		case application.Rejected:
			return say("task_rejected", "", k.TaskDecided.GetTask(), "未予通过", "rejected")
		}
		return false
	case *applicationv1.Event_ResultIssued:
		return say("result_issued", "", k.ResultIssued.GetTask(), "已出结果", "result issued")
	case *applicationv1.Event_TaskPaused:
		return say("task_paused", "", k.TaskPaused.GetTask(), "进入特别程序，所需时间不计入期限（通知书 "+k.TaskPaused.GetNotice()+"）", "special procedure: the clock stands")
	case *applicationv1.Event_TaskResumed:
		return say("task_resumed", "", k.TaskResumed.GetTask(), "特别程序结束，承诺日期为 "+day(k.TaskResumed.GetDue()), "the clock runs again, promised by "+dayEN(k.TaskResumed.GetDue()))
	case *applicationv1.Event_ToleranceLapsed:
		name := d.MaterialName(k.ToleranceLapsed.GetBundle(), k.ToleranceLapsed.GetMaterial())
		return say("tolerance_lapsed", k.ToleranceLapsed.GetBundle(), "", "“"+name.ZH+"”逾期未补交", "not supplied in time: "+name.In("en"))
	case *applicationv1.Event_CaseEnded:
		outcome := map[applicationv1.CaseEnded_Outcome]forms.Text{
			applicationv1.CaseEnded_OUTCOME_GRANTED:        {ZH: "全部办结", EN: "completed, all granted"},
			applicationv1.CaseEnded_OUTCOME_PARTLY_GRANTED: {ZH: "办结，部分事项未予通过", EN: "completed, partly granted"},
			applicationv1.CaseEnded_OUTCOME_REJECTED:       {ZH: "办结，未予通过", EN: "completed, rejected"},
			applicationv1.CaseEnded_OUTCOME_EXPIRED:        {ZH: "逾期未补正，办理终止", EN: "ended, not corrected in time"},
			applicationv1.CaseEnded_OUTCOME_ENDED:          {ZH: "逾期未补交材料，办理终止", EN: "ended, a material was not supplied in time"},
		}[k.CaseEnded.GetOutcome()]
		return say("case_ended", k.CaseEnded.GetBundle(), "", outcome.ZH, outcome.EN)
	case *applicationv1.Event_Extended:
		e := k.Extended
		if e.GetMaterial() != "" {
			name := d.MaterialName(e.GetBundle(), e.GetMaterial())
			return say("tolerance_extended", e.GetBundle(), "", "“"+name.ZH+"”补交期限延长至 "+day(e.GetDue()), name.In("en")+" may follow until "+dayEN(e.GetDue()))
		}
		due := e.GetDue()
		if due == nil {
			due = e.GetStatutory()
		}
		return say("extended", e.GetBundle(), e.GetTask(), "办理期限延长 "+strconv.Itoa(int(e.GetDays()))+" 个工作日，至 "+day(due)+"（通知书 "+e.GetNotice()+"）："+event.GetPersonal().GetReason(),
			"extended to "+dayEN(due)+": "+event.GetPersonal().GetReason())
	case *applicationv1.Event_Warned:
		return describeWarned(d, k.Warned, say)
	case *applicationv1.Event_DueSettled:
		return describeSettled(d, k.DueSettled, say)
	case *applicationv1.Event_PromiseVerified:
		v := k.PromiseVerified
		name := d.MaterialName(v.GetBundle(), v.GetMaterial())
		if v.GetHolds() {
			return say("promise_holds", v.GetBundle(), "", "“"+name.ZH+"”的告知承诺经核查属实", "the promise in place of “"+name.In("en")+"” holds")
		}
		return say("promise_false", v.GetBundle(), "", "“"+name.ZH+"”的告知承诺经核查不实："+event.GetPersonal().GetReason(), "the promise in place of “"+name.In("en")+"” was found false")
	case *applicationv1.Event_PromiseRepaired:
		name := d.MaterialName(k.PromiseRepaired.GetBundle(), k.PromiseRepaired.GetMaterial())
		return say("promise_repaired", k.PromiseRepaired.GetBundle(), "", "“"+name.ZH+"”的不实承诺已完成信用修复", "the false promise in place of “"+name.In("en")+"” is repaired")
	case *applicationv1.Event_ResultRevoked:
		return say("result_revoked", "", k.ResultRevoked.GetTask(), "办理结果已被撤销", "the result was revoked")
	case *applicationv1.Event_DocumentServed:
		x := d.State.Document(k.DocumentServed.GetNumber())
		if x == nil {
			return false
		}
		title := document.Kind(x.Kind)
		return say("document_served", x.Bundle, x.Task, "《"+title.Title()+"》"+x.Number+" 已送达", title.English()+" "+x.Number+" served")
	case *applicationv1.Event_DocumentMade, *applicationv1.Event_VerificationOpened, *applicationv1.Event_Checked, *applicationv1.Event_StepSkipped,
		*applicationv1.Event_TaskClaimed, *applicationv1.Event_TaskReleased, *applicationv1.Event_PluginFailed:
		return false
	}
	return false
}

// describeFollowUp says how a department has decided after a false promise.
func describeFollowUp(t *application.Task, approved bool, reason string, say func(kind, bundle, task, zh, en string) bool) bool {
	switch {
	case t.Purpose == application.IfFalseCorrect && approved:
		return say("correction_taken", "", t.Number, "改正已被认可", "the correction was taken")
	case t.Purpose == application.IfFalseRevoke && !approved:
		return say("result_stands", "", t.Number, "办理结果予以保留："+reason, "the result stands: "+reason)
	}
	return false // what follows says it
}

// describeWarned reminds the applicant of what is the applicant's to do. What the office is late with is the office's matter.
func describeWarned(d *engine.Dossier, w *applicationv1.Warned, say func(kind, bundle, task, zh, en string) bool) bool {
	switch application.ClockKind(w.GetClock()) {
	case application.ClockCorrection:
		return say("reminded", w.GetBundle(), w.GetTask(), "请在 "+w.GetDate()+" 前补正", "please correct by "+w.GetDate())
	case application.ClockTolerance, application.ClockSuspension:
		name := d.MaterialName(w.GetBundle(), w.GetMaterial())
		return say("reminded", w.GetBundle(), "", "请在 "+w.GetDate()+" 前补交“"+name.ZH+"”", "please supply "+name.In("en")+" by "+w.GetDate())
	default:
		return false
	}
}

// describeSettled says which dates became known or were moved: that of the case or task, and those by which the applicant
// has to act. The office's own dates are not the applicant's matter.
func describeSettled(d *engine.Dossier, settled *applicationv1.DueSettled, say func(kind, bundle, task, zh, en string) bool) bool {
	var zh, en []string
	if due := settled.GetDue(); due != nil {
		zh, en = append(zh, "办理日期确定为 "+day(due)), append(en, "date settled: "+dayEN(due))
	}
	if due := settled.GetCorrection(); due != nil {
		zh, en = append(zh, "补正截止日期确定为 "+day(due)), append(en, "to be corrected by "+dayEN(due))
	}
	for _, t := range settled.GetTolerances() {
		name := d.MaterialName(settled.GetBundle(), t.GetMaterial())
		zh, en = append(zh, "“"+name.ZH+"”补交截止日期确定为 "+day(t.GetDue())), append(en, name.In("en")+" to be supplied by "+dayEN(t.GetDue()))
	}
	if len(zh) == 0 {
		return false
	}
	return say("due_settled", settled.GetBundle(), settled.GetTask(), strings.Join(zh, "；"), strings.Join(en, "; "))
}

// day is a due date in Chinese, or what is known of it.
func day(d *applicationv1.Due) string {
	if d.GetDate() != "" {
		return d.GetDate() + " "
	}
	if d.GetEarliest() != "" {
		return "（日期待定，最早 " + d.GetEarliest() + "）"
	}
	return "（日期待定）"
}

func dayEN(d *applicationv1.Due) string {
	if d.GetDate() != "" {
		return d.GetDate()
	}
	if d.GetEarliest() != "" {
		return "a date that is not yet known, at the earliest " + d.GetEarliest()
	}
	return "a date that is not yet known"
}
