package application

import (
	"github.com/siyiban/onething/engine/refusal"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// withdraw takes a case back, or all that are not over. The other cases go on; what was granted before stays.
func (d *decision) withdraw(cmd Withdraw) error {
	if cmd.Bundle != "" && d.s.Case(cmd.Bundle) == nil {
		return noCase()
	}
	some := false
	for _, c := range d.s.Cases {
		if c.State.Over() || cmd.Bundle != "" && c.Bundle != cmd.Bundle {
			continue
		}
		some = true
		e := &applicationv1.Event{Kind: &applicationv1.Event_Withdrawn{Withdrawn: &applicationv1.Withdrawn{Bundle: c.Bundle}}}
		if cmd.Reason != "" {
			e.Personal = &applicationv1.Personal{Reason: cmd.Reason}
		}
		d.by(e)
	}
	if !some {
		return refusal.New(refusal.WrongState, "该事项已经结束，不能撤回", "the case is over and cannot be withdrawn")
	}
	return nil
}

func (s *State) withdrawn(e *applicationv1.Withdrawn) {
	s.touch(e.GetBundle()).State = Withdrawn
	s.endTasks(e.GetBundle())
}

// endTasks ends the tasks of a case that is over before they are.
func (s *State) endTasks(bundle string) {
	for _, t := range s.Tasks {
		if t.Bundle == bundle && !t.State.Settled() {
			t.Version++
			t.State, t.Claim, t.CorrectionDue = TaskEnded, nil, nil
		}
	}
}
