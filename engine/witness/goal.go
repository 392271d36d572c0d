package witness

import "github.com/siyiban/onething/forms/rule"

// Is says whether an outcome is the wanted one.
func Is(o rule.Outcome, want rule.Truth) rule.Outcome {
	switch o.Truth {
	case rule.Unknown:
		return o
	case want:
		return rule.Outcome{Truth: rule.True}
	default:
		return rule.Outcome{Truth: rule.False}
	}
}

// Any says whether one of the outcomes holds.
func Any(outcomes ...rule.Outcome) rule.Outcome { return together(outcomes, rule.True, rule.False) }

// All says whether every one of the outcomes holds.
func All(outcomes ...rule.Outcome) rule.Outcome { return together(outcomes, rule.False, rule.True) }

// together is decided by one outcome that decides, and else open as long as one is.
func together(outcomes []rule.Outcome, decides, otherwise rule.Truth) rule.Outcome {
	all := rule.Outcome{Truth: otherwise}
	for _, o := range outcomes {
		switch o.Truth {
		case decides:
			return o
		case rule.Unknown:
			all = rule.Outcome{Causes: append(all.Causes, o.Causes...)}
		default:
		}
	}
	return all
}
