package plugin

import (
	"errors"
	"maps"
	"slices"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// Fields are values that a call can read, each by its path or id, through an accessor for its kind.
//
// An accessor returns false if there is no value: it was left blank, does not apply, or is not published. A value of
// another kind than the accessor's is a disagreement between plugin and bundle which no handler can mend; the whole
// call then fails, whatever the handler returns.
type Fields struct {
	what   string // for messages: "answer", "parameter" …
	values Values
	read   map[string]bool
	call   *Call
}

func newFields(call *Call, what string, wire map[string]*pluginv1.Value) (Fields, error) {
	values, err := ParseValues(wire)
	if err != nil {
		return Fields{}, err
	}
	return Fields{what: what, values: values, read: map[string]bool{}, call: call}, nil
}

// get is the one way to a value: it notes that the path was read.
func get[T Value](f Fields, path string) (T, bool) {
	var zero T
	if f.read == nil {
		return zero, false
	}
	f.read[path] = true
	v, ok := f.values[path]
	if !ok {
		return zero, false
	}
	t, ok := v.(T)
	if !ok && f.call.fault == nil {
		f.call.fault = errors.New(f.what + " " + path + " is of another kind than the plugin reads")
	}
	return t, ok
}

// Has reports whether there is a value.
func (f Fields) Has(path string) bool {
	if f.read == nil {
		return false
	}
	f.read[path] = true
	_, ok := f.values[path]
	return ok
}

// Text returns a value of kind TEXT, PHONE, PLATE, BANK_ACCOUNT or USCC.
func (f Fields) Text(path string) (string, bool) {
	v, ok := get[Text](f, path)
	return string(v), ok
}

// Bool returns a value of kind BOOL.
func (f Fields) Bool(path string) (yes, ok bool) {
	v, ok := get[Bool](f, path)
	return bool(v), ok
}

// Int returns a value of kind INT.
func (f Fields) Int(path string) (int64, bool) {
	v, ok := get[Int](f, path)
	return int64(v), ok
}

// Decimal returns a value of kind DECIMAL.
func (f Fields) Decimal(path string) (Decimal, bool) { return get[Decimal](f, path) }

// Money returns a value of kind MONEY.
func (f Fields) Money(path string) (Money, bool) { return get[Money](f, path) }

// Date returns a value of kind DATE.
func (f Fields) Date(path string) (Date, bool) { return get[Date](f, path) }

// Choice returns the chosen option's id of a CHOICE.
func (f Fields) Choice(path string) (string, bool) {
	v, ok := get[Choice](f, path)
	return string(v), ok
}

// Choices returns the ids of the chosen options of a CHOICES.
func (f Fields) Choices(path string) ([]string, bool) {
	v, ok := get[Choices](f, path)
	return slices.Clone([]string(v)), ok
}

// CitizenNumber returns a value of kind CITIZEN_NUMBER.
func (f Fields) CitizenNumber(path string) (CitizenNumber, bool) {
	return get[CitizenNumber](f, path)
}

// Address returns a value of kind ADDRESS.
func (f Fields) Address(path string) (Address, bool) { return get[Address](f, path) }

// List returns the rows of a LIST, each readable by field id.
func (f Fields) List(path string) ([]Fields, bool) {
	rows, ok := get[List](f, path)
	if !ok {
		return nil, false
	}
	fields := make([]Fields, 0, len(rows))
	for _, row := range rows {
		// What is read of a row is no path of the form: the list is, and it has been noted.
		fields = append(fields, Fields{what: "cell of " + path + ":", values: row, read: map[string]bool{}, call: f.call})
	}
	return fields, true
}

// Material is a material that the step needs, as it stands.
type Material struct {
	// ID of the material in the bundle.
	ID string
	// Origin says where it came from: E_CERTIFICATE, SHARED_DATA, APPLICANT, STEP, FORM, PROMISE, or MISSING while it
	// is tolerated.
	Origin string
}

// Call is one call of a handler. Its own accessors read the answers of the form by path (`form.mother.id_no`,
// `own.claim`, `results.audit.retire_date`), exactly those that the step needs.
//
// A Call is for the handler that got it, and for one goroutine.
type Call struct {
	Fields
	// Parameters are the published parameters, by id, as in force on Today at Place. [Call.ParametersOn] has other days'.
	Parameters Fields
	// Result is the decision's result by field id; only issue and revoke have one.
	Result Fields

	request   *pluginv1.Request
	today     Date
	host      Host
	published published
	materials map[string]bool
	lookups   []Lookup
	fault     error
}

// Hook returns the hook that is called.
func (c *Call) Hook() Hook { return c.request.GetHook() }

// Bundle returns the id of the bundle.
func (c *Call) Bundle() string { return c.request.GetBundle() }

// Step returns the id of the step in the bundle.
func (c *Call) Step() string { return c.request.GetStep() }

// Task returns the number of the task, or of the case where there is no task yet. It is empty for prefill.
func (c *Call) Task() string { return c.request.GetTask() }

// Attempt returns the attempt, from 1. The same attempt may come again after a crash.
func (c *Call) Attempt() int { return int(c.request.GetAttempt()) }

// Today returns the day of receipt: the only clock that a plugin has.
func (c *Call) Today() Date { return c.today }

// Place returns the region of the office, six digits of GB/T 2260.
func (c *Call) Place() string { return c.request.GetPlace() }

// ParametersOn returns the published parameters, by id, as in force on a day at Place: where the law counts with the
// value of the year of a death or of a retirement. What is not published for that day is not there: the value of another
// day never stands in.
func (c *Call) ParametersOn(day Date) Fields {
	return Fields{what: "parameter", values: c.published.on(day), read: c.Parameters.read, call: c}
}

// Material returns the material with an id, and false if the step does not need it.
func (c *Call) Material(id string) (Material, bool) {
	c.materials[id] = true
	for _, m := range c.request.GetMaterials() {
		if m.GetId() == id {
			return Material{ID: id, Origin: m.GetOrigin()}, true
		}
	}
	return Material{}, false
}

// Entry is what a source of shared data says under a key.
type Entry struct {
	// Answered is false if the source is silent, which is neither yes nor no: undetermined, never refused.
	Answered bool
	// Found is true if the source has an entry under the key.
	Found bool
	// Values of the entry, by name.
	Values Fields
}

// SharedData asks another department's source for the entry under a key (capability `shared_data`). The purpose, in
// Chinese, is shown to the person whose data it is. The error says that the engine refused the look-up: the source is
// not granted, or the call has made too many; return it from the handler.
func (c *Call) SharedData(source, key, purpose string) (Entry, error) {
	answer, err := c.host.SharedData(&pluginv1.SharedDataRequest{Source: source, Key: key, Purpose: purpose})
	if err := asked("shared data of "+source, err, answer.GetRefused()); err != nil {
		return Entry{}, err
	}
	values, err := newFields(c, "shared data of "+source+":", answer.GetValues())
	if err != nil {
		return Entry{}, errors.New("shared data of " + source + ": " + err.Error())
	}
	c.lookups = append(c.lookups, Lookup{Source: source, Key: key, Purpose: purpose})
	return Entry{Answered: answer.GetAnswered(), Found: answer.GetFound(), Values: values}, nil
}

// Lookup is one look-up of shared data that a call has made.
type Lookup struct {
	Source, Key, Purpose string
}

// Trace is what a call has read. Test kits compare it with the needs that the bundle declares.
type Trace struct {
	// Answers are the paths that were read or asked for, sorted, also of those that had no value.
	Answers []string
	// Parameters are the ids that were read or asked for, sorted.
	Parameters []string
	// Materials are the ids that were asked for, sorted.
	Materials []string
	// Lookups are the look-ups of shared data, in order.
	Lookups []Lookup
}

func (c *Call) trace() Trace {
	sorted := func(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
	return Trace{
		Answers:    sorted(c.read),
		Parameters: sorted(c.Parameters.read),
		Materials:  sorted(c.materials),
		Lookups:    c.lookups,
	}
}
