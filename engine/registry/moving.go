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

// chooseMoving is for the last version: what an earlier one meant is over. Nil if it was so before.
func chooseMoving(s State, c ChooseMoving) (*registryv1.MovingChosen, error) {
	versions := s.Bundles[c.Bundle]
	if len(versions) == 0 || c.Number < 1 || c.Number > len(versions) {
		return nil, refusal.New(refusal.NotFound, "没有这个版本", "there is no such version")
	}
	if err := expected(versions, c.Number); err != nil {
		return nil, err
	}
	if versions[c.Number-1].Moving == moving(c.Moving) {
		return nil, nil
	}
	return &registryv1.MovingChosen{Bundle: c.Bundle, Number: int32(c.Number), Moving: moving(c.Moving), Reason: c.Reason}, nil
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
