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
func Any(outcomes ...rule.Outcome) rule.Outcome {
	one := rule.Outcome{Truth: rule.False}
	for _, o := range outcomes {
		switch o.Truth {
		case rule.True:
			return rule.Outcome{Truth: rule.True}
		case rule.Unknown:
			one = rule.Outcome{Causes: append(one.Causes, o.Causes...)}
		case rule.False:
		}
	}
	return one
}

// All says whether every one of the outcomes holds.
func All(outcomes ...rule.Outcome) rule.Outcome {
	all := rule.Outcome{Truth: rule.True}
	for _, o := range outcomes {
		switch o.Truth {
		case rule.False:
			return rule.Outcome{Truth: rule.False}
		case rule.Unknown:
			all = rule.Outcome{Causes: append(all.Causes, o.Causes...)}
		case rule.True:
		}
	}
	return all
}
