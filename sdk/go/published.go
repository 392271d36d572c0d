package plugin

import (
	"errors"

	"github.com/siyiban/onething/sdk/go/pluginv1"
)

// PublishedValue is one value of a parameter, with the days and the region that it is published for.
type PublishedValue struct {
	// From and Until are the first and the last day; a zero one is open.
	From, Until Date
	// Place is the region, digits of GB/T 2260; empty: everywhere. Of several that hold on a day the longest one counts.
	Place string
	// Value is the value.
	Value Value
}

// Published are the values of parameters by id.
type Published map[string][]PublishedValue

// Wire returns the values as a request carries them.
func (p Published) Wire() map[string]*pluginv1.Published {
	if p == nil {
		return nil
	}
	text := func(d Date) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	wire := make(map[string]*pluginv1.Published, len(p))
	for id, values := range p {
		list := &pluginv1.Published{}
		for _, v := range values {
			list.Values = append(list.Values, &pluginv1.PublishedValue{From: text(v.From), Until: text(v.Until), Place: v.Place, Value: v.Value.wire()})
		}
		wire[id] = list
	}
	return wire
}

// published are the values of parameters by id, of which all hold at the place of the call.
type published Published

func parsePublished(wire map[string]*pluginv1.Published) (published, error) {
	date := func(text string) (Date, error) {
		if text == "" {
			return Date{}, nil
		}
		return ParseDate(text)
	}
	parsed := make(published, len(wire))
	for id, list := range wire {
		for _, w := range list.GetValues() {
			v := PublishedValue{Place: w.GetPlace()}
			var err error
			if v.From, err = date(w.GetFrom()); err == nil {
				v.Until, err = date(w.GetUntil())
			}
			if err == nil {
				v.Value, err = parseValue(w.GetValue())
			}
			if err != nil {
				return nil, errors.New(id + ": " + err.Error())
			}
			parsed[id] = append(parsed[id], v)
		}
	}
	return parsed, nil
}

// on returns what is in force on a day.
func (p published) on(day Date) Values {
	values := Values{}
	for id, all := range p {
		place := -1
		for _, v := range all {
			holds := (v.From.IsZero() || !day.Before(v.From)) && (v.Until.IsZero() || !day.After(v.Until))
			if holds && len(v.Place) > place {
				place, values[id] = len(v.Place), v.Value
			}
		}
	}
	return values
}
