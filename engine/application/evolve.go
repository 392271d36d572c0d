package application

import applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"

// Evolve returns s after e. It is total: any event on any state, without error or panic, and it evaluates no rule;
// all that a rule decided is in the event. It reads public parts only.
func Evolve(s State, e *applicationv1.Event) State {
	s = s.clone()
	s.Version++
	if e.GetDocumentMade() == nil && e.GetDocumentServed() == nil {
		s.Changed = s.Version
	}
	switch k := e.GetKind().(type) {
	case *applicationv1.Event_Submitted:
		s.submitted(k.Submitted)
	case *applicationv1.Event_Checked:
		s.checked(k.Checked)
	case *applicationv1.Event_Accepted:
		s.accepted(k.Accepted)
	case *applicationv1.Event_CorrectionNotified:
		s.correctionNotified(k.CorrectionNotified)
	case *applicationv1.Event_Corrected:
		s.corrected(k.Corrected)
	case *applicationv1.Event_Moved:
		s.moved(k.Moved)
	case *applicationv1.Event_NotAccepted:
		s.notAccepted(k.NotAccepted)
	case *applicationv1.Event_MaterialSupplied:
		s.materialSupplied(k.MaterialSupplied)
	case *applicationv1.Event_Withdrawn:
		s.withdrawn(k.Withdrawn)
	case *applicationv1.Event_TaskOpened:
		s.taskOpened(k.TaskOpened)
	case *applicationv1.Event_StepSkipped:
		s.stepSkipped(k.StepSkipped)
	case *applicationv1.Event_TaskClaimed:
		s.taskClaimed(k.TaskClaimed, e.GetActor().GetId())
	case *applicationv1.Event_TaskReleased:
		s.taskReleased(k.TaskReleased)
	case *applicationv1.Event_TaskDecided:
		s.taskDecided(k.TaskDecided, e.GetActor())
	case *applicationv1.Event_ResultIssued:
		s.resultIssued(k.ResultIssued)
	case *applicationv1.Event_TaskPaused:
		s.taskPaused(k.TaskPaused)
	case *applicationv1.Event_TaskResumed:
		s.taskResumed(k.TaskResumed)
	case *applicationv1.Event_PluginFailed:
		s.pluginFailed(k.PluginFailed)
	case *applicationv1.Event_CorrectionAsked:
		s.correctionAsked(k.CorrectionAsked)
	case *applicationv1.Event_ToleranceLapsed:
		s.toleranceLapsed(k.ToleranceLapsed)
	case *applicationv1.Event_CaseEnded:
		s.caseEnded(k.CaseEnded)
	case *applicationv1.Event_Extended:
		s.extended(k.Extended)
	case *applicationv1.Event_VerificationOpened:
		s.verificationOpened(k.VerificationOpened)
	case *applicationv1.Event_PromiseVerified:
		s.promiseVerified(k.PromiseVerified)
	case *applicationv1.Event_DueSettled:
		s.dueSettled(k.DueSettled)
	case *applicationv1.Event_ResultRevoked:
		s.resultRevoked(k.ResultRevoked)
	case *applicationv1.Event_PromiseRepaired:
		s.promiseRepaired(k.PromiseRepaired)
	case *applicationv1.Event_DocumentMade:
		s.documentMade(k.DocumentMade)
	case *applicationv1.Event_DocumentServed:
		s.documentServed(k.DocumentServed)
	case *applicationv1.Event_Warned:
		s.warned(k.Warned)
	}
	return s
}

// touch returns the case of a bundle, to be changed by an event. An event about a case that is not there changes
// a case that nobody sees, so that Evolve is total without a test at each place.
func (s *State) touch(bundle string) *Case {
	c := s.Case(bundle)
	if c == nil {
		return &Case{}
	}
	c.Version++
	return c
}

// touchTask is touch for a task.
func (s *State) touchTask(number string) *Task {
	t := s.Task(number)
	if t == nil {
		return &Task{}
	}
	t.Version++
	return t
}
