package registry

import (
	"slices"

	"github.com/siyiban/onething/engine/refusal"
	registryv1 "github.com/siyiban/onething/proto/gen/onething/registry/v1"
)

// moving is what was chosen; nothing chosen pins.
func moving(m registryv1.Moving) registryv1.Moving {
	if m == registryv1.Moving_MOVING_UNSPECIFIED {
		return registryv1.Moving_MOVING_PIN
	}
	return m
}

// why is what applicants under way are told of a version.
func (v Version) why() string {
	if v.MovingReason != "" {
		return v.MovingReason
	}
	return v.Reason
}

// chooseMoving puts into an event what the last version means; what an earlier one meant is over. Where the version needs a
// second person, so does more than was approved: then the event proposes to publish it once more. False if it was so before.
func chooseMoving(event *registryv1.Event, s State, c ChooseMoving, w World) (bool, error) {
	versions := s.Bundles[c.Bundle]
	if len(versions) == 0 || c.Number < 1 || c.Number > len(versions) {
		return false, refusal.New(refusal.NotFound, "没有这个版本", "there is no such version")
	}
	if err := expected(versions, c.Number); err != nil {
		return false, err
	}
	v, to := versions[c.Number-1], moving(c.Moving)
	if to == v.Moving {
		return false, nil
	}
	if to > v.Moving { // from the least to the most
		b, err := s.compile(c.Bundle, v, w)
		if err != nil {
			return false, err
		}
		proposed, err := propose(s, again(c.Bundle, v, len(versions)+1, c.Reason, to), b, w)
		if err != nil {
			return false, err
		}
		if proposed != nil {
			event.Kind = &registryv1.Event_BundleProposed{BundleProposed: proposed}
			return true, nil
		}
	}
	event.Kind = &registryv1.Event_MovingChosen{MovingChosen: &registryv1.MovingChosen{Bundle: c.Bundle, Number: int32(c.Number), Moving: to, Reason: c.Reason}}
	return true, nil
}

// movingChosen is a state in which a version means something else for applications under way.
func (s State) movingChosen(e *registryv1.MovingChosen) State {
	versions := s.Bundles[e.GetBundle()]
	if n := int(e.GetNumber()); n >= 1 && n <= len(versions) {
		versions = slices.Clone(versions)
		versions[n-1].Moving, versions[n-1].MovingReason = e.GetMoving(), e.GetReason()
		s = s.withVersions(e.GetBundle(), versions)
	}
	return s
}
