package application_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// Evolve is total: any event on any state.
func FuzzEvolve(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(_ *testing.T, first, second []byte) {
		state := application.State{ID: "a"}
		for _, wire := range [][]byte{first, second, first} {
			e := &applicationv1.Event{}
			if proto.Unmarshal(wire, e) == nil {
				state = application.Evolve(state, e)
			}
		}
		_ = state.State()
	})
}
