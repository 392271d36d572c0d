package person_test

import (
	"testing"

	"github.com/siyiban/onething/engine/person"
	personv1 "github.com/siyiban/onething/proto/gen/onething/person/v1"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	listed := func(material string) *personv1.LedgerEvent {
		return &personv1.LedgerEvent{Kind: &personv1.LedgerEvent_Listed{Listed: &personv1.Listed{Promise: &personv1.FalsePromise{Application: "a", Bundle: "b", Material: material}}}}
	}
	repaired := func(material string) *personv1.LedgerEvent {
		return &personv1.LedgerEvent{Kind: &personv1.LedgerEvent_Repaired{Repaired: &personv1.Repaired{Promise: &personv1.FalsePromise{Application: "a", Bundle: "b", Material: material}}}}
	}
	tests := []struct {
		name   string
		events []*personv1.LedgerEvent
		barred bool
	}{
		{"nothing is known", nil, false},
		{"a false promise", []*personv1.LedgerEvent{listed("title")}, true},
		{"that was repaired", []*personv1.LedgerEvent{listed("title"), repaired("title")}, false},
		{"one of two", []*personv1.LedgerEvent{listed("title"), listed("proof"), repaired("title")}, true},
		{"the same one twice", []*personv1.LedgerEvent{listed("title"), listed("title"), repaired("title")}, false},
		{"another one was repaired", []*personv1.LedgerEvent{listed("title"), repaired("proof")}, true},
		{"an event of a later version of the program", []*personv1.LedgerEvent{listed("title"), {}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var l person.Ledger
			for _, e := range tt.events {
				before := l
				n := len(before.Open)
				if l = person.Evolve(l, e); len(before.Open) != n {
					t.Error("an event has altered the ledger before it")
				}
			}
			if l.Barred() != tt.barred {
				t.Errorf("barred: %v", l.Barred())
			}
		})
	}
}
