package application_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/siyiban/onething/engine/application"
	applicationv1 "github.com/siyiban/onething/proto/gen/onething/application/v1"
)

// everyDue visits the dates in a message.
func everyDue(m protoreflect.Message, visit func(*applicationv1.Due)) {
	if due, ok := m.Interface().(*applicationv1.Due); ok {
		visit(due)
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { everyDue(v.Message(), visit); return true })
			}
		case f.Message() == nil:
		case f.IsList():
			for i := range v.List().Len() {
				everyDue(v.List().Get(i).Message(), visit)
			}
		default:
			everyDue(v.Message(), visit)
		}
		return true
	})
}

// kinds are the kinds of event that there are.
func kinds() protoreflect.FieldDescriptors {
	return (&applicationv1.Event{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
}

// full is an event of a kind with every field set: text is bundle, step, material, task, outcome and so on at once, so
// that it concerns what is there.
func full(kind protoreflect.FieldDescriptor, text string) *applicationv1.Event {
	e := (&applicationv1.Event{}).ProtoReflect()
	fill(e.Mutable(kind).Message(), text)
	return e.Interface().(*applicationv1.Event)
}

func fill(m protoreflect.Message, text string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case f.IsMap():
			v := m.Mutable(f).Map()
			value := v.NewValue()
			fill(value.Message(), text)
			v.Set(protoreflect.ValueOfString(text).MapKey(), value)
		case f.IsList() && f.Message() != nil:
			value := m.Mutable(f).List().NewElement()
			fill(value.Message(), text)
			m.Mutable(f).List().Append(value)
		case f.IsList():
			m.Mutable(f).List().Append(protoreflect.ValueOfString(text))
		case f.Message() != nil && f.Message().FullName() == "google.protobuf.Timestamp":
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), text)
		case f.Kind() == protoreflect.StringKind:
			value := text
			switch f.Name() {
			case "date", "from", "to", "on", "opened", "as_of", "received":
				value = "2026-03-16"
			case "then":
				value = "SUSPEND"
			}
			m.Set(f, protoreflect.ValueOfString(value))
		case f.Kind() == protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
		case f.Kind() == protoreflect.Int32Kind:
			m.Set(f, protoreflect.ValueOfInt32(3))
		case f.Kind() == protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(3))
		case f.Kind() == protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(1))
		}
	}
}

// Evolve names every kind of event: each changes more than the number of events of an application that it concerns.
func TestEvolve_EveryKind(t *testing.T) {
	t.Parallel()
	const text = "x"
	for i := range kinds().Len() {
		kind := kinds().Get(i)
		t.Run(string(kind.Name()), func(t *testing.T) {
			t.Parallel()
			// An application with everything that an event may be about, all under one name. A task is about the same name.
			before := application.State{ID: "a", Number: "n", Cases: []*application.Case{{Bundle: text, State: application.PreReview,
				Checks: []application.Check{{Step: text}}, Materials: []application.Material{{ID: text, Shared: text}},
				Tolerances: []application.Tolerance{{Material: text}}, Promises: []application.Promise{{Material: text}}}},
				Tasks:     []*application.Task{{Number: text, Bundle: text, Step: text, State: application.TaskOpen, WaitsResult: []string{text}}},
				Documents: []application.Document{{Number: text}}}
			if kind.Name() == "task_opened" {
				before.Tasks = nil
			}
			held := fingerprint(t, before)
			e := full(kind, text)
			after := application.Evolve(before, e)
			if after.Version != before.Version+1 {
				t.Error("the event is not counted")
			}
			after.Version = before.Version
			if fingerprint(t, after) == held {
				t.Errorf("Evolve does not name %s", kind.Name())
			}
			if fingerprint(t, before) != held {
				t.Errorf("Evolve has changed the state that it was given")
			}
			// Nothing of it is there: an event about another application, on an empty one, and one without content.
			for _, s := range []application.State{{}, before} {
				application.Evolve(s, full(kind, "y"))
				empty := (&applicationv1.Event{}).ProtoReflect()
				empty.Mutable(kind)
				application.Evolve(s, empty.Interface().(*applicationv1.Event))
			}
			application.Evolve(before, nil)
			stored := proto.CloneOf(e)
			if application.Evolve(before, e); !proto.Equal(stored, e) {
				t.Error("Evolve has changed the event")
			}
		})
	}
}
