package deadlines_test

import (
	"testing"

	"github.com/siyiban/onething/engine/follow/deadlines"
)

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	if _, err := deadlines.New(deadlines.Config{}); err == nil {
		t.Error("a follower that stands on nothing")
	}
}
