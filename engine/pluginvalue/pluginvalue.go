// Package pluginvalue says what the values of forms are to plugins: the one way between [kind.Value] and the plugin
// interface's message.
package pluginvalue

import (
	"errors"
	"fmt"

	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// Kind is how the plugin interface names a kind; the unspecified one for FILE, whose content is not handed to plugins, and
// whose digest says nothing to them.
func Kind(k kind.Kind) pluginv1.ValueKind {
	switch k {
	case kind.KindText, kind.KindPhone, kind.KindPlate, kind.KindBankAccount, kind.KindUSCC:
		return pluginv1.ValueKind_VALUE_KIND_TEXT
	case kind.KindBool:
		return pluginv1.ValueKind_VALUE_KIND_BOOL
	case kind.KindInt:
		return pluginv1.ValueKind_VALUE_KIND_INT
	case kind.KindDecimal:
		return pluginv1.ValueKind_VALUE_KIND_DECIMAL
	case kind.KindMoney:
		return pluginv1.ValueKind_VALUE_KIND_MONEY
	case kind.KindDate:
		return pluginv1.ValueKind_VALUE_KIND_DATE
	case kind.KindChoice:
		return pluginv1.ValueKind_VALUE_KIND_CHOICE
	case kind.KindChoices:
		return pluginv1.ValueKind_VALUE_KIND_CHOICES
	case kind.KindCitizenNumber:
		return pluginv1.ValueKind_VALUE_KIND_CITIZEN_NUMBER
	case kind.KindAddress:
		return pluginv1.ValueKind_VALUE_KIND_ADDRESS
	case kind.KindList:
		return pluginv1.ValueKind_VALUE_KIND_LIST
	case kind.KindFile:
	}
	return pluginv1.ValueKind_VALUE_KIND_UNSPECIFIED
}

// Of returns a value as plugins get it; a list without its blank cells. The error says which kind they do not get.
func Of(v kind.Value) (*pluginv1.Value, error) {
	value := &pluginv1.Value{Kind: Kind(v.Kind())}
	switch v := v.(type) {
	case kind.Bool:
		value.Flag = bool(v)
	case kind.Int:
		value.Number = int64(v)
	case kind.Money:
		value.Number = int64(v)
	case kind.Choices:
		value.Items = v
	case kind.Address:
		value.Region, value.Text = v.Region, v.Text
	case kind.List:
		for _, row := range v {
			cells := map[string]*pluginv1.Value{}
			for id, cell := range row {
				if cell == nil {
					continue // blank
				}
				of, err := Of(cell)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", id, err)
				}
				cells[id] = of
			}
			value.Rows = append(value.Rows, &pluginv1.Row{Cells: cells})
		}
	case kind.File:
		return nil, fmt.Errorf("plugins get no %s", v.Kind())
	default: // every other kind is a text
		value.Text, _ = kind.Encode(v).(string)
	}
	return value, nil
}

// Read returns a value that a plugin gave for a field, checked as if a person had given it. The error names kinds and
// codes, no value.
func Read(f *forms.Field, v *pluginv1.Value) (kind.Value, error) {
	given, err := plain(f, v)
	if err != nil {
		return nil, err
	}
	value, fault := f.Spec().Parse(given)
	if fault != nil {
		return nil, errors.New(string(fault.Code))
	}
	return value, nil
}

// plain returns a value as [kind.Spec.Parse] takes it, if it is of the kind that the field has.
func plain(f *forms.Field, v *pluginv1.Value) (any, error) {
	if v.GetKind() != Kind(f.Kind) {
		return nil, fmt.Errorf("%s for a %s", v.GetKind(), f.Kind)
	}
	switch v.GetKind() {
	case pluginv1.ValueKind_VALUE_KIND_BOOL:
		return v.GetFlag(), nil
	case pluginv1.ValueKind_VALUE_KIND_INT:
		return v.GetNumber(), nil
	case pluginv1.ValueKind_VALUE_KIND_MONEY:
		return kind.Money(v.GetNumber()).String(), nil
	case pluginv1.ValueKind_VALUE_KIND_CHOICES:
		items := []any{}
		for _, item := range v.GetItems() {
			items = append(items, item)
		}
		return items, nil
	case pluginv1.ValueKind_VALUE_KIND_ADDRESS:
		return map[string]any{"region": v.GetRegion(), "text": v.GetText()}, nil
	case pluginv1.ValueKind_VALUE_KIND_LIST:
		cells := map[string]*forms.Field{}
		for _, c := range f.Row {
			cells[c.ID] = c
		}
		rows := []any{}
		for _, r := range v.GetRows() {
			row := map[string]any{}
			for id, cell := range r.GetCells() {
				if cells[id] == nil {
					return nil, fmt.Errorf("no cell %s", id)
				}
				value, err := plain(cells[id], cell)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", id, err)
				}
				row[id] = value
			}
			rows = append(rows, row)
		}
		return rows, nil
	default: // every other kind is a text
		return v.GetText(), nil
	}
}
