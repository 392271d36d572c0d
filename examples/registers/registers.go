// Package registers answers for the departments' shared data where there is no other department's system to ask: in
// development, in the demonstration, in tests. The data is a file, made up, and checked as strictly as an answer on a
// form.
package registers

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/siyiban/onething/engine/pluginvalue"
	"github.com/siyiban/onething/forms/kind"
	"github.com/siyiban/onething/plugins/capability"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// File is the name of the embedded file, for errors.
const File = "examples/registers/registers.yaml"

// creditList is the register of persons from whom tolerance and promise are withheld; the fact about them is
// creditRestricted (examples/library/facts.yaml).
const (
	creditList       = "credit_list"
	creditRestricted = "credit_restricted"
)

// decimalScale is how many digits after the point a DECIMAL of a register may have: an index has four.
const decimalScale = 6

// ErrNoRegister says that nobody answers for a source. To whoever asks, the source is silent.
var ErrNoRegister = errors.New("registers: no such register")

//go:embed registers.yaml
var demonstration string

// Registers are registers in memory. They are immutable, and safe for concurrent use.
type Registers struct {
	entries map[string]map[string]entry // by register and key
}

type entry map[string]*pluginv1.Value

// Demonstration returns the registers of the demonstration.
func Demonstration() (*Registers, error) { return Parse(File, []byte(demonstration)) }

// register is one register as the file has it.
type register struct {
	ID      string            `yaml:"register"`
	Name    string            `yaml:"name"`   // Chinese
	Key     string            `yaml:"key"`    // kind of the key
	Values  map[string]string `yaml:"values"` // kinds of the values
	Entries yaml.Node         `yaml:"entries"`
}

// Parse reads registers. The error names every fault with its line, and no value: an entry is personal data.
func Parse(name string, content []byte) (*Registers, error) {
	var file struct {
		Registers []register `yaml:"registers"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := &Registers{entries: map[string]map[string]entry{}}
	var faults []error
	for _, register := range file.Registers {
		if r.entries[register.ID] != nil || register.ID == "" {
			faults = append(faults, fmt.Errorf("%s:%d: the register %q has no id or is there twice", name, register.Entries.Line, register.ID))
			continue
		}
		entries, found := register.read()
		for _, f := range found {
			faults = append(faults, fmt.Errorf("%s:%d: %s: %s", name, f.line, register.ID, f.text))
		}
		r.entries[register.ID] = entries
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return r, nil
}

// fault is something wrong in a line of the file.
type fault struct {
	line int
	text string
}

func (r register) read() (map[string]entry, []fault) {
	key, ok := kind.Parse(r.Key)
	if !ok {
		return nil, []fault{{r.Entries.Line, fmt.Sprintf("the key's kind %q is not known", r.Key)}}
	}
	specs := map[string]kind.Spec{}
	for _, id := range slices.Sorted(maps.Keys(r.Values)) {
		k, ok := kind.Parse(r.Values[id])
		if !ok || !holds(k) {
			return nil, []fault{{r.Entries.Line, fmt.Sprintf("the kind %q of %s is none that a register holds", r.Values[id], id)}}
		}
		specs[id] = kind.Spec{Kind: k, Scale: decimalScale}
	}
	if r.Entries.Kind != yaml.MappingNode {
		return nil, []fault{{r.Entries.Line, "entries are no mapping by key"}}
	}
	entries := map[string]entry{}
	var faults []fault
	for i := 0; i < len(r.Entries.Content); i += 2 {
		at, values := r.Entries.Content[i], r.Entries.Content[i+1]
		parsed, wrong := kind.Spec{Kind: key}.Parse(at.Value)
		if wrong != nil {
			faults = append(faults, fault{at.Line, "the key is wrong: " + wrong.Text})
			continue
		}
		canonical, _ := kind.Encode(parsed).(string)
		if _, twice := entries[canonical]; twice || canonical == "" {
			faults = append(faults, fault{at.Line, "the key is there twice, or has no text"})
			continue
		}
		var raw map[string]any
		if err := values.Decode(&raw); err != nil {
			faults = append(faults, fault{at.Line, "the entry is no mapping of values"})
			continue
		}
		e := entry{}
		for _, id := range slices.Sorted(maps.Keys(raw)) {
			spec, known := specs[id]
			if !known {
				faults = append(faults, fault{at.Line, "the value " + id + " is not declared"})
				continue
			}
			value, wrong := spec.Parse(raw[id])
			if wrong != nil {
				faults = append(faults, fault{at.Line, "the value " + id + " is wrong: " + wrong.Text})
				continue
			}
			given, err := pluginvalue.Of(value)
			if err != nil {
				return nil, []fault{{at.Line, err.Error()}} // not of the kinds that it holds
			}
			e[id] = given
		}
		entries[canonical] = e
	}
	return entries, faults
}

// LookUp implements [capability.Source].
func (r *Registers) LookUp(ctx context.Context, source, key string) (*capability.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, ok := r.entries[source]
	if !ok {
		return nil, ErrNoRegister
	}
	e, ok := entries[key]
	if !ok {
		return nil, nil //nolint:nilnil // so the interface says: there is no such entry
	}
	return &capability.Entry{Values: maps.Clone(e)}, nil
}

// Fact answers what a register says now of whoever has the number; known is false if there is no register for it. An entry
// of the credit list means that the person is restricted.
func (r *Registers) Fact(ctx context.Context, source, fact, number string) (value kind.Value, asOf kind.Date, known bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, kind.Date{}, false, err
	}
	entries, ok := r.entries[source]
	if !ok || source != creditList || fact != creditRestricted {
		return nil, kind.Date{}, false, nil
	}
	_, restricted := entries[number]
	return kind.Bool(restricted), kind.Date{}, true, nil
}

// holds reports whether a register may have values of a kind: a single one, that needs no options.
func holds(k kind.Kind) bool {
	switch k {
	case kind.KindChoice, kind.KindChoices, kind.KindList, kind.KindFile:
		return false
	default:
		return true
	}
}
