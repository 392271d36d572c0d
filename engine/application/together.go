package application

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siyiban/onething/engine/guide"
	"github.com/siyiban/onething/engine/refusal"
	"github.com/siyiban/onething/forms"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// UnconfirmedError says who else has to submit a joint application (共同申请). Nothing else stands against it: it would
// be taken as it is.
type UnconfirmedError struct {
	// Aliases are those who have not confirmed, in the order of the cases.
	Aliases []string
}

// Error names them.
func (e *UnconfirmedError) Error() string {
	return "submit: still to be confirmed by " + strings.Join(e.Aliases, ", ")
}

// unconfirmed are the aliases of those who have to submit together with the others and have not.
func unconfirmed(a *guide.Assessment, cases func(bundle string) bool, confirmed []string) []string {
	var missing []string
	for _, c := range a.Cases {
		for _, alias := range c.Together {
			if cases(c.Bundle.ID) && !slices.Contains(confirmed, alias) && !slices.Contains(missing, alias) {
				missing = append(missing, alias)
			}
		}
	}
	return missing
}

// confirmations are those that the cases ask for; one that no case asks for is left out.
func (d *decision) confirmations(a *guide.Assessment, given []*applicationv1.Confirmation, who []*applicationv1.Confirmed) ([]*applicationv1.Confirmation, []*applicationv1.Confirmed, error) {
	var confirmed []string
	for _, c := range given {
		confirmed = append(confirmed, c.GetAlias())
	}
	if missing := unconfirmed(a, func(string) bool { return true }, confirmed); len(missing) > 0 {
		return nil, nil, &UnconfirmedError{Aliases: missing}
	}
	asked := func(alias string) bool {
		return slices.ContainsFunc(a.Cases, func(c *guide.Case) bool { return slices.Contains(c.Together, alias) })
	}
	given = slices.DeleteFunc(slices.Clone(given), func(c *applicationv1.Confirmation) bool { return !asked(c.GetAlias()) })
	who = slices.DeleteFunc(slices.Clone(who), func(c *applicationv1.Confirmed) bool { return !asked(c.GetAlias()) })
	return given, who, nil
}

// staysConfirmed refuses a correction that would bind somebody who has not confirmed: one by which a case becomes joint,
// or another person stands where one has confirmed.
func (d *decision) staysConfirmed(a *guide.Assessment, changed []forms.Path) error {
	open := func(bundle string) bool { c := d.s.Case(bundle); return c != nil && !c.State.Over() }
	if missing := unconfirmed(a, open, d.s.Confirmed); len(missing) > 0 {
		return refusal.New(refusal.WrongState, "修改后须由全体申请人共同申请", "with this change all applicants would have to submit together").
			Else("请撤回该事项，由全体申请人重新申请", "withdraw the case and apply again, all of you")
	}
	var faults []forms.Violation
	for _, c := range a.Cases {
		for _, alias := range c.Together {
			if s := c.Bundle.Section(alias); open(c.Bundle.ID) && slices.Contains(changed, s.Subject()) {
				faults = append(faults, forms.Violation{Path: s.Subject(), Code: "confirmed", Bundle: c.Bundle.ID,
					Text: forms.Text{ZH: "“" + s.Name.ZH + "”已由本人确认，不能换成他人", EN: fmt.Sprintf("“%s” has confirmed, and cannot become somebody else.", s.Name.In("en"))}})
			}
		}
	}
	if len(faults) > 0 {
		return refusal.New(refusal.WrongState, "共同申请人已确认，不能更换", "those who have confirmed together cannot be exchanged").With(unique(faults)...).
			Else("请撤回该事项，由全体申请人重新申请", "withdraw the case and apply again, all of you")
	}
	return nil
}
