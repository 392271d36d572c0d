package witness

import (
	"fmt"
	"strings"

	"github.com/siyiban/onething/forms/kind"
)

// person are made-up citizen numbers of a woman and a man who were born on a day.
func person(born kind.Value) []kind.Value {
	day, _ := born.(kind.Date)
	spec := kind.Spec{Kind: kind.KindCitizenNumber}
	var all []kind.Value
	for _, order := range []string{"042", "017"} {
		for _, check := range "0123456789X" {
			if v, fault := spec.Parse(fmt.Sprintf("321323%04d%02d%02d%s%c", day.Year, int(day.Month), day.Day, order, check)); fault == nil {
				all = append(all, v)
				break
			}
		}
	}
	return all
}

// sample are made-up values of the kinds that rules do not compare with literals, two where the kind has two.
func sample(k kind.Kind) []kind.Value {
	switch k {
	case kind.KindCitizenNumber:
		return []kind.Value{kind.CitizenNumber("321323198802200171"), kind.CitizenNumber("321323196512200334")}
	case kind.KindPhone:
		return []kind.Value{kind.Phone("13812345601"), kind.Phone("13812345602")}
	case kind.KindPlate:
		return []kind.Value{kind.Plate("苏N12345"), kind.Plate("苏N54321")}
	case kind.KindUSCC:
		return []kind.Value{kind.USCC("91321323MA1X2Y3K4K")}
	case kind.KindBankAccount:
		return []kind.Value{kind.BankAccount("6230660000112233445"), kind.BankAccount("6230660000556677889")}
	case kind.KindFile:
		return []kind.Value{kind.File(strings.Repeat("0", 64))}
	default:
		return nil
	}
}
