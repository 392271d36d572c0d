// Package person is what is kept of a person or an enterprise over all applications: the ledger of promises that were found
// false. It is pure, and knows nobody: a stream is found by a keyed digest.
package person

import (
	"slices"

	"google.golang.org/protobuf/proto"

	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
)

// Ledger is the standing of a person as events made it. The zero value is that of somebody of whom nothing is known.
type Ledger struct {
	// Open are the false promises that are not repaired.
	Open []*personv1.FalsePromise
}

// Evolve returns the ledger after an event. It is total.
func Evolve(l Ledger, e *personv1.LedgerEvent) Ledger {
	switch k := e.GetKind().(type) {
	case *personv1.LedgerEvent_Listed:
		if !l.holds(k.Listed.GetPromise()) {
			l.Open = append(slices.Clip(l.Open), k.Listed.GetPromise())
		}
	case *personv1.LedgerEvent_Repaired:
		l.Open = slices.DeleteFunc(slices.Clone(l.Open), func(p *personv1.FalsePromise) bool { return proto.Equal(p, k.Repaired.GetPromise()) })
	}
	return l
}

func (l Ledger) holds(promise *personv1.FalsePromise) bool {
	return slices.ContainsFunc(l.Open, func(p *personv1.FalsePromise) bool { return proto.Equal(p, promise) })
}

// Barred says whether the person is offered neither promise nor tolerance (国办发〔2020〕42号).
func (l Ledger) Barred() bool { return len(l.Open) > 0 }
