package pluginvalue_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/siyiban/onething/engine/pluginvalue"
	"github.com/siyiban/onething/forms"
	"github.com/siyiban/onething/forms/kind"
	pluginv1 "github.com/siyiban/onething/proto/gen/onething/plugin/v1"
)

// field is a field of a kind, with what the kind needs.
func field(k kind.Kind) *forms.Field {
	f := &forms.Field{ID: "a", Kind: k, Scale: 2, Options: []forms.Option{{ID: "x"}, {ID: "y"}, {ID: "z"}}}
	if k == kind.KindList {
		for of := kind.KindText; of < kind.KindList; of++ {
			if of != kind.KindFile {
				cell := field(of)
				cell.ID = fmt.Sprintf("cell_%d", of)
				f.Row = append(f.Row, cell)
			}
		}
	}
	return f
}

func draw(t *rapid.T, f *forms.Field) kind.Value {
	switch f.Kind {
	case kind.KindBool:
		return kind.Bool(rapid.Bool().Draw(t, "bool"))
	case kind.KindInt:
		return kind.Int(rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "int"))
	case kind.KindDecimal:
		return kind.Decimal{Decimal: decimal.New(rapid.Int64Range(-1e12, 1e12).Draw(t, "decimal"), -2)}
	case kind.KindMoney:
		return kind.Money(rapid.Int64Range(-1e12, 1e12).Draw(t, "money"))
	case kind.KindDate:
		d, _ := kind.MustDate("1900-01-01").AddDays(rapid.IntRange(0, 100000).Draw(t, "date"))
		return d
	case kind.KindChoice:
		return kind.Choice(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "choice"))
	case kind.KindChoices:
		return rapid.SampledFrom([]kind.Choices{{}, {"x"}, {"y", "z"}, {"x", "y", "z"}}).Draw(t, "choices")
	case kind.KindCitizenNumber:
		return rapid.SampledFrom([]kind.CitizenNumber{"321323198802200171", "321323196512200334"}).Draw(t, "citizen")
	case kind.KindUSCC:
		return kind.USCC("91321323MA1X2Y3K4K")
	case kind.KindPhone:
		return kind.Phone("13812345601")
	case kind.KindBankAccount:
		return kind.BankAccount("6230660000112233445")
	case kind.KindPlate:
		return kind.Plate("苏N12345")
	case kind.KindAddress:
		return kind.Address{Region: "321323", Text: "人民路 1 号"}
	case kind.KindList:
		list := kind.List{}
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			row := kind.Row{}
			for _, cell := range f.Row {
				if rapid.Bool().Draw(t, cell.ID+" is there") {
					row[cell.ID] = draw(t, cell)
				}
			}
			list = append(list, row)
		}
		return list
	default:
		return kind.Text(rapid.StringMatching(`[a-z甲乙]{1,9}`).Draw(t, "text"))
	}
}

// What a plugin gets of a value and gives back is the value; of another kind it is refused.
func TestRead_Of(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := kind.Kind(rapid.IntRange(int(kind.KindText), int(kind.KindList)).Draw(t, "kind"))
		if k == kind.KindFile {
			return
		}
		f := field(k)
		v := draw(t, f)
		given, err := pluginvalue.Of(v)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := pluginvalue.Read(f, given); err != nil || !again.Equal(v) {
			t.Errorf("%v of %s comes back as %v, %v", v, k, again, err)
		}
		given.Kind = rapid.SampledFrom([]pluginv1.ValueKind{pluginv1.ValueKind_VALUE_KIND_UNSPECIFIED, pluginv1.ValueKind_VALUE_KIND_TEXT, pluginv1.ValueKind_VALUE_KIND_BOOL, pluginv1.ValueKind_VALUE_KIND_LIST}).Draw(t, "other kind")
		if v, err := pluginvalue.Read(f, given); err == nil && given.GetKind() != pluginvalue.Kind(k) {
			t.Errorf("%s is read as %v of %s", given.GetKind(), v, k)
		}
	})
}

func TestOf_File(t *testing.T) {
	t.Parallel()
	if v, err := pluginvalue.Of(kind.File("0000")); err == nil {
		t.Errorf("a plugin gets %v of a file", v)
	}
}

// Whatever a plugin answers, it is refused, or a value of the field that a person could have given.
func FuzzRead(f *testing.F) {
	for k := kind.KindText; k <= kind.KindList; k++ {
		b, err := proto.Marshal(&pluginv1.Value{Kind: pluginvalue.Kind(k), Text: "2026-02-30", Number: 7, Region: "321323", Items: []string{"x", "x"},
			Rows: []*pluginv1.Row{{Cells: map[string]*pluginv1.Value{"cell_3": {Kind: pluginv1.ValueKind_VALUE_KIND_INT, Number: 1 << 60}}}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(k), b)
	}
	f.Fuzz(func(t *testing.T, k uint8, b []byte) {
		of := kind.Kind(k)
		given := &pluginv1.Value{}
		if of < kind.KindText || of > kind.KindList || proto.Unmarshal(b, given) != nil {
			return
		}
		v, err := pluginvalue.Read(field(of), given)
		if err != nil {
			return
		}
		if again, fault := field(of).Spec().Parse(kind.Encode(v)); fault != nil || !again.Equal(v) {
			t.Errorf("%v of %s is read again as %v, %v", v, of, again, fault)
		}
	})
}
